"""Arbiter decisions on a contract that bills the mean of a quarter hour."""

import csv
from dataclasses import replace

import pytest

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.demand import DemandAccount
from custom_components.nrj_monitor.control.demand_limit import (
    DemandLimit,
    DemandMonitor,
)
from custom_components.nrj_monitor.control.house import HouseView, LoadView
from custom_components.nrj_monitor.control.limit_monitor import LimitMonitor
from custom_components.nrj_monitor.control.load import Load, LoadClass
from custom_components.nrj_monitor.control.overload import CURVES, OverloadMonitor
from custom_components.nrj_monitor.control.supply import Supply
from tests.control.house import House
from tests.control.recordings import DATA
from tests.support.skips import skip_for_good

QUARTER = 900.0
NOON = 1_793_620_800.0
HEATER = Load(
    id="heater", load_class=LoadClass.SHED_1, priority=20, nominal_power=1500.0
)
PUMP = Load(id="pump", load_class=LoadClass.SHED_2, nominal_power=1000.0)
CAR = Load(
    id="car",
    load_class=LoadClass.SHED_1,
    priority=60,
    nominal_power=3680.0,
    least_power=1380.0,
    power_step=230.0,
)


def billed_house(
    *loads: Load, power: float | None, interval: float = QUARTER, **limit: float
) -> House:
    """Return a house at noon whose contract bills a mean, with its loads on."""
    account = DemandAccount(interval)
    monitor = DemandMonitor(account, DemandLimit(power=power, **limit))  # type: ignore[arg-type]
    house = House.of(
        loads, on=[load.id for load in loads], monitors={Supply.TOTAL: monitor}
    )
    house.starts_at = NOON
    house.step(0.0)
    return house


def account_of(house: House) -> DemandAccount:
    """Return the account of a house."""
    monitor = house.arbiter._context.monitors[Supply.TOTAL]
    assert isinstance(monitor, DemandMonitor)
    return monitor.account


def means(house: House) -> list[float]:
    """Return the means of the intervals that have ended, W."""
    return [power for _, power in sorted(account_of(house).as_dict()["demands"])]


def test_a_load_goes_off_as_late_as_still_suffices() -> None:
    """The first minutes cost nothing, and the mean keeps below the limit."""
    house = billed_house(HEATER, power=2000.0)
    house.base[Supply.L1] = 1000.0
    house.run(890)
    ((shed_at, id_, on, decision),) = house.switched
    assert (id_, on, decision.reason.word) == ("heater", False, "overload")
    # 500 W too many for 900 s, against 1500 W: 300 s, and what the reserve asks for.
    assert 900 - 480 <= shed_at <= 900 - 300
    house.run(10)
    assert means(house)[0] <= 2000.0
    assert means(house)[0] > 1800.0, "what may be used is used"


def test_as_early_as_is_necessary() -> None:
    """A load that can only just make up for the rest goes off at once."""
    house = billed_house(HEATER, power=2000.0)
    house.base[Supply.L1] = 1900.0
    house.run(60)
    assert not house.is_on("heater")
    house.run(840)
    assert means(house)[0] <= 2000.0


def test_no_more_loads_than_suffice() -> None:
    """The least important load alone is waited with for as long as it suffices alone."""
    house = billed_house(HEATER, PUMP, power=3000.0)
    house.base[Supply.L1] = 1000.0
    house.run(900)
    assert [id_ for _, id_, _, _ in house.switched] == ["heater"]
    assert means(house)[0] <= 3000.0


def test_loads_come_back_once_there_is_room() -> None:
    """In an interval with room, once the next one has it too."""
    house = billed_house(HEATER, power=2000.0)
    house.base[Supply.L1] = 1000.0
    house.run(900)
    assert not house.is_on("heater")
    house.run(900)
    assert not house.is_on("heater"), "it could not stay on for long"
    house.base[Supply.L1] = 300.0
    house.run(3600)
    assert house.is_on("heater")
    assert len(house.switched) == 2
    assert max(means(house)) <= 2000.0


def test_a_charger_is_lowered_before_anything_is_shed() -> None:
    """Lowered, shed only if that is not enough, and raised again with room."""
    house = billed_house(CAR, HEATER, power=4000.0)
    house.base[Supply.L1] = 500.0
    house.run(900)
    assert house.is_on("car")
    assert house.is_on("heater")
    assert house.what("car") == ("limited", "overload")
    told = [one for one in house.decisions if one.switch]
    assert told[0].action.value == "limit"
    level = told[0].level
    assert level is not None
    assert 1380.0 <= level < 3680.0
    assert (level - 1380.0) % 230.0 == pytest.approx(0.0, abs=0.01)
    assert means(house)[0] <= 4000.0
    house.person("heater", False)
    house.base[Supply.L1] = 0.0
    house.run(3600)
    assert house.levels["car"] is None, "back to what a person has set"
    assert house.what("car") == ("running", "default")
    assert max(means(house)) <= 4000.0


