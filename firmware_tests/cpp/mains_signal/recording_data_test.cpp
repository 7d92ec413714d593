// The project's real recordings, row by row against the files themselves.

#include "esphome/components/mains_signal/recording_reader.h"
#include "firmware_tests/cpp/support/chip_bench.h"
#include "firmware_tests/cpp/support/shared_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace esphome::mains_signal {

using ade9000_simulator::Bench;
using ade9000_simulator::Bytes;
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// The plain fields of a file, read here without the code under test.
Rows read_fields(const std::string &path, char separator) {
  Rows rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, separator);)
      fields.push_back(field);
    rows.push_back(fields);
  }
  return rows;
}

#define SKIP_WITHOUT(path)         \
  if (!std::ifstream(path).good()) \
  GTEST_SKIP() << "the recording " << path << " is not on this machine"

TEST(Toledo, EveryRowIsPlayedAsItWasRecorded) {
  const std::string path = shared_file("iberia_2025_04_28_toledo/toledo_data.csv");
  SKIP_WITHOUT(path);
  const auto recording = read_recording(path, {});
  ASSERT_TRUE(recording) << recording.error;
  EXPECT_EQ(recording.value->layout(), "toledo");
  EXPECT_EQ(recording.value->rows(), 3600u);
  EXPECT_EQ(recording.value->gaps(), 10u);
  EXPECT_EQ(recording.value->duration(), 7198.0);

  const Rows rows = read_fields(path, ',');
  for (size_t row = 1; row < rows.size(); row++) {
    const double second = 2.0 * static_cast<double>(row - 1);
    const Signal signal = recording.value->at(second);
    const double voltage = std::atof(rows[row][0].c_str());
    ASSERT_EQ(signal.measured, !std::isnan(voltage)) << "row " << row;
    if (!signal.measured)
      continue;
    for (size_t phase = 0; phase < 3; phase++)
      ASSERT_NEAR(signal.phases[phase].voltage, std::atof(rows[row][phase].c_str()) / 120.08, 1e-6) << "row " << row;
    ASSERT_NEAR(signal.frequency, std::atof(rows[row][3].c_str()), 1e-9) << "row " << row;
    EXPECT_EQ(signal.phases[0].current(), 0.0);
  }
}

TEST(Toledo, TheChipShowsTheCollapse) {
  const std::string path = shared_file("iberia_2025_04_28_toledo/toledo_data.csv");
  SKIP_WITHOUT(path);
  const auto recording = read_recording(path, {});
  ASSERT_TRUE(recording) << recording.error;
  Bench bench([&](double seconds) { return recording.value->at(seconds); });
  bench.start();
  // The rms values follow a jump of the signal within a second and a half.
  const auto at = [&](double second) {
    bench.now.position = second - 1.5;
    for (int i = 0; i < 15; i++)
      bench.wait(0.1);
  };
  // 12:33:18, 20, 22 of a recording that starts at 11:00:00: 49.902, 48.556, 47.476 Hz (see the data's own notes).
  for (const auto &[second, hertz] :
       {std::pair{5598.0, 49.902}, std::pair{5600.0, 48.556}, std::pair{5602.0, 47.476}}) {
    at(second);
    EXPECT_NEAR(8000.0 * 65536.0 / (bench.read32(0x418) + 1.0), hertz, 1e-4);
  }
  at(5598.0);
  EXPECT_NEAR(bench.read32(0x20D) / 52702092.0 * Bench::FULL_VOLTAGE, 29077.0 / 120.08, 0.5) << "the peak before";
  // Half an hour later 30 V of a 27.6 kV line are left: the chip sees no crossings and pretends 50 Hz.
  at(7198.0);
  EXPECT_LT(bench.read32(0x20D) / 52702092.0 * Bench::FULL_VOLTAGE, 0.5);
  EXPECT_EQ(bench.read32(0x418), 0x00A00000u);
  // 11:01:30 is the first row without a measurement.
  at(90.0);
  EXPECT_EQ(bench.read_frame(0x20D, 6), Bytes(6, 0xFF));
}

TEST(Household, EveryRowIsPlayedAsItWasRecorded) {
  const std::string path = shared_file("household_1min/household_power_consumption.txt");
  SKIP_WITHOUT(path);
  const auto recording = read_recording(path, {});
  ASSERT_TRUE(recording) << recording.error;
  EXPECT_EQ(recording.value->layout(), "uci_household");
  EXPECT_EQ(recording.value->rows(), 2203u);
  EXPECT_EQ(recording.value->duration(), 2202 * 60.0);

  const Rows rows = read_fields(path, ';');
  for (size_t row = 1; row < rows.size(); row++) {
    const PhaseSignal phase = recording.value->at(60.0 * static_cast<double>(row - 1)).phases[0];
    const auto field = [&](size_t index) { return std::atof(rows[row][index].c_str()); };
    ASSERT_NEAR(phase.active_power, 1000.0 * field(2), 1e-6) << "row " << row;
    ASSERT_NEAR(phase.reactive_power, 1000.0 * field(3), 1e-6) << "row " << row;
    ASSERT_NEAR(phase.voltage, field(4), 1e-9) << "row " << row;
    // The recorded current is rounded to 0.2 A: it may fall short of the powers, or leave a rest for the harmonics.
    const double fundamental = 1000.0 * std::hypot(field(2), field(3)) / field(4);
    ASSERT_NEAR(phase.current(), std::max(fundamental, field(5)), 1e-6) << "row " << row;
  }
}

