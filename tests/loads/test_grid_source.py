"""Guard of the load manager: the meter's own, or computed here."""

import asyncio
from typing import Any, Never, override

from aioesphomeapi.model import (
    EntityCategory,
    NumberInfo,
    NumberState,
    SelectState,
    SensorInfo,
    SwitchInfo,
)
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.loads.grid_source import (
    ComputedGrid,
    DeviceGrid,
    grid_of,
)
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.sources import (
    Feature,
    MeterDescription,
    Source,
    SourceListener,
)
from custom_components.nrj_monitor.sources.native_api.device_model import (
    setting_of,
    value_of,
)
from custom_components.nrj_monitor.sources.settings import Setting


class Silent(Source):
    """A source whose part the test plays."""

    @override
    async def run(self, listener: SourceListener) -> Never:
        await asyncio.Future()
        raise AssertionError("unreachable")

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        raise AssertionError("it has no relays")


def made(kind: Any, **fields: Any) -> Any:
    """Return an object of the library, whose fields type checkers do not see."""
    return kind(**fields)


def meter_of(*channels: str, guard: bool = False) -> Meter:
    """Return a meter with channels, its link up."""
    description = MeterDescription(
        mac="02:4e:52:4a:00:01",
        name="M",
        manufacturer="",
        model="",
        hardware="",
        software="",
        channels=tuple(CHANNELS[channel] for channel in channels),
        relays=(),
        features=frozenset({Feature.GUARD} if guard else ()),
    )
    meter = Meter(Silent(), description)
    meter.on_connected(description)
    return meter


async def test_the_meter_s_own_guard() -> None:
    """Loads follow the last state before the guard became invalid."""
    meter = meter_of("frequency", guard=True)
    grid = grid_of(meter, "continental_europe")
    assert isinstance(grid, DeviceGrid)
    assert grid.view(0.0).state is GuardState.INVALID
    meter.on_text("guard_state", "shed_2")
    view = grid.view(1.0)
    assert (view.state, view.held, view.may_restore) == (
        GuardState.SHED_2,
        GuardState.SHED_2,
        False,
    )
    meter.on_text("guard_state", "invalid")
    meter.on_text("guard_reason", "no_voltage")
    view = grid.view(2.0)
    assert (view.state, view.held, view.dead) == (
        GuardState.INVALID,
        GuardState.SHED_2,
        True,
    )
    meter.on_text("guard_state", "sunny")
    assert grid.view(3.0).state is GuardState.INVALID
    meter.on_text("guard_state", "normal")
    assert grid.view(4.0).may_restore


async def tell(
    meter: Meter, grid: ComputedGrid, now: float, **readings: float | None
) -> None:
    """Deliver readings of a meter, all at once."""
    for channel, value in readings.items():
        meter.on_reading(CHANNELS[channel], value)
    grid.update(now)


async def test_a_guard_computed_from_readings() -> None:
    """A source without a guard gets a computed guard; without voltage its state is invalid."""
    meter = meter_of("frequency", "voltage_l1")
    grid = grid_of(meter, "continental_europe")
    assert isinstance(grid, ComputedGrid)
    now = 100.0
    for second in range(15):
        await tell(
            meter, grid, now + second, frequency=50.0 + second / 1e4, voltage_l1=230.0
        )
    assert grid.view(now + 15).state is GuardState.NORMAL
    for second in range(15, 20):
        await tell(
            meter, grid, now + second, frequency=49.7 + second / 1e4, voltage_l1=230.0
        )
    assert grid.view(now + 20).state is GuardState.SHED_1
    for second in range(20, 25):
        await tell(
            meter, grid, now + second, frequency=49.7 + second / 1e4, voltage_l1=3.0
        )
    view = grid.view(now + 25)
    assert view.dead
    assert view.held is GuardState.SHED_1
    await tell(meter, grid, now + 26, frequency=None, voltage_l1=None)
    assert grid.view(now + 26).state is GuardState.INVALID


async def test_a_source_without_voltages() -> None:
    """Without voltages the nominal voltage is assumed; silence is invalid."""
    meter = meter_of("frequency")
    grid = ComputedGrid(meter, "continental_europe", device="a")
    for second in range(15):
        await tell(meter, grid, float(second), frequency=50.0 + second / 1e4)
    assert grid.view(15.0).state is GuardState.NORMAL
    assert grid.view(60.0).state is GuardState.INVALID
    await tell(meter, grid, 61.0, frequency=None)
    assert grid.view(61.0).state is GuardState.INVALID


async def test_a_frequency_that_stands_still_is_none() -> None:
    """A sensor repeating the same frequency sheds no load for ever."""
    meter = meter_of("frequency")
    grid = ComputedGrid(meter, "continental_europe", device="a")
    for second in range(70):
        await tell(meter, grid, float(second), frequency=49.7)
    assert grid.view(70.0).state is GuardState.INVALID


def test_without_a_frequency_there_is_no_guard() -> None:
    """Such a meter still relieves its limits."""
    assert grid_of(meter_of("active_power"), "continental_europe") is None


def test_only_what_is_known_is_a_setting() -> None:
    """A switch among the controls is a relay; a sensor is nothing of the kind."""
    relay = made(
        SwitchInfo, object_id="guard", key=1, entity_category=EntityCategory.NONE
    )
    assert setting_of(relay) is None
    assert setting_of(made(SensorInfo, object_id="guard", key=1)) is None
    assert setting_of(made(SensorInfo, object_id="other", key=1)) is None
    number = Setting(id="guard", name="", kind="number", maximum=60.0)
    choice = Setting(id="guard", name="", kind="select", options=("a",))
    assert value_of(number, made(NumberState, key=1, missing_state=True)) is None
    assert value_of(number, made(NumberState, key=1, state=49.8)) == 49.8
    assert value_of(choice, made(SelectState, key=1, state="a")) == "a"


def test_a_setting_has_no_value_beyond_its_range() -> None:
    """What a person could not choose is no state of a setting."""
    number = Setting(id="guard", name="", kind="number", maximum=60.0)
    for value in (float("nan"), float("inf"), -1.0, 60.1):
        assert value_of(number, made(NumberState, key=1, state=value)) is None
    choice = Setting(id="guard", name="", kind="select", options=("a",))
    assert value_of(choice, made(SelectState, key=1, state="b")) is None
    assert value_of(choice, made(NumberState, key=1, state=1.0)) is None


@pytest.mark.parametrize(
    "limits", [(float("nan"), 1, 1), (1, 0, 1), (0, 1, 0), (0, float("inf"), 1)]
)
def test_a_number_without_a_range_is_no_setting(
    limits: tuple[float, float, float],
) -> None:
    """It could be stored, but not be read again."""
    low, high, step = limits
    info = made(
        NumberInfo,
        object_id="guard_shed_1_frequency",
        key=1,
        min_value=low,
        max_value=high,
        step=step,
    )
    assert setting_of(info) is None
