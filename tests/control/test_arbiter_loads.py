"""Arbiter decisions within the limits of loads, for safety, and over restarts."""

from itertools import pairwise
from math import nan

import pytest

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.house import HouseView, LoadView
from custom_components.nrj_monitor.control.load import (
    Load,
    LoadClass,
    LoadError,
    WhenLost,
)
from custom_components.nrj_monitor.control.supply import Supply
from tests.control.house import House, grid
from tests.control.winter_house import ALL, HEATER


def test_comfort_limits_give_a_freezer_its_time(house: House) -> None:
    """A freezer is off for half an hour at most, then on for a quarter; never in shed_3."""
    house.guard = grid("shed_2")
    house.run(1790)
    assert not house.is_on("freezer")
    house.run(30)
    assert house.is_on("freezer")
    assert house.what("freezer") == ("comfort", "default")
    assert not house.is_on("heater")
    house.run(920)
    assert not house.is_on("freezer")
    house.run(1000)
    house.guard = grid("shed_3")
    house.run(1800)
    assert not house.is_on("freezer")


def test_a_load_that_does_not_obey_is_told_again_then_complained_of(
    house: House,
) -> None:
    """Three times soon, then every five minutes; another load relieves the phase."""
    house.unresponsive.add("heater")
    house.guard = grid("shed_1")
    house.run(130)
    assert house.notice_keys() == ["no_relief", "disobeys"]
    assert house.what("heater") == ("disobeying", "under_frequency")
    told = [d.time for d in house.decisions if d.load_id == "heater" and d.switch]
    assert [round(later - one) for one, later in pairwise(told)] == [
        10,
        30,
        60,
    ]
    house.run(400)
    assert sum(d.switch for d in house.decisions if d.load_id == "heater") == 5
    house.guard = grid("normal")
    house.run(10)
    assert house.what("heater") == ("running", "default")


def test_safety_comes_first(house: House) -> None:
    """A safety cut-off beats a person's override."""
    house.arbiter.override("heater", True, 3600.0, house.now)
    house.cut_off = frozenset({"heater", "router"})
    house.run(3)
    assert house.what("heater") == ("cut_off", "safety")
    assert house.is_on("router")


def test_a_restart_forgets_nothing(house: House) -> None:
    """A load shed before a restart returns afterwards; an override goes on."""
    house.guard = grid("shed_1")
    house.run(60)
    house.arbiter.override("freezer", False, 1000.0, house.now)
    house.run(60)
    stored = house.arbiter.as_dict()
    house.arbiter = Arbiter(ALL[:3])
    house.arbiter.update_from_dict(stored, house.now)
    house.guard = grid("normal")
    house.run(200)
    assert not house.is_on("freezer")
    house.run(1400)
    assert house.is_on("heater")
    assert house.is_on("freezer")


def test_time_that_goes_back_is_no_time() -> None:
    """A view with an earlier time does not turn the arbiter's time back."""
    arbiter = Arbiter([HEATER])
    arbiter.update(HouseView(now=100.0, loads={"heater": LoadView(True)}))
    arbiter.update(
        HouseView(now=50.0, guard=grid("shed_1"), loads={"heater": LoadView(True)})
    )
    (decision,) = [arbiter.states["heater"].last_decision]
    assert decision is not None
    assert decision.time == 100.0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"nominal_power": nan}, "nominal_power"),
        ({"priority": 101}, "priority"),
        ({"longest_off": 5.0}, "longest_off"),
        ({"when_lost": WhenLost.OFF}, "when_lost"),
        ({"starts_per_hour": 0}, "starts_per_hour"),
    ],
)
def test_a_load_that_contradicts_itself_is_refused(
    wrong: dict[str, float], field: str
) -> None:
    """The error names the field."""
    with pytest.raises(LoadError) as raised:
        Load(id="load", **wrong)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_no_more_starts_than_a_load_may_have_in_an_hour() -> None:
    """Six starts in an hour, and a person's own switch is not undone."""
    load = Load(
        id="load",
        load_class=LoadClass.SURPLUS,
        nominal_power=1000.0,
        minimum_on=0.0,
        minimum_off=0.0,
    )
    house = House.of([load])
    for _ in range(12):
        house.base[Supply.L1] = -3000.0
        house.run(140)
        house.base[Supply.L1] = 1000.0
        house.run(100)
    first = [now for now, _, on, _ in house.switched if on and now < 3600]
    assert len(first) == 6
    house.person("load", True)
    house.step()
    assert house.is_on("load")
