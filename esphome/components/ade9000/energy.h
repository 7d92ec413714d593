#pragma once

#include <array>
#include <cmath>
#include <cstdint>

/// Counting energy in integers. Pure rules: no chip, no framework.
namespace esphome::ade9000 {

/// A 45-bit two's-complement accumulator of the chip: HI holds bits 44:13, LO the 13 below (data sheet "Energy").
static constexpr int ACCUMULATOR_BITS = 45;
static constexpr int ACCUMULATOR_LO_BITS = 13;

/// The accumulator's code, modulo 2^45, from its two registers.
inline uint64_t accumulator_code(uint32_t hi, uint32_t lo) {
  return (static_cast<uint64_t>(hi) << ACCUMULATOR_LO_BITS) | (lo & ((1UL << ACCUMULATOR_LO_BITS) - 1));
}

/** What the accumulator gained between two readings, in codes, whether or not it wrapped between them.
 *
 * Right as long as the gain is within +-2^44 codes: 53 s at full-scale power.
 */
inline int64_t accumulator_gain(uint64_t before, uint64_t after) {
  const int unused = 64 - ACCUMULATOR_BITS;
  return static_cast<int64_t>((after - before) << unused) >> unused;
}

/// An energy register like a utility meter's: two counters that only grow, in nanowatt-hours.
class EnergyRegister {
 public:
  /** Counts the energy of one window, on the side its sign says.
   *
   * @param nanowatt_hours energy of the window, positive = import. What is below one nanowatt-hour is kept for the next
   * window.
   */
  void add(double nanowatt_hours) {
    if (nanowatt_hours >= 0) {
      add_to_(this->import_, this->import_rest_, nanowatt_hours);
    } else {
      add_to_(this->export_, this->export_rest_, -nanowatt_hours);
    }
  }
  void restore(int64_t import_nwh, int64_t export_nwh) {
    this->import_ = import_nwh;
    this->export_ = export_nwh;
  }
  int64_t get_import() const { return this->import_; }
  int64_t get_export() const { return this->export_; }

 protected:
  static void add_to_(int64_t &total, double &rest, double amount) {
    amount += rest;
    const double whole = std::floor(amount);
    total += static_cast<int64_t>(whole);
    rest = amount - whole;
  }

  int64_t import_{0};
  int64_t export_{0};
  double import_rest_{0};
  double export_rest_{0};
};

}  // namespace esphome::ade9000
