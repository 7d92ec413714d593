"""Arbiter decisions on surplus."""

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.load import Load, LoadClass
from custom_components.nrj_monitor.control.supply import Supply
from tests.control.house import House
from tests.control.winter_house import BOILER


def test_surplus_starts_what_fits_and_ends_it_when_it_is_gone(house: House) -> None:
    """A load runs on through a cloud, and keeps its minimum times."""
    house.base[Supply.L3] = -6000.0
    house.run(55)
    assert not house.is_on("boiler")
    house.run(30)
    assert house.is_on("boiler")
    assert house.what("boiler") == ("surplus", "surplus")
    house.base[Supply.L3] = -1000.0
    house.run(30)
    house.base[Supply.L3] = -6000.0
    house.run(100)
    assert house.is_on("boiler")
    house.base[Supply.L3] = 0.0
    house.run(90)
    assert not house.is_on("boiler")
    assert len(house.switched) == 2


def test_no_two_loads_start_at_once_on_the_same_surplus() -> None:
    """A second load waits until the effect of the first start shows."""
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
    house.base[Supply.L1] = -2500.0
    house.run(600)
    starts = [now for now, _, on, _ in house.switched if on]
    assert [id_ for _, id_, on, _ in house.switched] == ["store_2", "store_1"]
    assert starts[1] - starts[0] >= 60


def test_a_load_that_draws_nothing_makes_room_for_the_next(house: House) -> None:
    """A hot boiler is released with a notice, and not started again at once."""
    house.idle.add("boiler")
    house.base[Supply.L3] = -6000.0
    house.run(240)
    assert house.notice_keys() == ["no_effect"]
    assert house.notices[0].load_id == "boiler"
    assert not house.is_on("boiler")
    house.run(1000)
    assert sum(on for _, _, on, _ in house.switched) == 1


def test_a_load_started_before_a_restart_is_let_go() -> None:
    """A load started on surplus before a restart is released without surplus."""
    house = House.of([BOILER])
    house.base[Supply.L3] = -6000.0
    house.run(100)
    assert house.is_on("boiler")
    stored = house.arbiter.as_dict()
    house.arbiter = Arbiter([BOILER])
    house.arbiter.update_from_dict(stored, house.now)
    house.base[Supply.L3] = 0.0
    house.run(100)
    assert not house.is_on("boiler")
