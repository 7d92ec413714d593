#include "house_grid.h"

#include "signal_model.h"
#include "smooth_noise.h"

#include <cmath>
#include <numbers>

namespace esphome::mains_signal {

namespace {

constexpr uint32_t STREAM_FREQUENCY = 400;
constexpr uint32_t STREAM_VOLTAGE = 410;

/// Impedance of the service line and half the street, ohm; the reference impedance of IEC 60725 is 0.4 + j0.25 ohm.
constexpr double LINE_RESISTANCE = 0.32;
constexpr double LINE_REACTANCE = 0.18;
/// The substation sits a little above nominal so that the end of the street does not sit below.
constexpr double STREET_VOLTAGE = 231.5;

/// Share of the fundamental at night and what the evening adds, and the angle, of one order.
struct Background {
  int order;
  double night;
  double evening;
  double angle;
};
/// Typical of low-voltage grids; the 5th leads the others (EN 50160 allows 5 %, 6 %, 5 %, 1.5 %, 3.5 %, 3 %).
constexpr Background BACKGROUND[] = {
    {3, 0.004, 0.003, 2.6},   {5, 0.011, 0.012, 3.0},  {7, 0.008, 0.006, 0.4},
    {9, 0.0015, 0.001, -1.2}, {11, 0.003, 0.002, 1.9}, {13, 0.002, 0.0015, -2.3},
};

/// 0 in the depth of the night, 1 at half past seven in the evening.
double evening_of(const HouseTime &time) {
  return std::exp(3.0 * (std::cos(2.0 * std::numbers::pi * (time.hour() - 19.5) / 24.0) - 1.0));
}

}  // namespace

Harmonics background_harmonics(const HouseTime &time, int phase) {
  const double evening = evening_of(time);
  Harmonics harmonics;
  for (const Background &background : BACKGROUND)
    harmonics.push_back(
        {background.order, (background.night + background.evening * evening) * (1.0 + 0.1 * phase), background.angle});
  return harmonics;
}

double grid_frequency(const HouseTime &time) {
  const double t = time.continuous();
  return NOMINAL_FREQUENCY + 0.027 * smooth_noise(STREAM_FREQUENCY, t / 140.0) +
         0.014 * smooth_noise(STREAM_FREQUENCY + 1, t / 18.0) + 0.005 * smooth_noise(STREAM_FREQUENCY + 2, t / 2.2);
}

double connection_voltage(const HouseTime &time, int phase, const LoadDemand &demand) {
  const double t = time.continuous();
  const auto index = static_cast<uint32_t>(phase);
  // The neighbours' evening pulls the street down, their morning less so.
  const double evening = evening_of(time);
  const double street = STREET_VOLTAGE - 3.2 * evening + 1.8 * smooth_noise(STREAM_VOLTAGE + index, t / 900.0) +
                        0.6 * smooth_noise(STREAM_VOLTAGE + 3 + index, t / 35.0) +
                        0.25 * smooth_noise(STREAM_VOLTAGE + 6 + index, t / 1.8);
  const double drop =
      (LINE_RESISTANCE * demand.active_power + LINE_REACTANCE * demand.reactive_power) / NOMINAL_VOLTAGE;
  return street - drop;
}

}  // namespace esphome::mains_signal