def test_what_lowering_does_not_save_is_shed() -> None:
    """A charger at its least is followed by the loads in the order of shedding."""
    house = billed_house(CAR, HEATER, power=2500.0)
    house.base[Supply.L1] = 1400.0
    house.run(1800)
    assert not house.is_on("heater")
    assert house.what("car")[0] in ("limited", "shed")
    assert max(means(house)) <= 2500.0


def test_a_restart_does_not_leave_a_charger_lowered() -> None:
    """A lowered load is set back by an arbiter that has not lowered it itself."""
    house = billed_house(CAR, power=2500.0)
    house.run(900)
    lowered = house.levels["car"]
    assert lowered is not None
    stored = house.arbiter.as_dict()
    house.arbiter = Arbiter([CAR])
    house.arbiter.update_from_dict(stored, house.now)
    house.run(2)
    assert house.levels["car"] is None
    known = len(house.decisions)
    house.run(60)
    assert not any(one.switch for one in house.decisions[known:])


def test_a_freezer_keeps_its_comfort_where_no_fuse_is_at_stake() -> None:
    """A limit that costs money waits for a freezer; an overloaded phase does not."""
    freezer = Load(
        id="freezer",
        load_class=LoadClass.SHED_1,
        phase=Supply.L1,
        nominal_power=500.0,
        longest_off=1800.0,
        recovery=600.0,
    )
    house = billed_house(freezer, power=2000.0)
    house.base[Supply.L2] = 2200.0
    house.run(3000)
    assert house.what("freezer") == ("shed", "overload")
    back = [(now, decision.activity) for now, _, on, decision in house.switched if on]
    assert len(back) == 1
    off, (again, activity) = house.switched[0][0], back[0]
    assert activity == "comfort"
    assert again - off == pytest.approx(1800, abs=3)
    account = DemandAccount(QUARTER)
    house = House.of(
        [freezer],
        on=["freezer"],
        monitors={
            Supply.L1: OverloadMonitor(2000.0, CURVES["strict"]),
            Supply.TOTAL: DemandMonitor(account, DemandLimit(power=2000.0)),
        },
    )
    house.starts_at = NOON
    house.base[Supply.L2] = 2200.0
    house.run(1500)
    house.run(600)
    assert house.what("freezer") == ("comfort", "default")
    house.base[Supply.L1] = 3000.0
    house.run(30)
    assert not house.is_on("freezer")
    house.run(3600)
    assert not house.is_on("freezer")


def test_the_limit_follows_the_month() -> None:
    """A peak that was billed already costs nothing again; 2.5 kW cost nothing ever."""
    limit = DemandLimit(follows_peak=True)
    assert [limit.at(peak) for peak in (0.0, 2000.0, 4000.0)] == [2500, 2500, 4000]
    capped = DemandLimit(power=3500.0, follows_peak=True)
    assert [capped.at(peak) for peak in (0.0, 3000.0, 4000.0)] == [2500, 3000, 3500]
    assert DemandLimit(power=3500.0).at(4000.0) == 3500
    house = billed_house(HEATER, power=None, follows_peak=True)
    house.base[Supply.L1] = 1500.0
    house.run(900)
    assert not house.is_on("heater"), "3 kW would be the first peak above the floor"
    account_of(house).correct(NOON, 3200.0)
    house.run(900)
    assert house.is_on("heater")
    house.switched.clear()
    house.run(3600)
    assert not house.switched


def test_an_unknown_power_sheds_nothing() -> None:
    """What is expected is unknown; what is off stays off."""
    house = billed_house(HEATER, power=500.0)
    house.reads = False
    house.run(1800)
    assert not house.switched
    house.reads = True
    house.run(840)
    assert not house.is_on("heater")
    house.reads = False
    house.run(1800)
    assert not house.is_on("heater")


def test_a_meter_that_tells_once_a_minute_shows_its_relief() -> None:
    """The effect of a shed is awaited until the meter can tell of it."""
    house = billed_house(HEATER, PUMP, power=2000.0)
    house.interval = 60.0
    house.base[Supply.L1] = 500.0
    house.run(3600)
    assert not house.notices
    assert [id_ for _, id_, on, _ in house.switched if not on] == ["heater"]
    assert max(means(house)) <= 2000.0


