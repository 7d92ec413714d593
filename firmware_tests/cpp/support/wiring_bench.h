#pragma once

#include "esphome/components/wiring_check/wiring_diagnosis.h"
#include "esphome/components/wiring_check/wiring_findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>

namespace esphome::wiring_check {

using Phasor = std::complex<double>;

inline Phasor polar(double magnitude, double degrees) {
  return std::polar(magnitude, degrees * std::numbers::pi / 180.0);
}

/// What a person did at the meter, on a supply whose lines 0, 1, 2 follow one another.
struct Installation {
  std::array<Phasor, 3> line_voltages{polar(230, 0), polar(230, -120), polar(230, 120)};
  /// Degrees by which each line's load lags its voltage, and its amperes.
  std::array<double, 3> lags{0, 0, 0};
  std::array<double, 3> amperes{5, 5, 5};
  std::array<uint8_t, 3> voltage_on{0, 1, 2};
  std::array<uint8_t, 3> current_on{0, 1, 2};
  std::array<double, 3> voltage_factor{1, 1, 1};
  std::array<double, 3> current_factor{1, 1, 1};
  /// Subtracted from each voltage input; a delta's reference.
  Phasor reference{0};

  WiringObservation observe() const { return this->observe_with_heater(0, 0); }

  WiringObservation observe_with_heater(size_t heated, double heater) const {
    WiringObservation observation;
    std::array<Phasor, 3> voltages;
    for (size_t i = 0; i < 3; i++) {
      const size_t line = this->current_on[i];
      const Phasor direction = std::polar(1.0, std::arg(this->line_voltages[line]));
      const Phasor current =
          direction * (polar(this->amperes[line], -this->lags[line]) + (line == heated || heated == 3 ? heater : 0.0)) *
          this->current_factor[i];
      voltages[i] = (this->line_voltages[this->voltage_on[i]] - this->reference) * this->voltage_factor[i];
      const Phasor power = voltages[i] * std::conj(current);
      observation.inputs[i] = {std::abs(voltages[i]), std::abs(current), power.real(), power.imag()};
    }
    const size_t pairs[][2] = {{0, 1}, {1, 2}, {0, 2}};
    for (size_t pair = 0; pair < 3; pair++) {
      const Phasor from = voltages[pairs[pair][0]];
      const Phasor to = voltages[pairs[pair][1]];
      // An angle register: 0 to 360; whatever it last held where a voltage is missing.
      double lag = std::arg(from / to) * 180.0 / std::numbers::pi;
      if (std::abs(from) < 1 || std::abs(to) < 1)
        lag = 77;
      observation.voltage_lags[pair] = lag < 0 ? lag + 360 : lag;
    }
    return observation;
  }
};

/// A person at the meter: checks, and switches a heater on on each line in turn, checking again after each.
struct Session {
  WiringKind kind;
  double nominal;
  CurrentProof proof{};

  WiringDiagnosis with_heaters(const Installation &installation) {
    const WiringExpectation expectation{this->kind, this->nominal, 0.5};
    for (size_t line = 0; line < 3; line++) {
      WiringObservation before = installation.observe();
      // Without a neutral the heater is on three lines at once.
      WiringObservation after = installation.observe_with_heater(this->kind == WiringKind::DELTA ? 3 : line, 9);
      prove_currents(before, after, expectation, this->proof);
    }
    return diagnose_wiring(installation.observe(), expectation, this->proof);
  }
};

class WiringCheck : public ::testing::Test {
 protected:
  double between(double low, double high) { return std::uniform_real_distribution<>(low, high)(this->random_); }
  bool coin() { return this->between(0, 1) < 0.5; }
  std::array<uint8_t, 3> permutation() {
    std::array<uint8_t, 3> order{0, 1, 2};
    std::shuffle(order.begin(), order.end(), this->random_);
    return order;
  }
  Installation house(double least_lag, double most_lag) {
    Installation house;
    for (size_t i = 0; i < 3; i++) {
      house.line_voltages[i] *= this->between(0.94, 1.06) * polar(1, this->between(-3, 3));
      house.lags[i] = this->between(least_lag, most_lag);
      house.amperes[i] = this->between(0.6, 60);
    }
    return house;
  }
  static WiringDiagnosis diagnose(const Installation &installation, WiringKind kind = WiringKind::WYE,
                                  double nominal = 230) {
    return diagnose_wiring(installation.observe(), {kind, nominal, 0.5});
  }
  static std::string words(const Installation &installation, WiringKind kind = WiringKind::WYE, double nominal = 230) {
    return describe_wiring(list_findings(diagnose(installation, kind, nominal), kind));
  }
  static std::string codes(const Installation &installation, WiringKind kind = WiringKind::WYE, double nominal = 230) {
    return encode_wiring(list_findings(diagnose(installation, kind, nominal), kind));
  }

  /// What is said once a heater was switched on on each line in turn.
  static WiringFindings findings_with_heaters(const Installation &installation, WiringKind kind = WiringKind::WYE,
                                              double nominal = 230) {
    Session session{kind, nominal};
    return list_findings(session.with_heaters(installation), kind);
  }
  static std::string words_with_heaters(const Installation &installation, WiringKind kind = WiringKind::WYE,
                                        double nominal = 230) {
    return describe_wiring(findings_with_heaters(installation, kind, nominal));
  }
  static std::string codes_with_heaters(const Installation &installation, WiringKind kind = WiringKind::WYE,
                                        double nominal = 230) {
    return encode_wiring(findings_with_heaters(installation, kind, nominal));
  }

  std::mt19937 random_{20241};
};

inline bool is_odd(const std::array<uint8_t, 3> &order) {
  return (order[0] > order[1]) != (order[0] > order[2]) ? (order[1] < order[2]) : (order[1] > order[2]);
}

/// What is right to say of an installation, from where its wires are.
inline WiringDiagnosis truth_of(const Installation &installation) {
  WiringDiagnosis truth;
  truth.reversed_sequence = is_odd(installation.voltage_on);
  for (size_t i = 0; i < 3; i++) {
    truth.reversed_voltage[i] = installation.voltage_factor[i] < 0;
    truth.reversed_current[i] = installation.current_factor[i] < 0;
    truth.line_of_current[i] = static_cast<uint8_t>(
        std::find(installation.voltage_on.begin(), installation.voltage_on.end(), installation.current_on[i]) -
        installation.voltage_on.begin());
  }
  return truth;
}

}  // namespace esphome::wiring_check
