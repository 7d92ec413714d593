// Recordings from people's reports, played to the simulated chip and read by the driver: what a meter shows, counts and
// tells of them is what stands in the files, read here without the code under test.

#include "esphome/components/ade9000/ade9000_registers.h"
#include "esphome/components/ade9000/chip.h"
#include "esphome/components/ade9000/energy_totals.h"
#include "esphome/components/ade9000/measurement.h"
#include "esphome/components/ade9000_simulator/simulated_chip.h"
#include "esphome/components/mains_signal/recording_reader.h"
#include "esphome/components/meter_calibration/calibration_book.h"
#include "esphome/components/power_quality/chip_monitor.h"
#include "esphome/components/wiring_check/wiring_findings.h"
#include "firmware_tests/cpp/support/shared_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numbers>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace esphome::ade9000 {
namespace {

using mains_signal::Instant;
using mains_signal::read_recording;
using mains_signal::Recording;
using mains_signal::shared_file;
using power_quality::PowerQualityEvent;
using power_quality::PowerQualityKind;

/// Of the product's default front end: 707 V, and 105.6 A (docs/hardware.md).
constexpr double FULL_SCALE_CURRENT = 0.70710678 / 0.0066965;
/// Starting power at 230 V: 0.1 % of 5 A (docs/accuracy.md).
constexpr double NO_LOAD_POWER = 0.005 * 230;
/// From one reading of the counters to the next, s: of hours, where they go round after minutes at full scale, and of
/// minutes, where the simulated chip must not look at a change in one stretch with what follows.
constexpr double UPDATE = 30.0;
constexpr double FINE_UPDATE = 0.5;
constexpr double MINUTES = 300.0;
/// Part that is counted of a long stretch in which nothing changes, at the beginning and at the end, s.
constexpr double STEADY = 30.0;

/// The columns of a file with decimal points and seconds.
struct File {
  std::vector<double> times;
  std::map<std::string, std::vector<double>> columns;

  bool has(const std::string &name) const { return this->columns.count(name) != 0; }
  double at(const std::string &name, size_t row) const { return this->columns.at(name)[row]; }
  /// Whether nothing changes from a row to the next.
  bool is_steady(size_t row) const {
    for (const auto &[name, values] : this->columns) {
      if (values[row] != values[row + 1])
        return false;
    }
    return true;
  }
};

File read_file(const std::string &path) {
  File file;
  std::ifstream stream(path);
  std::vector<std::string> names;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    size_t index = 0;
    for (std::string field; std::getline(fields, field, ','); index++) {
      if (file.times.empty() && names.size() == index && !std::isdigit(static_cast<unsigned char>(line[0]))) {
        names.push_back(field);
      } else if (index == 0) {
        file.times.push_back(std::atof(field.c_str()));
      } else {
        file.columns[names.at(index)].push_back(std::atof(field.c_str()));
      }
    }
  }
  return file;
}

/// The recordings of loads and of the supply. Those that are about the form of a file are read in mains_signal's tests.
const char *const NAMES[] = {
    "c01b_three_standby",
    "c01c_loads_1_to_5W",
    "c02_tasmota17178_one_phase",
    "c03_mycila30_netting",
    "c04_esphome6801_inverter",
    "c05_energyme167_table",
    "c06b_split_outage",
    "c06c_split_one_leg",
    "c07_split20_network208",
    "c07b_split_180",
    "c09_danpeig13_one_voltage",
    "c10_sungrow396_lost_tap",
    "c10b_lost_tap_at_boot",
    "c11_emonlib42_bulb",
    "c12_tasmota16472_lowpf_lag7.17",
    "c12_tasmota16472_lowpf_lead2",
    "c12_tasmota16472_lowpf_lead7.17",
    "c13_p1dongle55_wifi_gap",
    "c14a_before",
    "c14b_silent_then_back",
    "c16_tasmota9687_60hz_lowpf",
    "c19_smartpi95_offset",
    "c20_overflow",
    "c21_overrange",
    "c21b_inrush",
    "c23_tasmota2315_phases_go",
    "c24_restart_in_event",
};

std::string path_of(const std::string &name) { return shared_file("cases/recordings/" + name + ".csv"); }

