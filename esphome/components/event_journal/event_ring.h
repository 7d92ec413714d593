#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

/// Latest events of a component, including events before a restart of the device. Pure rules: no framework.
namespace esphome::event_journal {

/// Event with its time. The layout is a stored format: a change needs a new preference key.
template<typename Event> struct KeptEvent {
  static_assert(std::is_trivially_copyable_v<Event>);

  /// Counts from 1 over all starts of the device; 0 is none.
  uint32_t order{0};
  /// Random number of the device's start, to distinguish starts.
  uint32_t boot{0};
  /// Milliseconds since 1970; 0 is not known.
  int64_t epoch_ms{0};
  /// Uptime of the event in its start of the device, ms.
  int64_t uptime_ms{0};
  Event event{};
};

/** A ring in which the oldest gives way.
 *
 * What happened before the wall clock was set is dated once it is.
 */
template<typename Event> class EventRing {
 public:
  static constexpr size_t KEPT = 32;

  using Kept = KeptEvent<Event>;

  /// Sets the number of this start of the device; before anything else.
  void begin(uint32_t boot) { this->boot_ = boot; }
  static size_t slot_of(const Kept &kept) { return kept.order % KEPT; }

  /// Restores an event stored before a restart; skips damaged events.
  void restore(size_t slot, const Kept &kept) {
    if (kept.order == 0 || kept.order > MAX_ORDER || slot_of(kept) != slot || kept.boot == this->boot_)
      return;
    this->kept_[slot] = kept;
    this->newest_ = std::max(this->newest_, kept.order);
  }
  void add(const Event &event, int64_t uptime_ms) {
    const uint32_t order = ++this->newest_;
    this->kept_[order % KEPT] = {order, this->boot_, 0, uptime_ms, event};
    this->unsaved_ |= 1U << (order % KEPT);
  }
  /// Puts an event in the place of one of this start that matches. @return whether there was one.
  template<typename F> bool replace(const Event &event, F &&matches) {
    for (size_t slot = 0; slot < KEPT; slot++) {
      Kept &kept = this->kept_[slot];
      if (kept.order == 0 || !this->is_of_this_start(kept) || !matches(static_cast<const Event &>(kept.event)))
        continue;
      kept.event = event;
      this->unsaved_ |= 1U << slot;
      return true;
    }
    return false;
  }
  /// Visits every event, the oldest first.
  template<typename F> void visit(F &&visit) const {
    const uint32_t oldest = this->newest_ >= KEPT ? this->newest_ - KEPT + 1 : 1;
    for (uint32_t order = oldest; order <= this->newest_; order++) {
      if (this->kept_[order % KEPT].order == order)
        visit(this->kept_[order % KEPT]);
    }
  }
  bool is_of_this_start(const Kept &kept) const { return kept.boot == this->boot_; }

  /** How long ago an event was, ms.
   *
   * @param epoch_ms the time now, nothing while the clock is not set
   * @return of an earlier start whose clock was never set, the time since this start: it was longer ago. Nothing where
   * the clock must be set first.
   */
  std::optional<int64_t> age_ms(const Kept &kept, int64_t uptime_ms, std::optional<int64_t> epoch_ms) const {
    if (this->is_of_this_start(kept))
      return uptime_ms - kept.uptime_ms;
    if (kept.epoch_ms == 0)
      return uptime_ms;
    if (!epoch_ms.has_value())
      return std::nullopt;
    return std::max(*epoch_ms - kept.epoch_ms, uptime_ms);
  }

  bool has_unsaved() const { return this->unsaved_ != 0; }
  /** Visits each slot that differs from its saved state, with times as far as the time of day is known.
   *
   * @param save takes a slot and what is in it. @return whether it was saved
   */
  template<typename F> void save(int64_t uptime_ms, std::optional<int64_t> epoch_ms, F &&save) {
    for (size_t slot = 0; slot < KEPT; slot++) {
      Kept &kept = this->kept_[slot];
      const bool can_date =
          epoch_ms.has_value() && kept.epoch_ms == 0 && kept.order != 0 && this->is_of_this_start(kept);
      if (can_date)
        kept.epoch_ms = *epoch_ms - (uptime_ms - kept.uptime_ms);
      const uint32_t bit = 1U << slot;
      if ((can_date || (this->unsaved_ & bit) != 0) && save(slot, static_cast<const Kept &>(kept)))
        this->unsaved_ &= ~bit;
    }
  }

 protected:
  /// Highest order number of undamaged flash.
  static constexpr uint32_t MAX_ORDER = UINT32_MAX / 2;

  std::array<Kept, KEPT> kept_{};
  uint32_t newest_{0};
  uint32_t boot_{0};
  /// Slots, a bit each.
  uint32_t unsaved_{0};
};

static_assert(EventRing<uint32_t>::KEPT <= 32, "a bit for each");

}  // namespace esphome::event_journal