def test_a_kettle_does_not_shed_a_heater() -> None:
    """In the recording of a quarter hour no mean comes near the limit, as strict has it."""
    path = DATA / "cases" / "messages" / "c10_quarter_hour.csv"
    if not path.exists():
        skip_for_good(f"the recording {path.name} is not in ../shared/data")
    with path.open(newline="") as file:
        drawn = [float(row["power_l1"]) for row in csv.DictReader(file)]
    strict = House.of(
        [HEATER],
        on=["heater"],
        monitors={Supply.TOTAL: OverloadMonitor(2500.0, CURVES["strict"])},
    )
    billed = billed_house(HEATER, power=2500.0)
    for house in (strict, billed):
        for watts in drawn:
            # The recording has the heater in it.
            house.base[Supply.L1] = watts - HEATER.nominal_power
            house.step()
    assert strict.switched
    assert not billed.switched


@pytest.mark.parametrize("interval", [QUARTER, 1800.0, 3600.0])
@pytest.mark.parametrize("limit", [2000.0, 2500.0, 3000.0, 3500.0, 4000.0])
def test_a_recorded_household_keeps_its_limit(limit: float, interval: float) -> None:
    """Never above the limit where shedding could prevent it, at half the switchings.

    It could where the limit is kept by shedding as soon as the mean to be expected, at
    the power of that moment, is clearly above.
    """
    household = Household(interval)
    strict = household.play(OverloadMonitor(limit, CURVES["strict"]))
    billed = household.play(DemandMonitor(household.account, DemandLimit(power=limit)))
    assert billed <= strict / 2
    assert household.needlessly_above(limit) == []


CLEARLY = 1.02
STEP = 10


class Household:
    """A recorded household whose water heater and air conditioning can be shed."""

    def __init__(self, interval: float) -> None:
        """Read the recording; `interval` is that of the tariff, s."""
        path = DATA / "household_1min" / "household_power_consumption.txt"
        if not path.exists():
            skip_for_good(f"the recording {path.name} is not in ../shared/data")
        self.interval = interval
        self.account = DemandAccount(interval)
        self.rest: list[float] = []
        self.heating: list[float] = []
        self.begin = NOON + 5 * 3600 + 24 * 60
        with path.open() as file:
            for row in csv.DictReader(file, delimiter=";"):
                # Wh in a minute become W.
                heating = float(row["Sub_metering_3"]) * 60.0
                self.rest.append(float(row["Global_active_power"]) * 1000.0 - heating)
                self.heating.append(heating)
        self.was_on: list[bool] = []

    def play(self, monitor: LimitMonitor) -> int:
        """Play the recording with a limit; return the number of switchings."""
        load = replace(HEATER, nominal_power=1100.0)
        arbiter = Arbiter([load], {Supply.TOTAL: monitor})
        on, switchings = True, 0
        self.was_on = []
        for now in range(0, 60 * len(self.rest), STEP):
            minute = now // 60
            drawn = self.heating[minute] if on else 0.0
            self.was_on.append(on)
            made = arbiter.update(
                HouseView(
                    now=float(now),
                    time=self.begin + now,
                    powers={Supply.TOTAL: self.rest[minute] + drawn},
                    loads={load.id: LoadView(on, drawn if on else None)},
                )
            )
            for decision in made:
                if decision.switch and decision.on is not None:
                    switchings += decision.on is not on
                    on = decision.on
        assert not arbiter.pop_notices()
        return switchings

    def needlessly_above(self, limit: float) -> list[float]:
        """Return the means above a limit that shedding could have kept, W."""
        above: list[float] = []
        steps = int(self.interval // STEP)
        first = int(-self.begin % self.interval) // STEP
        for begin in range(first, len(self.was_on) - steps, steps):
            moments = range(begin, begin + steps)
            rest = [self.rest[moment * STEP // 60] for moment in moments]
            drawn = [
                watts + self.was_on[moment] * self.heating[moment * STEP // 60]
                for moment, watts in zip(moments, rest, strict=True)
            ]
            mean = sum(drawn) / steps
            if mean > limit + 1.0 and any(
                sum(drawn[:at]) + drawn[at] * (steps - at) > CLEARLY * limit * steps
                and sum(drawn[: at + 1]) + sum(rest[at + 1 :]) <= limit * steps
                for at, moment in enumerate(moments)
                if self.was_on[moment]
            ):
                above.append(round(mean))
        return above
