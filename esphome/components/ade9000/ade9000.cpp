#include "ade9000.h"

#include "ade9000_registers.h"

#include "esphome/core/application.h"
#include "esphome/core/hal.h"
#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

#include <cinttypes>
#include <cmath>
#include <limits>

namespace esphome::ade9000 {

static const char *const TAG = "ade9000";

// The chip's own estimates differ (46 ms to 50 ms): after this long without RSTDONE, reset it again.
static constexpr uint32_t RESET_TIMEOUT_MS = 1000;
static constexpr uint32_t SLOW_PUBLISH_INTERVAL_MS = 1000;
// One damaged frame is no reason to blank every sensor; a second of them is.
static constexpr uint8_t FAILURES_UNTIL_INVALID = 5;
// 160 samples = 20 ms: short against the update interval, so an update sees whole windows of fresh energy.
static constexpr uint16_t EGY_TIME_WINDOW = 160 - 1;
// Below half the nominal voltage the zero crossings are no longer those of the mains (EU 2016/1388 Art. 19 blocks
// frequency relays at 30..90 % of it).
static constexpr double MINIMUM_VOLTAGE_FRACTION = 0.5;
// The chip's no-load threshold is about 1/20000 of full scale; a power factor below twice that is noise.
static constexpr double MINIMUM_APPARENT_FRACTION = 1e-4;
// rms and power registers may exceed full scale by the headroom of the ADC (data sheet "ADC full scale").
static constexpr double FULL_SCALE_HEADROOM = 1.2;
// Apparent power is the product of the rms values (data sheet "Apparent power"): the check that a burst, which carries
// no CRC, arrived whole.
static constexpr double APPARENT_TOLERANCE = 0.05;
static constexpr double APPARENT_TOLERANCE_FRACTION = 1e-3;

static constexpr std::array<Quantity, 4> FAST_QUANTITIES = {Quantity::ACTIVE_POWER, Quantity::REACTIVE_POWER,
                                                            Quantity::APPARENT_POWER, Quantity::FREQUENCY};
static constexpr std::array<Quantity, 5> SLOW_QUANTITIES = {
    Quantity::VOLTAGE, Quantity::CURRENT, Quantity::POWER_FACTOR, Quantity::IMPORT_ENERGY, Quantity::EXPORT_ENERGY};

void Ade9000::setup() {
  this->preference_ = global_preferences->make_preference<StoredEnergy>(fnv1_hash("ade9000.energy.1"), true);
  StoredEnergy stored;
  if (this->preference_.load(&stored)) {
    for (size_t i = 0; i < CHANNELS; i++)
      this->energy_[i].restore(stored.import_nwh[i], stored.export_nwh[i]);
  }
  this->last_save_ = millis();
}

void Ade9000::on_shutdown() { this->save_energy_(); }

void Ade9000::dump_config() {
  ESP_LOGCONFIG(TAG,
                "ADE9000:\n"
                "  Full scale: %.1f V, %.1f A\n"
                "  Nominal: %.0f V, %u Hz\n"
                "  Energy saved every: %" PRIu32 " s",
                this->scaling_.full_scale_voltage(), this->scaling_.full_scale_current(), this->nominal_voltage_,
                this->line_frequency_, this->save_interval_ / 1000);
  LOG_UPDATE_INTERVAL(this);
}

void Ade9000::update() {
  switch (this->state_) {
    case State::RESET:
      this->bus_.write(reg::CONFIG1, reg::CONFIG1_SWRST);
      this->reset_started_ = millis();
      this->state_ = State::RESETTING;
      break;

    case State::RESETTING: {
      uint32_t status;
      const bool done = this->bus_.read(reg::STATUS1, status) && (status & reg::STATUS1_RSTDONE);
      if (done && this->is_ade9000_() && this->configure_()) {
        ESP_LOGI(TAG, "ADE9000 set up");
        this->state_ = State::RUNNING;
        break;
      }
      if (millis() - this->reset_started_ > RESET_TIMEOUT_MS)
        this->state_ = State::RESET;
      this->handle_failure_();
      break;
    }

    case State::RUNNING: {
      Snapshot snapshot;
      if (this->measure_(snapshot)) {
        this->failures_ = 0;
        this->status_clear_warning();
        this->publish_(snapshot);
      } else {
        this->handle_failure_();
      }
      if (millis() - this->last_save_ >= this->save_interval_)
        this->save_energy_();
      break;
    }
  }
}

bool Ade9000::is_ade9000_() {
  uint32_t part, version;
  if (!this->bus_.read(reg::PART_ID, part) || !this->bus_.read(reg::VERSION, version))
    return false;
  if ((part & reg::PART_ID_ADE9000) == 0 || (version & reg::VERSION_MASK) != reg::VERSION_ADE9000) {
    ESP_LOGE(TAG,
             "The chip is not an ADE9000 (PART_ID 0x%08" PRIX32 ", VERSION 0x%04" PRIX32
             "): check the wiring of the SPI bus",
             part, version);
    return false;
  }
  return true;
}

bool Ade9000::configure_() {
  const struct {
    uint16_t address;
    uint32_t value;
  } settings[] = {
      {reg::PGA_GAIN, 0},
      {reg::CONFIG1, 0},
      {reg::ACCMODE, this->line_frequency_ == 60 ? reg::ACCMODE_SELFREQ_60HZ : uint32_t{0}},
      {reg::VLEVEL,
       static_cast<uint32_t>(reg::VLEVEL_UNIT * this->scaling_.full_scale_voltage() / this->nominal_voltage_)},
      {reg::EGY_TIME, EGY_TIME_WINDOW},
      {reg::RUN, reg::RUN_START},
      {reg::EP_CFG, reg::EP_CFG_EGY_PWR_EN},
  };
  for (const auto &setting : settings) {
    if (!this->bus_.write_checked(setting.address, setting.value)) {
      ESP_LOGW(TAG, "Register 0x%03X did not take 0x%08" PRIX32, setting.address, setting.value);
      return false;
    }
  }
  this->bus_.write(reg::STATUS1, reg::STATUS1_RSTDONE);
  return this->read_energy_codes_(this->energy_codes_);
}

bool Ade9000::measure_(Snapshot &snapshot) {
  uint32_t status;
  if (!this->bus_.read(reg::STATUS1, status))
    return false;
  if (status & reg::STATUS1_RSTDONE) {
    this->handle_chip_reset_();
    return false;
  }
  // Energy first: a burst that is thrown away must not make the chip's count late.
  if (!this->count_energy_())
    return false;
  std::array<PhaseValues, PHASES> phases;
  if (!this->read_phases_(phases))
    return false;
  const double full_scale_power = this->scaling_.full_scale_voltage() * this->scaling_.full_scale_current();
  snapshot = make_snapshot(phases, {.minimum_voltage = MINIMUM_VOLTAGE_FRACTION * this->nominal_voltage_,
                                    .minimum_apparent_power = MINIMUM_APPARENT_FRACTION * full_scale_power});
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<Channel>(i);
    snapshot.at(channel, Quantity::IMPORT_ENERGY) = this->energy_[i].get_import() * 1e-12;
    snapshot.at(channel, Quantity::EXPORT_ENERGY) = this->energy_[i].get_export() * 1e-12;
  }
  return true;
}

