#pragma once

#include "esphome/core/helpers.h"
#include "esphome/core/preferences.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace esphome::ade9000 {

/** Keeps a record in the device's preferences with a check of its own, in two copies.
 *
 * Both copies are written at each save, one after the other: a bit that flips, a copy that is lost and a power cut
 * between the two leave a whole copy. The newest whole one counts.
 */
template<typename T> class CheckedRecord {
 public:
  /// @param key that tells this record from every other of the device.
  void setup(uint32_t key) {
    // Preferences that are one file (the host's) have their records in the order of the keys: the copies are at both
    // ends, so that what cuts off one end leaves the other.
    const std::array<uint32_t, COPIES> keys{key & 0x0000FFFF, key | 0xFFFF0000};
    for (size_t i = 0; i < COPIES; i++)
      this->places_[i] = global_preferences->make_preference<Copy>(keys[i], true);
  }

  /// Loads the newest whole copy. @return nothing without a whole one.
  std::optional<T> load() {
    std::optional<Copy> newest;
    for (size_t i = 0; i < COPIES; i++) {
      Copy copy;
      if (!this->places_[i].load(&copy) || copy.crc != check_of(copy))
        continue;
      if (!newest.has_value() || copy.generation > newest->generation) {
        newest = copy;
        this->newest_ = i;
      }
    }
    if (!newest.has_value())
      return std::nullopt;
    this->generation_ = newest->generation;
    return newest->value;
  }

  /// Writes both copies to flash at once. @return false if one of them could not be written.
  bool save(const T &value) {
    Copy copy{value, ++this->generation_, 0};
    copy.crc = check_of(copy);
    // The newest whole copy is written over last: until then it is what there is.
    bool saved = true;
    for (size_t i = 1; i <= COPIES; i++) {
      ESPPreferenceObject &place = this->places_[(this->newest_ + i) % COPIES];
      saved &= place.save(&copy) && global_preferences->sync();
    }
    return saved;
  }

 protected:
  /// The layout is a stored format: a change needs a new preference key.
  struct Copy {
    T value;
    /// Number of the save, from 1.
    uint32_t generation;
    /// CRC-16 of all before it.
    uint32_t crc;
  };
  static constexpr size_t COPIES = 2;
  static constexpr uint16_t CHECKED = sizeof(T) + sizeof(uint32_t);

  // Bytes between the fields would be checked and belong to nothing; the host keeps the length of a record in one byte.
  static_assert(std::is_trivially_copyable_v<T> && sizeof(Copy) == CHECKED + sizeof(uint32_t) && sizeof(Copy) <= 255);

  static uint32_t check_of(const Copy &copy) { return crc16(reinterpret_cast<const uint8_t *>(&copy), CHECKED); }

  std::array<ESPPreferenceObject, COPIES> places_;
  size_t newest_{0};
  uint32_t generation_{0};
};

}  // namespace esphome::ade9000
