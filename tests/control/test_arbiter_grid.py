"""Arbiter decisions on under-frequency, over-frequency and outages."""

import pytest

from custom_components.nrj_monitor.control.decision import Action
from custom_components.nrj_monitor.control.load import Load, LoadClass, WhenLost
from custom_components.nrj_monitor.control.supply import Supply
from tests.control.house import House, grid


def test_a_sag_takes_off_what_may_go_and_brings_it_back_in_reverse(
    house: House,
) -> None:
    """Each class goes off at its stage, and returns in reverse order at random delays."""
    house.guard = grid("shed_1")
    house.step()
    assert house.on == {
        "heater": False,
        "freezer": True,
        "boiler": False,
        "tank": False,
        "router": True,
    }
    assert house.what("heater") == ("shed", "under_frequency")
    house.guard = grid("shed_2")
    house.step()
    assert not house.is_on("freezer")
    house.run(600)
    house.guard = grid("normal")
    house.switched.clear()
    house.run(1)
    assert house.what("freezer") == ("restoring", "under_frequency")
    house.run(330)
    back = [(id_, now) for now, id_, on, _ in house.switched if on]
    assert [id_ for id_, _ in back] == ["freezer", "heater"]
    assert back[1][1] - back[0][1] >= 10
    assert house.switched[0][3].action is Action.RESTORE
    assert house.what("heater") == ("running", "default")


def test_nothing_comes_back_while_the_frequency_is_invalid(house: House) -> None:
    """A frequency without voltage is invalid; shed loads stay off."""
    house.guard = grid("shed_1")
    house.run(5)
    house.guard = grid("invalid", "shed_1", dead=True)
    house.run(1600)
    assert not house.is_on("heater")
    house.guard = grid("invalid", "normal", dead=True)
    house.run(10)
    assert house.what("heater") == ("held", "under_frequency")


def test_after_an_outage_all_come_back_one_by_one(house: House) -> None:
    """A minute without voltage is an outage; who is never shed is not waited for."""
    house.guard = grid("invalid", dead=True)
    house.run(59)
    assert house.is_on("heater")
    house.run(5)
    assert not house.is_on("heater")
    assert house.is_on("router")
    house.guard = grid("normal")
    house.run(600)
    starts = [now for now, _, on, _ in house.switched if on]
    assert len(starts) == 2
    assert starts[1] - starts[0] >= 10


def test_a_storage_load_takes_up_what_the_grid_has_too_much(house: House) -> None:
    """The load of highest priority runs in absorb_1, all storage loads in absorb_2."""
    house.guard = grid("absorb_1")
    house.run(30)
    assert house.is_on("tank")
    assert not house.is_on("boiler")
    assert house.what("tank") == ("absorbing", "absorb")
    house.guard = grid("absorb_2")
    house.run(30)
    assert house.is_on("boiler")
    house.guard = grid("invalid", "absorb_2")
    house.run(100)
    assert house.what("tank") == ("held", "absorb")
    house.guard = grid("normal")
    house.run(3)
    assert not house.is_on("tank")
    assert house.what("boiler")[0] in ("idle", "waiting")
    house.run(60)
    assert not house.is_on("boiler")


def test_inhibit_stops_storage_loads_and_leaves_the_rest(house: House) -> None:
    """A storage load a person has switched on goes off too, after its minimum time."""
    house.person("boiler", True)
    house.run(10)
    house.guard = grid("inhibit")
    house.run(10)
    assert house.what("boiler") == ("waiting", "inhibit")
    house.run(60)
    assert house.what("boiler") == ("shed", "inhibit")
    assert house.is_on("heater")


