#pragma once

#include "journal_ring.h"

#include "esphome/core/helpers.h"
#include "esphome/core/preferences.h"

#include <cstdint>
#include <optional>

namespace esphome::energy_journal {

/// Keeps a copy of the journal in the device's preferences.
class JournalStore {
 public:
  /// What is kept besides the records. The layout is a stored format: a change needs a new preference key.
  struct Header {
    /// Of this journal; another one when it began anew.
    uint32_t journal;
    /// No record had a greater sequence when the meter stopped.
    uint32_t reserved;
    /// Where the records begin: a sequence, seconds since 1970 or 0, and totals.
    uint32_t sequence;
    uint32_t time;
    Counters counters;
    /// Bytes of the records, and their CRC-16.
    uint32_t size;
    uint32_t crc;
  };

  /// @param capacity bytes that may be written; 0 keeps the header only.
  void setup(size_t capacity, uint32_t number);
  /// Reads what was kept into `records`, of the capacity's size. @return nothing where there is nothing, or it is
  /// damaged.
  std::optional<Header> load(uint8_t *records);
  /** Writes to flash at once, the header last: until then what was kept before would be found damaged, not mixed.
   *
   * @return false if it could not be written.
   */
  bool save(Header header, const uint8_t *records);

 protected:
  // The host's preferences keep the length in one byte.
  static constexpr size_t CHUNK = 240;
  using Chunk = std::array<uint8_t, CHUNK>;

  ESPPreferenceObject header_;
  FixedVector<ESPPreferenceObject> chunks_;
  size_t capacity_{0};
};

static_assert(sizeof(JournalStore::Header) == 88);

}  // namespace esphome::energy_journal
