// The driver against a simulated chip, without a firmware around them: reads signals on standard input, prints what the
// driver makes of them. Built and asked by scripts/nrj_bench/probe.py, which also describes the input.

#include "../../esphome/components/ade9000/ade9000_registers.h"
#include "../../esphome/components/ade9000/chip.h"
#include "../../esphome/components/ade9000/energy_totals.h"
#include "../../esphome/components/ade9000/measurement.h"
#include "../../esphome/components/ade9000_simulator/simulated_chip.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace sim = esphome::ade9000_simulator;
namespace mains = esphome::mains_signal;
using namespace esphome::ade9000;

namespace {

constexpr double UPDATE_INTERVAL = 0.2;
constexpr double SPI_CLOCK = 5e6;
/// What a microcontroller needs around a frame, s.
constexpr double FRAME_OVERHEAD = 20e-6;
constexpr uint32_t SESSION = 1;

constexpr const char *QUANTITY_NAMES[] = {
    "voltage",
    "current",
    "active_power",
    "reactive_power",
    "apparent_power",
    "power_factor",
    "frequency",
    "import_energy",
    "export_energy",
    "import_energy_sum_of_phases",
    "export_energy_sum_of_phases",
    "reactive_energy_q1",
    "reactive_energy_q2",
    "reactive_energy_q3",
    "reactive_energy_q4",
    "apparent_energy",
    "fundamental_active_power",
    "fundamental_reactive_power",
    "voltage_half_cycle",
    "current_half_cycle",
    "voltage_10_12_cycles",
    "current_10_12_cycles",
    "voltage_thd",
    "current_thd",
    "phase_angle",
    "voltage_angle_l1_l2",
    "voltage_angle_l2_l3",
    "voltage_angle_l1_l3",
    "voltage_unbalance",
    "voltage_zero_sequence",
    "voltage_peak",
    "current_peak",
    "neutral_current",
    "sum_current",
    "chip_temperature",
};
static_assert(std::size(QUANTITY_NAMES) == QUANTITIES);
constexpr const char *CHANNEL_NAMES[CHANNELS] = {"l1", "l2", "l3", "total"};
constexpr const char *EVENT_NAMES[] = {"none", "unreadable", "wrong_part", "refused",  "started", "resumed",
                                       "lost", "changed",    "stopped",    "repaired", "failed",  "silent"};

/// One phase from the start of a segment on: everything in the words of the description.
struct PhaseSegment {
  double voltage{0}, angle{0}, current{0}, lag{0}, voltage_slope{0}, current_slope{0};
  mains::Harmonics voltage_harmonics, current_harmonics;
};

struct Segment {
  double start{0}, frequency{50}, frequency_slope{0};
  std::array<PhaseSegment, mains::PHASES> phases;
};

class SegmentSignal : public mains::SignalModel {
 public:
  explicit SegmentSignal(const std::vector<Segment> &segments) : segments_(segments) {}
  mains::Signal at(double seconds) const override {
    const Segment *segment = &this->segments_.front();
    for (const Segment &candidate : this->segments_) {
      if (candidate.start <= seconds)
        segment = &candidate;
    }
    const double since = seconds - segment->start;
    mains::Signal signal;
    signal.frequency = segment->frequency + segment->frequency_slope * since;
    for (int i = 0; i < mains::PHASES; i++) {
      const PhaseSegment &from = segment->phases[i];
      mains::PhaseSignal &phase = signal.phases[i];
      phase.voltage = from.voltage + from.voltage_slope * since;
      phase.fundamental_current = from.current + from.current_slope * since;
      phase.voltage_angle = from.angle;
      phase.active_power = phase.voltage * phase.fundamental_current * std::cos(from.lag);
      phase.reactive_power = phase.voltage * phase.fundamental_current * std::sin(from.lag);
      phase.voltage_harmonics = from.voltage_harmonics;
      phase.current_harmonics = from.current_harmonics;
    }
    return signal;
  }

