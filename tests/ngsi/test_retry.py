"""Pauses, paces and batch sizes follow their rules."""

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
def test_a_broker_says_when_to_come_back(
    header: str | None, seconds: float | None
) -> None:
    """In seconds or as a date; the past is now."""
    assert retry_after(header, NOW) == seconds


def test_pauses_grow_from_5_s_to_5_min_within_their_upper_half() -> None:
    """5, 10, 20, ... 300, jittered; a success begins anew."""
    shortest, longest = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    assert [shortest.failed() for _ in range(8)] == [2.5, 5, 10, 20, 40, 80, 150, 150]
    assert [longest.failed() for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]
    for _ in range(5000):
        longest.failed()
    assert longest.failed() == 300
    longest.succeeded()
    assert longest.failures == 0
    assert longest.failed() == 5


def test_what_a_broker_asks_for_is_honoured_within_reason() -> None:
    """A minute is a minute; a year is an hour."""
    assert Backoff(lambda: 0.0).failed(60.0) == 60.0
    assert Backoff(lambda: 0.0).failed(31_536_000.0) == LONGEST_ASKED


def test_a_pace_bounds_the_rate_and_owes_nothing_after_a_pause() -> None:
    """100 records at 50 a second take 2 s; none is waited for later."""
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
    """Only it is set aside, all others go, in at most 3 log2(n) + 3 requests each."""
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


def test_a_batch_that_was_too_large_is_halved_for_good() -> None:
    """Down to a single record, which then is too large itself."""
    size = BatchSize(100)
    assert not size.too_large(80)
    assert size.next == 40
    size.accepted(40)
    assert size.next == 40
    assert size.too_large(1)
