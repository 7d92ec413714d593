"""Rules of retry pauses, sending rate and batch size."""

from datetime import UTC, datetime

from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.ngsi.retry import (
    LONGEST_ASKED,
    Backoff,
    BatchSize,
    Pace,
    retry_after,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Sat, 21 Nov 2026 12:01:30 GMT", 90.0),
        ("Sat, 21 Nov 2026 12:01:30 -0000", 90.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    """Read seconds or a date; a past date is now."""
    assert retry_after(header, NOW) == seconds


def test_pauses_grow_from_5_s_to_5_min_within_their_upper_half() -> None:
    """Grow 5, 10, 20, ... 300 s with jitter; reset after a success."""
    shortest, longest = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    assert [shortest.failed() for _ in range(8)] == [2.5, 5, 10, 20, 40, 80, 150, 150]
    assert [longest.failed() for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]
    for _ in range(5000):
        longest.failed()
    assert longest.failed() == 300
    longest.succeeded()
    assert longest.failures == 0
    assert longest.failed() == 5


def test_a_requested_pause_is_honoured_up_to_an_hour() -> None:
    """Wait a requested minute; cut a requested year to an hour."""
    assert Backoff(lambda: 0.0).failed(60.0) == 60.0
    assert Backoff(lambda: 0.0).failed(31_536_000.0) == LONGEST_ASKED


def test_a_pace_limits_the_rate_without_a_debt_after_a_pause() -> None:
    """Take 2 s for 100 records at 50 a second; owe nothing later."""
    pace = Pace(50.0)
    assert pace.wait(0.0) == 0.0
    pace.sent(100, 0.0)
    assert pace.wait(0.5) == 1.5
    assert pace.wait(10.0) == 0.0
    pace.sent(50, 10.0)
    assert pace.wait(10.0) == 1.0
    Pace(None).sent(1000, 0.0)
    assert Pace(None).wait(0.0) == 0.0


@given(st.integers(1, 500), st.data())
def test_a_bad_record_is_found_in_few_steps(count: int, data: st.DataObject) -> None:
    """Isolate each bad record in at most 3 log2(n) + 3 requests."""
    bad = data.draw(st.sets(st.integers(0, count - 1), max_size=4))
    waiting = list(range(count))
    sent: list[int] = []
    aside: list[int] = []
    requests = 0
    size = BatchSize(200)
    while waiting:
        batch = waiting[: size.next]
        requests += 1
        if not bad & set(batch):
            size.accepted(len(batch))
        elif not size.refused(len(batch)):
            continue
        (aside if bad & set(batch) else sent).extend(batch)
        del waiting[: len(batch)]
    assert sent == [n for n in range(count) if n not in bad]
    assert aside == sorted(bad)
    assert not size.searching
    assert requests <= (len(bad) + 1) * (3 * count.bit_length() + 3)


def test_a_too_large_batch_halves_the_size_for_good() -> None:
    """Halve down to a single record, which then is too large alone."""
    size = BatchSize(100)
    assert not size.too_large(80)
    assert size.next == 40
    size.accepted(40)
    assert size.next == 40
    assert size.too_large(1)
