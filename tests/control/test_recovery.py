"""What comes back after an event, and surplus on slow and fast meters."""

from dataclasses import replace
from itertools import pairwise

import pytest

from custom_components.nrj_monitor.control.load import Load, LoadClass
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    FrequencyLimits,
    GridSample,
    PhaseSample,
)
from custom_components.nrj_monitor.frequency_guard.grid_view import GridView
from custom_components.nrj_monitor.frequency_guard.guard import (
    FrequencyGuard,
    GuardSettings,
)
from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from tests.control.house import House, grid
from tests.control.recordings import GENERATION_LOSS
from tests.control.winter_house import HEATER, monitors

BOILER = Load(
    id="boiler",
    load_class=LoadClass.SURPLUS,
    phase=Supply.L1,
    nominal_power=1800.0,
)
CAR = Load(
    id="car",
    load_class=LoadClass.SURPLUS,
    priority=70,
    phase=Supply.L1,
    nominal_power=3680.0,
    least_power=1380.0,
    power_step=230.0,
)


def solar_house(seed: int = 1) -> House:
    """Return a house that feeds 250 W while its heater of 2 kW is on."""
    house = House.of([HEATER, BOILER], on=["heater"], seed=seed)
    house.base[Supply.L1] = -2250.0
    house.run(300)
    assert not house.switched
    return house


def start_of(house: House, load_id: str) -> float | None:
    """Return when a load was switched on first, s."""
    return next(
        (now for now, id_, on, _ in house.switched if id_ == load_id and on), None
    )


def test_no_surplus_on_what_waits_to_come_back_after_a_recorded_event() -> None:
    """A boiler stays off: the power it could draw is that of the heater that was shed."""
    house = solar_house()
    guard = FrequencyGuard(
        GuardSettings(
            profile=PROFILES["north_america"],
            limits=FrequencyLimits(
                nominal_voltage=GENERATION_LOSS.nominal_voltage,
                silence_ms=GENERATION_LOSS.silence_ms,
            ),
        )
    )

    def second(sample: GridSample) -> None:
        guard.sample(sample)
        house.guard = GridView(
            state=guard.state,
            held=guard.held_state,
            may_restore=guard.may_restore,
        )

    samples = list(GENERATION_LOSS.samples())
    due = samples[0].time_ms
    for sample in samples:
        second(sample)
        if sample.time_ms >= due:
            due += 1000
            house.step()
    for number in range(1, 900):
        time_ms = samples[-1].time_ms + 1000 * number
        second(
            GridSample(time_ms, (PhaseSample(GENERATION_LOSS.nominal_voltage, 60.0),))
        )
        house.step()
    assert [(id_, on) for _, id_, on, _ in house.switched] == [
        ("heater", False),
        ("heater", True),
    ]


def test_each_house_begins_with_its_surplus_at_another_time() -> None:
    """After an event surplus begins with a random delay of its own in each house."""
    starts = []
    for seed in range(1, 9):
        house = House.of([BOILER], seed=seed)
        house.base[Supply.L1] = -3000.0
        house.guard = grid("shed_1")
        house.run(300)
        assert not house.switched
        house.guard = grid("normal")
        recovered = house.now
        house.run(500)
        start = start_of(house, "boiler")
        assert start is not None
        starts.append(start - recovered)
    assert all(60 <= start <= 365 for start in starts)
    assert len({round(start) for start in starts}) > 5
    assert max(starts) - min(starts) > 100


def test_surplus_waits_for_a_grid_that_permits_restores() -> None:
    """The delay begins once the guard permits restores, and anew after each event."""
    house = House.of([BOILER], seed=3)
    house.base[Supply.L1] = -3000.0
    house.guard = grid("inhibit")
    house.run(200)
    house.guard = GridView(may_restore=False)
    house.run(600)
    assert not house.switched
    house.guard = grid("normal")
    house.run(30)
    house.guard = grid("inhibit")
    house.run(600)
    house.guard = grid("normal")
    house.run(59)
    assert not house.switched
    house.run(320)
    assert house.is_on("boiler")


def test_an_outage_is_an_event_too() -> None:
    """After a minute without voltage surplus waits for its random delay."""
    starts = set()
    for seed in (1, 5):
        house = House.of([BOILER], seed=seed)
        house.base[Supply.L1] = -3000.0
        house.guard = grid("invalid", dead=True)
        house.run(120)
        house.guard = grid("normal")
        house.run(400)
        starts.add(start_of(house, "boiler"))
    assert len(starts) == 2
    assert None not in starts


def test_a_running_charger_takes_nothing_from_who_waits() -> None:
    """The level of a charger does not rise on the power of a load shed by its fuse."""
    car = replace(CAR, phase=Supply.L2)
    house = House.of([HEATER, car], on=["heater"], monitors=monitors())
    house.base = {Supply.L1: 0.0, Supply.L2: -4000.0, Supply.L3: 0.0}
    house.run(100)
    level = house.levels["car"]
    assert level is not None
    assert level == pytest.approx(1840.0)
    house.base = {Supply.L1: 6500.0, Supply.L2: -10390.0, Supply.L3: 0.0}
    house.run(300)
    assert not house.is_on("heater")
    assert house.levels["car"] == pytest.approx(level), "2 kW are free, and taken"


