#pragma once

#include "ade9000_bus.h"
#include "chip_settings.h"

#include <cstdint>

namespace esphome::ade9000 {

/** The life of the chip: found, taken over or reset, configured, watched.
 *
 * Pure: time is an argument, and what happened is told for the caller to log. A chip that already runs with this
 * configuration (the microcontroller alone was restarted) is not reset: its accumulators have gone on counting. That it
 * is the same counting is known by the session, a number that the driver writes to an unused register with the
 * configuration and keeps with the totals: a chip that was reset meanwhile has it no more.
 */
class Chip {
 public:
  enum class Event : uint8_t {
    /// Nothing to tell.
    NONE,
    /// No valid answer.
    UNREADABLE,
    /// The part that answers is no ADE9000.
    WRONG_PART,
    /// A register refused its value, see refused().
    REFUSED,
    /// Configured after a reset, or after it had stopped; counting began anew.
    STARTED,
    /// The running chip was taken over, and has gone on counting in the session given.
    RESUMED,
    /// The chip was reset, but not by this driver; the next steps configure the chip anew.
    LOST,
    /// The configuration changed without a write; the next steps reset and configure the chip anew. The energies may
    /// be wrong.
    CHANGED,
    /// The chip was stopped without a write, with its energies as they were; the next step starts it anew.
    STOPPED,
    /// The configuration changed without a write and was written back; the chip has gone on counting. Companions write
    /// their registers again.
    REPAIRED,
    /// The chip reports an internal error; the next steps reset and configure the chip anew.
    FAILED,
    /// The chip stayed unreadable; the next steps reset and configure the chip anew.
    SILENT,
  };

  /// RESET pin of the chip.
  class ResetLine {
   public:
    /// @param held true holds the chip in reset, for at least 10 ms; false lets it start.
    virtual void hold_reset(bool held) = 0;

   protected:
    ~ResetLine() = default;
  };

  explicit Chip(Ade9000Bus &bus) : bus_(bus) {}

  /// Settings of the chip; to be changed before the first step, or followed by reconfigure().
  ChipSettings &settings() { return this->settings_; }

  /// Sets the RESET pin, for a chip that two resets by software do not bring back; nullptr where it is not connected.
  void set_reset_line(ResetLine *line) { this->reset_line_ = line; }

  /** Begins.
   *
   * @param old_session of the totals that were kept, 0 if there are none.
   * @param new_session the number for a counting that begins anew, not 0.
   */
  void begin(uint32_t old_session, uint32_t new_session);

  /** Advances the state of the chip by one step; once an update, before registers are read.
   *
   * @param now_ms any clock of milliseconds; may wrap.
   */
  Event step(uint32_t now_ms);

  /// Whether results may be read: after STARTED or RESUMED, until LOST, CHANGED or STOPPED.
  bool is_running() const { return this->state_ == State::RUNNING; }
  /// Reads whether EP_CFG, which says how energies are summed and read, is as it was set.
  bool has_right_energies();
  /// Session number of the running counting.
  uint32_t session() const { return this->session_; }
  /// Resets the chip and configures it anew, at the next steps.
  void reconfigure() { this->state_ = State::RESET; }
  /// Accepts the present configuration as the right one, after a register outside of settings() was written.
  void accept_configuration();

  uint32_t get_part() const { return this->part_; }
  uint32_t get_version() const { return this->version_; }
  /// The register of REFUSED.
  const ChipSettings::Setting *refused() const { return this->refused_; }

 protected:
  enum class State : uint8_t { LOOKING, RESET, HELD, RESETTING, STOPPED, RUNNING };

  Event look_(uint32_t now_ms);
  Event await_reset_(uint32_t now_ms);
  Event monitor_(uint32_t now_ms);
  /// Reads STATUS1, also where a stray write has switched the CRC off; confirmed where it costs the counters.
  bool read_status_(uint32_t &status);
  /// Compares a register with its setting. @return false if it can not be read.
  bool compare_(uint16_t address, bool &equal);
  /// Whether the chip was stopped in the session looked for, with its energies as they were.
  bool is_stopped_in_session_();
  /// Writes the configuration back.
  Event repair_();
  Event on_changed_();
  Event on_unreadable_(uint32_t now_ms);
  void reset_(uint32_t now_ms);
  Event configure_();
  Event restart_();
  void begin_session_();
  Event identify_();
  Event check_configuration_(uint32_t status);

  Ade9000Bus &bus_;
  ChipSettings settings_;
  State state_{State::RESET};
  uint32_t session_{0};
  uint32_t next_session_{1};
  uint32_t state_since_{0};
  bool since_known_{false};
  uint32_t part_{0};
  uint32_t version_{0};
  const ChipSettings::Setting *refused_{nullptr};
  /// Whether `checksum_` belongs to the right configuration, rather than being read once and unconfirmed.
  bool checksum_known_{false};
  bool checksum_seen_{false};
  /// Whether the next checksum that is known must be `repaired_checksum_`: else the repair was not complete.
  bool repairing_{false};
  uint32_t repaired_checksum_{0};
  uint32_t checksum_{0};
  ResetLine *reset_line_{nullptr};
  uint8_t software_resets_{0};
  bool unreadable_{false};
  uint32_t unreadable_since_{0};
};

}  // namespace esphome::ade9000
