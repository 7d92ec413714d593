// Reading recordings: the accepted forms, and the sentence for each error.

#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/mains_signal/recording_clock.h"
#include "esphome/components/mains_signal/recording_reader.h"
#include "esphome/components/mains_signal/recording_time.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace esphome::mains_signal {
namespace {

Outcome<Recording> read(std::string_view text, const RecordingOptions &options = {}) {
  return parse_recording(text, "house.csv", options);
}

/// The sentence a wrong recording gets; fails the test if it is accepted.
std::string sentence(std::string_view text, const RecordingOptions &options = {}) {
  const auto recording = read(text, options);
  EXPECT_FALSE(recording) << "accepted:\n" << text;
  EXPECT_EQ(recording.error.find('\n'), std::string::npos) << "one sentence, one line";
  return recording.error;
}

constexpr std::string_view COMMON_WORDS =
    "frequency, voltage_l1..l3, current_l1..l3, active_power_l1..l3, reactive_power_l1..l3, voltage_angle_l1..l3, "
    "voltage_h2..h40_l1..l3, voltage_h2..h40_angle_l1..l3, current_h2..h40_l1..l3, current_h2..h40_angle_l1..l3";

TEST(RecordingReader, ReadsCommasAndSemicolonsAlike) {
  for (const std::string text :
       {"time,frequency,voltage_l1\n0,50,230\n10,51,240\n", "time;frequency;voltage_l1\r\n0;50;230\r\n10;51;240\r\n",
        "\xEF\xBB\xBFvoltage_l1 , time , note, frequency\n\n230, 0, x, 50\n\n\"240\",10,\"y\",+51"}) {
    const auto recording = read(text);
    ASSERT_TRUE(recording) << recording.error;
    EXPECT_EQ(recording.value->rows(), 2u);
    EXPECT_EQ(recording.value->duration(), 10.0);
    EXPECT_NEAR(recording.value->at(5.0).frequency, 50.5, 1e-12);
    EXPECT_NEAR(recording.value->at(5.0).phases[0].voltage, 235.0, 1e-12);
  }
}

TEST(RecordingReader, ReadsDecimalCommasBetweenSemicolons) {
  const auto recording = read("time;voltage_l1;active_power_l1\n0;230,5;-500\n0,5;231,5;1e3\n");
  ASSERT_TRUE(recording) << recording.error;
  EXPECT_EQ(recording.value->duration(), 0.5);
  EXPECT_NEAR(recording.value->at(0.0).phases[0].voltage, 230.5, 1e-12);
}

TEST(RecordingReader, RefusesNumbersOfTwoMeanings) {
  // 1.234 is 1234 to who writes decimal commas.
  EXPECT_EQ(sentence("time;active_power_l1\n0;500,5\n1;1.234\n"),
            "recording house.csv, line 3, column active_power_l1: '1.234' has another decimal mark than '500,5' before "
            "it; write all numbers with a decimal point, or all with a decimal comma, and nothing between thousands");
  EXPECT_NE(sentence("time;active_power_l1\n0;1.234,5\n1;2\n").find("nothing between thousands"), std::string::npos);
  EXPECT_NE(sentence("time;active_power_l1\n0;1,234,5\n1;2\n").find("nothing between thousands"), std::string::npos);
}

TEST(RecordingReader, ReadsHeadersInAnyCaseAndTheirUnits) {
  for (const std::string header : {"Time,Voltage_L1,Active Power L1 (W)", "TIME, VOLTAGE L1 [V], ACTIVE_POWER_L1"}) {
    const auto recording = read(header + "\n0,230,500\n10,230,500\n");
    ASSERT_TRUE(recording) << recording.error;
    EXPECT_NEAR(recording.value->at(5.0).phases[0].total_active_power(), 500.0, 1e-6);
  }
  const auto scaled = read("time,voltage_l1 (kV),current_l1 (mA)\n0,0.23,500\n10,0.23,500\n");
  ASSERT_TRUE(scaled) << scaled.error;
  EXPECT_NEAR(scaled.value->at(5.0).phases[0].voltage, 230.0, 1e-9);
  EXPECT_NEAR(scaled.value->at(5.0).phases[0].current(), 0.5, 1e-9);
}

TEST(RecordingReader, RefusesAUnitOfSomethingElse) {
  EXPECT_EQ(sentence("time,active_power_l1 (VA)\n0,1\n1,1\n"),
            "recording house.csv: the column 'active_power_l1 (VA)' is in 'VA', which is no unit of active_power_l1; "
            "write its values in W");
}

TEST(RecordingReader, TwoFormsOfOneName) {
  EXPECT_NE(sentence("time,Voltage L1,VOLTAGE_L1\n0,230,231\n1,230,231\n").find("no single column 'voltage_l1'"),
            std::string::npos);
}

TEST(RecordingReader, AnyDateWithSlashesTellsTheOrderOfAll) {
  for (const std::string rows :
       {"03/04/2025 00:00:00,50\n13/04/2025 00:00:00,50\n", "04/03/2025 00:00:00,50\n04/13/2025 00:00:00,50\n"}) {
    const auto recording = read("time,frequency\n" + rows);
    ASSERT_TRUE(recording) << recording.error;
    EXPECT_EQ(recording.value->duration(), 10.0 * 86400.0) << rows;
  }
}

TEST(RecordingReader, DatesOfTwoMeanings) {
  EXPECT_EQ(sentence("time,frequency\n03/04/2025 00:00:00,50\n03/05/2025 00:00:00,50\n"),
            "recording house.csv, line 2, column time: '03/04/2025 00:00:00' may be a day of either of two months, and "
            "no other row tells which; write dates as 2025-04-28 or 28.04.2025");
}

/// Seconds between the rows of a recording of these times.
std::vector<double> steps(const std::vector<std::string> &times) {
  RecordingClock clock(SlashOrder::UNKNOWN);
  std::vector<double> steps;
  double before = 0.0;
  for (const std::string &text : times) {
    const auto time = clock.next(text);
    EXPECT_TRUE(time) << time.error;
    if (!time)
      return {};
    if (&text != &times.front())
      steps.push_back(*time.value - before);
    before = *time.value;
  }
  return steps;
}

TEST(RecordingClock, TellsTheRepeatedHourByTheOffset) {
  EXPECT_EQ(steps({"2014-10-26T01:55:00+02:00", "2014-10-26T02:55:00+02:00", "2014-10-26T02:00:00+01:00"}),
            (std::vector<double>{3600, 300}));
}

TEST(RecordingClock, TellsTheRepeatedHourByTheOrder) {
  EXPECT_EQ(steps({"2014-10-26 02:50:00", "2014-10-26 02:55:00", "2014-10-26 02:00:00", "2014-10-26 02:05:00",
                   "2014-10-26 03:00:00"}),
            (std::vector<double>{300, 300, 300, 3300}));
  // Hour by hour the same time stands twice. America and Britain put their clocks back at two, Australia at three.
  EXPECT_EQ(steps({"2025-10-26 00:00", "2025-10-26 01:00", "2025-10-26 01:00", "2025-10-26 02:00"}),
            (std::vector<double>{3600, 3600, 3600}));
  EXPECT_EQ(steps({"2025-11-02 01:30", "2025-11-02 01:45", "2025-11-02 01:00"}), (std::vector<double>{900, 900}));
  EXPECT_EQ(steps({"2025-04-06 02:30", "2025-04-06 02:45", "2025-04-06 02:00"}), (std::vector<double>{900, 900}));
}

/// The sentence for the last of these times.
std::string refusal(const std::vector<std::string> &times) {
  RecordingClock clock(SlashOrder::UNKNOWN);
  std::string error;
  for (const std::string &text : times) {
    EXPECT_EQ(error, "") << "before " << text;
    error = clock.next(text).error;
  }
  return error;
}

TEST(RecordingClock, RefusesWhatTheOrderDoesNotTell) {
  // A repeated row, which an hour later would stand behind a gap.
  EXPECT_EQ(refusal({"2025-10-26 02:10", "2025-10-26 02:15", "2025-10-26 02:15"}),
            "the time '2025-10-26 02:15' is not later than '2025-10-26 02:15' of the row before; sort the rows by time "
            "and remove repeated ones; if the clock was put back between them, write times with their offset such as "
            "2025-10-26T02:00:00+01:00");
  // A Monday; June; the afternoon; a clock of UTC.
  for (const std::vector<std::string> &times : std::vector<std::vector<std::string>>{
           {"2025-10-27 02:50", "2025-10-27 02:55", "2025-10-27 02:00"},
           {"2025-06-29 02:50", "2025-06-29 02:55", "2025-06-29 02:00"},
           {"2025-10-26 14:50", "2025-10-26 14:55", "2025-10-26 14:00"},
           {"2025-10-26T02:50Z", "2025-10-26T02:55Z", "2025-10-26T02:00Z"},
       })
    EXPECT_TRUE(refusal(times).ends_with("sort the rows by time and remove repeated ones")) << times.back();
}

TEST(RecordingClock, RefusesTimesOfTwoForms) {
  EXPECT_EQ(
      refusal({"2025-04-28T12:00:00+02:00", "2025-04-28 12:05:00"}),
      "'2025-04-28 12:05:00' is a date without an offset and '2025-04-28T12:00:00+02:00' of the row before a date "
      "with an offset; write all times in the same form");
}

TEST(RecordingReader, MapsColumnsAndJoinsTheTime) {
  const RecordingOptions options{{{"time", "Day+Clock"}, {"voltage_l2", "U"}}, {{"voltage", 1000.0}}};
  const auto recording = read("Day,Clock,U\n2025-04-28,11:00:00,0.23\n2025-04-28,11:00:02,0.24\n", options);
  ASSERT_TRUE(recording) << recording.error;
  EXPECT_EQ(recording.value->duration(), 2.0);
  EXPECT_NEAR(recording.value->at(0.0).phases[1].voltage, 230.0, 1e-9);
  EXPECT_EQ(recording.value->at(0.0).phases[0].voltage, 0.0);
}

TEST(RecordingReader, AFactorForOnePhaseWinsOverTheQuantitys) {
  for (const auto &scale : {std::vector<ScaleChoice>{{"voltage", 10.0}, {"voltage_l2", 20.0}},
                            std::vector<ScaleChoice>{{"voltage_l2", 20.0}, {"voltage", 10.0}}}) {
    const auto recording = read("time,voltage_l1,voltage_l2\n0,1,1\n1,1,1\n", {{}, scale});
    ASSERT_TRUE(recording) << recording.error;
    EXPECT_EQ(recording.value->at(0.0).phases[0].voltage, 10.0);
    EXPECT_EQ(recording.value->at(0.0).phases[1].voltage, 20.0);
  }
}

TEST(RecordingReader, MissingValuesAreNoMeasurement) {
  for (const std::string missing : {"NaN", "nan", "?", ""}) {
    const auto recording = read("time,frequency\n0,50\n1," + missing + "\n2,50\n3,50\n");
    ASSERT_TRUE(recording) << recording.error;
    EXPECT_EQ(recording.value->gaps(), 1u);
    EXPECT_FALSE(recording.value->at(1.0).measured);
  }
}

TEST(RecordingReader, FileThatIsNotThere) {
  const auto recording = read_recording("/nowhere/house.csv", {});
  ASSERT_FALSE(recording);
  EXPECT_EQ(recording.error,
            "recording /nowhere/house.csv cannot be read (No such file or directory); give the path of a CSV file that "
            "exists");
}

TEST(RecordingReader, FileThatIsAFolder) {
  const auto recording = read_recording("/", {});
  ASSERT_FALSE(recording);
  EXPECT_EQ(recording.error, "recording / cannot be read (Is a directory); give the path of a CSV file that exists");
}

TEST(RecordingReader, EmptyFile) {
  constexpr std::string_view EXPECTED =
      "recording house.csv is empty; it needs a line with column names and at least two rows";
  EXPECT_EQ(sentence(""), EXPECTED);
  EXPECT_EQ(sentence("\n  \n"), EXPECTED);
}

TEST(RecordingReader, NoTimeColumn) {
  EXPECT_EQ(
      sentence("frequency,voltage_l1\n50,230\n50,230\n"),
      "recording house.csv: the header has no single column 'time' to read the time from; name one column time or "
      "map it with time=COLUMN (the header is: frequency, voltage_l1)");
}

TEST(RecordingReader, NoQuantity) {
  EXPECT_EQ(sentence("time,temperature\n0,20\n1,20\n"),
            "recording house.csv: the header names no quantity this meter measures; use " + std::string(COMMON_WORDS) +
                " or map a column with voltage_l1=COLUMN (the header is: time, temperature)");
}

TEST(RecordingReader, TwoColumnsOfOneName) {
  EXPECT_EQ(sentence("time,frequency,frequency\n0,50,50\n1,50,50\n"),
            "recording house.csv: the header has no single column 'frequency' for frequency; map it with "
            "frequency=COLUMN (the header is: time, frequency, frequency)");
}

TEST(RecordingReader, TextInANumber) {
  EXPECT_EQ(sentence("time,voltage_l1\n0,230\n1,2e5x\n"),
            "recording house.csv, line 3, column voltage_l1: '2e5x' is not a number; write a number with a decimal "
            "point, or NaN where there was no measurement");
  EXPECT_EQ(sentence("time;voltage_l1\n0;230\n\n1;2x\n"),
            "recording house.csv, line 4, column voltage_l1: '2x' is not a number; write a number with a decimal point "
            "or a decimal comma and nothing between thousands, or NaN where there was no measurement");
  EXPECT_NE(sentence("time,voltage_l1\n0,inf\n1,230\n").find("'inf' is not a number"), std::string::npos);
}

TEST(RecordingReader, RowOfTheWrongLength) {
  EXPECT_EQ(sentence("time,voltage_l1,frequency\n0,230,50\n1,230\n"),
            "recording house.csv, line 3: the row has 2 fields and the header has 3; give every row one value per "
            "column, NaN where there was no measurement");
  EXPECT_NE(sentence("time,voltage_l1\n0,230\n1,230,5\n").find("has 3 fields and the header has 2"), std::string::npos);
}

TEST(RecordingReader, TimeThatDoesNotIncrease) {
  EXPECT_EQ(sentence("time,frequency\n2025-04-28 11:00:02,50\n2025-04-28 11:00:00,50\n"),
            "recording house.csv, line 3, column time: the time '2025-04-28 11:00:00' is not later than '2025-04-28 "
            "11:00:02' of the row before; sort the rows by time and remove repeated ones");
  EXPECT_NE(sentence("time,frequency\n5,50\n5,50\n").find("'5' is not later than '5'"), std::string::npos);
}

TEST(RecordingReader, TimeThatIsNone) {
  EXPECT_EQ(sentence("time,frequency\nnoon,50\n1,50\n"),
            "recording house.csv, line 2, column time: 'noon' is not a time; write seconds, milliseconds "
            "since 1970, 2025-04-28 11:00, 2025-04-28T11:00:00.5+02:00, 28-Apr-2025 11:00:00, 28.04.2025 11:00:00 or "
            "28/04/2025 11:00:00");
}

TEST(RecordingReader, TooFewRows) {
  EXPECT_EQ(sentence("time,frequency\n"),
            "recording house.csv has no row under its header; it needs at least two rows to play");
  EXPECT_EQ(sentence("time,frequency\n0,50\n"),
            "recording house.csv has only one row under its header; it needs at least two rows to play");
}

TEST(RecordingReader, UnknownNamesInOptions) {
  constexpr std::string_view GOOD = "time,frequency\n0,50\n1,50\n";
  EXPECT_EQ(sentence(GOOD, {{{"volt_l1", "frequency"}}, {}}),
            "recording house.csv: the column mapping names 'volt_l1', which is unknown; use time, " +
                std::string(COMMON_WORDS));
  EXPECT_EQ(sentence(GOOD, {{{"voltage_l1", "U"}}, {}}),
            "recording house.csv: the header has no single column 'U' for voltage_l1; map it with voltage_l1=COLUMN "
            "(the header is: time, frequency)");
  EXPECT_EQ(
      sentence(GOOD, {{}, {{"volts", 2.0}}}),
      "recording house.csv: the scale names 'volts', which is unknown; use a quantity such as voltage, or one of " +
          std::string(COMMON_WORDS));
  EXPECT_EQ(
      sentence(GOOD, {{}, {{"voltage", 2.0}}}),
      "recording house.csv: the scale names voltage, of which there is no column; remove it or map a column to it");
  EXPECT_EQ(sentence(GOOD, {{}, {{"frequency", 0.0}}}),
            "recording house.csv: the scale of frequency must be a finite factor other than zero");
}

TEST(RecordingReader, ValuesNoMeterCanCarry) {
  EXPECT_EQ(sentence("time,voltage_l1\n0,27105.5\n1,27105.5\n"),
            "recording house.csv, line 2, column voltage_l1: '27105.5' is more than the 700 V this meter can carry; "
            "give a scale such as voltage=0.001");
  EXPECT_EQ(sentence("time,voltage_l1\n0,-1\n1,1\n"),
            "recording house.csv, line 2, column voltage_l1: '-1' is negative, which a voltage cannot be; correct the "
            "value, or write NaN where there was no measurement");
}

TEST(RecordingReader, NoTextWhateverIsInItDoesHarm) {
  constexpr std::string_view GOOD =
      "time,frequency,voltage_l1,active_power_l1\n2025-04-28 11:00:00,50.01,231,1000\n2025-04-28 11:00:02,NaN,?,\n"
      "2025-04-28 11:00:04,50.03,229,-500\n";
  std::mt19937 random(2025);
  int accepted = 0;
  for (int i = 0; i < rounds(1000, 200000); i++) {
    std::string text(GOOD);
    const auto changes = 1 + random() % 3;
    for (unsigned change = 0; change < changes; change++) {
      const size_t place = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[place] = static_cast<char>(random());
          break;
        case 1:
          text.erase(place, 1 + random() % 5);
          break;
        default:
          text.insert(place, 1, ",;\n\"-.:eT9"[random() % 10]);
          break;
      }
    }
    const auto recording = read(text);
    if (recording) {
      accepted++;
      for (const double second : {-1.0, 0.0, 1.0, 2.0, 3.0, 1e9})
        recording.value->at(second);
    } else {
      EXPECT_TRUE(recording.error.starts_with("recording house.csv")) << recording.error;
    }
  }
  EXPECT_GT(accepted, 0);
}