 protected:
  const std::vector<Segment> &segments_;
};

/// A supply that fails at a moment, s.
struct BrownOut {
  double at, seconds;
};

/// A bit that arrives wrong: of which frame since the start, from the header's end on.
struct FlippedBit {
  size_t frame, bit;
};

struct Scenario {
  sim::FrontEnd front_end;
  int line_frequency{50};
  double nominal_voltage{230};
  std::vector<Segment> segments;
  std::vector<BrownOut> brown_outs;
  std::vector<FlippedBit> flipped_bits;
};

/// The wire, which counts what goes over it, spends the time that it takes, and knows how long the chip was at work.
class Line : public Ade9000Transport {
 public:
  explicit Line(const Scenario &scenario)
      : signal_(scenario.segments), scenario_(scenario), chip_(signal_, scenario.front_end, now_) {}

  void transfer(uint8_t *data, size_t length) override {
    const auto start = std::chrono::steady_clock::now();
    this->wait(FRAME_OVERHEAD + length * 8 / SPI_CLOCK);
    this->chip_.transfer(data, length, this->now_);
    for (const FlippedBit &flipped : this->scenario_.flipped_bits) {
      if (flipped.frame == this->frames && length > 2) {
        const size_t bit = flipped.bit % ((length - 2) * 8);
        data[2 + bit / 8] ^= 0x80 >> (bit % 8);
      }
    }
    this->frames++;
    this->bytes += length;
    this->longest_frame = std::max(this->longest_frame, length);
    this->outside += std::chrono::steady_clock::now() - start;
  }

  void wait(double seconds) {
    const double end = this->now_.real + seconds;
    constexpr double LOOP = 0.016;
    while (this->now_.real < end) {
      double next = std::min(end, this->now_.real + LOOP);
      if (this->failed_ < this->scenario_.brown_outs.size()) {
        const BrownOut &brown_out = this->scenario_.brown_outs[this->failed_];
        if (brown_out.at <= next) {
          next = std::max(brown_out.at, this->now_.real);
          this->now_ = {next, next, next};
          this->chip_.brown_out(this->now_, brown_out.seconds);
          this->failed_++;
          continue;
        }
      }
      this->now_ = {next, next, next};
      this->chip_.advance(this->now_);
    }
  }
  double now() const { return this->now_.real; }

  size_t frames{0};
  size_t bytes{0};
  size_t longest_frame{0};
  std::chrono::steady_clock::duration outside{};

 protected:
  SegmentSignal signal_;
  const Scenario &scenario_;
  mains::Instant now_;
  sim::SimulatedChip chip_;
  size_t failed_{0};
};

/// What the firmware's hub does in an update, see ade9000.cpp.
class Meter {
 public:
  explicit Meter(const Scenario &scenario) : line(scenario) {
    this->scaling = {scenario.front_end.voltage_divider, scenario.front_end.current_sensitivity};
    this->bus.set_transport(&this->line);
    ChipSettings &settings = this->chip.settings();
    settings.set(reg::PGA_GAIN, 0);
    settings.set(reg::CONFIG1, 0);
    settings.set(reg::CONFIG3, reg::CONFIG3_RESET | reg::CONFIG3_PEAKSEL_ALL);
    settings.set(reg::ACCMODE, scenario.line_frequency == 60 ? reg::ACCMODE_SELFREQ_60HZ : 0);
    settings.set(reg::VLEVEL, static_cast<uint32_t>(reg::VLEVEL_UNIT * this->scaling.full_scale_voltage() /
                                                    scenario.nominal_voltage));
    // As the component does it without options: 0.1 % of 5 A, not below the noise.
    const double full_scale = this->scaling.full_scale_voltage() * this->scaling.full_scale_current();
    const double no_load_power = std::max(0.001 * 5 * scenario.nominal_voltage, 4e-6 * full_scale);
    for (uint16_t level : {reg::ACT_NL_LVL, reg::REACT_NL_LVL, reg::APP_NL_LVL})
      settings.set(level, this->scaling.no_load_level(no_load_power));
    settings.set(reg::EGY_TIME, 160 - 1);
    settings.set(reg::MTTHR_L0, 0);
    settings.set(reg::RUN, reg::RUN_START);
    settings.set(reg::EP_CFG, reg::EP_CFG_EGY_PWR_EN);
    this->chip.begin(0, SESSION);
    this->validity = {.minimum_voltage = 0.5 * scenario.nominal_voltage,
                      .minimum_apparent_power = 1e-4 * full_scale,
                      .no_load_power = no_load_power};
    this->wanted.set();
  }

