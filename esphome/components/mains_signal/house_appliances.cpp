#include "house_appliances.h"

#include "signal_model.h"
#include "smooth_noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::mains_signal {

namespace {

// Streams of the hash, one per independent quantity; a phase or an appliance adds its index.
constexpr uint32_t STREAM_STANDBY = 100;
constexpr uint32_t STREAM_FLICKER = 110;
constexpr uint32_t STREAM_FRIDGE = 120;
constexpr uint32_t STREAM_RUN = 200;
constexpr uint32_t STREAM_HEAT_PUMP = 140;

/// Switches and contactors act within this time, s; powers stay continuous and can be integrated.
constexpr double SWITCHING_TIME = 1.5;

/// How a kind of load draws its current.
struct Character {
  /// var per W, positive inductive.
  double reactive_ratio;
  /// Distortion current per fundamental current.
  double distortion_ratio;
};

constexpr Character HEATER{0.0, 0.01};
constexpr Character MOTOR{0.62, 0.08};         // induction motor at part load, power factor 0.85
constexpr Character ELECTRONICS{-0.12, 0.55};  // rectifiers with a small filter capacitor
constexpr Character INDUCTION_HOB{-0.08, 0.12};
constexpr Character INVERTER_DRIVE{0.18, 0.22};  // heat pump with an active front end, power factor 0.98

/// An appliance that runs once in a while: from about `start` for about `length`, on days when the dice say so.
struct Run {
  int phase;
  double start_hour;
  /// The start moves from day to day by up to this much, hours, either way.
  double start_spread;
  double length_hours;
  /// W while on.
  double power;
  /// The thermostat switches on and off with this period, s; 0 = never.
  double cycle;
  /// Part of the period for which it is on.
  double duty;
  /// Probability that it runs on a given day.
  double probability;
  Character character;
};

// L1: water heater, oven; L2: washing machine, dishwasher, living room; L3: hob, heat pump.
constexpr Run RUNS[] = {
    {0, 2.60, 0.30, 1.00, 2000, 0, 1.0, 1.00, HEATER},           // water heater, night tariff
    {0, 17.20, 0.60, 0.45, 2000, 0, 1.0, 0.80, HEATER},          // water heater after the showers
    {0, 6.95, 0.20, 0.07, 1900, 0, 1.0, 0.95, HEATER},           // kettle
    {0, 19.05, 0.40, 0.75, 2300, 75, 0.45, 0.55, HEATER},        // oven
    {0, 12.40, 0.15, 0.12, 1100, 0, 1.0, 0.60, ELECTRONICS},     // microwave
    {0, 18.40, 0.50, 4.20, 110, 0, 1.0, 1.00, ELECTRONICS},      // lights
    {1, 9.70, 1.20, 0.30, 2050, 0, 1.0, 0.70, HEATER},           // washing machine heats (the drum follows below)
    {1, 9.70, 1.20, 1.40, 190, 14, 0.6, 0.70, MOTOR},            // washing machine turns
    {1, 20.30, 0.50, 0.35, 2000, 0, 1.0, 0.75, HEATER},          // dishwasher heats
    {1, 20.30, 0.50, 1.60, 80, 0, 1.0, 0.75, MOTOR},             // dishwasher pumps
    {1, 18.60, 0.60, 4.00, 170, 0, 1.0, 1.00, ELECTRONICS},      // television and lights
    {1, 8.40, 0.50, 8.20, 75, 0, 1.0, 0.60, ELECTRONICS},        // desk
    {2, 7.05, 0.20, 0.25, 1400, 16, 0.55, 0.85, INDUCTION_HOB},  // breakfast
    {2, 12.15, 0.20, 0.55, 1900, 22, 0.45, 0.90, INDUCTION_HOB},
    {2, 18.80, 0.40, 0.80, 2300, 18, 0.50, 0.95, INDUCTION_HOB},
    {2, 21.90, 0.40, 0.50, 1200, 0, 1.0, 0.30, MOTOR},  // tumble dryer
};

/// 1 during the on part of a switching cycle, 0 in the rest, smooth at both edges.
double thermostat(double since_start, double cycle, double duty) {
  if (cycle <= 0.0)
    return 1.0;
  const double place = std::fmod(since_start, cycle);
  return smooth_step(0.0, SWITCHING_TIME, place) *
         (1.0 - smooth_step(duty * cycle, duty * cycle + SWITCHING_TIME, place));
}

/// Power of one appliance now, W. The washing machine's two rows share a start because they share a stream.
double run_power(const Run &run, const HouseTime &time) {
  const auto stream = static_cast<uint32_t>(STREAM_RUN + run.phase * 1000 + std::lround(run.start_hour * 20.0));
  if (hash_unit(stream, time.day * 2) >= run.probability)
    return 0.0;
  const double start = (run.start_hour + run.start_spread * (2.0 * hash_unit(stream, time.day * 2 + 1) - 1.0)) * 3600.0;
  const double since = time.second - start;
  const double length = run.length_hours * 3600.0;
  if (since <= 0.0 || since >= length + SWITCHING_TIME)
    return 0.0;
  const double on =
      smooth_step(0.0, SWITCHING_TIME, since) * (1.0 - smooth_step(length, length + SWITCHING_TIME, since));
  return run.power * on * thermostat(since, run.cycle, run.duty);
}

/// A compressor that runs about 16 of every 48 minutes, day and night.
double fridge_power(double continuous) {
  constexpr double PERIOD = 2880.0;
  const double cycle = std::floor(continuous / PERIOD);
  const auto index = static_cast<int64_t>(cycle);
  const double start = 300.0 + 900.0 * hash_unit(STREAM_FRIDGE, index);
  const double length = 800.0 + 400.0 * hash_unit(STREAM_FRIDGE + 1, index);
  const double place = continuous - cycle * PERIOD;
  return 95.0 * smooth_step(start, start + SWITCHING_TIME, place) *
         (1.0 - smooth_step(start + length, start + length + SWITCHING_TIME, place));
}

/// Modulates all day; most at dawn, when it is coldest, least in the afternoon.
double heat_pump_power(const HouseTime &time) {
  const double coldness = 0.5 + 0.5 * std::cos(2.0 * std::numbers::pi * (time.hour() - 5.5) / 24.0);
  const double weather = 1.0 + 0.25 * smooth_noise(STREAM_HEAT_PUMP, time.continuous() / 14400.0);
  const double control = 40.0 * smooth_noise(STREAM_HEAT_PUMP + 1, time.continuous() / 90.0);
  return 240.0 + 430.0 * coldness * weather + control;
}

/// What is always on: routers, chargers, controllers, ventilation; with the flicker of a living house.
double standby_power(double continuous, int phase) {
  constexpr double LEVEL[PHASES] = {95.0, 120.0, 70.0};
  const auto index = static_cast<uint32_t>(phase);
  return LEVEL[phase] + 18.0 * smooth_noise(STREAM_STANDBY + index, continuous / 400.0) +
         7.0 * smooth_noise(STREAM_FLICKER + index, continuous / 2.5) +
         3.0 * smooth_noise(STREAM_FLICKER + 3 + index, continuous / 0.7);
}

/// Sums loads of one phase; their harmonics add like independent quantities.
class DemandSum {
 public:
  void add(double power, const Character &character) {
    this->sum_.active_power += power;
    this->sum_.reactive_power += power * character.reactive_ratio;
    const double distortion = power / NOMINAL_VOLTAGE * character.distortion_ratio;
    this->distortion_squared_ += distortion * distortion;
  }
  LoadDemand total() const {
    LoadDemand total = this->sum_;
    total.distortion_current = std::sqrt(this->distortion_squared_);
    return total;
  }

 protected:
  LoadDemand sum_;
  double distortion_squared_{0.0};
};

}  // namespace

LoadDemand appliance_demand(const HouseTime &time, int phase) {
  const double continuous = time.continuous();
  DemandSum sum;
  sum.add(standby_power(continuous, phase), ELECTRONICS);
  if (phase == 0)
    sum.add(fridge_power(continuous), MOTOR);
  if (phase == 2)
    sum.add(heat_pump_power(time), INVERTER_DRIVE);
  for (const Run &run : RUNS) {
    if (run.phase == phase)
      sum.add(run_power(run, time), run.character);
  }
  return sum.total();
}

}  // namespace esphome::mains_signal
