#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

/// Counting energy in integers. Pure rules: no chip, no framework.
namespace esphome::ade9000 {

/// Increasing counter of energy, in nanowatt-hours (or nanovar-hours, nanovolt-ampere-hours).
class EnergyCounter {
 public:
  /// @param amount not negative; what is below one is kept for the next time.
  void add(double amount) {
    amount += this->rest_;
    const double whole = std::floor(amount);
    this->total_ += static_cast<int64_t>(whole);
    this->rest_ = amount - whole;
  }
  void restore(int64_t total) { this->total_ = total; }
  int64_t get() const { return this->total_; }

 protected:
  int64_t total_{0};
  double rest_{0};
};

/// An energy register like a utility meter's: import and export, in nanowatt-hours.
class EnergyRegister {
 public:
  /** Adds the energy of a window to import or export, by its sign.
   *
   * @param nanowatt_hours energy of the window, positive = import.
   */
  void add(double nanowatt_hours) {
    (nanowatt_hours >= 0 ? this->import_ : this->export_).add(std::abs(nanowatt_hours));
  }
  void restore(int64_t import_nwh, int64_t export_nwh) {
    this->import_.restore(import_nwh);
    this->export_.restore(export_nwh);
  }
  int64_t get_import() const { return this->import_.get(); }
  int64_t get_export() const { return this->export_.get(); }

 protected:
  EnergyCounter import_;
  EnergyCounter export_;
};

/** Reactive energy by quadrant (IEC 62053-23 Annex C), in nanovar-hours.
 *
 * 0: P and Q imported (inductive load), 1: P exported, Q imported, 2: both exported, 3: P imported, Q exported
 * (capacitive load); people count them from 1.
 */
class QuadrantRegister {
 public:
  static constexpr size_t QUADRANTS = 4;

  /** Adds the reactive energy of a window to its quadrant.
   *
   * @param active energy of the same window, in any unit: only its sign counts; without any the window is imported.
   * @param nanovar_hours reactive energy of the window, positive = inductive import.
   */
  void add(double active, double nanovar_hours) {
    const bool exported = active < 0;
    const size_t quadrant = nanovar_hours >= 0 ? (exported ? 1 : 0) : (exported ? 2 : 3);
    this->quadrants_[quadrant].add(std::abs(nanovar_hours));
  }
  void restore(const int64_t *nvarh) {
    for (size_t i = 0; i < QUADRANTS; i++)
      this->quadrants_[i].restore(nvarh[i]);
  }
  /// @param quadrant 0..3.
  int64_t get(size_t quadrant) const { return this->quadrants_[quadrant].get(); }

 protected:
  std::array<EnergyCounter, QUADRANTS> quadrants_;
};

}  // namespace esphome::ade9000
