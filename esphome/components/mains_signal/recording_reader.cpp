#include "recording_reader.h"

#include "recording_clock.h"
#include "recording_columns.h"
#include "recording_time.h"
#include "text.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

namespace esphome::mains_signal {

namespace {

using Result = Outcome<Recording>;

/// Hands out the lines of a text with their numbers, from 1.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {
    constexpr std::string_view BYTE_ORDER_MARK = "\xEF\xBB\xBF";
    if (this->rest_.starts_with(BYTE_ORDER_MARK))
      this->rest_.remove_prefix(BYTE_ORDER_MARK.size());
  }

  /// The next line that is not blank.
  std::optional<std::string_view> next() {
    while (!this->rest_.empty()) {
      const size_t end = this->rest_.find('\n');
      const std::string_view line = this->rest_.substr(0, end);
      this->rest_.remove_prefix(end == std::string_view::npos ? this->rest_.size() : end + 1);
      this->number_++;
      if (!trim(line).empty())
        return line;
    }
    return std::nullopt;
  }

  size_t number() const { return this->number_; }

 protected:
  std::string_view rest_;
  size_t number_{0};
};

/// Returns the time of a row as a single text, a decimal comma of seconds as a point.
std::string time_text(const ColumnPlan &plan, const std::vector<std::string_view> &fields) {
  std::string text;
  for (const size_t field : plan.time_fields) {
    if (!text.empty())
      text += ' ';
    text += fields[field];
  }
  if (text.find(',') != std::string::npos && parse_decimal_comma(text))
    std::replace(text.begin(), text.end(), ',', '.');
  return text;
}

/// Finds the order of day and month in a recording's dates with slashes, from the first row that tells.
SlashOrder slash_order_of(const ColumnPlan &plan, LineReader lines) {
  if (plan.slash_order != SlashOrder::UNKNOWN)
    return plan.slash_order;
  while (const auto line = lines.next()) {
    const auto fields = split(*line, plan.separator);
    if (fields.size() != plan.header.size())
      break;
    const std::string text = time_text(plan, fields);
    if (!is_slash_date(text))
      break;
    if (const SlashOrder order = find_slash_order(text); order != SlashOrder::UNKNOWN)
      return order;
  }
  return SlashOrder::UNKNOWN;
}

bool means_no_measurement(std::string_view field) { return field.empty() || field == "?"; }

/// Reads the numbers of a recording, with a decimal point or a decimal comma, all with the same.
class NumberReader {
 public:
  /// @param may_have_comma whether a comma is no separator of columns.
  explicit NumberReader(bool may_have_comma) : may_have_comma_(may_have_comma) {}

  /// @return the number; or why the text is none, to follow the text.
  Outcome<double> read(std::string_view text) {
    using Number = Outcome<double>;
    const bool has_comma = this->may_have_comma_ && text.find(',') != std::string_view::npos;
    const auto number = has_comma ? parse_decimal_comma(text) : parse_number(text);
    if (!number || std::isinf(*number))
      return Number::failure(
          "is not a number; write a number with a decimal point" +
          std::string(this->may_have_comma_ ? " or a decimal comma and nothing between thousands" : "") +
          ", or NaN where there was no measurement");
    const char mark = has_comma ? ',' : text.find('.') != std::string_view::npos ? '.' : '\0';
    if (mark != '\0' && this->mark_ != '\0' && mark != this->mark_)
      return Number::failure("has another decimal mark than '" + this->first_ +
                             "' before it; write all numbers with a decimal point, or all with a decimal comma, and "
                             "nothing between thousands");
    if (mark != '\0' && this->mark_ == '\0') {
      this->mark_ = mark;
      this->first_ = text;
    }
    return Number::of(*number);
  }

 protected:
  bool may_have_comma_;
  /// Of the numbers so far; 0 while none had any.
  char mark_{'\0'};
  std::string first_;
};

/// Reads the rows of a recording whose columns are known; stops at the first one that is wrong.
class RowReader {
 public:
  RowReader(const ColumnPlan &plan, SlashOrder slash_order)
      : plan_(plan), clock_(slash_order), numbers_(plan.separator != ','), values_(plan.series.size()) {}

