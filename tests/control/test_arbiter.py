"""What the arbiter does with a house, told as it would be to a neighbour."""

from itertools import pairwise
from math import nan

import pytest

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.decision import Action
from custom_components.nrj_monitor.control.house import HouseView, LoadView
from custom_components.nrj_monitor.control.load import (
    Load,
    LoadClass,
    LoadError,
    WhenLost,
)
from custom_components.nrj_monitor.control.overload import CURVES, OverloadWatch

from .house import PHASES, House, grid

HEATER = Load(
    id="heater",
    load_class=LoadClass.SHED_1,
    priority=10,
    phase="L1",
    nominal_power=2000.0,
)
FREEZER = Load(
    id="freezer",
    load_class=LoadClass.SHED_2,
    priority=80,
    phase="L2",
    nominal_power=150.0,
    minimum_off=300.0,
    longest_off=1800.0,
    recovery=900.0,
)
BOILER = Load(
    id="boiler",
    load_class=LoadClass.SURPLUS,
    priority=40,
    phase="L3",
    nominal_power=2400.0,
)
TANK = Load(
    id="tank",
    load_class=LoadClass.ABSORB,
    priority=90,
    phase="L2",
    nominal_power=1000.0,
)
ROUTER = Load(id="router", nominal_power=20.0)
ALL = (HEATER, FREEZER, BOILER, TANK, ROUTER)


def watches() -> dict[str | None, OverloadWatch]:
    """Return limits of 25 A a phase and a contract of 9 kVA."""
    return {phase: OverloadWatch(5750.0, CURVES["breaker"]) for phase in PHASES} | {
        None: OverloadWatch(9000.0, CURVES["strict"])
    }


@pytest.fixture
def house() -> House:
    """Return a house in which it is winter: heater, freezer and router are on."""
    house = House.of(ALL, on=("heater", "freezer", "router"), watches=watches())
    house.run(400)
    assert not house.switched
    return house


def test_a_sag_takes_off_what_may_go_and_brings_it_back_in_reverse(
    house: House,
) -> None:
    """Each class at its stage; back by chance, the last one off first, and apart."""
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
    """A number without voltage is no frequency; what is off stays off."""
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
    """One at the first stage, the one that matters most; all at the second."""
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


def test_an_overloaded_phase_loses_its_least_important_load(house: House) -> None:
    """As much as relieves it, none on another phase; it comes back where there is room."""
    house.base["L1"] = 5500.0
    house.run(300)
    assert house.is_on("heater"), "1.3 times the rated current is borne for a while"
    house.run(300)
    assert not house.is_on("heater")
    assert house.is_on("freezer")
    assert house.what("heater") == ("shed", "overload")
    house.run(600)
    assert not house.is_on("heater")
    house.base["L1"] = 1000.0
    house.run(1200)
    assert house.is_on("heater")


def test_a_short_overload_is_tolerated(house: House) -> None:
    """A kettle's minute is what breakers and contracts are made for."""
    house.base["L1"] = 4500.0
    house.run(100)
    assert house.is_on("heater")
    house.base["L1"] = 0.0
    house.run(100)
    assert not house.switched


def test_an_overload_that_shows_no_effect_ends_the_shedding(house: House) -> None:
    """Nothing that is taken off helps: it is said, and given back."""
    house.person("boiler", True)
    house.stuck = {**dict.fromkeys(PHASES, 2000.0), None: 20000.0}
    house.run(60)
    assert house.told() == ["futile"]
    assert house.arbiter.is_futile
    off = sum(not on for on in house.on.values())
    house.run(600)
    assert house.told() == ["futile"]
    assert sum(not on for on in house.on.values()) <= off
    assert house.is_on("heater")
    assert house.is_on("router")


def test_two_sheds_in_vain_are_enough(house: House) -> None:
    """One load after the other goes off for a little too much, not the whole house."""
    house.person("boiler", True)
    house.person("tank", True)
    house.run(100)
    house.stuck = {**dict.fromkeys(PHASES, 2000.0), None: 9100.0}
    house.run(60)
    assert house.told() == ["futile"]
    taken = [id_ for _, id_, on, _ in house.switched if not on]
    assert taken == ["boiler", "tank"], "storage loads first"
    house.run(900)
    assert house.is_on("heater")


def test_an_overload_of_which_nobody_can_say_what_helped(house: House) -> None:
    """The meter falls silent just after a shed: that is no failure."""
    house.base["L1"] = 9000.0
    house.run(12)
    assert not house.is_on("heater")
    house.reads = False
    house.run(100)
    assert not house.told()