def test_shed_by_fuse_and_grid_comes_back_by_the_rules_of_the_grid() -> None:
    """In reverse order after random delays, whichever reason came first."""
    loads = [
        Load(
            id=id_,
            load_class=LoadClass.SHED_1,
            priority=priority,
            phase=Supply.L1,
            nominal_power=1000.0,
        )
        for id_, priority in (("first", 10), ("second", 20), ("third", 30))
    ]
    delays = set()
    for seed in range(1, 6):
        house = House.of(
            loads,
            on=["first", "second", "third"],
            monitors=monitors(),
            seed=seed,
        )
        house.run(300)
        house.base[Supply.L1] = 8000.0
        house.run(60)
        assert house.what("third") == ("shed", "overload")
        house.guard = grid("shed_1")
        house.run(30)
        assert house.what("first") == ("shed", "under_frequency")
        house.base[Supply.L1] = 0.0
        house.run(600)
        house.guard = grid("normal")
        house.switched.clear()
        recovered = house.now
        house.run(400)
        back = [(now, id_) for now, id_, on, _ in house.switched if on]
        assert [id_ for _, id_ in back] == ["third", "second", "first"]
        assert all(later - one >= 10 for (one, _), (later, _) in pairwise(back))
        delays.add(round(back[0][0] - recovered))
    assert len(delays) > 2


def test_after_an_overload_alone_nothing_waits_for_the_grid(house: House) -> None:
    """An overload of today is no matter of the outage before."""
    house.base[Supply.L1] = 9000.0
    house.run(60)
    assert house.what("heater") == ("shed", "overload")
    house.base[Supply.L1] = 0.0
    house.run(1000)
    assert house.is_on("heater")
    house.guard = grid("invalid", dead=True)
    house.run(400)
    assert not house.is_on("heater")
    house.guard = grid("normal")
    house.switched.clear()
    house.run(2)
    assert not any(on for _, _, on, _ in house.switched), (
        "random delays after an outage"
    )


def test_a_level_changes_once_on_each_reading() -> None:
    """A meter that tells once a minute: no reading changes the level twice."""
    house = House.of([CAR])
    house.interval = 60.0
    house.run(200)
    house.base[Supply.L1] = -2000.0
    house.run(400)
    told = [one.time for one in house.decisions if one.switch]
    assert len(told) == 1
    for watts in (4000.0, 1500.0, 3000.0):
        house.base[Supply.L1] = -watts
        known = len(house.decisions)
        house.run(600)
        made = [one for one in house.decisions[known:] if one.switch]
        assert len(made) == 1, "the first change fits"
        level = made[0].level
        assert level is not None
        assert watts - 330.0 <= level <= watts


def test_a_reading_that_holds_half_of_a_change_is_not_taken_for_its_effect() -> None:
    """A meter that tells means of five minutes: the level does not overshoot."""
    house = House.of([CAR])
    house.interval, house.tells_means = 300.0, True
    house.base[Supply.L1] = -2000.0
    house.run(1500)
    house.base[Supply.L1] = -3500.0
    house.run(3000)
    levels = [one.level for one in house.decisions if one.switch]
    assert levels == sorted(levels, key=lambda level: level or 0.0)
    assert all(level is not None and level <= 3500.0 for level in levels)
    assert levels[-1] == pytest.approx(3220.0)


@pytest.mark.parametrize("interval", [1.0, 60.0, 300.0])
def test_no_second_change_before_the_first_can_show(interval: float) -> None:
    """Changes are apart by the time that the source needs to show them."""
    house = House.of([CAR, BOILER])
    house.interval = interval
    house.run(2 * interval + 10)
    for number in range(12):
        house.base[Supply.L1] = -(2500.0 + 1500.0 * (number % 3))
        house.run(max(100.0, 4 * interval))
    changes = [one.time for one in house.decisions if one.switch]
    assert len(changes) > 3
    assert all(later - one >= max(15.0, interval) for one, later in pairwise(changes))


def test_a_source_five_minutes_slow_still_starts_loads() -> None:
    """A start may take two readings to show; the load is not let go."""
    house = House.of([BOILER])
    house.interval = 300.0
    house.base[Supply.L1] = -3000.0
    house.run(3600)
    assert house.is_on("boiler")
    assert not house.notices
    assert len(house.switched) == 1


def test_a_start_that_never_shows_on_a_slow_source_is_let_go() -> None:
    """A hot boiler is released after two readings too."""
    house = House.of([BOILER])
    house.interval = 300.0
    house.idle.add("boiler")
    house.base[Supply.L1] = -3000.0
    house.run(1500)
    assert house.notice_keys() == ["no_effect"]
    assert not house.is_on("boiler")


def test_the_lowest_priority_ends_first() -> None:
    """Not the load that was started last."""
    loads = [
        Load(
            id=id_,
            load_class=LoadClass.SURPLUS,
            priority=priority,
            nominal_power=1000.0,
        )
        for id_, priority in (("low", 10), ("high", 90))
    ]
    house = House.of(loads)
    house.person("high", True)
    house.base = dict.fromkeys(PHASES, -900.0)
    house.run(300)
    house.arbiter.record_switch("high", False, house.now, by_person=True)
    house.on["high"] = False
    house.run(2400)
    assert house.on == {"low": True, "high": True}
    starts = [id_ for _, id_, on, _ in house.switched if on]
    assert starts == ["low", "high"]
    house.base = dict.fromkeys(PHASES, -400.0)
    house.run(100)
    assert house.on == {"low": False, "high": True}
