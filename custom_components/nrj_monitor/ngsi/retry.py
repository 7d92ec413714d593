"""When to try again, how fast to send, and how many at once: rules without a clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
LONGEST_ASKED: Final = 3600.0
"""Seconds: a broker that asks for a longer pause is asked again after this."""


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for (RFC 9110, 10.2.3), if it does."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


class Backoff:
    """Pauses that grow from 5 s to 5 min, each somewhere in its upper half."""

    def __init__(self, random: Callable[[], float]) -> None:
        """Take `random`, from 0 to below 1, for the jitter."""
        self._random = random
        self._failures = 0

    @property
    def failures(self) -> int:
        """Return how many times in a row it has failed."""
        return self._failures

    def failed(self, asked: float | None = None) -> float:
        """Return the seconds to wait; at least those the broker `asked` for."""
        whole: float = min(FIRST_PAUSE * 2 ** min(self._failures, 16), LONGEST_PAUSE)
        self._failures += 1
        pause = whole * (0.5 + self._random() / 2)
        return max(pause, min(asked or 0.0, LONGEST_ASKED))

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = 0


class Pace:
    """Keeps a drain below a rate, with nothing to wait for after a quiet time."""

    def __init__(self, rate: float | None) -> None:
        """Allow `rate` records a second; None is no limit."""
        self._rate = rate
        self._free_at = float("-inf")

    def sent(self, count: int, now: float) -> None:
        """Note that `count` records were sent, their request begun at `now`."""
        if self._rate is not None:
            self._free_at = max(self._free_at, now) + count / self._rate

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may begin."""
        return max(0.0, self._free_at - now)


class BatchSize:
    """How many records go into the next request.

    A refused batch holds a bad record: halves are tried until it is alone. A batch that
    was too large is halved, and stays so.
    """

    def __init__(self, largest: int) -> None:
        """Begin with up to `largest` records."""
        self._largest = largest
        self._suspects = 0

    @property
    def next(self) -> int:
        """Return how many records to send, counted from the oldest."""
        if self._suspects:
            return max(1, self._suspects // 2)
        return self._largest

    @property
    def searching(self) -> bool:
        """Return whether a bad record is known to be among the oldest."""
        return self._suspects > 0

    def accepted(self, count: int) -> None:
        """Note that the broker took `count` records."""
        self._suspects = max(0, self._suspects - count)

    def refused(self, count: int) -> bool:
        """Note that a batch of `count` was refused; return whether it was the bad one."""
        if count > 1:
            self._suspects = count
            return False
        self._suspects = 0
        return True

    def too_large(self, count: int) -> bool:
        """Note that a batch of `count` was too large; return whether it was one record."""
        if count > 1:
            self._largest = max(1, count // 2)
            return False
        return True
