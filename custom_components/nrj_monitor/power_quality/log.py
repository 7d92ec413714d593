"""Log of power-quality events: ids of reported events, and the latest oscillograms."""

from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, Final

from .event import Oscillogram, PowerQualityEvent

MAX_EVENTS: Final = 128
"""Events whose ids are kept; the meter itself keeps 32."""

MAX_OSCILLOGRAMS: Final = 8
"""Oscillograms that are kept, some 25 kB each; the oldest is dropped first."""

LONGEST_ID: Final = 64
"""Characters of the id of an event."""


def event_ids(stored: Collection[Any]) -> list[str]:
    """Return stored ids of events; raises ValueError for other data."""
    ids = [id_ for id_ in stored if isinstance(id_, str) and len(id_) <= LONGEST_ID]
    if len(ids) != len(stored):
        raise ValueError("What is stored are no ids of events")
    return ids


class PowerQualityLog:
    """Ids of reported events, and the latest oscillograms.

    Keys of the stored dict are a promise to older versions: `known` has the ids of
    reported events, `wanted` those whose oscillogram is still to be requested, `waves`
    the oscillograms.
    """

    def __init__(self) -> None:
        """Start with an empty log."""
        self._known: deque[str] = deque(maxlen=MAX_EVENTS)
        self._ongoing: deque[str] = deque(maxlen=MAX_EVENTS)
        self._waves: deque[Oscillogram] = deque(maxlen=MAX_OSCILLOGRAMS)
        self._wanted: deque[str] = deque(maxlen=MAX_OSCILLOGRAMS)

    @property
    def latest(self) -> Oscillogram | None:
        """Return the latest oscillogram."""
        return self._waves[-1] if self._waves else None

    @property
    def oscillograms(self) -> tuple[Oscillogram, ...]:
        """Return the kept oscillograms, the oldest first."""
        return tuple(self._waves)

    def add(self, event: PowerQualityEvent) -> bool:
        """Add an event; return whether the event, or its end, is new."""
        if event.id in self._known:
            return False
        if event.ongoing:
            if event.id in self._ongoing:
                return False
            self._ongoing.append(event.id)
            return True
        if event.id in self._ongoing:
            self._ongoing.remove(event.id)
        self._known.append(event.id)
        if not event.restored:
            self._wanted.append(event.id)
        return True

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Return whether the oscillogram of an event is still to be requested."""
        return event.id in self._wanted

    def add_oscillogram(
        self, event: PowerQualityEvent, wave: Oscillogram | None
    ) -> bool:
        """Add the oscillogram of an event, None if the meter has none.

        Returns whether the oscillogram is new: events of one capture share theirs.
        """
        if event.id in self._wanted:
            self._wanted.remove(event.id)
        if wave is None or any(wave.channels == kept.channels for kept in self._waves):
            return False
        self._waves.append(wave)
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return the log as JSON data."""
        return {
            "known": list(self._known),
            "wanted": list(self._wanted),
            "waves": [wave.as_dict() for wave in self._waves],
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Restore a log written by `as_dict`.

        Raises one of ArithmeticError, AttributeError, LookupError, TypeError and
        ValueError for other data, and restores nothing then.
        """
        known = event_ids(stored["known"])
        wanted = event_ids(stored["wanted"])
        waves = [Oscillogram.from_dict(wave) for wave in stored["waves"]]
        self._known.extend(known)
        self._wanted.extend(wanted)
        self._waves.extend(waves)
