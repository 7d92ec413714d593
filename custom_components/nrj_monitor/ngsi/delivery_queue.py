"""What goes into the next request to a broker or a history."""

from dataclasses import dataclass
import time
from typing import Final

from .broker import Target, dump
from .errors import DeliveryError
from .mapping import Mapper
from .retry import Backoff, BatchSize, Pace
from .spool import LIVE, Record, Spool

LARGEST_REQUEST: Final = 256 * 1024
"""Bytes of a batch; a broker takes 1 MiB, a single record may be larger than this."""


@dataclass(slots=True)
class DeliveryQueue:
    """A queue with its own target, pauses and speed."""

    number: int
    target: Target
    backoff: Backoff
    pace: Pace
    size: BatchSize
    backlog: Target | None = None
    """Takes all but the newest record, where the target takes one a request."""
    idle: bool = False
    due: float = 0.0
    error: DeliveryError | None = None
    refused_in_a_row: int = 0
    newest_sent: int = 0
    fits: int = 1000
    """About how many records a request has room for: no more are read."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A request that is ready to be sent, and what is in it."""

    records: list[Record]
    payload: bytes
    target: Target


def next_batch(lane: DeliveryQueue, spool: Spool, mapper: Mapper) -> Batch | None:
    """Return the next batch, marked as being sent; None where there is none.

    It blocks, and is called in an executor.
    """
    records = spool.head(lane.number, min(lane.size.next, lane.fits))
    if not records or _must_wait(lane, spool, records[0]):
        return None
    target = lane.target
    if lane.backlog is not None and len(records) > 1:
        target, records = lane.backlog, records[:-1]
    records = records[: target.largest_batch]
    taken: list[tuple[Record, bytes]] = []
    useless: list[Record] = []
    size = 0
    for record in records:
        # Let the event loop have the interpreter between two records.
        time.sleep(0)
        if (entity := mapper.entity(record.sample)) is None:
            # Nothing of it is to be forwarded any more.
            useless.append(record)
            continue
        body = dump(entity)
        if taken and size + len(body) > LARGEST_REQUEST:
            lane.fits = len(taken) + 1
            break
        size += len(body)
        taken.append((record, body))
    else:
        lane.fits += 1
    if useless:
        spool.drop(useless)
    there = spool.sending([record for record, _ in taken])
    taken = [(record, body) for record, body in taken if record.seq in there]
    if not taken:
        return next_batch(lane, spool, mapper)
    bodies = [body for _, body in taken]
    return Batch([record for record, _ in taken], target.payload(bodies), target)


def _must_wait(lane: DeliveryQueue, spool: Spool, oldest: Record) -> bool:
    """Tell whether sending now would leave an old reading as the broker's latest."""
    if oldest.sample.time >= lane.newest_sent or lane.number != LIVE:
        return False
    newest = spool.newest(lane.number)
    return newest is not None and newest <= lane.newest_sent