TEST(Household, TheChipCountsItsEnergy) {
  const std::string path = shared_file("household_1min/household_power_consumption.txt");
  SKIP_WITHOUT(path);
  const auto recording = read_recording(path, {});
  ASSERT_TRUE(recording) << recording.error;
  Bench bench([&](double seconds) { return recording.value->at(seconds); });
  bench.start();
  // Straight lines between the minutes of the first hour: the trapezoids' area, kW and minutes to Wh.
  const Rows rows = read_fields(path, ';');
  double expected = 0.0;
  for (size_t row = 1; row <= 60; row++)
    expected += (std::atof(rows[row][2].c_str()) + std::atof(rows[row + 1][2].c_str())) / 2.0 * 1000.0 / 60.0;
  bench.now.position = 0.0;
  // 4 kWh are more than 45 bits hold: add up the differences, modulo 2^45, minute by minute.
  int64_t counted = 0;
  int64_t last = bench.read45(0x2E6);
  for (int minute = 0; minute < 60; minute++) {
    bench.wait(60.0);
    const int64_t code = bench.read45(0x2E6);
    counted += (code - last) & ((int64_t{1} << 45) - 1);
    last = code;
  }
  const double power = 1000.0 * std::atof(rows[61][2].c_str());
  EXPECT_NEAR(Bench::watt_hours(counted), expected, power * 1.3 / 3600.0) << "all but the open window";
}

/// A recording from somebody's report, and what it says.
struct ReportedForm {
  const char *name;
  /// Seconds.
  double duration;
  /// Of L1 in the first row, V and W.
  double voltage;
  double active_power;
};

class ReportedRecordings : public testing::TestWithParam<ReportedForm> {};

TEST_P(ReportedRecordings, AreReadInTheFormTheyHave) {
  const std::string path = shared_file(std::string("cases/recordings/") + GetParam().name + ".csv");
  SKIP_WITHOUT(path);
  const auto recording = read_recording(path, {});
  ASSERT_TRUE(recording) << recording.error;
  EXPECT_EQ(recording.value->duration(), GetParam().duration);
  EXPECT_NEAR(recording.value->at(0.0).phases[0].voltage, GetParam().voltage, 1e-9);
  EXPECT_NEAR(recording.value->at(0.0).phases[0].total_active_power(), GetParam().active_power, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(All, ReportedRecordings,
                         testing::Values(ReportedForm{"c17a_sma_dots", 300.0, 230.0, 500.0},
                                         ReportedForm{"c17b_decimal_comma", 300.0, 230.1, 500.5},
                                         // From 23:55 UTC to 02:00 UTC.
                                         ReportedForm{"c17c_offset", 7500.0, 230.0, 500.0},
                                         ReportedForm{"c17d_dst_local", 900.0, 230.0, 500.0},
                                         ReportedForm{"c17e_no_seconds", 300.0, 230.0, 500.0},
                                         ReportedForm{"c17f_epoch_ms", 60.0, 230.0, 500.0},
                                         ReportedForm{"c17h_header_units", 300.0, 230.0, 500.0}),
                         [](const auto &form) { return std::string(form.param.name); });

TEST(ReportedRecording, OneWhoseDatesHaveTwoMeaningsIsRefused) {
  const std::string path = shared_file("cases/recordings/c17g_us_date.csv");
  SKIP_WITHOUT(path);
  const auto recording = read_recording(path, {});
  ASSERT_FALSE(recording);
  EXPECT_NE(recording.error.find("write dates as 2025-04-28 or 28.04.2025"), std::string::npos) << recording.error;
}

TEST(ReportedRecording, AllOthersAreRead) {
  const std::string folder = shared_file("cases/recordings");
  if (!std::filesystem::is_directory(folder))
    GTEST_SKIP() << "the recordings " << folder << " are not on this machine";
  int read = 0;
  for (const auto &file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".csv" || file.path().filename() == "c17g_us_date.csv")
      continue;
    const auto recording = read_recording(file.path().string(), {});
    EXPECT_TRUE(recording) << recording.error;
    read++;
  }
  EXPECT_GT(read, 30);
}

}  // namespace
}  // namespace esphome::mains_signal
