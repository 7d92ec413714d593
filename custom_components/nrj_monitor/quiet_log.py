"""Log that says the same thing once, and then with a count."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
import logging
import time
from typing import Any, Final

from .device_text import shortened

PAUSES: Final = (60.0, 600.0, 3600.0)
"""Seconds for which a thing is not said again, after the first time, the second and all
later ones."""

NEWS_AGAIN: Final = 3600.0
"""Seconds without a thing after which it is news again."""

KNOWN: Final = 256
"""Things whose count is kept; the one that is longest ago is forgotten first."""

LONGEST: Final = 200
"""Characters of a text within a message."""

LARGEST: Final = 1e18
"""Number that is written in full."""


@dataclass(slots=True)
class _Told:
    """A thing: when it was said and when it happened, s; how often each."""

    said_at: float
    happened_at: float
    said: int = 1
    unsaid: int = 0


class Repetitions:
    """Counts how often things happened: pure rules, times in s of any one clock."""

    def __init__(self) -> None:
        """Start without things."""
        self._known: OrderedDict[object, _Told] = OrderedDict()

    def add(self, thing: object, now: float) -> int | None:
        """Add a thing at `now`.

        Returns how often it happened since it was last said, None if it is too early to
        say it again.
        """
        known = self._known.pop(thing, None)
        if known is None or now - known.happened_at >= NEWS_AGAIN:
            self._known[thing] = _Told(now, now)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
            return 1
        self._known[thing] = known
        known.happened_at = now
        known.unsaid += 1
        pause = PAUSES[min(known.said, len(PAUSES)) - 1]
        if now - known.said_at < pause:
            return None
        count, known.unsaid = known.unsaid, 0
        known.said += 1
        known.said_at = now
        return count


class QuietLog:
    """Says a thing once, and later with a count, less and less often.

    What others send is behind nearly every message; a thousand bad messages are to be a
    line. The same is what has the same message and is about the same. What was said is
    known for as long as Home Assistant runs: a device can make its entry be set up anew.
    """

    __slots__ = ("_clock", "_logger", "_of")

    repetitions = Repetitions()
    """What was said, of all devices and topics."""

    def __init__(
        self,
        logger: logging.Logger,
        of: object,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to log to `logger` what is said of a device or topic: of `of`."""
        self._logger = logger
        self._of = of
        self._clock = clock

    def log(
        self,
        level: int,
        message: str,
        *values: object,
        about: object = None,
        exc_info: bool = False,
    ) -> None:
        """Log a message with its values, unless it was just said; `about` tells alike apart.

        With `exc_info` the traceback of the present exception follows.
        """
        thing = (self._logger.name, self._of, message, about)
        count = self.repetitions.add(thing, self._clock())
        if count is None:
            return
        told: tuple[Any, ...] = tuple(map(_bounded, values))
        if count > 1:
            message, told = f"{message} (%d times since)", (*told, count)
        self._logger.log(level, message, *told, exc_info=exc_info)

    def info(self, message: str, *values: object, about: object = None) -> None:
        """Log a message of interest."""
        self.log(logging.INFO, message, *values, about=about)

    def warning(self, message: str, *values: object, about: object = None) -> None:
        """Log a warning."""
        self.log(logging.WARNING, message, *values, about=about)

    def error(self, message: str, *values: object, about: object = None) -> None:
        """Log an error."""
        self.log(logging.ERROR, message, *values, about=about)

    def exception(self, message: str, *values: object, about: object = None) -> None:
        """Log an error that nobody has foreseen, with its traceback."""
        self.log(logging.ERROR, message, *values, about=about, exc_info=True)


def _bounded(value: object) -> object:
    """Return a value of a message; what is no number as a text of bounded length."""
    if isinstance(value, (int, float)) and abs(value) < LARGEST:
        return value
    return shortened(str(value), LONGEST)
