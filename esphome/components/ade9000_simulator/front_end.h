#pragma once

#include "esphome/components/mains_signal/signal_model.h"
#include "esphome/components/mains_signal/spectrum.h"

#include <array>

namespace esphome::ade9000_simulator {

/// Wiring of a pair of voltage pins.
struct VoltageInput {
  /// The reference of an input that measures against the neutral.
  static constexpr int NEUTRAL = -1;
  /// 0..2 = L1..L3.
  int phase;
  /// 1 = right, 0 = not connected, -1 = the wires swapped; anything else is an error of the divider.
  double gain{1.0};
  /// Conductor on the other pin: NEUTRAL, or 0..2 = L1..L3 as in a delta.
  int reference{NEUTRAL};
};

/// Current transformer on a pair of current pins.
struct CurrentInput {
  /// Line that the transformer sits on, 0..2 = L1..L3.
  int phase;
  /// 1 = right, 0 = not connected, -1 = the wrong way round; anything else is an error of its ratio.
  double gain{1.0};
  /// Radians by which the transformer shows the fundamental too early; a real transformer leads a little.
  double lead{0.0};
};

/// Analogue front end between the mains and the chip's pins, and its wiring.
struct FrontEnd {
  /// Mains volts per volt at the pin.
  double voltage_divider{1000.4};
  /// Volts at the pin per mains ampere.
  double current_sensitivity{0.0066965};
  std::array<VoltageInput, mains_signal::PHASES> voltages{{{0}, {1}, {2}}};
  std::array<CurrentInput, mains_signal::PHASES> currents{{{0}, {1}, {2}}};
  /// Share of the neutral's current that the neutral's transformer shows; 0 = no transformer.
  double neutral_gain{1.0};
};

/// Waves at the chip's pins, in volts and amperes of the mains.
struct Inputs {
  std::array<mains_signal::Spectrum, mains_signal::PHASES> voltage;
  std::array<mains_signal::Spectrum, mains_signal::PHASES> current;
  mains_signal::Spectrum neutral;
};

/// Computes the waves at the pins of a signal; the neutral carries minus the sum of the lines' currents, less the
/// current through the earth.
Inputs inputs_of(const mains_signal::Signal &signal, const FrontEnd &front_end);

/// Codes of the chip at full scale: 1 V peak at the pin, all gains 1 (data sheet Rev B; UG-1098).
constexpr double RMS_FULL_SCALE_CODE = 52702092.0;
constexpr double POWER_FULL_SCALE_CODE = 20694066.0;
constexpr double PCF_FULL_SCALE_CODE = 74532013.0;
constexpr double SINC4_FULL_SCALE_CODE = 67107786.0;
constexpr double DECIMATED_FULL_SCALE_CODE = 74518668.0;
constexpr double RESAMPLED_FULL_SCALE_CODE = 18196.0;
/// V rms at the pin at full scale: 1/sqrt(2).
constexpr double PIN_FULL_SCALE = 0.70710678118654752;

}  // namespace esphome::ade9000_simulator
