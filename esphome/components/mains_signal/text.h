#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace esphome::mains_signal {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower_case(std::string_view text);

/// Removes white space at both ends, and double quotes around the text in between.
std::string_view trim(std::string_view text);

/// Splits a text at its separators into trimmed parts, one more than there are separators.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Reads a decimal number, the whole text and nothing else, independent of the locale; "nan" and "inf" are numbers.
std::optional<double> parse_number(std::string_view text);

/// Reads a decimal number whose only mark, if there is one, is a comma: "230,5" and "230", not "1.234,5" or
/// "1,234,567".
std::optional<double> parse_decimal_comma(std::string_view text);

}  // namespace esphome::mains_signal