bool Ade9000::read_phases_(std::array<PhaseValues, PHASES> &phases) {
  std::array<uint32_t, PHASES> periods;
  for (size_t i = 0; i < PHASES; i++) {
    if (!this->bus_.read(reg::APERIOD + i, periods[i]))
      return false;
  }
  uint32_t words[reg::BURST_WORDS];
  this->bus_.write(reg::CONFIG1, reg::CONFIG1_BURST_EN);
  const bool received = this->bus_.read_burst(reg::BURST_FIRST, words, reg::BURST_WORDS);
  this->bus_.write(reg::CONFIG1, 0);
  if (!received)
    return false;

  const auto word = [&words](uint16_t address, size_t phase) { return words[address - reg::BURST_FIRST + phase]; };
  const double full_scale_power = this->scaling_.full_scale_voltage() * this->scaling_.full_scale_current();
  for (size_t i = 0; i < PHASES; i++) {
    PhaseValues &phase = phases[i];
    phase.voltage = this->scaling_.volts(word(reg::BURST_AVRMS, i));
    phase.current = this->scaling_.amperes(word(reg::BURST_AIRMS, i));
    phase.active_power = this->scaling_.power(static_cast<int32_t>(word(reg::BURST_AWATT, i)));
    phase.reactive_power = this->scaling_.power(static_cast<int32_t>(word(reg::BURST_AVAR, i)));
    phase.apparent_power = this->scaling_.power(static_cast<int32_t>(word(reg::BURST_AVA, i)));
    phase.power_factor = Scaling::power_factor(static_cast<int32_t>(word(reg::BURST_APF, i)));
    phase.frequency = Scaling::hertz(periods[i]);
    const double product = phase.voltage * phase.current;
    const double limit = FULL_SCALE_HEADROOM * full_scale_power;
    const bool possible = phase.voltage <= FULL_SCALE_HEADROOM * this->scaling_.full_scale_voltage() &&
                          phase.current <= FULL_SCALE_HEADROOM * this->scaling_.full_scale_current() &&
                          std::abs(phase.active_power) <= limit && std::abs(phase.reactive_power) <= limit &&
                          std::abs(phase.apparent_power - product) <=
                              APPARENT_TOLERANCE * product + APPARENT_TOLERANCE_FRACTION * full_scale_power;
    if (!possible) {
      this->bus_.reject_frame();
      return false;
    }
  }
  return true;
}

