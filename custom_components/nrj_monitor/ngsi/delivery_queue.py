"""Delivery of a queue of the spool: target, retry pauses, next request."""

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Final, Self

from .broker import Target, dump
from .errors import DeliveryError, RefusedError, TooLargeError
from .mapping import Mapper
from .retry import Backoff, BatchSize, Pace
from .spool import QueueId, Record, Spool

LARGEST_REQUEST: Final = 256 * 1024
"""Bytes of a batch; a broker takes 1 MiB, a single record may be larger than this."""

SUSPICIOUS: Final = 5
"""Records refused in a row after which a probe tests whether the broker takes any."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of a request, its body and its target."""

    records: list[Record]
    payload: bytes
    target: Target


@dataclass(slots=True)
class DeliveryQueue:
    """Queue of the spool with a target, a retry pause and a rate of its own.

    The forwarder alone changes `due`, `idle` and `error`; times are seconds of its clock.
    """

    id: QueueId
    target: Target
    backoff: Backoff
    pace: Pace
    size: BatchSize
    backlog: Target | None = None
    """Target of all but the newest record, for a broker that takes one record a request."""
    idle: bool = False
    due: float = 0.0
    error: DeliveryError | None = None
    refused_in_a_row: int = 0
    newest_sent: int = 0
    records_per_request: int = 1000
    """Estimate of how many records fit into a request: the spool reads no more."""

    @classmethod
    def create(
        cls,
        id_: QueueId,
        target: Target,
        *,
        random: Callable[[], float],
        rate: float | None,
        backlog: Target | None = None,
    ) -> Self:
        """Return a queue limited to `rate` records a second; None is no limit."""
        return cls(
            id_,
            target,
            Backoff(random),
            Pace(rate),
            BatchSize((backlog or target).largest_batch),
            backlog=backlog,
        )

    def send_now(self) -> None:
        """End the current pause."""
        self.due = 0.0
        self.idle = False

    def next_batch(self, spool: Spool, mapper: Mapper) -> Batch | None:
        """Return the next batch, marked as in flight; None where nothing is to be sent.

        Blocks, and is called in an executor.
        """
        while records := self._next_records(spool):
            target = self.target
            if self.backlog is not None and len(records) > 1:
                target, records = self.backlog, records[:-1]
            bodies, empty = self._encode(records[: target.largest_batch], mapper)
            if empty:
                spool.drop(empty)
            sent = [record for record, _ in bodies]
            # A spool that was full meanwhile may have merged what was read.
            if sent and spool.mark_in_flight(sent):
                return Batch(sent, target.payload([b for _, b in bodies]), target)
        return None

    def _next_records(self, spool: Spool) -> list[Record]:
        """Return the oldest records, no more than a request takes; none where to wait."""
        records = spool.head(self.id, self._most_records)
        return [] if records and self._must_wait(spool, records[0]) else records

    def _encode(
        self, records: list[Record], mapper: Mapper
    ) -> tuple[list[tuple[Record, bytes]], list[Record]]:
        """Return the first records with their bodies, and those that have nothing to send.

        The bodies are LARGEST_REQUEST bytes at most, or those of a single record.
        """
        bodies: list[tuple[Record, bytes]] = []
        empty: list[Record] = []
        size = 0
        for record in records:
            # Let the event loop have the interpreter between two records.
            time.sleep(0)
            if (entity := mapper.entity(record.sample)) is None:
                # Its quantities are no longer among those to be forwarded.
                empty.append(record)
                continue
            body = dump(entity)
            if bodies and size + len(body) > LARGEST_REQUEST:
                self.records_per_request = len(bodies) + 1
                break
            size += len(body)
            bodies.append((record, body))
        else:
            self.records_per_request += 1
        return bodies, empty

    @property
    def _most_records(self) -> int:
        """Return how many records to read for the next request."""
        if self.refused_in_a_row >= SUSPICIOUS:
            # A broker that refuses everything is tried with one.
            return 1
        return min(self.size.next, self.records_per_request)

    def record_delivery(self, batch: Batch, begun: float) -> None:
        """Record the delivery of a batch whose request began at `begun`."""
        self.newest_sent = max(self.newest_sent, batch.records[-1].sample.time)
        self.size.accepted(len(batch.records))
        self.pace.sent(len(batch.records), begun)
        self.refused_in_a_row = 0

    def record_refusal(self, batch: Batch, error: RefusedError | TooLargeError) -> bool:
        """Record a refusal; return whether a single record was its cause.

        The next batch is smaller otherwise.
        """
        count = len(batch.records)
        is_cause = (
            self.size.too_large(count)
            if isinstance(error, TooLargeError)
            else self.size.refused(count)
        )
        if is_cause:
            self.refused_in_a_row += 1
        return is_cause

    def _must_wait(self, spool: Spool, oldest: Record) -> bool:
        """Return whether sending now would leave an old reading as the broker's latest."""
        if oldest.sample.time >= self.newest_sent or self.id != QueueId.LIVE:
            return False
        newest = spool.newest(self.id)
        return newest is not None and newest <= self.newest_sent
