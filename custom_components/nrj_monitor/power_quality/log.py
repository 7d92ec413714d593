"""What is remembered of the supply's events: which were told, and the last waveforms."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from .event import Oscillogram, PowerQualityEvent

KNOWN: Final = 128
"""Events whose names are remembered; the meter itself keeps 32."""

WAVES: Final = 8
"""Oscillograms that are kept; the oldest gives way. Some 25 kB each."""


class PowerQualityLog:
    """Knows which events are news, and keeps the latest oscillograms."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._known: deque[str] = deque(maxlen=KNOWN)
        self._ongoing: set[str] = set()
        self._waves: deque[Oscillogram] = deque(maxlen=WAVES)
        self._wanted: deque[str] = deque(maxlen=WAVES)

    @property
    def latest(self) -> Oscillogram | None:
        """Return the latest oscillogram."""
        return self._waves[-1] if self._waves else None

    @property
    def oscillograms(self) -> tuple[Oscillogram, ...]:
        """Return those that are kept, the oldest first."""
        return tuple(self._waves)

    def add(self, event: PowerQualityEvent) -> bool:
        """Remember an event; return whether it, or its end, had not been told."""
        if event.id in self._known:
            return False
        if event.ongoing:
            if event.id in self._ongoing:
                return False
            self._ongoing.add(event.id)
            return True
        self._ongoing.discard(event.id)
        self._known.append(event.id)
        if not event.restored:
            self._wanted.append(event.id)
        return True

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Return whether the waveform of an event has still to be asked for."""
        return event.id in self._wanted

    def add_oscillogram(
        self, event: PowerQualityEvent, wave: Oscillogram | None
    ) -> bool:
        """Keep the waveform of an event, None where there is none; tell if it is new.

        Events that belong together share one: it is kept once.
        """
        if event.id in self._wanted:
            self._wanted.remove(event.id)
        if wave is None or any(wave.channels == kept.channels for kept in self._waves):
            return False
        self._waves.append(wave)
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can store it."""
        return {
            "known": list(self._known),
            "wanted": list(self._wanted),
            "waves": [wave.as_dict() for wave in self._waves],
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Add what `as_dict` returned."""
        self._known.extend(stored["known"])
        self._wanted.extend(stored["wanted"])
        self._waves.extend(Oscillogram.from_dict(wave) for wave in stored["waves"])
