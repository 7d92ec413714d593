"""Tolerated times of overloads, against the standard and contracts."""

from itertools import pairwise
from math import inf, nan

import pytest

from custom_components.nrj_monitor.control.overload import CURVES, OverloadMonitor


def time_to_shed(curve: str, load: float, limit: float = 1000.0) -> float:
    """Return after how many seconds of a steady overload something must go off."""
    monitor = OverloadMonitor(limit, CURVES[curve])
    for tenth in range(200_000):
        monitor.update(load * limit, tenth / 10)
        if monitor.must_shed:
            return tenth / 10
    return inf


@pytest.mark.parametrize(
    ("load", "trips_after"),
    # IEC 60898-1: conventional tripping within an hour at 1.45 In; type B trips at once
    # above 5 In. 2.55 In: between 1 s and 60 s.
    [(1.45, 3600.0), (2.55, 60.0), (5.0, 1.0)],
)
def test_a_breaker_does_not_trip_first(load: float, trips_after: float) -> None:
    """A load is shed before the breaker's conventional tripping time."""
    assert time_to_shed("breaker", load) < trips_after


def test_a_breaker_bears_a_little_for_long_and_a_lot_briefly() -> None:
    """The more, the shorter; the rated current is for ever."""
    times = [time_to_shed("breaker", load) for load in (1.05, 1.2, 1.45, 2.0, 2.4, 6.0)]
    assert all(one > other for one, other in pairwise(times))
    assert time_to_shed("breaker", 1.0) == inf
    assert times[0] > 3600


def test_contracts_differ() -> None:
    """A strict contract cuts off at once; a graded contract tolerates ten percent."""
    assert time_to_shed("strict", 1.01) <= 15
    assert time_to_shed("graded", 1.09) == inf
    assert 3600 < time_to_shed("graded", 1.2) < 10_800
    assert time_to_shed("graded", 1.5) < 120


def test_what_was_used_comes_back_with_time() -> None:
    """The used tolerance of bursts adds up, and recovers in pauses."""
    monitor = OverloadMonitor(1000.0, CURVES["breaker"])
    now = 0.0
    used = []
    for _ in range(3):
        for power in (1450.0, 0.0):
            for _ in range(60):
                now += 1.0
                monitor.update(power, now)
            used.append(monitor.used)
    assert used[0] > used[1] > 0
    assert used[2] > used[0]
    for _ in range(1000):
        now += 1.0
        monitor.update(0.0, now)
    assert monitor.used == 0
    assert monitor.is_calm
    assert monitor.headroom == 1000


def test_what_is_not_known_uses_nothing_up() -> None:
    """An unknown power is no overload, and leaves no headroom."""
    monitor = OverloadMonitor(1000.0, CURVES["strict"])
    monitor.update(1500.0, 0.0)
    monitor.update(1500.0, 15.0)
    assert monitor.must_shed
    assert monitor.excess == 500
    used = monitor.used
    for now, power in ((16.0, nan), (500.0, None)):
        monitor.update(power, now)
        assert monitor.headroom == monitor.excess == 0
        assert not monitor.must_shed
    assert monitor.used == pytest.approx(used, abs=0.06)
