#pragma once

#include "esphome/components/ade9000/ade9000.h"
#include "calibration_book.h"
#include "esphome/components/button/button.h"
#include "esphome/components/number/number.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/preferences.h"

#include <array>
#include <string>

namespace esphome::meter_calibration {

/// Quantities that a person can measure.
enum class Measured : uint8_t { VOLTAGE, CURRENT, POWER_FACTOR };
static constexpr size_t MEASURED = 3;

/** Calibrates the meter to a person's measurements, by corrections in the chip.
 *
 * The corrections are kept in flash, and are in the chip's registers before it measures. Those of another front end, or
 * of other corrections in the configuration, are not taken over: the configuration has changed since.
 */
class MeterCalibration : public Component {
 public:
  void set_hub(ade9000::Ade9000 *hub) { this->hub_ = hub; }
  /// @param voltage_divider and current_sensitivity: of the front end that is corrected.
  void set_subject(const CalibrationSubject &subject, float voltage_divider, float current_sensitivity) {
    this->subject_ = subject;
    this->voltage_divider_ = voltage_divider;
    this->current_sensitivity_ = current_sensitivity;
  }
  /// Corrections of the configuration: gains 0.8 to 1.25, degrees.
  void set_base(size_t phase, float voltage_gain, float current_gain, float degrees);
  /// Residual current of the configuration, A. @param input 0..2, or NEUTRAL.
  void set_base_residual(size_t input, float amperes);
  void set_result_sensor(text_sensor::TextSensor *sensor) { this->result_ = sensor; }
  /// Sets the sensor of the last message as a code with its values, see device_message::Message::encode().
  void set_codes_sensor(text_sensor::TextSensor *sensor) { this->codes_ = sensor; }
  void set_corrections_sensor(text_sensor::TextSensor *sensor) { this->corrections_ = sensor; }

  void setup() override;
  void dump_config() override;
  // Before the hub, which hands the registers to the chip.
  float get_setup_priority() const override { return setup_priority::DATA + 10; }

  /** Calibrates a quantity of a phase to its true value.
   *
   * @param phase 1..3, as people count.
   * @return whether the value was accepted; get_answer() says what was done, or what to do.
   */
  bool is_now(Measured measured, int phase, float value);
  /** Nulls the current that an input shows with nothing connected.
   *
   * @param input 1..3, or 4 for the neutral.
   * @return see is_now().
   */
  bool null_residual_current(int input);
  bool undo() { return this->finish_(this->book_.undo()); }
  /// Takes over what another meter with the same transformers was calibrated to.
  bool take_over(const Factors &factors) { return this->finish_(this->book_.take_over(factors)); }
  bool reset() { return this->finish_(this->book_.reset()); }
  /// Formats the message of the last step as the answer of an action: a sentence, then its code in brackets.
  std::string get_answer() const { return device_message::answer(this->message_.describe(), this->message_.encode()); }

 protected:
  /// Corrections stored over a reboot. The layout is a stored format: a change needs a new preference key.
  struct Stored {
    uint32_t basis;
    Corrections now;
    Corrections previous;
  };
  /// As stored before a residual current could be nulled.
  struct StoredWithoutOffsets {
    uint32_t basis;
    std::array<PhaseCorrection, ade9000::PHASES> now;
    std::array<PhaseCorrection, ade9000::PHASES> previous;
  };

  /// Loads the stored corrections, whichever version wrote them. @return whether there are any.
  bool load_(Stored &stored);

  void on_snapshot_(const ade9000::Snapshot &snapshot);
  bool finish_(const CalibrationOutcome &outcome);
  /// Puts the corrections into the registers; `announce` to a running chip.
  void apply_();
  void store_();
  void publish_();
  /// Hash of the configuration to which the corrections belong.
  uint32_t basis_() const;

  ade9000::Ade9000 *hub_{nullptr};
  CalibrationSubject subject_{};
  float voltage_divider_{1};
  float current_sensitivity_{1};
  Corrections base_{};
  CalibrationBook book_;
  std::array<RecentReadings, CURRENT_INPUTS> recent_;
  ESPPreferenceObject preference_;
  device_message::Message message_;
  text_sensor::TextSensor *result_{nullptr};
  text_sensor::TextSensor *codes_{nullptr};
  text_sensor::TextSensor *corrections_{nullptr};
};

/// Number entity for the true voltage, current or power factor of a phase.
class CalibrationNumber : public number::Number {
 public:
  CalibrationNumber(MeterCalibration *parent, Measured measured, int phase)
      : parent_(parent), measured_(measured), phase_(phase) {}

 protected:
  void control(float value) override {
    if (this->parent_->is_now(this->measured_, this->phase_, value))
      this->publish_state(value);
  }

  MeterCalibration *parent_;
  Measured measured_;
  int phase_;
};

/// Button that nulls the residual current of an input: 1 to 3, or 4 for the neutral.
class NullButton : public button::Button {
 public:
  NullButton(MeterCalibration *parent, int input) : parent_(parent), input_(input) {}

 protected:
  void press_action() override { this->parent_->null_residual_current(this->input_); }

  MeterCalibration *parent_;
  int input_;
};

class UndoButton : public button::Button, public Parented<MeterCalibration> {
 protected:
  void press_action() override { this->parent_->undo(); }
};

class ResetButton : public button::Button, public Parented<MeterCalibration> {
 protected:
  void press_action() override { this->parent_->reset(); }
};

}  // namespace esphome::meter_calibration
