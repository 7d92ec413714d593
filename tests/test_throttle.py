"""How often a state is written, whatever the stream of readings."""

from itertools import pairwise

from hypothesis import given, strategies as st

from custom_components.nrj_monitor.catalog import SignificantChange
from custom_components.nrj_monitor.throttle import WriteThrottle

type Samples = list[tuple[float, float | None]]
type Writes = list[tuple[float, float | None]]

CHANGE = SignificantChange(absolute=1.0)


def replay(samples: Samples, until: float) -> Writes:
    """Return what is written, and when, by a caller who keeps its appointments."""
    throttle = WriteThrottle(CHANGE)
    writes: Writes = []
    latest: float | None = None
    appointment = float("inf")

    def consider(now: float) -> float:
        due = throttle.due(latest, now)
        if due > now:
            return due
        throttle.written(latest, now)
        writes.append((now, latest))
        return throttle.due(latest, now)

    for time, value in samples:
        while appointment <= time:
            appointment = consider(appointment)
        latest = value
        appointment = consider(time)
    while appointment <= until:
        appointment = consider(appointment)
    return writes


def test_the_first_value_is_written_at_once() -> None:
    """Nobody waits for the first value."""
    assert replay([(5.0, 230.0)], until=5.0) == [(5.0, 230.0)]


def test_a_jump_after_a_quiet_second_is_written_at_once() -> None:
    """A step in power shows without delay."""
    writes = replay([(0.0, 0.0), (1.2, 2000.0)], until=2.0)
    assert writes == [(0.0, 0.0), (1.2, 2000.0)]


def test_the_last_value_of_a_burst_is_written_when_the_second_is_over() -> None:
    """A value that came too soon is not lost, and no in-between value is written."""
    writes = replay([(0.0, 0.0), (0.2, 500.0), (0.4, 2000.0)], until=30.0)
    assert writes == [(0.0, 0.0), (1.0, 2000.0)]


def test_a_value_that_came_back_within_the_second_is_not_written() -> None:
    """A blip shorter than the grain of the states leaves no trace in them."""
    writes = replay([(0.0, 0.0), (0.2, 500.0), (0.4, 0.0)], until=30.0)
    assert writes == [(0.0, 0.0)]


def test_drift_below_significance_is_written_once_a_minute() -> None:
    """A state is never older than a minute."""
    drift: Samples = [(float(second), second * 0.01) for second in range(121)]
    assert [time for time, _ in replay(drift, until=120.0)] == [0.0, 60.0, 120.0]


def test_silence_is_written_once_a_minute_too() -> None:
    """The minute is kept without any new reading."""
    assert [time for time, _ in replay([(0.0, 1.0)], until=180.0)] == [0, 60, 120, 180]


def test_after_forgetting_the_next_value_is_written_at_once() -> None:
    """What was unavailable shows its value without delay."""
    throttle = WriteThrottle(CHANGE)
    throttle.written(230.0, 10.0)
    assert throttle.due(230.0, 10.1) == 70.0
    throttle.forget()
    assert throttle.due(230.0, 10.1) == 10.1


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 20.0), st.none() | st.floats(-5000.0, 5000.0, width=32)
        ),
        min_size=1,
        max_size=60,
    )
)
def test_any_stream_keeps_the_limits(gaps_and_values: Samples) -> None:
    """At most once a second, at least once a minute, never wrong for long."""
    time = 0.0
    samples: Samples = []
    for gap, value in gaps_and_values:
        time += gap
        samples.append((time, value))
    writes = replay(samples, until=time + 1.0)
    for (earlier, _), (later, _) in pairwise(writes):
        assert later - earlier >= 1.0 - 1e-9
        assert later - earlier <= 60.0 + 1e-9
    last = samples[-1][1]
    assert not CHANGE.between(writes[-1][1], last)