def test_what_the_sun_started_gives_way(house: House) -> None:
    """An overload, an inhibit or a person end it at once."""
    house.base["L3"] = -6000.0
    house.run(100)
    assert house.is_on("boiler")
    house.guard = grid("inhibit")
    house.run(70)
    assert house.what("boiler") == ("shed", "inhibit")
    assert not house.is_on("boiler")


@pytest.mark.parametrize("shows", [True, False])
def test_a_shed_for_the_grid_that_shows_nothing_is_said(
    house: House, shows: bool
) -> None:
    """The grid decides how long it lasts; but a person should know."""
    if not shows:
        house.idle |= {"heater", "freezer"}
    house.guard = grid("shed_1")
    house.run(5)
    house.guard = grid("shed_2")
    house.run(30)
    assert house.told() == ([] if shows else ["no_relief"])
    assert not house.is_on("heater")


def test_sheds_for_the_grid_that_do_not_help_end(house: House) -> None:
    """What is off stays off, nothing more goes off, and the next time is a new one."""
    house.idle |= {"heater"}
    house.guard = grid("shed_1")
    house.run(20)
    assert house.told() == ["no_relief"]
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
    assert not house.arbiter.sheds_in_vain
    assert house.is_on("heater")
    house.guard = grid("shed_2")
    house.run(5)
    assert not house.is_on("freezer")
    assert not house.is_on("heater")


def test_a_storage_load_goes_off_though_sheds_do_not_help(house: House) -> None:
    """It is not shed: the grid has nothing to spare for it."""
    house.idle |= {"heater"}
    house.base["L3"] = -9000.0
    house.run(100)
    assert house.is_on("boiler")
    house.guard = grid("shed_1")
    house.stuck = dict(house.powers())
    house.run(20)
    assert house.arbiter.sheds_in_vain
    assert not house.is_on("boiler")


def test_where_nothing_is_measured_nothing_can_show(house: House) -> None:
    """Before a shed, or after it."""
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
    assert not house.told()


def test_nothing_is_shed_for_a_power_that_is_not_known(house: House) -> None:
    """NaN is neither an overload nor a surplus."""
    house.reads = False
    house.base["L1"] = 9000.0
    house.run(600)
    assert not house.switched


def test_surplus_starts_what_fits_and_ends_it_when_it_is_gone(house: House) -> None:
    """A cloud is waited out; the load has its minimum times."""
    house.base["L3"] = -6000.0
    house.run(55)
    assert not house.is_on("boiler")
    house.run(30)
    assert house.is_on("boiler")
    assert house.what("boiler") == ("surplus", "surplus")
    house.base["L3"] = -1000.0
    house.run(30)
    house.base["L3"] = -6000.0
    house.run(100)
    assert house.is_on("boiler")
    house.base["L3"] = 0.0
    house.run(90)
    assert not house.is_on("boiler")
    assert len(house.switched) == 2


def test_no_two_loads_start_at_once_on_the_same_surplus() -> None:
    """The second waits until the first one shows."""
    loads = [
        Load(
            id=f"store_{number}",
            load_class=LoadClass.SURPLUS,
            priority=number,
            nominal_power=1000.0,
        )
        for number in range(3)
    ]
    house = House.of(loads)
    house.base["L1"] = -2500.0
    house.run(600)
    starts = [now for now, _, on, _ in house.switched if on]
    assert [id_ for _, id_, on, _ in house.switched] == ["store_2", "store_1"]
    assert starts[1] - starts[0] >= 60


def test_a_load_that_draws_nothing_makes_room_for_the_next(house: House) -> None:
    """A boiler that is hot already is let go and said so, and not tried again at once."""
    house.idle.add("boiler")
    house.base["L3"] = -6000.0
    house.run(240)
    assert house.told() == ["no_effect"]
    assert house.notices[0].load_id == "boiler"
    assert not house.is_on("boiler")
    house.run(1000)
    assert sum(on for _, _, on, _ in house.switched) == 1


def test_a_person_has_the_last_word_for_a_while(house: House) -> None:
    """Switched on again by hand while it is shed, it stays on; then the grid counts."""
    house.guard = grid("shed_1")
    house.run(200)
    house.person("heater", True)
    house.run(1790)
    assert house.is_on("heater")
    assert house.what("heater") == ("overridden", "override")
    house.run(30)
    assert house.what("heater") == ("shed", "under_frequency")


