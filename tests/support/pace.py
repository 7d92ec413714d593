"""Measure this machine's pace once, for the time limits to follow.

A limit says how long the reference machine may take; `patience` stretches it. NRJ_PACE=3 sets the factor by hand.
The wall clock measures, so that a machine that is busy with other work counts as a slow one.
"""

from collections.abc import Callable
import os
from time import monotonic

VARIABLE = "NRJ_PACE"
"""Carries the factor from the process that measured it to its workers."""

STEPS = 4_000_000

REFERENCE_SECONDS = 0.1
"""Time of the steps on one idle core of the machine that the limits were written for (2.6 GHz), s."""

LOOKS = 3

MOST = 10.0
"""The largest factor: a test that hangs still ends."""


def measured_pace(
    work: Callable[[], None] | None = None, clock: Callable[[], float] = monotonic
) -> float:
    """Measure how many times slower than the reference this machine is now, from 1 to MOST.

    The slowest of several looks counts.
    """
    slowest = 0.0
    for _ in range(LOOKS):
        start = clock()
        (work or _work)()
        slowest = max(slowest, clock() - start)
    return limited(slowest / REFERENCE_SECONDS)


def limited(pace: float) -> float:
    """Return a factor within its bounds: a fast machine keeps the limits as they are written."""
    return min(max(pace, 1.0), MOST)


def _work() -> None:
    total = 0
    for step in range(STEPS):
        total += step & 7


def pace() -> float:
    """Return the factor by which this run stretches its limits."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = f"{measured_pace():.2f}"
    return limited(float(os.environ[VARIABLE]))


def patience(seconds: float) -> float:
    """Return a limit of the reference machine stretched for this machine, s."""
    return seconds * pace()