  Chip::Event step() {
    const Chip::Event event = this->chip.step(static_cast<uint32_t>(this->line.now() * 1000));
    if (event == Chip::Event::STARTED)
      this->totals.start();
    if ((event == Chip::Event::CHANGED || event == Chip::Event::STOPPED) && this->chip.has_right_energies())
      this->count();
    return event;
  }

  bool count() {
    EnergyCodes codes;
    return read_energy_codes(this->bus, codes) && this->totals.count(codes, this->scaling);
  }

  /// @return the last event of the chip.
  Chip::Event update() {
    this->measured = false;
    Chip::Event event = this->step();
    if (event == Chip::Event::LOST || event == Chip::Event::STOPPED)
      event = this->step();
    Measurement measurement;
    if (this->chip.is_running() && event != Chip::Event::UNREADABLE && this->count() &&
        measure(this->bus, this->scaling, this->chip.settings(), this->wanted, measurement)) {
      this->snapshot = make_snapshot(measurement.phases, measurement.device, this->validity);
      this->measured = true;
    } else {
      this->snapshot = Snapshot();
    }
    this->totals.active().write_to(this->snapshot);
    this->totals.reactive().write_to(this->snapshot);
    return event;
  }

  Line line;
  Ade9000Bus bus;
  Chip chip{bus};
  EnergyTotals totals;
  Scaling scaling{};
  Validity validity{};
  WantedQuantities wanted;
  Snapshot snapshot;
  bool measured{false};
};

void print_readings(const Snapshot &snapshot) {
  printf("{");
  bool first = true;
  for (size_t channel = 0; channel < CHANNELS; channel++) {
    for (size_t quantity = 0; quantity < QUANTITIES; quantity++) {
      const float value = snapshot.at(static_cast<Channel>(channel), static_cast<Quantity>(quantity));
      if (std::isnan(value))
        continue;
      printf("%s\"%s_%s\": %.9g", first ? "" : ", ", QUANTITY_NAMES[quantity], CHANNEL_NAMES[channel], value);
      first = false;
    }
  }
  printf("}");
}

void print_totals(const char *name, const std::function<int64_t(Channel)> &total) {
  printf(", \"%s\": [%lld, %lld, %lld, %lld]", name, static_cast<long long>(total(Channel::L1)),
         static_cast<long long>(total(Channel::L2)), static_cast<long long>(total(Channel::L3)),
         static_cast<long long>(total(Channel::TOTAL)));
}

/// The driver's own time and the wire's in one update, in seconds: a line of JSON each.
void run_updates(const Scenario &scenario, int updates) {
  Meter meter(scenario);
  printf("[");
  for (int i = 0; i < updates; i++) {
    // Updates keep their beat, as ESPHome's do, however long one took.
    meter.line.wait((i + 1) * UPDATE_INTERVAL - meter.line.now());
    const double began = meter.line.now();
    const Chip::Event event = meter.update();
    printf(
        "%s{\"time\": %.9g, \"until\": %.9g, \"event\": \"%s\", \"measured\": %s, \"frames\": %zu, "
        "\"rejected\": %u",
        i == 0 ? "" : ", ", began, meter.line.now(), EVENT_NAMES[static_cast<size_t>(event)],
        meter.measured ? "true" : "false", meter.line.frames, meter.bus.get_rejected_frames());
    print_totals("import_nwh", [&](Channel channel) { return meter.totals.active().get_import(channel); });
    print_totals("export_nwh", [&](Channel channel) { return meter.totals.active().get_export(channel); });
    printf(", \"readings\": ");
    print_readings(meter.snapshot);
    printf("}");
  }
  printf("]\n");
}

/// What a pass of the loop puts on the wire, and how long the driver itself works for it.
void print_cost(const char *name, Meter &meter, int repetitions, const std::function<void()> &pass) {
  printf("{\"name\": \"%s\"", name);
  std::string times;
  size_t frames = 0, bytes = 0, longest = 0;
  for (int i = 0; i < repetitions; i++) {
    meter.line.wait(UPDATE_INTERVAL);
    const size_t frames_before = meter.line.frames, bytes_before = meter.line.bytes;
    meter.line.longest_frame = 0;
    meter.line.outside = {};
    const auto start = std::chrono::steady_clock::now();
    pass();
    const auto own = std::chrono::steady_clock::now() - start - meter.line.outside;
    // The most of all passes: energies are read until they are at rest.
    frames = std::max(frames, meter.line.frames - frames_before);
    bytes = std::max(bytes, meter.line.bytes - bytes_before);
    longest = std::max(longest, meter.line.longest_frame);
    char text[32];
    snprintf(text, sizeof(text), "%s%.9g", i == 0 ? "" : ", ", std::chrono::duration<double>(own).count());
    times += text;
  }
  printf(", \"frames\": %zu, \"bytes\": %zu, \"longest_frame\": %zu, \"host_seconds\": [%s]}", frames, bytes, longest,
         times.c_str());
}

void run_cost(const Scenario &scenario, int repetitions) {
  Meter meter(scenario);
  printf("[");
  print_cost("start", meter, 1, [&] { meter.step(); });
  printf(", ");
  // The same call once more finds RSTDONE and configures the chip.
  print_cost("configuration", meter, 1, [&] { meter.step(); });
  for (int i = 0; i < 5; i++) {
    meter.line.wait(UPDATE_INTERVAL);
    meter.update();
  }
  const auto add = [&](const char *name, const std::function<void()> &pass) {
    printf(", ");
    print_cost(name, meter, repetitions, pass);
  };
  add("update of everything", [&] { meter.update(); });
  add("of that: energies", [&] { meter.count(); });
  Measurement measurement;
  add("of that: measurements",
      [&] { measure(meter.bus, meter.scaling, meter.chip.settings(), meter.wanted, measurement); });
  meter.wanted.reset();
  for (const auto quantity : {Quantity::ACTIVE_POWER, Quantity::REACTIVE_POWER, Quantity::APPARENT_POWER})
    meter.wanted.set(static_cast<size_t>(quantity));
  add("update of powers and frequency", [&] { meter.update(); });
  int16_t samples[Ade9000Bus::MAX_SAMPLES];
  add("part of the waveform buffer", [&] { meter.bus.read_samples(0x800, samples, Ade9000Bus::MAX_SAMPLES); });
  printf("]\n");
}

int refuse(const std::string &line) {
  fprintf(stderr, "meter_probe: '%s' is not understood; see scripts/nrj_bench/probe.py\n", line.c_str());
  return 2;
}

}  // namespace

