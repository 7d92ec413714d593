#pragma once

#include "esphome/components/ade9000/ade9000.h"
#include "wiring_diagnosis.h"
#include "esphome/components/button/button.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"

#include <string>

namespace esphome::wiring_check {

/// Looks at the angles between all inputs when it is asked to, and says in words what to swap.
class WiringCheck : public Component {
 public:
  void set_hub(ade9000::Ade9000 *hub) { this->hub_ = hub; }
  void set_expectation(const WiringExpectation &expectation, float line_frequency) {
    this->expectation_ = expectation;
    this->frequency_ = line_frequency;
  }
  void set_result_sensor(text_sensor::TextSensor *sensor) { this->result_ = sensor; }

  void setup() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::DATA; }

  /// Checks now. @return whether everything could be checked, and is right.
  bool check();
  /// Of the last check.
  const std::string &get_message() const { return this->message_; }

 protected:
  void on_snapshot_(const ade9000::Snapshot &snapshot);
  bool read_voltage_angles_();
  void tell_(std::string message);

  ade9000::Ade9000 *hub_{nullptr};
  WiringExpectation expectation_{};
  /// Hertz: as measured, nominal before.
  float frequency_{50};
  WiringObservation observation_{};
  uint32_t observed_at_{0};
  bool observed_{false};
  std::string message_{"Not checked yet: put a heater on each phase, switch feed-in off, then check the wiring."};
  text_sensor::TextSensor *result_{nullptr};
};

class CheckButton : public button::Button, public Parented<WiringCheck> {
 protected:
  void press_action() override { this->parent_->check(); }
};

}  // namespace esphome::wiring_check
