#pragma once

#include "outcome.h"
#include "recorded_quantities.h"
#include "signal_model.h"

#include <string>
#include <vector>

namespace esphome::mains_signal {

/// Plays a recording in memory by linear interpolation.
///
/// Second 0 is the first row. Before it the first row holds, after the last row the last one. Between a row in which
/// any series is NaN and its neighbours there is no measurement.
class Recording : public SignalModel {
 public:
  /// @param layout name of the layout it was read with.
  /// @param series index (recorded_quantities.h) of each column that is present.
  Recording(std::string layout, std::vector<int> series) : layout_(std::move(layout)), series_(std::move(series)) {}

  /// Appends a row; `time` in seconds must be later than the row before, `values` has one value per series.
  void append(double time, const std::vector<double> &values);

  Signal at(double seconds) const override;

  const std::string &layout() const { return this->layout_; }
  const std::vector<int> &series() const { return this->series_; }
  size_t rows() const { return this->times_.size(); }
  /// Counts the rows without a measurement.
  size_t gaps() const;
  /// Returns the seconds from the first row to the last.
  double duration() const { return this->times_.empty() ? 0.0 : this->times_.back() - this->times_.front(); }

 protected:
  double value_(size_t row, size_t column) const { return this->values_[row * this->series_.size() + column]; }
  bool row_measured_(size_t row) const;

  std::string layout_;
  std::vector<int> series_;
  std::vector<double> times_;
  /// Values row after row, one per series.
  std::vector<double> values_;
};

}  // namespace esphome::mains_signal
