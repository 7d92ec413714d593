#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace esphome::device_message {

/// Longest state of an entity in Home Assistant, characters.
static constexpr size_t LONGEST_STATE = 255;

/** Kind of message: the stable code that clients translate, and the same in English.
 *
 * Codes and the names of values are part of the protocol with clients: a kind may be added, none may change. Names of
 * values stand in braces in the sentence: "Too little current at {inputs}.". A test compares the sentences with those
 * of the Home Assistant integration.
 */
struct MessageKind {
  const char *code;
  const char *sentence;
};

/// A message to a person: its kind, and the values that its sentence names.
class Message {
 public:
  /// Most values that a message has.
  static constexpr size_t MAX_VALUES = 4;
  /// Name of the value that encode() writes without its name: the inputs or lines that are meant.
  static constexpr const char *INPUTS = "inputs";

  Message() = default;
  explicit Message(const MessageKind &kind) : kind_(&kind) {}

  /// Adds a value; at most MAX_VALUES, further ones are left out. Values have no comma, colon, semicolon or bracket.
  Message &add(const char *name, std::string value);
  /// Adds a number with its decimals; with its plus sign where `with_sign`.
  Message &add(const char *name, double value, int decimals, bool with_sign = false);
  /// Adds the inputs or lines that are meant, with commas between: "V1,V3", or "I1=L2" for an input on another line.
  Message &add_inputs(std::string inputs) { return this->add(INPUTS, std::move(inputs)); }

  bool is_empty() const { return this->kind_ == nullptr; }
  const MessageKind *kind() const { return this->kind_; }
  /// Writes the message as a code with its values: "voltage_too_low:phase=L1,shown=3.0", or "no_voltage:V1,V3".
  std::string encode() const;
  /// Writes the message as an English sentence.
  std::string describe() const;

 protected:
  struct Value {
    const char *name{nullptr};
    std::string text;
  };

  /// Text of a value for a sentence, empty without such a value.
  std::string spoken_(std::string_view name) const;

  const MessageKind *kind_{nullptr};
  std::array<Value, MAX_VALUES> values_{};
  size_t count_{0};
};

/** Writes the answer of an action: the sentences for a person, then the codes for a client, in brackets.
 *
 * "The true voltage must be more than 0 V. [reference_not_positive]"
 */
std::string answer(const std::string &sentences, const std::string &codes);

}  // namespace esphome::device_message