int main() {
  Scenario scenario;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    int phase = -1, count = 0;
    if (word == "scenario") {
      scenario = {};
      words >> scenario.front_end.voltage_divider >> scenario.front_end.current_sensitivity >>
          scenario.line_frequency >> scenario.nominal_voltage;
    } else if (word == "segment") {
      Segment &segment = scenario.segments.emplace_back();
      words >> segment.start >> segment.frequency >> segment.frequency_slope;
    } else if (word == "phase" || word == "voltage_harmonic" || word == "current_harmonic") {
      words >> phase;
      if (!words || phase < 0 || phase >= mains::PHASES || scenario.segments.empty())
        return refuse(line);
      PhaseSegment &target = scenario.segments.back().phases[phase];
      if (word == "phase") {
        words >> target.voltage >> target.angle >> target.current >> target.lag >> target.voltage_slope >>
            target.current_slope;
      } else {
        mains::Harmonic harmonic{};
        words >> harmonic.order >> harmonic.ratio >> harmonic.angle;
        (word == "voltage_harmonic" ? target.voltage_harmonics : target.current_harmonics).push_back(harmonic);
      }
    } else if (word == "brown_out") {
      BrownOut &brown_out = scenario.brown_outs.emplace_back();
      words >> brown_out.at >> brown_out.seconds;
    } else if (word == "flip") {
      FlippedBit &flipped = scenario.flipped_bits.emplace_back();
      words >> flipped.frame >> flipped.bit;
    } else if ((word == "run" || word == "cost") && !scenario.segments.empty()) {
      words >> count;
      if (words && word == "run")
        run_updates(scenario, count);
      else if (words)
        run_cost(scenario, count);
    } else {
      return refuse(line);
    }
    if (!words)
      return refuse(line);
  }
  return 0;
}
