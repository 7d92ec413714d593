#include "journal_delivery.h"

#include <algorithm>

namespace esphome::energy_journal {

namespace {

bool is_forgotten(const JournalDelivery::Session &session, uint32_t now_ms) {
  return now_ms - session.used_at >= JournalDelivery::FORGOTTEN_AFTER_MS;
}

}  // namespace

JournalDelivery::Session *JournalDelivery::find_(uint32_t client) {
  for (Session &session : this->sessions_) {
    if (session.client == client)
      return &session;
  }
  return nullptr;
}

void JournalDelivery::open(uint32_t client, uint32_t after, uint32_t newest, uint32_t now_ms) {
  Session *session = this->find_(client);
  if (session == nullptr) {
    // A free one was never used, so it is the oldest.
    session = &*std::max_element(
        this->sessions_.begin(), this->sessions_.end(), [now_ms](const Session &one, const Session &other) {
          const auto age = [now_ms](const Session &of) { return of.client == 0 ? UINT32_MAX : now_ms - of.used_at; };
          return age(one) < age(other);
        });
  }
  const uint32_t received = after <= newest ? after : 0;
  // What a client has received it has not used yet: it may break down and ask for it again.
  const uint32_t done = session->client == client ? std::min(session->done, received) : 0;
  *session = {.client = client, .received = received, .done = done, .sent = received, .used_at = now_ms};
}

bool JournalDelivery::acknowledge(uint32_t client, uint32_t sequence, uint32_t done, uint32_t now_ms) {
  Session *session = this->find_(client);
  if (client == 0 || session == nullptr || sequence > session->sent || done > sequence)
    return false;
  session->received = std::max(session->received, sequence);
  session->done = std::max(session->done, done);
  session->used_at = now_ms;
  session->patience = FIRST_PATIENCE_MS;
  return true;
}

std::optional<size_t> JournalDelivery::due(uint32_t newest, uint32_t now_ms) const {
  for (size_t i = 0; i < MAX_SESSIONS; i++) {
    const Session &session = this->sessions_[i];
    if (session.client == 0 || session.received >= newest || is_forgotten(session, now_ms))
      continue;
    const bool on_its_way = session.sent > session.received;
    if (!on_its_way || now_ms - session.sent_at >= session.patience)
      return i;
  }
  return std::nullopt;
}

void JournalDelivery::on_sent(size_t index, uint32_t sequence, uint32_t now_ms) {
  Session &session = this->sessions_[index];
  if (session.sent > session.received) {
    session.patience = std::min(2 * session.patience, LONGEST_PATIENCE_MS);
  }
  session.sent = std::max(session.sent, sequence);
  session.sent_at = now_ms;
}

void JournalDelivery::close(uint32_t client) {
  Session *session = this->find_(client);
  if (session != nullptr)
    *session = {};
}

uint32_t JournalDelivery::settled(uint32_t now_ms) const {
  uint32_t settled = UINT32_MAX;
  for (const Session &session : this->sessions_) {
    if (session.client != 0 && !is_forgotten(session, now_ms))
      settled = std::min(settled, session.done);
  }
  return settled == UINT32_MAX ? 0 : settled;
}

}  // namespace esphome::energy_journal