@pytest.mark.parametrize("shows", [True, False])
def test_a_shed_for_the_grid_that_shows_nothing_is_said(
    house: House, shows: bool
) -> None:
    """A shed without effect lasts as long as the grid is low, and gives a notice."""
    if not shows:
        house.idle |= {"heater", "freezer"}
    house.guard = grid("shed_1")
    house.run(5)
    house.guard = grid("shed_2")
    house.run(30)
    assert house.notice_keys() == ([] if shows else ["no_relief"])
    assert not house.is_on("heater")


def test_sheds_for_the_grid_that_do_not_help_end(house: House) -> None:
    """Shed loads stay off, no more are shed, and the next under-frequency starts anew."""
    house.idle |= {"heater"}
    house.guard = grid("shed_1")
    house.run(20)
    assert house.notice_keys() == ["no_relief"]
    house.guard = grid("shed_3")
    house.run(60)
    assert not house.is_on("heater")
    assert house.is_on("freezer"), "nothing more is shed"
    assert house.what("freezer") == ("running", "default")
    house.automation("heater", True)
    house.run(200)
    assert not house.is_on("heater"), "what is off is kept off"
    house.guard = grid("normal")
    house.run(700)
    assert not house.arbiter.is_grid_shedding_futile
    assert house.is_on("heater")
    house.guard = grid("shed_2")
    house.run(5)
    assert not house.is_on("freezer")
    assert not house.is_on("heater")


def test_a_storage_load_goes_off_though_sheds_do_not_help(house: House) -> None:
    """A storage load goes off for the inhibit, in spite of futile sheds."""
    house.idle |= {"heater"}
    house.base[Supply.L3] = -9000.0
    house.run(100)
    assert house.is_on("boiler")
    house.guard = grid("shed_1")
    house.stuck = dict(house.powers())
    house.run(20)
    assert house.arbiter.is_grid_shedding_futile
    assert not house.is_on("boiler")


def test_where_nothing_is_measured_nothing_can_show(house: House) -> None:
    """The power is unknown before a shed, or after the shed."""
    house.reads = False
    house.guard = grid("shed_1")
    house.run(30)
    house.guard = grid("normal")
    house.reads = True
    house.run(400)
    house.guard = grid("shed_1")
    house.idle |= {"heater"}
    house.step()
    house.reads = False
    house.run(30)
    assert not house.notice_keys()


def test_nothing_is_shed_for_a_power_that_is_not_known(house: House) -> None:
    """NaN is neither an overload nor a surplus."""
    house.reads = False
    house.base[Supply.L1] = 9000.0
    house.run(600)
    assert not house.switched


@pytest.mark.parametrize(
    ("when_lost", "after_a_minute", "after_hours"),
    [
        (WhenLost.HOLD, False, True),
        (WhenLost.OFF, False, False),
        (WhenLost.ON, True, True),
    ],
)
def test_a_lost_meter(
    when_lost: WhenLost, after_a_minute: bool, after_hours: bool
) -> None:
    """Each load takes its configured state; held loads return after an hour."""
    load = Load(
        id="load",
        load_class=LoadClass.SHED_1,
        when_lost=when_lost,
        minimum_off=30.0,
        longest_off=3000.0,
    )
    house = House.of([load], on=["load"])
    house.guard = grid("shed_1")
    house.run(20)
    house.meter_there = False
    house.guard = None
    house.run(90)
    assert house.notice_keys() == ["lost"]
    assert house.what("load")[0] == "lost"
    assert house.is_on("load") is after_a_minute
    house.run(3900)
    assert house.is_on("load") is after_hours
    house.meter_there = True
    house.run(700)
    assert house.is_on("load")


def test_a_frequency_that_stays_invalid_counts_as_lost(house: House) -> None:
    """An invalid frequency in spite of voltage is a broken measurement, no outage."""
    house.guard = grid("shed_1")
    house.run(5)
    house.guard = grid("invalid", "shed_1")
    house.run(3500)
    assert not house.is_on("heater")
    assert not house.notice_keys()
    house.run(4200)
    assert house.notice_keys() == ["lost"]
    assert house.is_on("heater")
