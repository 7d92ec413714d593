#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace esphome::energy_journal {

/** Tracks which client has received which records. Pure rules: no framework, and time is what the caller says.
 *
 * Each client has a session of its own, so one that acknowledges takes nothing from another. What was sent is sent
 * again until it is acknowledged, less and less often; a client that is silent for long is left alone until it asks
 * anew.
 */
class JournalDelivery {
 public:
  static constexpr size_t MAX_SESSIONS = 4;
  static constexpr uint32_t FIRST_PATIENCE_MS = 2000;
  static constexpr uint32_t LONGEST_PATIENCE_MS = 60000;
  static constexpr uint32_t FORGOTTEN_AFTER_MS = 7UL * 24 * 3600 * 1000;

  struct Session {
    /// The number a client chose for itself; 0 is no session.
    uint32_t client{0};
    /// Sequence up to which the client has acknowledged receipt.
    uint32_t received{0};
    /// Sequence up to which the client has used the records, and will not request them again.
    uint32_t done{0};
    /// Sequence up to which records are sent and unacknowledged; `received` if none is.
    uint32_t sent{0};
    uint32_t sent_at{0};
    uint32_t patience{FIRST_PATIENCE_MS};
    uint32_t used_at{0};
  };

  /** Opens the session of a client for the records after a sequence; replaces the session unused for longest if none is
   * free.
   *
   * @param client not 0.
   * @param newest record there is: a client that claims to have more begins from the first.
   */
  void open(uint32_t client, uint32_t after, uint32_t newest, uint32_t now_ms);

  /** Acknowledges a client's receipt of records up to a sequence, and its use of records up to `done`.
   *
   * @return false if the client has no session, or claims to have more than it was sent.
   */
  bool acknowledge(uint32_t client, uint32_t sequence, uint32_t done, uint32_t now_ms);

  /// Returns the index of a session to which records are due, if any.
  std::optional<size_t> due(uint32_t newest, uint32_t now_ms) const;
  const Session &session(size_t index) const { return this->sessions_[index]; }
  /// Marks the records up to a sequence as sent.
  void on_sent(size_t index, uint32_t sequence, uint32_t now_ms);

  /// Closes the session of a client.
  void close(uint32_t client);

  /** Up to where no client will ask again; 0 while there is no client.
   *
   * One that was silent for a week no longer counts.
   */
  uint32_t settled(uint32_t now_ms) const;

 protected:
  Session *find_(uint32_t client);

  std::array<Session, MAX_SESSIONS> sessions_;
};

}  // namespace esphome::energy_journal