bool Ade9000::read_energy_code_(uint16_t hi_address, uint64_t &code) {
  uint32_t before, lo, after;
  if (!this->bus_.read(hi_address, before) || !this->bus_.read(hi_address - 1, lo) ||
      !this->bus_.read(hi_address, after))
    return false;
  // LO may have carried into HI between the two frames: then LO belongs to the later HI only if it is read again.
  if (before != after && !this->bus_.read(hi_address - 1, lo))
    return false;
  code = accumulator_code(after, lo);
  return true;
}

bool Ade9000::read_energy_codes_(std::array<uint64_t, PHASES> &codes) {
  // A window that closes while the phases are being read would be in some of them only: read again, once.
  for (int attempt = 0; attempt < 2; attempt++) {
    this->bus_.write(reg::STATUS0, reg::STATUS0_EGYRDY);
    for (size_t i = 0; i < PHASES; i++) {
      if (!this->read_energy_code_(reg::AWATTHR_HI + i * reg::ENERGY_STRIDE, codes[i]))
        return false;
    }
    uint32_t status;
    if (!this->bus_.read(reg::STATUS0, status))
      return false;
    if ((status & reg::STATUS0_EGYRDY) == 0)
      break;
  }
  return true;
}

bool Ade9000::count_energy_() {
  std::array<uint64_t, PHASES> codes;
  if (!this->read_energy_codes_(codes))
    return false;
  double total = 0;
  for (size_t i = 0; i < PHASES; i++) {
    const double gain = accumulator_gain(this->energy_codes_[i], codes[i]) * this->scaling_.nanowatt_hours_per_code();
    this->energy_[i].add(gain);
    total += gain;
  }
  this->energy_[static_cast<size_t>(Channel::TOTAL)].add(total);
  this->energy_codes_ = codes;
  return true;
}

void Ade9000::handle_chip_reset_() {
  this->chip_resets_++;
  ESP_LOGW(TAG, "The chip has been reset; setting it up again");
  if (!this->is_ade9000_() || !this->configure_())
    this->state_ = State::RESET;
}

void Ade9000::handle_failure_() {
  if (this->failures_ < FAILURES_UNTIL_INVALID) {
    this->failures_++;
    return;
  }
  this->status_set_warning(LOG_STR("No valid answer from the chip"));
  Snapshot nothing;
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<Channel>(i);
    nothing.at(channel, Quantity::IMPORT_ENERGY) = this->energy_[i].get_import() * 1e-12;
    nothing.at(channel, Quantity::EXPORT_ENERGY) = this->energy_[i].get_export() * 1e-12;
  }
  this->publish_(nothing);
}

void Ade9000::publish_(const Snapshot &snapshot) {
  const bool slow = millis() - this->last_slow_publish_ >= SLOW_PUBLISH_INTERVAL_MS;
  for (size_t i = 0; i < CHANNELS; i++) {
    for (Quantity quantity : FAST_QUANTITIES)
      this->publish_channel_quantity_(snapshot, static_cast<Channel>(i), quantity);
    if (slow) {
      for (Quantity quantity : SLOW_QUANTITIES)
        this->publish_channel_quantity_(snapshot, static_cast<Channel>(i), quantity);
    }
  }
  if (slow) {
    this->last_slow_publish_ = millis();
    this->publish_diagnostics_();
  }
}

void Ade9000::publish_channel_quantity_(const Snapshot &snapshot, Channel channel, Quantity quantity) {
  sensor::Sensor *sensor = this->sensors_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)];
  if (sensor != nullptr)
    sensor->publish_state(snapshot.at(channel, quantity));
}

void Ade9000::publish_diagnostics_() {
  const struct {
    sensor::Sensor *sensor;
    uint32_t count;
  } diagnostics[] = {
      {this->rejected_frames_sensor_, this->bus_.get_rejected_frames()},
      {this->chip_resets_sensor_, this->chip_resets_},
  };
  for (const auto &diagnostic : diagnostics) {
    if (diagnostic.sensor != nullptr &&
        (!diagnostic.sensor->has_state() || diagnostic.sensor->get_raw_state() != diagnostic.count))
      diagnostic.sensor->publish_state(diagnostic.count);
  }
}

void Ade9000::save_energy_() {
  StoredEnergy stored;
  for (size_t i = 0; i < CHANNELS; i++) {
    stored.import_nwh[i] = this->energy_[i].get_import();
    stored.export_nwh[i] = this->energy_[i].get_export();
  }
  if (!this->preference_.save(&stored))
    ESP_LOGW(TAG, "Energy totals could not be saved: they would be lost at a reboot");
  this->last_save_ = millis();
}

}  // namespace esphome::ade9000