/// A recording, the chip that measures it, and the driver's rules that read the chip.
class Meter : public Ade9000Transport {
 public:
  Meter(const Recording &recording, bool is_60_hz, const ade9000_simulator::FrontEnd &front_end = {})
      : simulated_(recording, front_end, this->now) {
    this->bus.set_transport(this);
    ChipSettings &settings = this->chip.settings();
    settings.set(reg::CONFIG3, reg::CONFIG3_RESET | reg::CONFIG3_PEAKSEL_ALL);
    settings.set(reg::ACCMODE, is_60_hz ? reg::ACCMODE_SELFREQ_60HZ : 0);
    for (const uint16_t level : {reg::ACT_NL_LVL, reg::REACT_NL_LVL, reg::APP_NL_LVL})
      settings.set(level, this->scaling.no_load_level(NO_LOAD_POWER));
    settings.set(reg::EGY_TIME, 160 - 1);
    settings.set(reg::RUN, reg::RUN_START);
    settings.set(reg::EP_CFG, reg::EP_CFG_EGY_PWR_EN);
    this->chip.begin(0, 1);
    // A recording may begin with a silence.
    for (int i = 0; i < 200 && !this->chip.is_running(); i++) {
      this->wait(0.2);
      this->chip.step(static_cast<uint32_t>(this->now.real * 1000));
    }
    this->wait(1.5);
    this->wanted_.set();
  }

  void transfer(uint8_t *data, size_t length) override { this->simulated_.transfer(data, length, this->now); }
  void wait(double seconds) {
    this->now.real += seconds;
    this->now.elapsed += seconds;
    this->now.position += seconds;
    this->simulated_.advance(this->now);
  }
  /// Shows what the chip measures at a second of the recording, once its filters have settled on it.
  std::optional<Snapshot> show(double second) {
    this->now.position = second - 2;
    for (int i = 0; i < 20; i++)
      this->wait(0.1);
    Measurement measurement;
    if (!measure(this->bus, this->scaling, ChipSettings{}, this->wanted_, measurement))
      return {};
    return make_snapshot(measurement.phases, measurement.device,
                         {.minimum_voltage = 0.5 * 120, .minimum_apparent_power = 1, .no_load_power = NO_LOAD_POWER});
  }
  bool count() {
    EnergyCodes codes;
    return read_energy_codes(this->bus, codes) && this->totals.count(codes, this->scaling);
  }

  Instant now;
  Scaling scaling{1000.4, 0.0066965};
  Ade9000Bus bus;
  Chip chip{bus};
  EnergyTotals totals;

 protected:
  ade9000_simulator::SimulatedChip simulated_;
  WantedQuantities wanted_;
};

bool is_60_hz(const File &file) { return file.has("frequency") && file.at("frequency", 0) > 55; }

std::string of_line(const char *quantity, size_t line) {
  return std::string(quantity) + "_l" + std::to_string(line + 1);
}

class ReportedRecordings : public testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    if (!std::ifstream(path_of(GetParam())).good())
      GTEST_SKIP() << "the recording " << path_of(GetParam()) << " is not on this machine";
    auto recording = read_recording(path_of(GetParam()), {});
    ASSERT_TRUE(recording) << recording.error;
    this->recording_ = std::move(*recording.value);
    this->file_ = read_file(path_of(GetParam()));
    ASSERT_GE(this->file_.times.size(), 2u);
  }
  /// W and var of a line in a row; what is missing is none, and NaN is not measured.
  double value(const char *quantity, size_t line, size_t row) const {
    const std::string name = of_line(quantity, line);
    return this->file_.has(name) ? this->file_.at(name, row) : 0;
  }
  /// A power as it is counted: each of the two is none below the no-load level (docs/accuracy.md). NaN stays NaN.
  double counted(const char *quantity, size_t line, size_t row) const {
    const double power = this->value(quantity, line, row);
    return std::abs(power) < NO_LOAD_POWER ? 0 : power;
  }
  /// Volt-amperes by the powers of a row.
  double apparent(size_t line, size_t row) const {
    return std::hypot(this->value("active_power", line, row), this->value("reactive_power", line, row));
  }
  /// Whether the converter clips a line's current: the crest of a distorted one is up to twice that of a sine.
  bool is_beyond_range(size_t line, size_t row) const {
    const double volts = this->value("voltage", line, row);
    const double fundamental = volts > 0 ? this->apparent(line, row) / volts : 0;
    const double amperes = std::max(this->value("current", line, row), fundamental);
    const bool is_distorted = amperes > 1.01 * fundamental && fundamental > 0;
    return amperes > (is_distorted ? FULL_SCALE_CURRENT / 2 : FULL_SCALE_CURRENT);
  }

  Recording recording_{"", {}};
  File file_;
};

