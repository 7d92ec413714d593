"""Rule for downsampling a full spool: which stored records to merge, oldest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

INTERVALS: Final = (60_000, 300_000, 900_000, 3_600_000, 86_400_000)
"""Milliseconds one merged record may span: tried from a minute up to a day, until the
merges free enough room."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """Key (`seq`), time in ms and size in bytes of a record on disk."""

    seq: int
    time: int
    size: int


def plan_merges(
    records: Iterable[StoredRecord], rows: int, size: int, interval: int
) -> list[list[StoredRecord]]:
    """Return groups of records to merge, each to a mean, the oldest group first.

    `records` are in the order of their times; a group lies within one `interval` (ms) of
    the clock. The plan ends as soon as `rows` records and `size` bytes are freed, where a
    merged record is assumed to be as large as the largest of its group.
    """
    groups: list[list[StoredRecord]] = []
    freed_rows = freed_size = 0
    group: list[StoredRecord] = []
    for record in chain(records, (None,)):
        if (
            record is not None
            and group
            and record.time // interval == group[0].time // interval
        ):
            group.append(record)
            continue
        if len(group) > 1:
            groups.append(group)
            freed_rows += len(group) - 1
            freed_size += sum(r.size for r in group) - max(r.size for r in group)
        if freed_rows >= rows and freed_size >= size:
            break
        group = [] if record is None else [record]
    return groups
