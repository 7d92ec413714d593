#include "device_message.h"

#include <cstdio>
#include <cstring>
#include <utility>

namespace esphome::device_message {

namespace {

/// Puts a list as people read it: "V1,V3" becomes "V1, V3", "I1=L2" becomes "I1 -> L2".
std::string spoken_list(const std::string &list) {
  std::string text;
  for (const char character : list) {
    if (character == ',') {
      text += ", ";
    } else if (character == '=') {
      text += " -> ";
    } else {
      text += character;
    }
  }
  return text;
}

}  // namespace

Message &Message::add(const char *name, std::string value) {
  if (this->count_ < MAX_VALUES)
    this->values_[this->count_++] = {name, std::move(value)};
  return *this;
}

Message &Message::add(const char *name, double value, int decimals, bool with_sign) {
  char text[64];
  snprintf(text, sizeof(text), with_sign ? "%+.*f" : "%.*f", decimals, value);
  return this->add(name, text);
}

std::string Message::encode() const {
  if (this->kind_ == nullptr)
    return "";
  std::string text = this->kind_->code;
  for (size_t i = 0; i < this->count_; i++) {
    text += i == 0 ? ':' : ',';
    if (strcmp(this->values_[i].name, INPUTS) != 0) {
      text += this->values_[i].name;
      text += '=';
    }
    text += this->values_[i].text;
  }
  return text;
}

std::string Message::describe() const {
  if (this->kind_ == nullptr)
    return "";
  std::string text;
  std::string_view rest = this->kind_->sentence;
  while (!rest.empty()) {
    const size_t open = rest.find('{');
    const size_t close = rest.find('}', open);
    if (close == std::string_view::npos)
      break;
    text += rest.substr(0, open);
    text += this->spoken_(rest.substr(open + 1, close - open - 1));
    rest.remove_prefix(close + 1);
  }
  text += rest;
  return text;
}

std::string Message::spoken_(std::string_view name) const {
  for (size_t i = 0; i < this->count_; i++) {
    if (name == this->values_[i].name)
      return name == INPUTS ? spoken_list(this->values_[i].text) : this->values_[i].text;
  }
  return "";
}

std::string answer(const std::string &sentences, const std::string &codes) {
  return codes.empty() ? sentences : sentences + " [" + codes + "]";
}

}  // namespace esphome::device_message
