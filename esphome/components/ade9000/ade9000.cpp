#include "ade9000.h"

#include "ade9000_registers.h"
#include "derived_settings.h"
#include "measurement.h"

#include "esphome/core/hal.h"
#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <ctime>

namespace esphome::ade9000 {

static const char *const TAG = "ade9000";

// One damaged frame is no reason to blank every sensor; a second of them is.
static constexpr uint8_t FAILURES_UNTIL_INVALID = 5;
// 160 samples = 20 ms: short against the update interval, so an update sees whole windows of fresh energy.
static constexpr uint16_t EGY_TIME_WINDOW = 160 - 1;
// Below half the nominal voltage the zero crossings are no longer those of the mains (EU 2016/1388 Art. 19 blocks
// frequency relays at 30..90 % of it).
static constexpr double MINIMUM_VOLTAGE_FRACTION = 0.5;
// Between two writes because the mains has gone, ms: a supply that comes and goes must not wear the flash.
static constexpr uint32_t MAINS_GONE_SAVE_PAUSE = 10000;
// Of full scale: the power factor of less is noise.
static constexpr double MINIMUM_APPARENT_FRACTION = 1e-4;
// Of full scale (data sheet, "Zero-crossing detection"): ZXTHRSH, 9 after a reset, counts 32 * 2^8 codes behind a
// filter that passes 0.81 at 60 Hz and 0.86 at 50 Hz.
static constexpr double MINIMUM_ANGLE_FRACTION = 9.0 * 32 * 256 / (74532013.0 * 0.81);

// Power that a phase can not exceed: the supply is no more than 20 % above nominal, and a square wave of full scale,
// the most that the converter passes, has an rms of sqrt(2) times that of the sine.
static constexpr double GREATEST_VOLTAGE_FRACTION = 1.2;
static constexpr double GREATEST_CURRENT_FRACTION = 1.41421356237309505;
// A clock that was never set begins in 1970: this is 2024.
static constexpr time_t EARLIEST_TIME = 1704067200;
// Seconds by which the clock may be put right between two starts, and for which a start waits until it is set.
static constexpr double CLOCK_ERROR = 5.0;
static constexpr double CLOCK_PATIENCE = 600.0;

// Seconds since 1970; 0 while nobody has set the clock.
static uint32_t wall_clock() {
  const time_t now = ::time(nullptr);
  return now >= EARLIEST_TIME ? static_cast<uint32_t>(now) : 0;
}

void Ade9000::setup() {
  if (this->reset_pin_ != nullptr) {
    this->reset_pin_->setup();
    this->reset_pin_->digital_write(true);
    this->chip_.set_reset_line(this);
  }
  this->prepare_settings_();
  const bool with_reactive =
      this->publisher_.has(Quantity::REACTIVE_ENERGY_Q1) || this->publisher_.has(Quantity::REACTIVE_ENERGY_Q2) ||
      this->publisher_.has(Quantity::REACTIVE_ENERGY_Q3) || this->publisher_.has(Quantity::REACTIVE_ENERGY_Q4) ||
      this->publisher_.has(Quantity::APPARENT_ENERGY);
  this->totals_store_.load(this->energy_totals_, this->number_, with_reactive);
  const uint32_t session = random_uint32();
  this->chip_.begin(this->energy_totals_.stored_session(), session != 0 ? session : 1);
  this->last_save_ = millis();
}

void Ade9000::prepare_settings_() {
  const ChipSettings::Setting defaults[] = {
      {reg::PGA_GAIN, 0},
      {reg::CONFIG1, 0},
      {reg::CONFIG3, reg::CONFIG3_RESET | reg::CONFIG3_PEAKSEL_ALL},
      {reg::ACCMODE, 0},
      {reg::VLEVEL,
       static_cast<uint32_t>(reg::VLEVEL_UNIT * this->scaling_.full_scale_voltage() / this->nominal_voltage_)},
      {reg::ACT_NL_LVL, this->scaling_.no_load_level(this->no_load_power_)},
      {reg::REACT_NL_LVL, this->scaling_.no_load_level(this->no_load_power_)},
      {reg::APP_NL_LVL, this->scaling_.no_load_level(this->no_load_power_)},
      {reg::EGY_TIME, EGY_TIME_WINDOW},
  };
  // What was set from outside stays as it is, but in its place among the others: the chip is started last.
  ChipSettings asked = this->chip_.settings();
  ChipSettings &settings = this->chip_.settings();
  settings = {};
  for (const auto &setting : defaults)
    settings.set(setting.address, setting.value);
  for (const auto &setting : asked)
    settings.set(setting.address, setting.value);
  if (this->line_frequency_ == 60)
    settings.set(reg::ACCMODE, settings.get(reg::ACCMODE) | reg::ACCMODE_SELFREQ_60HZ);
  add_derived_settings(settings);
  settings.set(reg::MTTHR_L0, 0);
  settings.set(reg::RUN, reg::RUN_START);
  if (!settings.set(reg::EP_CFG, reg::EP_CFG_EGY_PWR_EN)) {
    ESP_LOGE(TAG, "More than %zu registers are to be set: set fewer of them", ChipSettings::MAX_SETTINGS);
    this->mark_failed();
  }
}

void Ade9000::on_shutdown() {
  this->forget_gap_();
  this->save_energy_();
}

void Ade9000::dump_config() {
  ESP_LOGCONFIG(TAG,
                "ADE9000:\n"
                "  Full scale: %.1f V, %.1f A\n"
                "  Nominal: %.0f V, %u Hz\n"
                "  Counts from: %.2f W a phase\n"
                "  Slow readings published every: %" PRIu32
                " ms\n"
                "  Energy saved every: %" PRIu32 " s",
                this->scaling_.full_scale_voltage(), this->scaling_.full_scale_current(), this->nominal_voltage_,
                this->line_frequency_, this->no_load_power_, this->publish_interval_, this->save_interval_ / 1000);
  LOG_UPDATE_INTERVAL(this);
}

void Ade9000::update() {
  const bool slow = millis() - this->last_slow_publish_ >= this->publish_interval_;
  if (this->prepare_chip_() && this->measure_(slow)) {
    this->failures_ = 0;
    this->status_clear_warning();
    // First: what feeds the meter may be gone with it.
    if (this->has_mains_gone_(this->snapshot_) && millis() - this->last_save_ >= MAINS_GONE_SAVE_PAUSE)
      this->save_energy_();
    this->publish_(this->snapshot_, slow);
    if (this->companion_ != nullptr)
      this->companion_->on_range(this->range_);
    this->snapshot_callback_.call(this->snapshot_);
  } else {
    this->handle_failure_(slow);
  }
  if (this->save_soon_ || millis() - this->last_save_ >= this->save_interval_)
    this->save_energy_();
}

bool Ade9000::prepare_chip_() {
  const Chip::Event event = this->chip_.step(millis());
  this->on_chip_event_(event);
  // A chip that reset itself is ready for its configuration, another one for its reset: each moment without is not
  // counted.
  if (!this->chip_.is_running() && event != Chip::Event::NONE && event != Chip::Event::UNREADABLE)
    this->on_chip_event_(this->chip_.step(millis()));
  return this->chip_.is_running() && event != Chip::Event::UNREADABLE;
}

void Ade9000::on_chip_event_(Chip::Event event) {
  switch (event) {
    case Chip::Event::NONE:
    case Chip::Event::UNREADABLE:
      break;
    case Chip::Event::WRONG_PART:
      ESP_LOGE(TAG,
               "The chip is not an ADE9000 (PART_ID 0x%08" PRIX32 ", VERSION 0x%04" PRIX32
               "): check the wiring of the SPI bus",
               this->chip_.get_part(), this->chip_.get_version());
      break;
    case Chip::Event::REFUSED:
      ESP_LOGW(TAG, "Register 0x%03X did not take 0x%08" PRIX32, this->chip_.refused()->address,
               this->chip_.refused()->value);
      break;
    case Chip::Event::STARTED:
      ESP_LOGI(TAG, "ADE9000 set up");
      // Once a start of the microcontroller, so that its next one can take the counting over; not at every reset of the
      // chip, which a bad supply could make many: those wait for the interval.
      this->save_soon_ = this->chip_resets_ == 0 && this->configuration_errors_ == 0;
      this->energy_totals_.start();
      this->range_.restart(millis());
      this->configure_companion_();
      break;
    case Chip::Event::RESUMED:
      ESP_LOGI(TAG, "ADE9000 has gone on counting");
      this->energy_totals_.resume(this->chip_.session());
      this->configure_companion_();
      break;
    case Chip::Event::LOST:
      ESP_LOGW(TAG, "The chip has been reset; setting it up again");
      this->chip_resets_++;
      this->release_companion_();
      break;
    case Chip::Event::REPAIRED:
      ESP_LOGW(TAG, "The configuration of the chip has changed and was written back");
      this->configuration_errors_++;
      this->configure_companion_();
      break;
    case Chip::Event::SILENT:
      ESP_LOGW(TAG, "The chip has given no valid answer for 10 s; resetting it");
      this->chip_resets_++;
      this->release_companion_();
      break;
    case Chip::Event::FAILED:
      ESP_LOGW(TAG, "The chip reports an internal error; resetting it");
      this->configuration_errors_++;
      this->count_energy_();
      this->release_companion_();
      break;
    case Chip::Event::CHANGED:
      ESP_LOGW(TAG, "The configuration of the chip has changed; resetting it");
      this->configuration_errors_++;
      // The counts are still those of the chip: take them before they are reset.
      if (this->chip_.has_right_energies())
        this->count_energy_();
      this->release_companion_();
      break;
    case Chip::Event::STOPPED:
      ESP_LOGW(TAG, "The chip has been stopped; starting it again");
      this->configuration_errors_++;
      this->count_energy_();
      break;
  }
}

void Ade9000::configure_companion_() {
  if (this->companion_ == nullptr)
    return;
  if (this->companion_->on_chip_configured(this->bus_, this->scaling_)) {
    this->chip_.accept_configuration();
  } else {
    this->release_companion_();
    this->chip_.reconfigure();
  }
}

void Ade9000::release_companion_() {
  if (this->companion_ != nullptr)
    this->companion_->on_chip_lost();
}

bool Ade9000::measure_(bool slow) {
  // Energy first: a measurement that is thrown away must not make the chip's count late.
  if (!this->count_energy_())
    return false;
  this->measurement_.device = {};
  if (!measure(this->bus_, this->scaling_, this->chip_.settings(), this->publisher_.wanted(slow), this->measurement_))
    return false;
  this->range_.add(range_readings(this->measurement_, this->scaling_, this->chip_.settings()), millis());
  this->hold_peaks_(slow);
  const double full_scale_power = this->scaling_.full_scale_voltage() * this->scaling_.full_scale_current();
  fill_snapshot(this->snapshot_, this->measurement_.phases, this->measurement_.device,
                {.minimum_voltage = MINIMUM_VOLTAGE_FRACTION * this->nominal_voltage_,
                 .minimum_apparent_power = MINIMUM_APPARENT_FRACTION * full_scale_power,
                 .minimum_angle_current = MINIMUM_ANGLE_FRACTION * this->scaling_.full_scale_current(),
                 .no_load_power = this->no_load_power_});
  this->write_energies_(this->snapshot_);
  return true;
}

void Ade9000::hold_peaks_(bool slow) {
  DeviceValues &device = this->measurement_.device;
  device.voltage_peak = this->held_voltage_peak_ = std::max(this->held_voltage_peak_, device.voltage_peak);
  device.current_peak = this->held_current_peak_ = std::max(this->held_current_peak_, device.current_peak);
  if (slow)
    this->held_voltage_peak_ = this->held_current_peak_ = 0;
}

bool Ade9000::count_energy_() {
  EnergyCodes codes;
  if (!read_energy_codes(this->bus_, codes))
    return false;
  const bool had_gap = this->energy_totals_.has_gap();
  const double unread = (millis() - this->last_count_) / 1000.0;
  if (!this->energy_totals_.count(codes, this->scaling_, this->greatest_gain_(unread))) {
    ESP_LOGW(
        TAG,
        "The chip was not read for %.0f s, and its counters may have gone round: what they counted meanwhile is not "
        "known, and only what is certain is added",
        unread);
    this->uncounted_seconds_ += unread;
  }
  this->last_count_ = millis();
  if (!had_gap)
    this->resumed_at_ = this->last_count_;
  this->count_gap_();
  return true;
}

double Ade9000::greatest_gain_(double seconds) const {
  const double greatest_power = GREATEST_VOLTAGE_FRACTION * this->nominal_voltage_ * GREATEST_CURRENT_FRACTION *
                                this->scaling_.full_scale_current();
  return this->scaling_.energy_codes(greatest_power, seconds);
}

void Ade9000::count_gap_() {
  if (!this->energy_totals_.has_gap())
    return;
  const uint32_t stored = this->energy_totals_.stored_at();
  const uint32_t now = wall_clock();
  const double since = (millis() - this->resumed_at_) / 1000.0;
  // After a power cut the clock is set only when the network is there.
  if (stored != 0 && now == 0 && since < CLOCK_PATIENCE)
    return;
  const double gap = now - since - stored;
  if (stored == 0 || now == 0 || gap < -CLOCK_ERROR) {
    this->forget_gap_();
  } else if (!this->energy_totals_.count_gap(this->scaling_, this->greatest_gain_(gap + CLOCK_ERROR))) {
    ESP_LOGW(TAG, "The restart took %.0f s, and the chip's counters may have gone round: only what is certain is added",
             gap);
    this->uncounted_seconds_ += std::max(0.0, gap);
  }
}

void Ade9000::forget_gap_() {
  if (!this->energy_totals_.count_gap(this->scaling_, INFINITY))
    ESP_LOGW(TAG, "No clock tells how long the restart took: what the chip counted meanwhile is not known");
}

void Ade9000::write_energies_(Snapshot &snapshot) const {
  this->energy_totals_.active().write_to(snapshot);
  this->energy_totals_.reactive().write_to(snapshot);
}

void Ade9000::handle_failure_(bool slow) {
  if (this->failures_ < FAILURES_UNTIL_INVALID) {
    this->failures_++;
    return;
  }
  this->status_set_warning(this->bus_.is_stuck()
                               ? LOG_STR("The line from the chip does not move: check MISO, chip select and supply")
                               : LOG_STR("No valid answer from the chip"));
  this->snapshot_.clear();
  this->write_energies_(this->snapshot_);
  this->publish_(this->snapshot_, slow);
}

void Ade9000::publish_(const Snapshot &snapshot, bool slow) {
  this->publisher_.publish(snapshot, slow);
  if (!slow)
    return;
  this->last_slow_publish_ = millis();
  this->publisher_.publish_over_range(describe_range(this->range_));
  this->publisher_.publish_exact(this->energy_totals_.active());
  this->publisher_.publish_diagnostics(this->diagnostic_counts_());
}

DiagnosticCounts Ade9000::diagnostic_counts_() const {
  return {
      this->bus_.get_rejected_frames(),
      this->bus_.get_rejected_frames(Rejection::CRC),
      this->bus_.get_rejected_frames(Rejection::IMPLAUSIBLE),
      this->bus_.get_rejected_frames(Rejection::STUCK),
      this->chip_resets_,
      this->configuration_errors_,
      static_cast<uint32_t>(this->uncounted_seconds_),
  };
}

bool Ade9000::change_register(uint16_t address, uint32_t value) {
  this->chip_.settings().set(address, value);
  if (!this->chip_.is_running())
    return true;
  if (!this->bus_.write_checked(address, value)) {
    this->release_companion_();
    this->chip_.reconfigure();
    return false;
  }
  this->chip_.accept_configuration();
  return true;
}

bool Ade9000::has_mains_gone_(const Snapshot &snapshot) {
  const float minimum = MINIMUM_VOLTAGE_FRACTION * this->nominal_voltage_;
  bool has_mains = false;
  for (size_t i = 0; i < PHASES; i++)
    has_mains |= snapshot.at(static_cast<Channel>(i), Quantity::VOLTAGE) >= minimum;
  const bool gone = this->had_mains_ && !has_mains;
  this->had_mains_ = has_mains;
  return gone;
}

void Ade9000::save_energy_() {
  // Until the gap is counted, the record of before the restart with its codes and their time says more than a new one.
  if (this->energy_totals_.has_gap())
    return;
  const uint32_t now = wall_clock();
  const uint32_t counted_at = now != 0 ? now - (millis() - this->last_count_) / 1000 : 0;
  if (!this->totals_store_.save(this->energy_totals_, this->chip_.session(), counted_at))
    ESP_LOGW(TAG, "Energy totals could not be saved: they would be lost at a reboot");
  this->last_save_ = millis();
  this->save_soon_ = false;
}

}  // namespace esphome::ade9000
