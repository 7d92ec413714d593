#include "house_solar.h"

#include "signal_model.h"
#include "smooth_noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::mains_signal {

namespace {

constexpr uint32_t STREAM_DAY = 300;
constexpr uint32_t STREAM_CLOUD = 310;

/// W peak of the panels.
constexpr double PEAK_POWER = 6000.0;
/// Losses by heat, angle, cable and inverter.
constexpr double PERFORMANCE = 0.84;
constexpr double SUNRISE = 6.6;
constexpr double SUNSET = 19.4;
/// The inverter's filter capacitors, var per phase.
constexpr double FILTER_REACTIVE_POWER = -12.0;
/// Distortion current per fundamental current of the inverter.
constexpr double DISTORTION_RATIO = 0.025;
/// The inverter needs this share of the sun before it connects.
constexpr double CONNECT_LEVEL = 0.004;

/// Share of the light that the clouds let through, 0.25..1.
double cloud_transmission(const HouseTime &time) {
  const double t = time.continuous();
  const double cover = 0.30 + 0.60 * hash_unit(STREAM_DAY, time.day);
  // Cloud banks of half an hour, single clouds of a few minutes, their ragged edges.
  const double bank = 0.5 + 0.5 * smooth_noise(STREAM_CLOUD, t / 1900.0);
  const double cloud = 0.5 + 0.5 * smooth_noise(STREAM_CLOUD + 1, t / 240.0);
  const double edge = 0.5 + 0.5 * smooth_noise(STREAM_CLOUD + 2, t / 25.0);
  const double density = smooth_step(1.0 - cover, 1.35 - 0.5 * cover, 0.45 * bank + 0.40 * cloud + 0.15 * edge + 0.25);
  const double haze = 0.02 * smooth_noise(STREAM_CLOUD + 3, t / 4.0);
  return std::clamp(0.97 - 0.70 * density + haze, 0.25, 1.0);
}

}  // namespace

double clear_sky(double hour) {
  if (hour <= SUNRISE || hour >= SUNSET)
    return 0.0;
  return std::pow(std::sin(std::numbers::pi * (hour - SUNRISE) / (SUNSET - SUNRISE)), 1.35);
}

LoadDemand solar_demand(const HouseTime &time) {
  const double sky = clear_sky(time.hour());
  if (sky == 0.0)
    return {};
  const double power = PEAK_POWER * PERFORMANCE * sky * cloud_transmission(time) / PHASES;
  const double connected = smooth_step(CONNECT_LEVEL, 2.0 * CONNECT_LEVEL, sky);
  return {-power * connected, FILTER_REACTIVE_POWER * connected,
          power / NOMINAL_VOLTAGE * DISTORTION_RATIO * connected};
}

}  // namespace esphome::mains_signal
