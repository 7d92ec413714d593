"""Check how often and how truly a state is written, whatever the stream of readings."""

from collections.abc import Callable
from itertools import pairwise
from math import sin

from hypothesis import example, given, strategies as st
import numpy as np
import pytest

from custom_components.nrj_monitor.catalog import SignificantChange
from custom_components.nrj_monitor.throttle import CounterThrottle, MeasurementThrottle

type Samples = list[tuple[float, float | None]]
type Writes = list[tuple[float, float | None]]
type Written = Callable[[Samples, float], Writes]

CHANGE = SignificantChange(absolute=1.0)
RATE = 5
"""Readings a second in the tests of what statistics see."""


def replay(samples: Samples, until: float, throttle: CounterThrottle) -> Writes:
    """Return the writes, with their times, of a caller who keeps its appointments."""
    writes: Writes = []

    def consider(due: float, now: float) -> float:
        if due > now:
            return due
        writes.append((now, throttle.write(now)))
        return throttle.due(now)

    appointment = float("inf")
    for time, value in samples:
        while appointment <= time:
            appointment = consider(throttle.due(appointment), appointment)
        appointment = min(appointment, consider(throttle.update(value, time), time))
    while appointment <= until:
        appointment = consider(throttle.due(appointment), appointment)
    return writes


def measurement(samples: Samples, until: float) -> Writes:
    """Return the writes of a measurement."""
    return replay(samples, until, MeasurementThrottle(CHANGE))


def counter(samples: Samples, until: float) -> Writes:
    """Return the writes of a counter."""
    return replay(samples, until, CounterThrottle(CHANGE))


both = pytest.mark.parametrize("written", [measurement, counter])


@both
def test_the_first_value_is_written_at_once(written: Written) -> None:
    """Nobody waits for the first value."""
    assert written([(5.0, 230.0)], 5.0) == [(5.0, 230.0)]


@both
def test_a_jump_after_a_quiet_second_is_written_at_once(written: Written) -> None:
    """A step in power shows without delay."""
    writes = written([(0.0, 0.0), (1.2, 2000.0)], 2.0)
    assert writes == [(0.0, 0.0), (1.2, 2000.0)]


def test_the_last_value_of_a_burst_is_written_when_the_second_is_over() -> None:
    """Write the latest count once the second is over, and none in between."""
    writes = counter([(0.0, 0.0), (0.2, 500.0), (0.4, 2000.0)], 30.0)
    assert writes == [(0.0, 0.0), (1.0, 2000.0)]


def test_a_peak_within_the_second_is_shown() -> None:
    """Write a minute's maximum however short the peak was."""
    writes = measurement([(0.0, 0.0), (0.2, 500.0), (0.4, 0.0)], 30.0)
    assert writes == [(0.0, 0.0), (1.0, 500.0), (2.0, 0.0)]


def test_a_reading_after_a_short_absence_is_shown() -> None:
    """Write a changed value back within the second after an absence."""
    writes = measurement([(0.0, 230.0), (0.2, None), (0.4, 0.0)], 30.0)
    assert writes == [(0.0, 230.0), (1.0, 0.0)]


def test_drift_below_significance_is_written_once_a_minute() -> None:
    """A state is never older than a minute."""
    drift: Samples = [(float(second), second * 0.01) for second in range(121)]
    assert [time for time, _ in counter(drift, 120.0)] == [0.0, 59.0, 118.0]


@both
def test_silence_is_written_once_a_minute_too(written: Written) -> None:
    """The minute is kept without any new reading."""
    assert [time for time, _ in written([(0.0, 1.0)], 180.0)] == [0, 59, 118, 177]


def test_after_forgetting_the_next_value_is_written_at_once() -> None:
    """Write the first value after unavailability without delay."""
    throttle = MeasurementThrottle(CHANGE)
    throttle.update(230.0, 10.0)
    assert throttle.write(10.0) == 230.0
    assert throttle.update(230.0, 10.1) == 69.0
    throttle.reset()
    assert throttle.update(230.0, 10.2) == 10.2


@both
@given(
    gaps_and_values=st.lists(
        st.tuples(
            st.floats(0.0, 20.0), st.none() | st.floats(-5000.0, 5000.0, width=32)
        ),
        min_size=1,
        max_size=60,
    )
)
@example(gaps_and_values=[(0.0, 1.0), (0.0, None), (0.0, 0.0)])
def test_any_stream_keeps_the_limits(
    written: Written, gaps_and_values: Samples
) -> None:
    """At most once a second, at least once a minute, never wrong for long."""
    time = 0.0
    samples: Samples = []
    for gap, value in gaps_and_values:
        time += gap
        samples.append((time, value))
    writes = written(samples, time + 5.0)
    for (earlier, _), (later, _) in pairwise(writes):
        assert later - earlier >= 1.0 - 1e-9
        assert later - earlier <= 60.0 + 1e-9
    last = samples[-1][1]
    assert not CHANGE.between(writes[-1][1], last)


STREAMS: dict[str, tuple[float, Callable[[float, float], float]]] = {
    "noise below a step": (0.6, lambda t, noise: 230 + 0.3 * noise),
    "noise above a step": (0.6, lambda t, noise: 230 + 4 * noise),
    "slow swing": (0.6, lambda t, noise: 230 + 5 * sin(t / 40) + 0.2 * noise),
    "drift": (0.6, lambda t, noise: t / 60),
    # Each jump may show up to a second late or long: the grain of the states.
    "kettle": (2000 / 60 + 0.6, lambda t, noise: 2000 * ((t // 45) % 2) + 0.4 * noise),
    "spikes": (400, lambda t, noise: 3000.0 if abs(noise) > 2.5 else 100.0),
}
"""By name: how far a minute's mean may be off, and the reading at t with a noise of 1."""


@pytest.mark.parametrize("stream", STREAMS)
def test_each_minutes_statistics_are_those_of_the_readings(stream: str) -> None:
    """Mean, minimum and maximum of a minute of states are those of all the readings."""
    noise = np.random.default_rng(7).standard_normal(20 * 60 * RATE)
    times = np.arange(len(noise)) / RATE
    tolerance, signal = STREAMS[stream]
    values = np.array([signal(t, n) for t, n in zip(times, noise, strict=True)])
    writes = measurement(
        [(float(t), float(v)) for t, v in zip(times, values, strict=True)],
        float(times[-1]),
    )
    assert len(writes) <= times[-1] + 1
    fine = np.arange(0, times[-1], 0.01)
    at = np.searchsorted([time for time, _ in writes], fine, side="right") - 1
    states = np.array([value for _, value in writes], dtype=float)[at]
    read = values[np.searchsorted(times, fine, side="right") - 1]
    # An extreme of a minute's last second is written in the next.
    slack = int(1.5 / 0.01)
    for start in range(6000, len(fine) - 6000, 6000):
        minute = slice(start, start + 6000)
        around = slice(start - slack, start + 6000 + slack)
        assert abs(states[minute].mean() - read[minute].mean()) <= tolerance
        assert states[around].max() >= read[minute].max() - 1
        assert states[around].min() <= read[minute].min() + 1
        assert states[minute].max() <= read[around].max() + 0.6
        assert states[minute].min() >= read[around].min() - 0.6