  /// @return false and error() when the line is not a row of this recording.
  bool read(std::string_view line) {
    const auto fields = split(line, this->plan_.separator);
    if (fields.size() != this->plan_.header.size())
      return this->fail_(": the row has " + std::to_string(fields.size()) + " fields and the header has " +
                         std::to_string(this->plan_.header.size()) +
                         "; give every row one value per column, NaN where there was no measurement");
    const auto time = this->clock_.next(time_text(this->plan_, fields));
    if (!time)
      return this->fail_(", column " + this->plan_.header[this->plan_.time_fields.front()] + ": " + time.error);
    this->time_ = *time.value;
    for (size_t column = 0; column < this->plan_.series.size(); column++) {
      if (!this->read_value_(fields, column))
        return false;
    }
    return true;
  }

  double time() const { return this->time_; }
  const std::vector<double> &values() const { return this->values_; }
  const std::string &error() const { return this->error_; }

 protected:
  bool read_value_(const std::vector<std::string_view> &fields, size_t column) {
    const SeriesColumn &series = this->plan_.series[column];
    const std::string_view field = fields[series.field];
    if (means_no_measurement(field)) {
      this->values_[column] = std::numeric_limits<double>::quiet_NaN();
      return true;
    }
    const std::string place = ", column " + this->plan_.header[series.field] + ": '" + std::string(field) + "' ";
    const auto number = this->numbers_.read(field);
    if (!number)
      return this->fail_(place + number.error);
    const QuantityTraits &traits = QUANTITY_TRAITS[series_at(series.series).quantity];
    const std::string name = traits.per_order ? series_name(series.series) : std::string(traits.name);
    const double value = *number.value * series.factor;
    if (value < 0.0 && !traits.is_signed)
      return this->fail_(place + "is negative, which a " + name +
                         " cannot be; correct the value, or write NaN where there was no measurement");
    if (std::abs(value) > traits.limit)
      return this->fail_(place + "is more than the " + limit_text_(traits) +
                         " this meter can carry; give a scale such as " + name + "=0.001");
    this->values_[column] = value;
    return true;
  }

  static std::string limit_text_(const QuantityTraits &traits) {
    char text[32];
    snprintf(text, sizeof(text), "%.0f %s", traits.limit, std::string(traits.unit).c_str());
    return text;
  }

  bool fail_(std::string error) {
    this->error_ = std::move(error);
    return false;
  }

  const ColumnPlan &plan_;
  RecordingClock clock_;
  NumberReader numbers_;
  double time_{0.0};
  std::vector<double> values_;
  std::string error_;
};

/// The whole file, or nothing with the reason in errno.
std::optional<std::string> read_file(const std::string &path) {
  const std::unique_ptr<FILE, int (*)(FILE *)> file(fopen(path.c_str(), "rb"), fclose);
  if (file == nullptr)
    return std::nullopt;
  std::string text;
  char buffer[65536];
  while (const size_t length = fread(buffer, 1, sizeof(buffer), file.get()))
    text.append(buffer, length);
  if (ferror(file.get()))
    return std::nullopt;
  return text;
}

}  // namespace

Outcome<Recording> parse_recording(std::string_view text, const std::string &name, const RecordingOptions &options) {
  const std::string recording = "recording " + name;
  LineReader lines(text);
  const auto header = lines.next();
  if (!header)
    return Result::failure(recording + " is empty; it needs a line with column names and at least two rows");
  const auto plan = plan_columns(*header, options);
  if (!plan)
    return Result::failure(recording + ": " + plan.error);

  std::vector<int> series;
  for (const SeriesColumn &column : plan.value->series)
    series.push_back(column.series);
  Recording result(plan.value->layout, std::move(series));
  RowReader row(*plan.value, slash_order_of(*plan.value, lines));
  while (const auto line = lines.next()) {
    if (!row.read(*line))
      return Result::failure(recording + ", line " + std::to_string(lines.number()) + row.error());
    result.append(row.time(), row.values());
  }
  if (result.rows() < 2)
    return Result::failure(recording + " has " + (result.rows() == 0 ? "no row" : "only one row") +
                           " under its header; it needs at least two rows to play");
  return Result::of(std::move(result));
}

Outcome<Recording> read_recording(const std::string &path, const RecordingOptions &options) {
  const auto text = read_file(path);
  if (!text)
    return Result::failure("recording " + path + " cannot be read (" + strerror(errno) +
                           "); give the path of a CSV file that exists");
  return parse_recording(*text, path, options);
}

}  // namespace esphome::mains_signal
