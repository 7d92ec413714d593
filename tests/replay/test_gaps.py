"""Gaps of a recording, and what must not fill the memory or the time."""

from math import nan
import tracemalloc

import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.decision import Decision
from custom_components.nrj_monitor.control.house import HouseView
from custom_components.nrj_monitor.control.load import Load, LoadClass, WhenLost
from custom_components.nrj_monitor.control.overload import CURVES, OverloadMonitor
from custom_components.nrj_monitor.control.supply import Supply
from custom_components.nrj_monitor.replay.house import House
from custom_components.nrj_monitor.replay.replay import GREATEST_POWER

from .played import play, row

HOUR = 3600
MINUTE = 60
LOW = 49.5


def heater(**settings: object) -> Load:
    """Return a heater of 2 kW that is shed first."""
    return Load(
        id="heater",
        load_class=LoadClass.SHED_1,
        nominal_power=2000.0,
        **settings,  # type: ignore[arg-type]
    )


def test_a_gap_is_a_lost_meter_after_a_minute() -> None:
    """Say that the meter is lost, and switch what is to go off then, a minute into the gap."""
    house = House((heater(when_lost=WhenLost.OFF),), frozenset({"heater"}))
    rows = [row(s) for s in range(100)] + [row(s) for s in range(400, 500)]
    lines = play(rows, house)
    (lost,) = [line for line in lines if line.get("reason") == "lost"]
    # The last row is at 99 s, and 2.5 s are the usual silence of a source a second.
    assert 99 + MINUTE <= lost["t"] <= 99 + MINUTE + 4
    off = next(line for line in lines if line.get("switched"))
    assert (off["load"], off["t"]) == ("heater", lost["t"])
    assert lines[-1]["summary"]["off_at_the_end"] == ["heater"], "five minutes at most"


def test_a_short_gap_is_no_lost_meter() -> None:
    """Keep all as it is while less than a minute is missing."""
    rows = [row(s) for s in range(100)] + [row(s) for s in range(150, 250)]
    lines = play(rows)
    assert not [line for line in lines if line.get("reason") == "lost"]
    assert lines[-1]["summary"]["actions"] == 0


def test_rows_far_apart_are_no_gap() -> None:
    """Take the usual step of a recording for granted, be it five minutes."""
    lines = play([row(300 * n, 50.0, 500.0) for n in range(50)], step=300)
    assert [line["reason"] for line in lines[:-1]] == ["valid_again"]


def test_stale_powers_leave_the_rules() -> None:
    """Shed for no overload, and start on no surplus, that was seen before a gap alone."""
    boiler = Load(id="boiler", load_class=LoadClass.SURPLUS, nominal_power=1000.0)
    rows = [row(s, 50.0, 500.0) for s in range(100)]
    # The surplus is there for half the minute it must last, then the rows end.
    rows += [row(100 + s, 50.0, -3000.0) for s in range(30)]
    rows += [row(400 + s, 50.0, 500.0) for s in range(100)]
    assert play(rows, House((boiler,), frozenset()))[-1]["summary"]["actions"] == 0
    # Ten seconds of an overload that is borne for twenty.
    contract = OverloadMonitor(3000.0, CURVES["strict"])
    house = House((heater(),), frozenset({"heater"}), {Supply.TOTAL: contract})
    rows = [row(s, 50.0, 500.0) for s in range(100)]
    rows += [row(100 + s, 50.0, 4000.0) for s in range(5)]
    rows += [row(400 + s, 50.0, 500.0) for s in range(100)]
    assert play(rows, house)[-1]["summary"]["actions"] == 0


def _stages_after(gap: float) -> list[str]:
    """Return the stages after a gap that began while the frequency was low."""
    rows = [row(s) for s in range(100)] + [row(100 + s, LOW) for s in range(20)]
    begin = 120 + gap
    rows += [row(begin + s) for s in range(300)]
    lines = play(rows, House((heater(),), frozenset({"heater"})))
    return [
        line["stage"]
        for line in lines[:-1]
        if line["action"] == "stage" and line["t"] >= begin
    ]


def test_a_stage_resumes_after_a_short_gap() -> None:
    """Go on where the guard was, until the frequency has been well for its time."""
    assert _stages_after(10 * MINUTE) == ["shed_2", "normal"]


def test_a_stage_has_an_age_limit() -> None:
    """Begin anew after an hour: the grid of then says nothing about now."""
    assert _stages_after(2 * HOUR) == ["normal"]


def test_what_was_shed_comes_back_in_a_long_gap() -> None:
    """Give back after an hour, as in the house, what is held off for a lost meter."""
    rows = [row(s) for s in range(100)] + [row(100 + s, LOW) for s in range(20)]
    rows += [row(120 + 3 * HOUR + s) for s in range(100)]
    lines = play(rows, House((heater(),), frozenset({"heater"})))
    (back,) = [line for line in lines if line.get("action") == "restore"]
    assert HOUR <= back["t"] - 119 - MINUTE <= HOUR + 5 * MINUTE + 4
    assert back["switched"]


@pytest.mark.parametrize("when_lost", WhenLost)
def test_a_clock_that_jumps_by_decades_costs_nothing(
    when_lost: WhenLost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pass from the uptime to the time of day without a step for each second between."""
    rows = [row(s) for s in range(60)] + [row(1.7e9 + s) for s in range(60)]
    house = House((heater(when_lost=when_lost),), frozenset({"heater"}))
    looks = 0
    update = Arbiter.update

    def counted(arbiter: Arbiter, view: HouseView) -> list[Decision]:
        nonlocal looks
        looks += 1
        return update(arbiter, view)

    monkeypatch.setattr(Arbiter, "update", counted)
    tracemalloc.start()
    lines = play(rows, house)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines[-1]["summary"]["seconds"] == 1.7e9 + 59
    assert len(lines) < 20
    assert looks < 4 * HOUR, "seconds until nothing waits any more"
    assert peak < 2**20


def test_powers_that_nothing_can_measure_are_unknown() -> None:
    """Shed for no power beyond the catalog's, nor for one that is not measured."""
    limits = CHANNELS["active_power_l1"].quantity.limits
    assert (limits.low, limits.high) == (-GREATEST_POWER, GREATEST_POWER)
    contract = OverloadMonitor(3000.0, CURVES["strict"])
    house = House((heater(),), frozenset({"heater"}), {Supply.TOTAL: contract})
    for wrong in (1e30, nan):
        rows = [row(s, 50.0, 500.0 if s < 100 else wrong) for s in range(300)]
        assert play(rows, house)[-1]["summary"]["actions"] == 0
    rows = [row(s, 50.0, 500.0 if s < 100 else 4000.0) for s in range(300)]
    assert play(rows, house)[-1]["summary"]["actions"] == 1


def test_a_charger_is_changed_on_a_new_row_only() -> None:
    """Change its level once for each row of a meter that tells once a minute."""
    car = Load(
        id="car",
        load_class=LoadClass.SURPLUS,
        phase=Supply.L1,
        nominal_power=3680.0,
        least_power=1380.0,
        power_step=230.0,
    )
    rows = [row(60 * n, 50.0, -4000.0 if n < 10 else -100.0) for n in range(30)]
    lines = play(rows, House((car,), frozenset()), step=60)
    changed = [line["t"] // 60 for line in lines[:-1] if "power" in line]
    assert len(changed) > 1
    assert len(changed) == len(set(changed))
