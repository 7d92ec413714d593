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
        self.counts: list[float] = []
        """Positions at which a meter began to count anew, or another one took its place."""
        self.breaks: list[float] = []
        """Positions at which the sums go on from another count: where one began, or from
        where on Home Assistant can know a meter to be in another one's place."""
        self.is_sum_known = True
        """Whether it is known what a meter had told before its count ended."""
        # Positions of which nobody can know when what was counted there was counted.
        self._lost: list[tuple[float, float]] = []
        # Positions of which nobody can know what was counted there.
        self._gone: list[tuple[float, float]] = []

    def begin_count(self, position: float) -> None:
        """Note that a meter begins to count, anew or in the place of another one."""
        self.counts.append(position)
        self.breaks.append(position)

    def lose_before_latest_start(self) -> None:
        """Mark what a new meter counted before its latest start as known to nobody.

        Home Assistant hears of the meter only now: it may have counted that elsewhere.
        """
        begin, end = self.counts[-1], self.starts[-1].on
        if end > begin:
            self.lose(begin, end)
            self.lose_energy(begin, end)
            self.breaks.append(end)

    def lose(self, begin: float, end: float) -> None:
        """Mark the energy counted between two positions as missing from the journal."""
        self._lost.append((begin, end))

    def lose_energy(self, begin: float, end: float) -> None:
        """Mark what was counted between two positions as known to nobody any more."""
        apart = []
        for since, until in self._gone:
            if until < begin or since > end:
                apart.append((since, until))
            else:
                begin, end = min(begin, since), max(end, until)
        self._gone = [*apart, (begin, end)]

    def lose_undated(self, seen: set[str]) -> None:
        """Mark undatable energy as lost.

        Nobody can date the energy of a start that was over, with a wrong clock at its
        end, before Home Assistant had a single page of the start. Home Assistant has
        pages of the starts `seen`.
        """
        for start in self.starts:
            if start.off < RUNNING and start.clock_error and start.boot not in seen:
                self.lose(start.on, start.off)

    def counted(self, channel: str, begin: float, end: float) -> float:
        """Return the energy that meters count between two epochs, Wh."""
        return self._energy(channel, begin - self.origin, end - self.origin)

    def known(self, channel: str, begin: float, end: float) -> float:
        """Return that of it that Home Assistant can have been told, Wh."""
        begin, end = begin - self.origin, end - self.origin
        gone = sum(
            self._energy(channel, max(begin, since), min(end, until))
            for since, until in self._gone
        )
        return self._energy(channel, begin, end) - gone

    def in_count(self, channel: str, position: float) -> float:
        """Return the energy of the present count up to a position, Wh."""
        begin = self.counts[-1] if self.counts else 0.0
        return self._energy(channel, begin, position)

    def _energy(self, channel: str, begin: float, end: float) -> float:
        """Return the energy that meters count between two positions, Wh."""
        total = 0.0
        for start in self.starts:
            low, high = max(start.on, begin), min(start.off, end)
            if high > low:
                total += self.house.energy(channel, low, high)
        return total

    def is_covered(self, begin: float, end: float) -> bool:
        """Return whether the meter was on between two epochs, with its journal complete."""
        begin, end = begin - self.origin, end - self.origin
        return any(
            start.on <= begin and end <= start.off for start in self.starts
        ) and not any(
            begin < until and since < end for since, until in (*self._lost, *self._gone)
        )

    def is_known(self, begin: float, end: float) -> bool:
        """Return whether all that was counted between two epochs is in the journal."""
        begin, end = begin - self.origin, end - self.origin
        return not any(
            begin < until and since < end for since, until in (*self._lost, *self._gone)
        )

    def is_dated(self, time: float) -> bool:
        """Return whether it is known what was counted before an epoch, and what after.

        While the meter is off, what a power cut took from the journal is spread over it.
        """
        position = time - self.origin
        is_on = any(start.on <= position <= start.off for start in self.starts)
        return is_on and self.is_known(time, time)
