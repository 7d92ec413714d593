#pragma once

#include <array>

namespace esphome::ade9000_simulator {

constexpr int PHASES = 3;

/// Nominal phase voltage of a European low-voltage grid, V (IEC 60038).
constexpr double NOMINAL_VOLTAGE = 230.0;
/// Nominal frequency, Hz.
constexpr double NOMINAL_FREQUENCY = 50.0;

/// What one phase does at an instant. The voltage is a sine, so power flows at the fundamental alone and the distortion
/// current only adds to the rms current.
struct PhaseSignal {
  /// V rms, 0 or more.
  double voltage{0.0};
  /// Fundamental current, A rms, 0 or more.
  double fundamental_current{0.0};
  /// Current of all harmonics together, A rms, 0 or more.
  double distortion_current{0.0};
  /// W, positive on import.
  double active_power{0.0};
  /// var, positive when the current lags the voltage (inductive import).
  double reactive_power{0.0};

  /// Total current, A rms.
  double current() const;
  /// Angle by which the current lags the voltage, radians in -pi..pi; 0 without current.
  double lag() const;

  /// The phase that carries this power at this voltage.
  ///
  /// A load cannot draw its power from a dead line: below 10 % of the nominal voltage it is taken as a constant
  /// impedance, so power fades with the square of the voltage and the current stays finite.
  static PhaseSignal from_power(double voltage, double active_power, double reactive_power,
                                double distortion_current = 0.0);
};

/// What the grid does at an instant.
struct Signal {
  /// Hz.
  double frequency{NOMINAL_FREQUENCY};
  std::array<PhaseSignal, PHASES> phases;
  /// False where nothing is known: the meter has no measurement and its chip does not answer.
  bool measured{true};
};

/// A signal over time. Pure: the same second always gives the same signal.
class SignalModel {
 public:
  virtual ~SignalModel() = default;
  /// The signal `seconds` after the model's own start; any finite number is allowed.
  virtual Signal at(double seconds) const = 0;
};

}  // namespace esphome::ade9000_simulator
