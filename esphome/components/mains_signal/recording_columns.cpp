#include "recording_columns.h"

#include "header_name.h"
#include "recorded_quantities.h"
#include "recording_layouts.h"
#include "text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace esphome::mains_signal {

namespace {

using Plan = Outcome<ColumnPlan>;

class Planner {
 public:
  explicit Planner(std::string_view header_line) {
    const auto semicolons = std::count(header_line.begin(), header_line.end(), ';');
    const auto commas = std::count(header_line.begin(), header_line.end(), ',');
    this->plan_.separator = semicolons > commas ? ';' : ',';
    for (const std::string_view name : split(header_line, this->plan_.separator)) {
      this->plan_.header.emplace_back(name);
      this->names_.push_back(parse_header_name(name).name);
    }
  }

  Plan make(const RecordingOptions &options) {
    if (!this->choose_layout_() || !this->apply_columns_(options.columns) || !this->apply_scale_(options.scale) ||
        !this->find_time_() || !this->find_series_() || !this->check_scale_(options.scale))
      return Plan::failure(this->error_);
    return Plan::of(std::move(this->plan_));
  }

 protected:
  /// Returns the index of a column, written as in the header or else in another form; nothing when there is none or
  /// more than one.
  std::optional<size_t> find_(std::string_view column) const {
    if (const auto written = find_single_(this->plan_.header, column))
      return written;
    if (std::count(this->plan_.header.begin(), this->plan_.header.end(), column) > 1)
      return std::nullopt;
    return find_single_(this->names_, parse_header_name(column).name);
  }

  static std::optional<size_t> find_single_(const std::vector<std::string> &names, std::string_view name) {
    if (std::count(names.begin(), names.end(), name) != 1)
      return std::nullopt;
    return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }

  std::vector<std::string_view> time_columns_(std::string_view name) const {
    if (this->find_(name))
      return {name};
    return split(name, '+');
  }

  bool has_layout_(const RecordingLayout &layout) const {
    const auto time = this->time_columns_(layout.time);
    return std::all_of(time.begin(), time.end(), [this](auto column) { return this->find_(column).has_value(); }) &&
           std::all_of(layout.columns.begin(), layout.columns.end(),
                       [this](const auto &column) { return this->find_(column.column).has_value(); });
  }

  bool choose_layout_() {
    this->factors_.fill(1.0);
    for (const RecordingLayout &layout : KNOWN_LAYOUTS) {
      if (!this->has_layout_(layout))
        continue;
      this->plan_.layout = layout.name;
      this->time_ = layout.time;
      this->plan_.slash_order = layout.slash_order;
      for (const LayoutColumn &column : layout.columns)
        this->columns_[find_series(column.series)] = column.column;
      for (const LayoutScale &scale : layout.scale)
        this->set_factor_(scale.quantity, scale.factor);
      return true;
    }
    this->plan_.layout = OWN_LAYOUT;
    this->time_ = "time";
    for (const std::string &column : this->plan_.header) {
      if (const int index = find_series(parse_header_name(column).name); index >= 0)
        this->columns_[index] = series_name(index);
    }
    return this->apply_units_();
  }

  /// Takes over the units that the header says.
  bool apply_units_() {
    for (int index = 0; index < SERIES_COUNT; index++) {
      const auto field = this->columns_[index].empty() ? std::nullopt : this->find_(this->columns_[index]);
      const std::string unit = field ? parse_header_name(this->plan_.header[*field]).unit : "";
      if (unit.empty())
        continue;
      const RecordedQuantity quantity = series_at(index).quantity;
      const auto factor = factor_of_unit(unit, quantity);
      if (!factor)
        return this->fail_("the column '" + this->plan_.header[*field] + "' is in '" + unit +
                           "', which is no unit of " + series_name(index) + "; write its values in " +
                           std::string(QUANTITY_TRAITS[quantity].unit));
      this->factors_[index] = *factor;
    }
    return true;
  }

