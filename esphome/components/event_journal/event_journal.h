#pragma once

#include "event_ring.h"

#include "esphome/core/preferences.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <optional>

namespace esphome::event_journal {

/// Milliseconds since 1970, nothing while the clock is not set.
inline std::optional<int64_t> wall_clock_ms() {
  // The clock of a device that has not been told the time begins at 1970.
  constexpr std::time_t NOT_BEFORE = 1577836800;  // 2020
  const std::time_t now = std::time(nullptr);
  if (now < NOT_BEFORE)
    return std::nullopt;
  return static_cast<int64_t>(now) * 1000;
}

/** Keeps the latest events, and writes them to flash some seconds after an event.
 *
 * At most once a minute, so that a restless grid does not wear the flash: at worst 32 entries a minute, of some hundred
 * bytes each. An ESP8266 has no room for them there; it keeps them in its memory only.
 */
template<typename Event> class EventJournal {
 public:
  using Kept = KeptEvent<Event>;

  /// @param key of the first of KEPT preferences
  void setup(uint32_t key, uint32_t boot) {
    this->ring_.begin(boot);
#ifndef USE_ESP8266
    for (size_t slot = 0; slot < this->slots_.size(); slot++) {
      this->slots_[slot] = global_preferences->make_preference<Kept>(key + static_cast<uint32_t>(slot), true);
      Kept kept;
      if (this->slots_[slot].load(&kept))
        this->ring_.restore(slot, kept);
    }
#endif
  }
  /// @param happened_ms when it was, on the clock of `uptime_ms`
  void add(const Event &event, int64_t happened_ms, int64_t uptime_ms) {
    this->plan_save_(uptime_ms);
    this->ring_.add(event, happened_ms);
  }
  /// Puts an event in the place of one of this start that matches. @return whether there was one.
  template<typename F> bool replace(const Event &event, int64_t uptime_ms, F &&matches) {
    this->plan_save_(uptime_ms);
    return this->ring_.replace(event, matches);
  }
  /** Writes due events to flash, and sends events that had no time before; to be called in the main loop.
   *
   * @param send see replay()
   */
  template<typename F> void loop(int64_t uptime_ms, F &&send) {
    if (this->ring_.has_unsaved() && uptime_ms >= this->save_at_)
      this->save(uptime_ms);
    if (this->waits_for_clock_ && wall_clock_ms().has_value()) {
      this->waits_for_clock_ = false;
      this->send_(
          uptime_ms, [this](const Kept &kept) { return !this->is_of_this_start(kept) && kept.epoch_ms != 0; }, send);
    }
  }
  void save(int64_t uptime_ms) {
    this->saved_at_ = uptime_ms;
    this->save_at_ = uptime_ms + SAVE_PAUSE;
#ifndef USE_ESP8266
    bool changed = false;
    this->ring_.save(uptime_ms, wall_clock_ms(), [this, &changed](size_t slot, const Kept &kept) {
      changed = true;
      return this->slots_[slot].save(&kept);
    });
    if (changed)
      global_preferences->sync();
#endif
  }
  /** Sends each event, the oldest first; events of an earlier start once the clock is set.
   *
   * @param send is called with an event and its age, ms
   */
  template<typename F> void replay(int64_t uptime_ms, F &&send) {
    this->waits_for_clock_ = !this->send_(uptime_ms, [](const Kept &) { return true; }, send);
  }
  bool is_of_this_start(const Kept &kept) const { return this->ring_.is_of_this_start(kept); }

 protected:
  static constexpr int64_t SAVE_AFTER = 5000;
  static constexpr int64_t SAVE_PAUSE = 60000;

  /// Plans the write of what is about to change.
  void plan_save_(int64_t uptime_ms) {
    if (!this->ring_.has_unsaved())
      this->save_at_ = std::max(uptime_ms + SAVE_AFTER, this->saved_at_ + SAVE_PAUSE);
  }
  /// Sends the chosen events. @return whether the time of every chosen event is known
  template<typename Choose, typename F> bool send_(int64_t uptime_ms, Choose &&is_chosen, F &&send) const {
    const auto epoch_ms = wall_clock_ms();
    bool all = true;
    this->ring_.visit([&](const Kept &kept) {
      if (!is_chosen(kept))
        return;
      if (const auto age = this->ring_.age_ms(kept, uptime_ms, epoch_ms)) {
        send(kept, *age);
      } else {
        all = false;
      }
    });
    return all;
  }

  EventRing<Event> ring_;
#ifndef USE_ESP8266
  std::array<ESPPreferenceObject, EventRing<Event>::KEPT> slots_{};
#endif
  int64_t save_at_{0};
  int64_t saved_at_{-SAVE_PAUSE};
  bool waits_for_clock_{false};
};

}  // namespace esphome::event_journal
