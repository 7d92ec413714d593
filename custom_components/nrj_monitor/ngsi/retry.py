"""Rules of retries, sending rate and batch size: pure, with time as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
LONGEST_ASKED: Final = 3600.0
"""Seconds a broker may ask to wait; a longer pause is cut to this."""


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3), None if invalid."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header.strip())
    try:
        until = parsedate_to_datetime(header)
    except ValueError, OverflowError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


class Backoff:
    """Exponential backoff from 5 s to 5 min, with jitter over the upper half."""

    def __init__(self, random: Callable[[], float]) -> None:
        """Prepare with `random`, from 0 to below 1, for the jitter."""
        self._random = random
        self._failures = 0

    @property
    def failures(self) -> int:
        """Return the number of failures in a row."""
        return self._failures

    def failed(self, asked: float | None = None) -> float:
        """Count a failure; return the pause in seconds, at least the `asked` seconds."""
        whole: float = min(FIRST_PAUSE * 2 ** min(self._failures, 16), LONGEST_PAUSE)
        self._failures += 1
        pause = whole * (0.5 + self._random() / 2)
        return max(pause, min(asked or 0.0, LONGEST_ASKED))

    def succeeded(self) -> None:
        """Reset the pause to its shortest."""
        self._failures = 0


class Pace:
    """Rate limit of a drain, without a debt from quiet times."""

    def __init__(self, rate: float | None) -> None:
        """Allow `rate` records a second; None is no limit."""
        self._rate = rate
        self._free_at = float("-inf")

    def sent(self, count: int, now: float) -> None:
        """Count `count` records sent in a request begun at `now` (s)."""
        if self._rate is not None:
            self._free_at = max(self._free_at, now) + count / self._rate

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may begin."""
        return max(0.0, self._free_at - now)


class BatchSize:
    """Number of records in the next request.

    A refused batch holds a bad record: halves are tried until that record is alone. A
    batch that was too large halves the size for good.
    """

    def __init__(self, largest: int) -> None:
        """Prepare for batches of up to `largest` records."""
        self._largest = largest
        self._suspects = 0

    @property
    def next(self) -> int:
        """Return the number of records to send, from the oldest."""
        if self._suspects:
            return max(1, self._suspects // 2)
        return self._largest

    @property
    def searching(self) -> bool:
        """Return whether a refused batch is being halved to find its bad record."""
        return self._suspects > 0

    def accepted(self, count: int) -> None:
        """Count `count` records the broker accepted."""
        self._suspects = max(0, self._suspects - count)

    def refused(self, count: int) -> bool:
        """Count a refused batch; return whether its bad record was alone."""
        if count > 1:
            self._suspects = count
            return False
        self._suspects = 0
        return True

    def too_large(self, count: int) -> bool:
        """Count a too large batch; return whether its record was alone."""
        if count > 1:
            self._largest = max(1, count // 2)
            return False
        return True
