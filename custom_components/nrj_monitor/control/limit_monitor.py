"""Interface of what monitors a limit of the house."""

from collections.abc import Sequence
from typing import Protocol


class LimitMonitor(Protocol):
    """Monitor of a limit: whether to relieve loads, by how much, and what may come back."""

    @property
    def is_patient(self) -> bool:
        """Return whether there is time, and money at stake rather than a fuse.

        Adjustable loads are then lowered before any is shed, and comfort limits kept.
        """

    @property
    def limit(self) -> float:
        """Return the limit, W."""

    @property
    def must_shed(self) -> bool:
        """Return whether loads must be relieved now."""

    @property
    def excess(self) -> float:
        """Return the power to take off, W; 0 while the power is unknown."""

    @property
    def headroom(self) -> float:
        """Return the power that may be added, W; 0 while the power is unknown."""

    @property
    def is_calm(self) -> bool:
        """Return whether loads may come back."""

    def is_indifferent(self, power: float | None) -> bool:
        """Return whether a power, W, would change nothing here however long it lasts."""

    def update(self, power: float | None, now: float) -> None:
        """Add the power at `now`, W; None is unknown."""

    def plan(self, reliefs: Sequence[float], interval: float) -> None:
        """Take into account what can be relieved.

        `reliefs` are powers, W, in the order in which they are taken off; `interval` is
        that of the readings, s.
        """
