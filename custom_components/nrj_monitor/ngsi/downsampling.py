"""Which of the stored records become one when the spool is full: the oldest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

GRAINS: Final = (60_000, 300_000, 900_000, 3_600_000, 86_400_000)
"""Milliseconds: a minute, as long as that frees enough; a day at the coarsest."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as far as thinning is concerned: where it is, its time (ms) and size."""

    seq: int
    time: int
    size: int


def plan(
    records: Iterable[Stored], rows: int, size: int, grain: int
) -> list[list[Stored]]:
    """Return groups to be merged into one record each, the oldest first.

    `records` are in the order of their times; groups lie within one `grain` of time. The
    plan ends as soon as `rows` records and `size` bytes are freed, taking a merged record
    to be as large as the largest of its group.
    """
    groups: list[list[Stored]] = []
    freed_rows = freed_size = 0
    group: list[Stored] = []
    for record in chain(records, (None,)):
        if (
            record is not None
            and group
            and record.time // grain == group[0].time // grain
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
