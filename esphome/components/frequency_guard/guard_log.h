#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// What the guard did last, for those who were not there. Pure rules: no framework.
namespace esphome::frequency_guard {

/// One change of the guard's state, or of a relay because of it.
struct GuardChange {
  static constexpr size_t RELAY_NAME = 32;

  /// From 1; 0 is none.
  uint32_t number{0};
  int64_t at_ms{0};
  const char *what{""};
  const char *state{""};
  const char *reason{""};
  float frequency{0};
  bool on{false};
  std::array<char, RELAY_NAME> relay{};

  /// Longer names are cut.
  void set_relay(std::string_view name) { name.copy(this->relay.data(), this->relay.size() - 1); }
};

/// The latest changes in their order; the oldest gives way.
class GuardLog {
 public:
  static constexpr size_t KEPT = 32;

  /// Numbers the change and keeps it.
  const GuardChange &add(GuardChange change) {
    change.number = ++this->newest_;
    return this->kept_[change.number % KEPT] = change;
  }
  /// Calls back with each change after the one of this number, the oldest first.
  template<typename F> void visit_after(uint32_t number, F &&visit) const {
    const uint32_t oldest = this->newest_ > KEPT ? this->newest_ - KEPT : 0;
    for (uint32_t next = (number > oldest ? number : oldest) + 1; next <= this->newest_; next++)
      visit(this->kept_[next % KEPT]);
  }

 protected:
  std::array<GuardChange, KEPT> kept_{};
  uint32_t newest_{0};
};

}  // namespace esphome::frequency_guard
