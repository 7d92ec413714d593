#include "journal_store.h"

#include <algorithm>
#include <cstring>

namespace esphome::energy_journal {

void JournalStore::setup(size_t capacity, uint32_t number) {
  this->capacity_ = capacity;
  uint32_t key = fnv1_hash("energy_journal.2") + (number << 16);
  const size_t chunks = (capacity + CHUNK - 1) / CHUNK;
  this->used_places_ = capacity > 0 ? PLACES : 1;
  for (size_t used = 0; used < this->used_places_; used++) {
    Place &place = this->places_[used];
    place.header = global_preferences->make_preference<Header>(key++, true);
    place.chunks.init(chunks);
    for (size_t i = 0; i < chunks; i++)
      place.chunks.push_back(global_preferences->make_preference<Chunk>(key++, true));
  }
}

std::optional<JournalStore::Header> JournalStore::load(uint8_t *records) {
  std::array<std::optional<Header>, PLACES> headers;
  for (size_t i = 0; i < this->used_places_; i++) {
    Header header;
    if (this->places_[i].header.load(&header))
      headers[i] = header;
  }
  const bool second_is_newer =
      headers[1].has_value() && (!headers[0].has_value() || headers[1]->generation > headers[0]->generation);
  const size_t newer = second_is_newer ? 1 : 0;
  if (!headers[newer].has_value())
    return std::nullopt;
  for (const size_t i : {newer, 1 - newer}) {
    if (headers[i].has_value() && this->load_records_(this->places_[i], *headers[i], records)) {
      this->generation_ = headers[i]->generation;
      headers[i]->reserved = headers[newer]->reserved;
      return headers[i];
    }
  }
  // Without its records a journal goes on from its totals: nothing is counted twice, only time is lost.
  this->generation_ = headers[newer]->generation;
  headers[newer]->size = 0;
  headers[newer]->time = 0;
  return headers[newer];
}

bool JournalStore::load_records_(Place &place, const Header &header, uint8_t *records) const {
  if (header.size > this->capacity_)
    return false;
  for (size_t offset = 0; offset < header.size; offset += CHUNK) {
    Chunk chunk;
    if (!place.chunks[offset / CHUNK].load(&chunk))
      return false;
    std::memcpy(records + offset, chunk.data(), std::min<size_t>(CHUNK, header.size - offset));
  }
  return crc16(records, static_cast<uint16_t>(header.size)) == header.crc;
}

void JournalStore::begin_save(Header header, const uint8_t *records) {
  header.size = std::min<size_t>(header.size, this->capacity_);
  header.crc = crc16(records, static_cast<uint16_t>(header.size));
  header.generation = this->generation_ + 1;
  this->saving_ = header;
  this->records_ = records;
  this->written_ = 0;
}

bool JournalStore::step() {
  if (!this->is_saving())
    return true;
  // The header last: with it the place counts.
  const bool last = this->written_ >= this->saving_->size;
  Place &place = this->places_[this->saving_->generation % this->used_places_];
  const bool written = last ? place.header.save(&*this->saving_) : this->write_chunk_(place);
  const bool saved = written && global_preferences->sync();
  if (saved && last)
    this->generation_ = this->saving_->generation;
  if (!saved || last)
    this->saving_.reset();
  return saved;
}

bool JournalStore::write_chunk_(Place &place) {
  Chunk chunk{};
  std::memcpy(chunk.data(), this->records_ + this->written_,
              std::min<size_t>(CHUNK, this->saving_->size - this->written_));
  ESPPreferenceObject &part = place.chunks[this->written_ / CHUNK];
  this->written_ += CHUNK;
  return part.save(&chunk);
}

}  // namespace esphome::energy_journal