  bool apply_columns_(const std::vector<ColumnChoice> &choices) {
    for (const ColumnChoice &choice : choices) {
      if (choice.series == "time") {
        this->time_ = choice.column;
        continue;
      }
      const int index = find_series(choice.series);
      if (index < 0)
        return this->fail_("the column mapping names '" + choice.series + "', which is unknown; use time, " +
                           understood_series());
      this->columns_[index] = choice.column;
    }
    return true;
  }

  bool apply_scale_(const std::vector<ScaleChoice> &choices) {
    for (const ScaleChoice &choice : choices) {
      if (!std::isfinite(choice.factor) || choice.factor == 0.0)
        return this->fail_("the scale of " + choice.name + " must be a finite factor other than zero");
      if (const RecordedQuantity quantity = find_quantity(choice.name); quantity != QUANTITIES) {
        this->set_factor_(quantity, choice.factor);
        continue;
      }
      if (find_series(choice.name) < 0)
        return this->fail_("the scale names '" + choice.name +
                           "', which is unknown; use a quantity such as voltage, or one of " + understood_series());
    }
    // A factor for one phase wins over the one for all, wherever it stands.
    for (const ScaleChoice &choice : choices) {
      if (find_quantity(choice.name) == QUANTITIES)
        this->factors_[find_series(choice.name)] = choice.factor;
    }
    return true;
  }

  void set_factor_(RecordedQuantity quantity, double factor) {
    for (int index = 0; index < SERIES_COUNT; index++) {
      if (series_at(index).quantity == quantity)
        this->factors_[index] = factor;
    }
  }

  bool find_time_() {
    for (const std::string_view column : this->time_columns_(this->time_)) {
      const auto field = this->find_(column);
      if (!field)
        return this->fail_("the header has no single column '" + std::string(column) +
                           "' to read the time from; name one column time or map it with time=COLUMN (the header is: " +
                           this->header_words_() + ")");
      this->plan_.time_fields.push_back(*field);
    }
    return true;
  }

  bool find_series_() {
    for (int index = 0; index < SERIES_COUNT; index++) {
      if (this->columns_[index].empty())
        continue;
      const auto field = this->find_(this->columns_[index]);
      if (!field)
        return this->fail_("the header has no single column '" + this->columns_[index] + "' for " + series_name(index) +
                           "; map it with " + series_name(index) + "=COLUMN (the header is: " + this->header_words_() +
                           ")");
      this->plan_.series.push_back({index, *field, this->factors_[index]});
    }
    if (this->plan_.series.empty())
      return this->fail_("the header names no quantity this meter measures; use " + understood_series() +
                         " or map a column with voltage_l1=COLUMN (the header is: " + this->header_words_() + ")");
    return true;
  }

  /// A factor for what the recording does not hold is a mistake, not a wish.
  bool check_scale_(const std::vector<ScaleChoice> &choices) {
    for (const ScaleChoice &choice : choices) {
      const bool used =
          std::any_of(this->plan_.series.begin(), this->plan_.series.end(), [&](const SeriesColumn &column) {
            return series_name(column.series) == choice.name ||
                   QUANTITY_TRAITS[series_at(column.series).quantity].name == choice.name;
          });
      if (!used)
        return this->fail_("the scale names " + choice.name +
                           ", of which there is no column; remove it or map a column to it");
    }
    return true;
  }

  std::string header_words_() const {
    std::string words;
    for (const std::string &name : this->plan_.header)
      words += (words.empty() ? "" : ", ") + name;
    return words;
  }

  bool fail_(std::string error) {
    this->error_ = std::move(error);
    return false;
  }

  ColumnPlan plan_;
  /// The header's names without their form (header_name.h).
  std::vector<std::string> names_;
  std::string time_;
  std::array<std::string, SERIES_COUNT> columns_;
  std::array<double, SERIES_COUNT> factors_{};
  std::string error_;
};

}  // namespace

Outcome<ColumnPlan> plan_columns(std::string_view header_line, const RecordingOptions &options) {
  return Planner(header_line).make(options);
}

}  // namespace esphome::mains_signal
