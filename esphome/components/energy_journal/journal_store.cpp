#include "journal_store.h"

#include <algorithm>
#include <cstring>

namespace esphome::energy_journal {

void JournalStore::setup(size_t capacity, uint32_t number) {
  this->capacity_ = capacity;
  const uint32_t key = fnv1_hash("energy_journal.1") + (number << 16);
  this->header_ = global_preferences->make_preference<Header>(key, true);
  const size_t chunks = (capacity + CHUNK - 1) / CHUNK;
  this->chunks_.init(chunks);
  for (size_t i = 0; i < chunks; i++)
    this->chunks_.push_back(global_preferences->make_preference<Chunk>(key + 1 + static_cast<uint32_t>(i), true));
}

std::optional<JournalStore::Header> JournalStore::load(uint8_t *records) {
  Header header;
  if (!this->header_.load(&header))
    return std::nullopt;
  bool whole = header.size <= this->capacity_;
  for (size_t offset = 0; whole && offset < header.size; offset += CHUNK) {
    Chunk chunk;
    whole = this->chunks_[offset / CHUNK].load(&chunk);
    if (whole)
      std::memcpy(records + offset, chunk.data(), std::min<size_t>(CHUNK, header.size - offset));
  }
  // Without its records a journal goes on from its totals: nothing is counted twice, only time is lost.
  if (!whole || crc16(records, static_cast<uint16_t>(header.size)) != header.crc) {
    header.size = 0;
    header.time = 0;
  }
  return header;
}

bool JournalStore::save(Header header, const uint8_t *records) {
  header.size = std::min<size_t>(header.size, this->capacity_);
  header.crc = crc16(records, static_cast<uint16_t>(header.size));
  bool saved = true;
  for (size_t offset = 0; offset < header.size; offset += CHUNK) {
    Chunk chunk{};
    std::memcpy(chunk.data(), records + offset, std::min<size_t>(CHUNK, header.size - offset));
    saved &= this->chunks_[offset / CHUNK].save(&chunk);
  }
  saved &= this->header_.save(&header);
  return saved && global_preferences->sync();
}

}  // namespace esphome::energy_journal