TEST_P(ReportedRecordings, AreShownAsTheyWereRecorded) {
  Meter meter(this->recording_, is_60_hz(this->file_));
  int compared = 0;
  for (size_t row = 0; row + 1 < this->file_.times.size(); row++) {
    const double from = this->file_.times[row] - this->file_.times[0];
    const double until = std::min(this->file_.times[row + 1] - this->file_.times[0], from + 60);
    if (!this->file_.is_steady(row) || until - from < 4)
      continue;
    const auto shown = meter.show((from + until) / 2 + 1);
    ASSERT_TRUE(shown.has_value()) << "row " << row;
    for (size_t line = 0; line < PHASES; line++) {
      const auto channel = static_cast<Channel>(line);
      const std::string where = "L" + std::to_string(line + 1) + ", row " + std::to_string(row);
      if (this->is_beyond_range(line, row))
        continue;
      const double volts = this->value("voltage", line, row);
      EXPECT_NEAR(shown->at(channel, Quantity::VOLTAGE), volts, 0.02 + 2e-4 * volts) << where;
      if (this->file_.has(of_line("current", line))) {
        // Where a file rounds, its powers may need more than its current.
        const double amperes =
            std::max(this->value("current", line, row), volts > 0 ? this->apparent(line, row) / volts : 0);
        EXPECT_NEAR(shown->at(channel, Quantity::CURRENT), amperes, 0.002 + 1e-3 * amperes) << where;
      }
      for (const auto &[quantity, name] :
           {std::pair{Quantity::ACTIVE_POWER, "active_power"}, std::pair{Quantity::REACTIVE_POWER, "reactive_power"}}) {
        EXPECT_NEAR(shown->at(channel, quantity), this->counted(name, line, row),
                    0.02 + 1e-3 * this->apparent(line, row))
            << name << ' ' << where;
      }
    }
    if (this->file_.has("frequency") && this->value("voltage", 0, row) > 60) {
      EXPECT_NEAR(shown->at(Channel::L1, Quantity::FREQUENCY), this->file_.at("frequency", row), 1e-3);
    }
    compared++;
  }
  EXPECT_GT(compared, 0);
}

/// Watt-hours drawn and fed by a straight line between two powers.
void add_area(double from, double to, double seconds, double &drawn, double &fed) {
  if (std::isnan(from) || std::isnan(to))
    return;
  if (from * to >= 0) {
    (from + to >= 0 ? drawn : fed) += std::abs(from + to) / 2 * seconds / 3600;
    return;
  }
  const double crossing = from / (from - to);
  add_area(from, 0, seconds * crossing, drawn, fed);
  add_area(0, to, seconds * (1 - crossing), drawn, fed);
}

