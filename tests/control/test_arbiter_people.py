"""Arbiter decisions after persons and automations switch loads."""

from math import nan

import pytest

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.load import Load, LoadError
from tests.control.house import House, grid
from tests.control.winter_house import HEATER, ROUTER


def test_a_person_has_the_last_word_for_a_while(house: House) -> None:
    """A shed load switched on by hand stays on for a while; then the grid counts."""
    house.guard = grid("shed_1")
    house.run(200)
    house.person("heater", True)
    house.run(1790)
    assert house.is_on("heater")
    assert house.what("heater") == ("overridden", "override")
    house.run(30)
    assert house.what("heater") == ("shed", "under_frequency")


def test_an_automation_does_not_beat_the_grid(house: House) -> None:
    """The state set by an automation during a shed returns afterwards."""
    house.automation("boiler", True)
    house.run(300)
    assert house.what("boiler") == ("running", "automation")
    house.guard = grid("shed_1")
    house.run(200)
    house.automation("boiler", True)
    house.run(5)
    assert not house.is_on("boiler")
    house.automation("heater", False)
    house.guard = grid("normal")
    house.run(600)
    assert house.is_on("boiler")
    assert not house.is_on("heater"), "nobody misses it any more"


def test_actions_of_a_person(house: House) -> None:
    """An override lasts, ends early on request, and is refused out of range."""
    arbiter = house.arbiter
    arbiter.override("heater", False, 3600.0, house.now)
    house.step()
    assert house.what("heater") == ("overridden", "override")
    assert not house.is_on("heater")
    house.run(300)
    arbiter.restore("heater", house.now)
    house.run(3)
    assert house.is_on("heater")
    assert not arbiter.end_override("heater", house.now)
    house.guard = grid("shed_1")
    house.run(200)
    house.guard = grid("normal")
    house.step()
    arbiter.restore("heater", house.now)
    house.run(2)
    assert house.is_on("heater"), "without the random delay"
    arbiter.override("tank", True, 60.0, house.now)
    house.run(20)
    assert house.is_on("tank")
    house.run(120)
    assert not house.is_on("tank")
    with pytest.raises(LoadError, match="never shed"):
        arbiter.override("router", False, 60.0, house.now)
    for duration in (0.0, nan, 1e9):
        with pytest.raises(LoadError, match="no time"):
            arbiter.override("heater", False, duration, house.now)


def test_an_override_waits_for_the_minimum_times(house: House) -> None:
    """Not even a person starts a compressor too soon through the arbiter."""
    house.arbiter.override("freezer", False, 30.0, house.now)
    house.run(5)
    house.arbiter.override("freezer", True, 3600.0, house.now)
    house.run(200)
    assert not house.is_on("freezer")
    assert house.what("freezer") == ("overridden", "override")
    house.run(150)
    assert house.is_on("freezer")


def test_a_load_that_is_never_shed_from_now_on_comes_back() -> None:
    """A shed load whose class becomes never-shed returns for good."""
    house = House.of([HEATER], on=["heater"])
    house.guard = grid("shed_1")
    house.run(300)
    assert not house.is_on("heater")
    stored = house.arbiter.as_dict()
    house.arbiter = Arbiter([Load(id="heater")])
    house.arbiter.update_from_dict(stored, house.now)
    house.run(3)
    assert house.is_on("heater")
    house.run(3600, 5.0)
    assert house.is_on("heater")
    house.person("heater", False)
    house.automation("heater", True)
    house.run(10)
    assert house.is_on("heater")


def test_what_is_never_shed_stays_on_after_an_override() -> None:
    """A never-shed load is never switched off, nor switched against a person."""
    house = House.of([ROUTER])
    house.run(5)
    house.arbiter.override("router", True, 60.0, house.now)
    house.run(200)
    assert house.is_on("router")
    house.arbiter.override("router", True, 600.0, house.now)
    house.person("router", False)
    house.run(10)
    assert not house.is_on("router"), "a person's own switch"
    house.automation("router", True)
    house.run(10)
    assert house.is_on("router")
