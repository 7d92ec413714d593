// The command-line tool scripts/cpp/signal_model.cpp, from its arguments to its output.

#define main signal_model_main
#include "scripts/cpp/signal_model.cpp"
#undef main

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace {

struct Ended {
  int status;
  std::string output;
  std::string errors;
};

Ended run(std::vector<std::string> words) {
  words.insert(words.begin(), "signal_model");
  std::vector<char *> arguments;
  for (std::string &word : words)
    arguments.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = signal_model_main(static_cast<int>(arguments.size()), arguments.data());
  const std::string output = testing::internal::GetCapturedStdout();
  return {status, output, testing::internal::GetCapturedStderr()};
}

std::string write_recording(const std::string &text) {
  const std::string path = testing::TempDir() + "signal_model_test.csv";
  std::ofstream(path) << text;
  return path;
}

/// The table of a history, by column name.
std::map<std::string, std::vector<double>> table(const std::string &text) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::vector<std::string> names;
  for (const auto name : split(line, ','))
    names.emplace_back(name);
  std::map<std::string, std::vector<double>> columns;
  while (std::getline(lines, line)) {
    const auto fields = split(line, ',');
    EXPECT_EQ(fields.size(), names.size());
    for (size_t i = 0; i < names.size(); i++)
      columns[names[i]].push_back(std::stod(std::string(fields[i])));
  }
  return columns;
}

TEST(SignalModelCheck, SumsUpAGoodRecording) {
  const Ended good = run({"check", write_recording("time;U;frequency\n0;2.3;50\n1;NaN;50\n4;2.3;50\n"), "--columns",
                          "voltage_l1=U", "--scale", "voltage=100"});
  EXPECT_EQ(good.status, 0) << good.errors;
  EXPECT_EQ(good.output,
            "{\"layout\": \"columns\", \"rows\": 3, \"rows_without_measurement\": 1, \"duration\": 4.000, "
            "\"quantities\": [\"frequency\", \"voltage_l1\"]}\n");
}

TEST(SignalModelCheck, SaysInOneSentenceWhatIsWrong) {
  const std::string path = write_recording("time,frequency\n0,50\n0,50\n");
  const Ended bad = run({"check", path});
  EXPECT_EQ(bad.status, 2);
  EXPECT_EQ(bad.output, "");
  EXPECT_EQ(bad.errors,
            "recording " + path +
                ", line 3, column time: the time '0' is not later than '0' of the row before; sort the rows "
                "by time and remove repeated ones\n");
}

TEST(SignalModel, RefusesWrongArguments) {
  for (const std::vector<std::string> &words :
       std::vector<std::vector<std::string>>{{},
                                             {"play"},
                                             {"check"},
                                             {"check", "a", "--speed", "1"},
                                             {"check", "a", "--scale"},
                                             {"check", "a", "--scale", "x"},
                                             {"history"},
                                             {"history", "--from", "0", "--to", "soon"},
                                             {"history", "--from", "0", "--to", "9", "--step", "0"},
                                             {"history", "--from", "-1", "--to", "9"},
                                             {"history", "now"}}) {
    const Ended refused = run(words);
    EXPECT_EQ(refused.status, 2);
    EXPECT_EQ(refused.output, "");
    EXPECT_NE(refused.errors, "");
  }
}

TEST(SignalModelHistory, AddsUpTheHouse) {
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  // 2025-06-01, 09:50 to 10:10 in Paris (day 20240, two hours ahead of UTC).
  constexpr int64_t FROM = 20240 * 86400LL + 7 * 3600 + 50 * 60;
  const Ended done = run({"history", "--from", std::to_string(FROM), "--to", std::to_string(FROM + 1200)});
  ASSERT_EQ(done.status, 0) << done.errors;
  auto columns = table(done.output);
  ASSERT_EQ(columns["start"].size(), 4u);
  EXPECT_EQ(columns["start"][1], FROM + 300.0);

  const HouseDay house(20240);
  double power[PHASES + 1] = {};
  double highest_voltage = 0.0;
  double frequency = 0.0;
  for (int i = 0; i < 3000; i++) {
    const Signal signal = house.at(9 * 3600.0 + 55 * 60.0 + i * 0.1);
    for (int phase = 0; phase < PHASES; phase++) {
      power[phase] += signal.phases[phase].active_power / 3000.0;
      power[PHASES] += signal.phases[phase].active_power / 3000.0;
    }
    highest_voltage = std::max(highest_voltage, signal.phases[1].voltage);
    frequency += signal.frequency / 3000.0;
  }
  const char *suffixes[] = {"_l1", "_l2", "_l3", ""};
  for (int i = 0; i <= PHASES; i++) {
    const std::string suffix = suffixes[i];
    EXPECT_NEAR(columns["active_power" + suffix + "_mean"][1], power[i], 2.0);
    EXPECT_NEAR(columns["import_energy" + suffix][1] - columns["export_energy" + suffix][1], power[i] / 12.0, 0.2);
    EXPECT_GE(columns["import_energy" + suffix][1], 0.0);
    EXPECT_GE(columns["export_energy" + suffix][1], 0.0);
    EXPECT_LE(columns["active_power" + suffix + "_min"][1], columns["active_power" + suffix + "_mean"][1]);
    EXPECT_GE(columns["active_power" + suffix + "_max"][1], columns["active_power" + suffix + "_mean"][1]);
  }
  EXPECT_NEAR(columns["voltage_l2_max"][1], highest_voltage, 0.1);
  EXPECT_NEAR(columns["frequency_mean"][1], frequency, 1e-3);
  EXPECT_LE(columns["import_energy"][1],
            columns["import_energy_l1"][1] + columns["import_energy_l2"][1] + columns["import_energy_l3"][1] + 1e-3)
      << "netting can only lessen what is imported";
}

TEST(SignalModelHistory, CutsTheLastStepShort) {
  const Ended done = run({"history", "--from", "0", "--to", "100", "--step", "60"});
  auto columns = table(done.output);
  ASSERT_EQ(columns["start"].size(), 2u);
  const double whole = columns["active_power_mean"][0] / 60.0;
  EXPECT_NEAR(columns["import_energy"][0], whole, 1e-3);
  EXPECT_NEAR(columns["import_energy"][1], columns["active_power_mean"][1] / 90.0, 1e-3) << "40 s";
}

}  // namespace
