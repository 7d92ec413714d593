"""Model the energy a meter can have counted, and its journal can hold."""

from dataclasses import dataclass
from typing import Final

from .recording import House

RUNNING: Final = float("inf")


@dataclass
class Start:
    """A start of the meter; times in seconds since the beginning of the house's day."""

    on: float = 0.0
    off: float = RUNNING
    boot: str | None = None
    """The name its pages give it; None if it has sent none."""
    clock_error: int = 0
    """Seconds by which its clock was wrong at last."""


class Truth:
    """Knows when the meter was on, and integrates the house's power meanwhile."""

    def __init__(self, house: House) -> None:
        """Begin without a start of the meter."""
        self.house = house
        self.origin = 0.0
        """Epoch of the beginning of the house's day."""
        self.starts: list[Start] = []
        # Positions of which nobody can know when what was counted there was counted.
        self._lost: list[tuple[float, float]] = []

    def lose(self, begin: float, end: float) -> None:
        """Mark the energy counted between two positions as missing from the journal."""
        self._lost.append((begin, end))

    def lose_undated(self, seen: set[str]) -> None:
        """Mark undatable energy as lost.

        Nobody can date the energy of a start that was over, with a wrong clock at its
        end, before Home Assistant had a single page of the start. Home Assistant has
        pages of the starts `seen`.
        """
        for start in self.starts:
            if start.off < RUNNING and start.clock_error and start.boot not in seen:
                self.lose(start.on, start.off)

    def energy(self, channel: str, begin: float, end: float) -> float:
        """Return the energy the meter can have seen between two epochs, Wh."""
        total = 0.0
        for start in self.starts:
            low = max(start.on, begin - self.origin)
            high = min(start.off, end - self.origin)
            if high > low:
                total += self.house.energy(channel, low, high)
        return total

    def is_covered(self, begin: float, end: float) -> bool:
        """Return whether the meter was on between two epochs, with its journal complete."""
        begin, end = begin - self.origin, end - self.origin
        return any(
            start.on <= begin and end <= start.off for start in self.starts
        ) and not any(begin < until and since < end for since, until in self._lost)
