"""Arbiter decisions on an overloaded phase or contract."""

from custom_components.nrj_monitor.control.supply import PHASES, Supply
from tests.control.house import House, grid


def test_an_overloaded_phase_loses_its_least_important_load(house: House) -> None:
    """Enough loads of the overloaded phase go off, and return with headroom."""
    house.base[Supply.L1] = 5500.0
    house.run(300)
    assert house.is_on("heater"), "1.3 times the rated current is borne for a while"
    house.run(300)
    assert not house.is_on("heater")
    assert house.is_on("freezer")
    assert house.what("heater") == ("shed", "overload")
    house.run(600)
    assert not house.is_on("heater")
    house.base[Supply.L1] = 1000.0
    house.run(1200)
    assert house.is_on("heater")


def test_a_short_overload_is_tolerated(house: House) -> None:
    """Breakers and contracts tolerate a kettle for a minute."""
    house.base[Supply.L1] = 4500.0
    house.run(100)
    assert house.is_on("heater")
    house.base[Supply.L1] = 0.0
    house.run(100)
    assert not house.switched


def test_an_overload_that_shows_no_effect_ends_the_shedding(house: House) -> None:
    """Sheds without effect give a notice, and the loads return."""
    house.person("boiler", True)
    house.stuck = {**dict.fromkeys(PHASES, 2000.0), Supply.TOTAL: 20000.0}
    house.run(60)
    assert house.notice_keys() == ["futile"]
    assert house.arbiter.is_overload_shedding_futile
    off = sum(not on for on in house.on.values())
    house.run(600)
    assert house.notice_keys() == ["futile"]
    assert sum(not on for on in house.on.values()) <= off
    assert house.is_on("heater")
    assert house.is_on("router")


def test_two_sheds_in_vain_are_enough(house: House) -> None:
    """A small overload sheds load after load, not the whole house."""
    house.person("boiler", True)
    house.person("tank", True)
    house.run(100)
    house.stuck = {**dict.fromkeys(PHASES, 2000.0), Supply.TOTAL: 9100.0}
    house.run(60)
    assert house.notice_keys() == ["futile"]
    taken = [id_ for _, id_, on, _ in house.switched if not on]
    assert taken == ["boiler", "tank"], "storage loads first"
    house.run(900)
    assert house.is_on("heater")


def test_an_overload_of_which_nobody_can_say_what_helped(house: House) -> None:
    """A shed whose effect is not measured counts as no failure."""
    house.base[Supply.L1] = 9000.0
    house.run(12)
    assert not house.is_on("heater")
    house.reads = False
    house.run(100)
    assert not house.notice_keys()


def test_what_the_sun_started_gives_way(house: House) -> None:
    """An overload, an inhibit or a person ends a run on surplus at once."""
    house.base[Supply.L3] = -6000.0
    house.run(100)
    assert house.is_on("boiler")
    house.guard = grid("inhibit")
    house.run(70)
    assert house.what("boiler") == ("shed", "inhibit")
    assert not house.is_on("boiler")
