#pragma once

#include "esphome/components/ade9000/ade9000.h"
#include "wiring_diagnosis.h"
#include "wiring_findings.h"
#include "esphome/components/button/button.h"
#include "esphome/components/device_message/device_message.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"

#include <string>

namespace esphome::wiring_check {

/// Checks the angles between all inputs on request, and publishes what to swap: as sentences and as codes.
class WiringCheck : public Component {
 public:
  void set_hub(ade9000::Ade9000 *hub) { this->hub_ = hub; }
  void set_expectation(const WiringExpectation &expectation, float line_frequency) {
    this->expectation_ = expectation;
    this->frequency_ = line_frequency;
  }
  /// Sets the sensor of the English sentences.
  void set_result_sensor(text_sensor::TextSensor *sensor) { this->result_ = sensor; }
  /// Sets the sensor of the codes, see encode_wiring().
  void set_codes_sensor(text_sensor::TextSensor *sensor) { this->codes_ = sensor; }

  void setup() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::DATA; }

  /// Checks the wiring now. @return whether every input could be checked, and is right.
  bool check();
  /// Formats the findings of the last check as the answer of an action: sentences, then their codes in brackets.
  std::string get_answer() const { return device_message::answer(this->message_, this->message_codes_); }

 protected:
  void on_snapshot_(const ade9000::Snapshot &snapshot);
  bool read_voltage_angles_();
  void publish_(const WiringFindings &findings);
  void watch_taps_();

  ade9000::Ade9000 *hub_{nullptr};
  WiringExpectation expectation_{};
  /// Frequency, Hz: measured, or nominal before the first measurement.
  float frequency_{50};
  WiringObservation observation_{};
  uint32_t observed_at_{0};
  bool observed_{false};
  /// Observation of the check before, against which a heater switched on since is seen.
  WiringObservation checked_{};
  uint32_t checked_at_{0};
  bool checked_once_{false};
  CurrentProof proof_{};
  /// Findings of the last check that was asked for, told again once a lost tap is back.
  WiringFindings findings_{WiringCode::NOT_CHECKED};
  /// Taps without voltage while their line's current flows; those told, and since when they differ.
  WiringDiagnosis::PerInput lost_taps_{};
  uint32_t taps_differ_since_{0};
  bool taps_differ_{false};
  std::string message_;
  std::string message_codes_;
  text_sensor::TextSensor *result_{nullptr};
  text_sensor::TextSensor *codes_{nullptr};
};

class CheckButton : public button::Button, public Parented<WiringCheck> {
 protected:
  void press_action() override { this->parent_->check(); }
};

}  // namespace esphome::wiring_check
