"""The random lives find what is wrong with a sum, and ask nothing that nobody can know."""

from nrj_faults.comparison import HOUR, compare_hours
from nrj_faults.recording import House
from nrj_faults.truth import Start, Truth
import pytest

CHANNEL = "import_energy"
HOURS = range(0, 4 * HOUR, HOUR)


@pytest.fixture
def truth() -> Truth:
    """Return the truth of a meter that has always been on."""
    truth = Truth(House(1, 6))
    truth.starts.append(Start(on=-HOUR))
    return truth


def right_rows(truth: Truth) -> dict[int, dict[str, float]]:
    """Return rows that have all that is known."""
    rows = {}
    total = 0.0
    for hour in HOURS:
        total += truth.known(CHANNEL, hour, hour + HOUR) / 1000
        rows[hour] = {"state": total, "sum": total}
    return rows


def errors(truth: Truth, rows: dict[int, dict[str, float]]) -> tuple[str, ...]:
    """Return what is wrong with rows."""
    return compare_hours(CHANNEL, rows, truth, HOURS, {}).errors


def test_a_lost_half_kilowatt_hour_is_found(truth: Truth) -> None:
    """In its hour, and in all hours together."""
    rows = right_rows(truth)
    assert not errors(truth, rows)
    for hour in (2 * HOUR, 3 * HOUR):
        rows[hour]["sum"] -= 0.5
    lost, all_hours, hour_2 = errors(truth, rows)
    assert "lost or counted twice" in lost
    assert "in all hours" in all_hours
    assert "hour 2" in hour_2


def test_an_hour_that_ends_at_an_unknown_time_is_no_measure(truth: Truth) -> None:
    """What the journal lost in a power cut was counted before the hour or after it."""
    truth.lose(4 * HOUR - 300, 4 * HOUR + 300)
    rows = right_rows(truth)
    for value in ("state", "sum"):
        rows[3 * HOUR][value] -= 0.08
    assert not errors(truth, rows)
    rows[2 * HOUR]["sum"] += 0.08
    assert errors(truth, rows)


def test_a_new_meter_that_restarts_before_it_is_told_of_may_have_counted_elsewhere(
    truth: Truth,
) -> None:
    """Home Assistant takes it as here since its latest start."""
    truth.starts[-1].off = HOUR
    truth.begin_count(HOUR)
    truth.starts += [Start(on=HOUR, off=1.5 * HOUR), Start(on=1.6 * HOUR)]
    counted = truth.known(CHANNEL, HOUR, 1.6 * HOUR)
    assert counted > 100
    truth.lose_before_latest_start()
    assert truth.known(CHANNEL, HOUR, 1.6 * HOUR) == pytest.approx(0.0)
    # The meter itself has it all.
    assert truth.in_count(CHANNEL, 1.6 * HOUR) == pytest.approx(counted)
    assert not errors(truth, right_rows(truth))