def test_an_automation_does_not_beat_the_grid(house: House) -> None:
    """What it wants is what there will be afterwards."""
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
    """Off for a time, back before it, and what cannot be asked is refused."""
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


def test_comfort_limits_give_a_freezer_its_time(house: House) -> None:
    """No longer off than half an hour, then a quarter on; never in the last stage."""
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
    """Each load does what it is to do; what is held is given back after an hour."""
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
    assert house.told() == ["lost"]
    assert house.what("load")[0] == "lost"
    assert house.is_on("load") is after_a_minute
    house.run(3900)
    assert house.is_on("load") is after_hours
    house.meter_there = True
    house.run(700)
    assert house.is_on("load")


def test_a_frequency_that_stays_invalid_counts_as_lost(house: House) -> None:
    """There is voltage, so it is the measurement that is broken, not the grid."""
    house.guard = grid("shed_1")
    house.run(5)
    house.guard = grid("invalid", "shed_1")
    house.run(3500)
    assert not house.is_on("heater")
    assert not house.told()
    house.run(4200)
    assert house.told() == ["lost"]
    assert house.is_on("heater")


def test_a_load_that_does_not_obey_is_told_again_then_complained_of(
    house: House,
) -> None:
    """Three times soon, then every five minutes; another load relieves the phase."""
    house.deaf.add("heater")
    house.guard = grid("shed_1")
    house.run(130)
    assert house.told() == ["no_relief", "disobeys"]
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
    """Whatever a person wants."""
    house.arbiter.override("heater", True, 3600.0, house.now)
    house.cut_off = frozenset({"heater", "router"})
    house.run(3)
    assert house.what("heater") == ("cut_off", "safety")
    assert house.is_on("router")


def test_a_restart_forgets_nothing(house: House) -> None:
    """What was shed before it comes back after it; an override goes on."""
    house.guard = grid("shed_1")
    house.run(60)
    house.arbiter.override("freezer", False, 1000.0, house.now)
    house.run(60)
    stored = house.arbiter.memory()
    house.arbiter = Arbiter(ALL[:3])
    house.arbiter.recall(stored, house.now)
    house.guard = grid("normal")
    house.run(200)
    assert not house.is_on("freezer")
    house.run(1400)
    assert house.is_on("heater")
    assert house.is_on("freezer")


def test_a_load_that_is_never_shed_from_now_on_comes_back() -> None:
    """It was shed, then a person changed its class: it is on for good."""
    house = House.of([HEATER], on=["heater"])
    house.guard = grid("shed_1")
    house.run(300)
    assert not house.is_on("heater")
    stored = house.arbiter.memory()
    house.arbiter = Arbiter([Load(id="heater")])
    house.arbiter.recall(stored, house.now)
    house.run(3)
    assert house.is_on("heater")
    house.run(3600, 5.0)
    assert house.is_on("heater")
    house.person("heater", False)
    house.automation("heater", True)
    house.run(10)
    assert house.is_on("heater")


def test_what_is_never_shed_stays_on_after_an_override() -> None:
    """Nothing here ever switches it off, and nobody is overruled."""
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


def test_a_load_started_before_a_restart_is_let_go() -> None:
    """Nobody asked for it, and the sun is gone."""
    house = House.of([BOILER])
    house.base["L3"] = -6000.0
    house.run(100)
    assert house.is_on("boiler")
    stored = house.arbiter.memory()
    house.arbiter = Arbiter([BOILER])
    house.arbiter.recall(stored, house.now)
    house.base["L3"] = 0.0
    house.run(100)
    assert not house.is_on("boiler")


def test_time_that_goes_back_is_no_time() -> None:
    """A view from before changes nothing of what is timed."""
    arbiter = Arbiter([HEATER])
    arbiter.update(HouseView(now=100.0, loads={"heater": LoadView(True)}))
    arbiter.update(
        HouseView(now=50.0, guard=grid("shed_1"), loads={"heater": LoadView(True)})
    )
    (decision,) = [arbiter.states["heater"].last]
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
    """Six, and a person's own do not count against him."""
    load = Load(
        id="load",
        load_class=LoadClass.SURPLUS,
        nominal_power=1000.0,
        minimum_on=0.0,
        minimum_off=0.0,
    )
    house = House.of([load])
    for _ in range(12):
        house.base["L1"] = -3000.0
        house.run(140)
        house.base["L1"] = 1000.0
        house.run(100)
    first = [now for now, _, on, _ in house.switched if on and now < 3600]
    assert len(first) == 6
    house.person("load", True)
    house.step()
    assert house.is_on("load")
