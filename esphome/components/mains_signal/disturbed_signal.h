#pragma once

#include "signal_model.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace esphome::mains_signal {

/// Disturbance of the mains for a while.
struct Disturbance {
  /// Positions in the signal at which the disturbance begins and ends, s.
  double from;
  double to;
  /// Phases that are disturbed: bit 0..2 = L1..L3.
  uint8_t phases{0b111};
  /// Factors of the voltages and the currents, 0 or more.
  double voltage_factor{1.0};
  double current_factor{1.0};
  /// Whether the phases turn L1-L3-L2.
  bool wrong_sequence{false};
};

/// Adds disturbances to a signal, injected by a test or a person.
class DisturbedSignal : public SignalModel {
 public:
  explicit DisturbedSignal(std::unique_ptr<SignalModel> undisturbed) : undisturbed_(std::move(undisturbed)) {}
  Signal at(double seconds) const override;
  void add(const Disturbance &disturbance);

 protected:
  std::unique_ptr<SignalModel> undisturbed_;
  std::vector<Disturbance> disturbances_;
};

}  // namespace esphome::mains_signal
