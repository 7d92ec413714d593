#include "text.h"

#include <charconv>

namespace esphome::mains_signal {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char &c : lower) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view WHITE = " \t\r\n";
  const size_t first = text.find_first_not_of(WHITE);
  if (first == std::string_view::npos)
    return {};
  text = text.substr(first, text.find_last_not_of(WHITE) - first + 1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(trim(text.substr(0, end)));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<double> parse_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-')
    text.remove_prefix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<double> parse_decimal_comma(std::string_view text) {
  if (text.find('.') != std::string_view::npos)
    return std::nullopt;
  std::string with_point(text);
  if (const size_t comma = with_point.find(','); comma != std::string::npos)
    with_point[comma] = '.';
  return parse_number(with_point);
}

}  // namespace esphome::mains_signal
