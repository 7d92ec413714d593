#pragma once

#include <optional>
#include <string>
#include <utility>

namespace esphome::mains_signal {

/// Value of a function that may fail, or one sentence that says why it failed and what to do.
template<typename T> struct Outcome {
  std::optional<T> value;
  std::string error;

  explicit operator bool() const { return this->value.has_value(); }

  static Outcome of(T value) { return {std::move(value), {}}; }
  static Outcome failure(std::string error) { return {std::nullopt, std::move(error)}; }
};

}  // namespace esphome::mains_signal
