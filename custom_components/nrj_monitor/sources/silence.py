"""Silence of one of several tellers of a meter: a topic, or a device of its entities."""

from collections.abc import Collection
from typing import Final

from ..catalog import Channel
from .timeout import AdaptiveTimeout

MOST_TELLERS: Final = 256
"""Tellers that are watched at once; a meter has fewer."""


def needs_news(channel: Channel) -> bool:
    """Return whether a reading without news says nothing of now.

    A counter still tells what was counted.
    """
    return channel.quantity.limits.rate is None


class SilenceWatch:
    """Watches who falls silent, each by its own rhythm.

    Times are seconds of any one monotonic clock.
    """

    def __init__(self) -> None:
        """Start without tellers."""
        self._timeouts: dict[str, AdaptiveTimeout] = {}
        self._silent: set[str] = set()

    @property
    def silent(self) -> Collection[str]:
        """Return the tellers that are silent."""
        return self._silent

    def expect(self, teller: str, since: float) -> None:
        """Watch a teller that told something at `since`, or should from then on."""
        self._timeouts.setdefault(teller, AdaptiveTimeout(since))

    def update(self, teller: str, now: float) -> bool:
        """Add a report; return whether the teller was silent."""
        timeout = self._timeouts.get(teller)
        if timeout is None:
            if len(self._timeouts) >= MOST_TELLERS:
                return False
            timeout = self._timeouts[teller] = AdaptiveTimeout(now)
        timeout.update(now)
        was_silent = teller in self._silent
        self._silent.discard(teller)
        return was_silent

    def pop_fallen(self, now: float) -> list[str]:
        """Return the tellers that have fallen silent since the last call."""
        fallen = [
            teller
            for teller, timeout in self._timeouts.items()
            if teller not in self._silent and now > timeout.deadline()
        ]
        self._silent.update(fallen)
        return fallen
