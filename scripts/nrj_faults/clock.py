"""A clock that can be moved, in place of the process's own: imported before all else."""

from datetime import UTC, datetime
import time

_real = time.time
_offset = 0.0


def now() -> float:
    """Return the seconds since 1970 that this process believes in."""
    return _real() + _offset


def skip(seconds: float) -> None:
    """Let time pass at once."""
    global _offset  # noqa: PLW0603
    _offset += seconds


def install(offset: float) -> None:
    """Give Home Assistant, imported after this, a clock that is `offset` s ahead."""
    skip(offset)
    time.time = now
    from homeassistant.util import dt as dt_util  # noqa: PLC0415

    dt_util.utcnow = lambda: datetime.fromtimestamp(now(), UTC)  # type: ignore[assignment]