TEST_P(ReportedRecordings, AreCountedToTheLastWattHour) {
  const std::vector<double> &times = this->file_.times;
  // A recording in which nothing changes has one stretch, of which the beginning is counted.
  const double begin = times.size() > 2 ? std::max(0.0, times[1] - times[0] - STEADY) : 0.0;
  const double end = std::min(times.back() - times[0], times[times.size() - 2] - times[0] + STEADY);
  ASSERT_GT(end, begin);
  std::array<double, CHANNELS> drawn{}, fed{}, greatest{};
  // Beyond the range of the converter the rest of a current is clipped.
  std::array<bool, CHANNELS> clipped{};
  for (size_t row = 0; row + 1 < this->file_.times.size(); row++) {
    const double from = std::max(times[row] - times[0], begin);
    const double until = std::min(times[row + 1] - times[0], end);
    if (until <= from)
      continue;
    double before = 0, after = 0;
    for (size_t line = 0; line < PHASES; line++) {
      if (this->is_beyond_range(line, row))
        clipped[line] = clipped[3] = true;
      const double first = this->counted("active_power", line, row);
      const double last = this->counted("active_power", line, row + 1);
      add_area(first, last, until - from, drawn[line], fed[line]);
      greatest[line] = std::max({greatest[line], std::abs(first), std::abs(last)});
      before += first;
      after += last;
    }
    add_area(before, after, until - from, drawn[3], fed[3]);
    greatest[3] = std::max({greatest[3], std::abs(before), std::abs(after)});
  }
  Meter meter(this->recording_, is_60_hz(this->file_));
  meter.now.position = begin;
  meter.totals.start();
  // What is counted begins with the first answer of a chip that is silent.
  while (!meter.count() && meter.now.position < begin + 60)
    meter.wait(1.0);
  const double silence = meter.now.position - begin;
  while (meter.now.position < end) {
    meter.wait(std::min(end - begin < MINUTES ? FINE_UPDATE : UPDATE, end - meter.now.position));
    ASSERT_TRUE(meter.count()) << meter.now.position;
  }
  for (size_t i = 0; i < CHANNELS; i++) {
    if (clipped[i])
      continue;
    const auto channel = static_cast<Channel>(i);
    for (const auto &[counted, expected] : {std::pair{meter.totals.active().get_import(channel) * 1e-9, drawn[i]},
                                            std::pair{meter.totals.active().get_export(channel) * 1e-9, fed[i]}}) {
      // 0.02 %, windows of 20 ms and milliseconds of a change at the greatest power, and what fell into the silence.
      const double power = expected / ((end - begin) / 3600);
      const double windows = expected > 0 ? greatest[i] * 0.04 / 3600 : 0;
      EXPECT_NEAR(counted, expected, 0.01 + 2e-4 * expected + windows + power * 1.1 * silence / 3600)
          << "channel " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Reported, ReportedRecordings, testing::ValuesIn(NAMES), [](const auto &test_case) {
  std::string name = test_case.param;
  for (char &letter : name) {
    if (!std::isalnum(static_cast<unsigned char>(letter)))
      letter = '_';
  }
  return name;
});

/// A report about events: which were to be told, each named by the worst that happened to its line.
struct ReportedEvents {
  const char *name;
  /// Volts, and bits of the lines that the wiring has.
  double nominal_voltage;
  uint8_t lines;
  struct Event {
    PowerQualityKind kind;
    /// 0..2 = L1..L3.
    int phase;
    /// Seconds.
    double start, duration;
  };
  std::vector<Event> events;
};

class ReportedEventsTest : public testing::TestWithParam<ReportedEvents> {};

TEST_P(ReportedEventsTest, AreTold) {
  const ReportedEvents &report = GetParam();
  if (!std::ifstream(path_of(report.name)).good())
    GTEST_SKIP() << "the recording " << path_of(report.name) << " is not on this machine";
  const auto recording = read_recording(path_of(report.name), {});
  ASSERT_TRUE(recording) << recording.error;
  const File file = read_file(path_of(report.name));
  Meter meter(*recording.value, is_60_hz(file));
  power_quality::EventDetector detector(
      {.nominal_voltage = report.nominal_voltage, .phases = report.lines, .sequence = report.lines == 0b111});
  power_quality::ChipMonitor monitor{meter.bus, detector};
  ASSERT_TRUE(monitor.configure(meter.scaling));
  std::vector<PowerQualityEvent> events;
  const double until = std::min(file.times[file.times.size() - 2] + 5, 70.0);
  while (meter.now.position < until) {
    meter.wait(0.012);
    ASSERT_TRUE(monitor.poll(std::llround(meter.now.position * 1e6)));
    for (PowerQualityEvent event; detector.pop(event);)
      events.push_back(event);
  }
  std::stable_sort(events.begin(), events.end(), [](const auto &a, const auto &b) {
    return std::tie(a.start_us, a.phase) < std::tie(b.start_us, b.phase);
  });
  ASSERT_EQ(events.size(), report.events.size());
  for (size_t i = 0; i < events.size(); i++) {
    EXPECT_STREQ(power_quality_kind_name(events[i].kind), power_quality_kind_name(report.events[i].kind)) << i;
    EXPECT_EQ(events[i].phase, report.events[i].phase) << i;
    EXPECT_NEAR(static_cast<double>(events[i].start_us) * 1e-6, report.events[i].start, 0.08) << i;
    EXPECT_NEAR(static_cast<double>(events[i].duration_us) * 1e-6, report.events[i].duration, 0.12) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Reported, ReportedEventsTest,
    testing::Values(
        ReportedEvents{
            "c06b_split_outage",
            120,
            0b011,
            {{PowerQualityKind::INTERRUPTION, 0, 15.0, 10.0}, {PowerQualityKind::INTERRUPTION, 1, 15.0, 10.0}}},
        ReportedEvents{"c06c_split_one_leg", 120, 0b011, {{PowerQualityKind::PHASE_LOSS, 1, 15.0, 10.0}}},
        ReportedEvents{"c02_tasmota17178_one_phase", 230, 0b001, {}}, ReportedEvents{"c21b_inrush", 230, 0b111, {}},
        ReportedEvents{"c23_tasmota2315_phases_go",
                       230,
                       0b111,
                       {{PowerQualityKind::INTERRUPTION, 0, 14.0, 38.0},
                        {PowerQualityKind::INTERRUPTION, 1, 28.0, 24.0},
                        {PowerQualityKind::INTERRUPTION, 2, 42.0, 10.0}}},
        ReportedEvents{"c24_restart_in_event", 230, 0b111, {{PowerQualityKind::PHASE_LOSS, 2, 12.0, 48.0}}}),
    [](const auto &test_case) { return std::string(test_case.param.name); });

/// Plays a recording to a meter, or skips the test without the recording.
#define PLAY(meter, name)                                                           \
  if (!std::ifstream(path_of(name)).good())                                         \
    GTEST_SKIP() << "the recording " << path_of(name) << " is not on this machine"; \
  const auto recording = read_recording(path_of(name), {});                         \
  ASSERT_TRUE(recording) << recording.error;                                        \
  Meter meter(*recording.value, is_60_hz(read_file(path_of(name))))

wiring_check::WiringObservation observe(const Snapshot &shown) {
  wiring_check::WiringObservation observation;
  for (size_t i = 0; i < PHASES; i++) {
    const auto at = [&shown, i](Quantity quantity) { return shown.at(static_cast<Channel>(i), quantity); };
    observation.inputs[i] = {at(Quantity::VOLTAGE), at(Quantity::CURRENT), at(Quantity::ACTIVE_POWER),
                             at(Quantity::REACTIVE_POWER)};
  }
  return observation;
}

TEST(ReportedWiring, ALostTapIsFoundWhileItsCurrentFlows) {
  PLAY(meter, "c10_sungrow396_lost_tap");
  for (const auto &[second, lost] : {std::pair{20.0, false}, std::pair{60.0, true}}) {
    const auto shown = meter.show(second);
    ASSERT_TRUE(shown.has_value());
    EXPECT_EQ(find_lost_taps(observe(*shown), {}), (wiring_check::WiringDiagnosis::PerInput{false, false, lost}));
  }
}

TEST(ReportedWiring, ATapThatWasOpenFromTheStartIsFound) {
  PLAY(meter, "c10b_lost_tap_at_boot");
  const auto shown = meter.show(30);
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(find_lost_taps(observe(*shown), {}), (wiring_check::WiringDiagnosis::PerInput{false, false, true}));
}

TEST(ReportedWiring, ASupplyThatIsOffHasNoLostTap) {
  PLAY(meter, "c23_tasmota2315_phases_go");
  const auto shown = meter.show(35);
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(find_lost_taps(observe(*shown), {}), (wiring_check::WiringDiagnosis::PerInput{}));
}

/// A transformer's phase error, and the power of a load of 200 VA at a power factor of 0.1 behind it.
struct ReportedPhaseError {
  const char *name;
  /// Degrees by which the current is late.
  double lag;
};

class ReportedPhaseErrors : public testing::TestWithParam<ReportedPhaseError> {};

TEST_P(ReportedPhaseErrors, AreCalibratedAwayOrRefusedWithAdvice) {
  PLAY(meter, GetParam().name);
  const auto shown = meter.show(100);
  ASSERT_TRUE(shown.has_value());
  meter_calibration::RecentReadings recent;
  const auto at = [&shown](Quantity quantity) { return shown->at(Channel::L1, quantity); };
  for (size_t i = 0; i < meter_calibration::RecentReadings::WANTED; i++)
    recent.add({at(Quantity::VOLTAGE), at(Quantity::CURRENT), at(Quantity::ACTIVE_POWER), at(Quantity::REACTIVE_POWER),
                at(Quantity::APPARENT_POWER)});
  meter_calibration::CalibrationBook book({230, FULL_SCALE_CURRENT, 50}, {});
  const auto outcome = book.power_factor_is(0, 1.0, recent);
  if (GetParam().lag > meter_calibration::MAXIMUM_PHASE) {
    EXPECT_FALSE(outcome.accepted);
    EXPECT_EQ(outcome.message.encode(), "current_too_late:phase=L1,shown=7.2,maximum=2.25");
    return;
  }
  ASSERT_TRUE(outcome.accepted) << outcome.message.describe();
  meter.bus.write(0x006, static_cast<uint32_t>(book.now()[0].phase));  // APHCAL0
  const auto corrected = meter.show(700);
  ASSERT_TRUE(corrected.has_value());
  EXPECT_NEAR(corrected->at(Channel::L1, Quantity::ACTIVE_POWER), 20.0, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Reported, ReportedPhaseErrors,
                         testing::Values(ReportedPhaseError{"c12_tasmota16472_lowpf_lag7.17", 7.17},
                                         ReportedPhaseError{"c12_tasmota16472_lowpf_lead2", -2},
                                         ReportedPhaseError{"c12_tasmota16472_lowpf_lead7.17", -7.17}));

}  // namespace
}  // namespace esphome::ade9000