/// Forms of time with the seconds they mean or the word refused; scripts/replay is held against the same file.
std::vector<std::pair<std::string, std::string>> time_forms() {
  std::vector<std::pair<std::string, std::string>> forms;
  std::ifstream file("firmware_tests/cpp/mains_signal/recording_times.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const size_t bar = line.find('|');
    forms.emplace_back(line.substr(0, bar), line.substr(bar + 1));
  }
  return forms;
}

TEST(RecordingTime, UnderstandsItsFormsAndRefusesWhatIsNoMoment) {
  const auto forms = time_forms();
  ASSERT_GT(forms.size(), 40u);
  for (const auto &[text, expected] : forms) {
    const auto time = parse_recording_time(text, find_slash_order(text));
    if (expected == "refused") {
      EXPECT_FALSE(time) << text;
      continue;
    }
    ASSERT_TRUE(time) << text;
    EXPECT_NEAR(time->seconds, std::stod(expected), 1e-6) << text;
  }
}

TEST(RecordingOptions, ReadsWhatIsWrittenOnACommandLine) {
  const auto columns = parse_column_choices(" voltage_l1 = U 1 , time=Date+Time");
  ASSERT_TRUE(columns) << columns.error;
  ASSERT_EQ(columns.value->size(), 2u);
  EXPECT_EQ(columns.value->at(0).series, "voltage_l1");
  EXPECT_EQ(columns.value->at(0).column, "U 1");
  const auto scale = parse_scale_choices("voltage=0.008328,active_power_l1=1000");
  ASSERT_TRUE(scale) << scale.error;
  EXPECT_EQ(scale.value->at(1).factor, 1000.0);
  EXPECT_TRUE(parse_scale_choices("").value->empty());
}

TEST(RecordingOptions, SaysWhatIsWrong) {
  EXPECT_EQ(
      parse_column_choices("voltage_l1").error,
      "the column mapping 'voltage_l1' is not of the form voltage_l1=ColumnName; write name=value pairs separated "
      "by commas");
  EXPECT_EQ(parse_scale_choices("voltage=ten").error,
            "the scale of voltage is 'ten', which is not a number; write a factor such as 0.001");
  EXPECT_EQ(parse_scale_choices("voltage=1,,").error,
            "the scale '' is not of the form voltage=0.001; write name=value pairs separated by commas");
}

}  // namespace
}  // namespace esphome::mains_signal
