#pragma once

#include "journal_ring.h"

#include "esphome/core/helpers.h"
#include "esphome/core/preferences.h"

#include <array>
#include <cstdint>
#include <optional>

namespace esphome::energy_journal {

/** Keeps a copy of the journal in the device's preferences.
 *
 * Where there are records there are two places, written in turn: a power cut during a write leaves the one before. A
 * header alone is written as one.
 */
class JournalStore {
 public:
  /// Stored header of the records. The layout is a stored format: a change needs a new preference key.
  struct Header {
    /// Number of the journal, changed whenever the journal begins anew.
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
    /// Of the write; the store's own business.
    uint32_t generation;
  };

  /// @param capacity bytes that may be written; 0 keeps the header only.
  void setup(size_t capacity, uint32_t number);
  /// Loads the stored records into `records`, of the capacity's size. @return nothing without undamaged records.
  std::optional<Header> load(uint8_t *records);
  /** Begins to write a journal; what was kept before counts until is_saving() is over.
   *
   * @param records must stay as they are until then
   */
  void begin_save(Header header, const uint8_t *records);
  /// Writes a part so short that the main loop does not wait for the flash. @return false if the write failed.
  bool step();
  bool is_saving() const { return this->saving_.has_value(); }

 protected:
  // The host's preferences keep the length in one byte.
  static constexpr size_t CHUNK = 240;
  using Chunk = std::array<uint8_t, CHUNK>;

  struct Place {
    ESPPreferenceObject header;
    FixedVector<ESPPreferenceObject> chunks;
  };
  static constexpr size_t PLACES = 2;

  /// @return whether the records of a header are as they were written
  bool load_records_(Place &place, const Header &header, uint8_t *records) const;
  bool write_chunk_(Place &place);

  std::array<Place, PLACES> places_;
  size_t used_places_{1};
  /// Generation of the last complete write: the next write goes to the other place.
  uint32_t generation_{0};
  size_t capacity_{0};

  // What is being written.
  std::optional<Header> saving_;
  const uint8_t *records_{nullptr};
  size_t written_{0};
};

static_assert(sizeof(JournalStore::Header) == 96);

}  // namespace esphome::energy_journal
