#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace esphome::frequency_guard {

/// Text of a fixed capacity; longer text is cut.
template<size_t SIZE> class ShortText {
 public:
  ShortText() = default;
  ShortText(std::string_view text) { text.copy(this->text_.data(), SIZE - 1); }

  const char *c_str() const { return this->text_.data(); }

 protected:
  std::array<char, SIZE> text_{};
};

/// One change of the guard's state, or of a relay because of it. Kept in flash: a change needs a new preference key.
struct GuardChange {
  /// From 1 at each start; 0 is none.
  uint32_t number{0};
  float frequency{0};
  bool on{false};
  ShortText<8> what;
  ShortText<16> state;
  ShortText<24> reason;
  ShortText<32> relay;
};

}  // namespace esphome::frequency_guard
