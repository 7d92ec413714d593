"""Charger on surplus: a current limit of 6 to 16 A on a phase of 230 V."""

import pytest

from custom_components.nrj_monitor.control.load import Load, LoadClass, LoadError
from custom_components.nrj_monitor.control.supply import Supply
from tests.control.house import House, grid

AMPERE = 230.0
CAR = Load(
    id="car",
    load_class=LoadClass.SURPLUS,
    priority=40,
    phase=Supply.L1,
    nominal_power=16 * AMPERE,
    least_power=6 * AMPERE,
    power_step=AMPERE,
)
BOILER = Load(
    id="boiler",
    load_class=LoadClass.SURPLUS,
    priority=60,
    phase=Supply.L2,
    nominal_power=2000.0,
)


@pytest.fixture
def house() -> House:
    """Return a house with a car, at night."""
    house = House.of([CAR])
    house.run(200)
    assert not house.switched
    return house


def amperes(house: House) -> float | None:
    """Return the current limit of the charger, A; None while off."""
    level = house.levels.get("car")
    return level / AMPERE if house.is_on("car") and level is not None else None


def sun(house: House, watts: float, seconds: float = 120) -> None:
    """Let the sun shine on the rest of the house."""
    house.base[Supply.L1] = -watts
    house.run(seconds)


def test_it_follows_the_sun(house: House) -> None:
    """The limit follows the surplus in whole amperes; below 6 A the charger is off."""
    sun(house, 1400.0)
    assert amperes(house) is None, "100 W more than 6 A are wanted"
    for watts, amps in ((2000.0, 8), (3000.0, 12), (9000.0, 16), (2400.0, 10)):
        sun(house, watts)
        assert amperes(house) == pytest.approx(amps), watts
        assert house.what("car") == ("surplus", "surplus")
    sun(house, 800.0)
    assert not house.is_on("car")
    assert [on for _, _, on, _ in house.switched] == [True, False]


def test_each_change_is_a_decision(house: House) -> None:
    """Each new level is a decision; an unchanged level is not."""
    sun(house, 2000.0, 300)
    sun(house, 3000.0, 300)
    told = [one for one in house.decisions if one.switch]
    assert [round((one.level or 0) / AMPERE) for one in told] == [8, 12]
    assert all(one.action.value == "absorb" for one in told)


def test_a_flicker_changes_nothing(house: House) -> None:
    """Surplus within the dead band, or for a moment, does not change the level."""
    sun(house, 2000.0)
    known = len(house.decisions)
    for number in range(60):
        sun(house, 1840.0 + (90.0, -90.0)[number % 2], 5)
    for _ in range(10):
        sun(house, 3000.0, 20)
        sun(house, 1900.0, 20)
        sun(house, 1500.0, 8)
        sun(house, 1900.0, 20)
    assert len(house.decisions) == known


def test_a_cloud_lowers_it_at_once_and_its_minimum_time_is_kept(house: House) -> None:
    """The charger draws its least power until the minimum time on is over."""
    slow = House.of(
        [
            Load(
                id="car",
                load_class=LoadClass.SURPLUS,
                nominal_power=16 * AMPERE,
                least_power=6 * AMPERE,
                power_step=AMPERE,
                minimum_on=600.0,
            )
        ]
    )
    slow.run(200)
    sun(slow, 9000.0)
    assert amperes(slow) == pytest.approx(16)
    sun(slow, 0.0, 40)
    assert amperes(slow) == pytest.approx(6)
    sun(slow, 0.0, 200)
    assert slow.what("car")[0] == "waiting"
    assert amperes(slow) == pytest.approx(6)
    sun(slow, 0.0, 500)
    assert not slow.is_on("car")


def test_what_matters_more_comes_first() -> None:
    """The boiler of higher priority starts on power that the car releases."""
    house = House.of([CAR, BOILER])
    house.run(200)
    sun(house, 1900.0, 200)
    assert amperes(house) == pytest.approx(7)
    sun(house, 4000.0, 400)
    assert house.is_on("boiler")
    assert amperes(house) == pytest.approx(8)
    assert [on for _, _, on, _ in house.switched] == [True, True]


def test_a_charger_that_does_not_follow_ends(house: House) -> None:
    """A charger that ignores its level ends with the import."""
    sun(house, 2000.0)
    for _ in range(120):
        house.levels["car"] = CAR.nominal_power
        house.step()
        if not house.is_on("car"):
            break
    assert not house.is_on("car")


def test_a_charger_on_which_nothing_shows_is_let_go(house: House) -> None:
    """The car is full."""
    house.idle.add("car")
    sun(house, 2000.0, 300)
    assert house.notice_keys() == ["no_effect"]
    assert not house.is_on("car")


def test_the_grid_has_too_much(house: House) -> None:
    """An over-frequency sets full power, and the surplus counts afterwards."""
    sun(house, 2000.0)
    house.guard = grid("absorb_1")
    house.run(5)
    assert house.what("car") == ("absorbing", "absorb")
    assert house.levels["car"] is None
    house.guard = grid("normal")
    house.run(30)
    assert amperes(house) in (pytest.approx(6), pytest.approx(8))


def test_fine_steps_are_told_together() -> None:
    """A tenth of an ampere is not worth a message."""
    house = House.of(
        [
            Load(
                id="car",
                load_class=LoadClass.SURPLUS,
                nominal_power=3680.0,
                least_power=1380.0,
                power_step=23.0,
            )
        ]
    )
    house.run(200)
    sun(house, 1380.0 + 100.0 + 120.0)
    assert house.levels["car"] == pytest.approx(1380.0 + 5 * 23.0)


@pytest.mark.parametrize("least", [0.0, 4000.0, float("nan")])
def test_a_least_power_that_is_none_is_refused(least: float) -> None:
    """The least power is above zero, up to the nominal power."""
    with pytest.raises(LoadError) as refused:
        Load(id="car", nominal_power=3680.0, least_power=least)
    assert refused.value.field == "least_power"
