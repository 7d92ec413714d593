"""What is beyond the meter's range: parsed, marked, and answered with what would do."""

from datetime import timedelta
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.nrj_monitor.catalog import CHANNELS, Phase
from custom_components.nrj_monitor.issues.monitor import OVER_RANGE_MEMORY
from custom_components.nrj_monitor.issues.range_remedy import (
    CURRENT_TRANSFORMERS,
    needed_range,
    remedy,
)
from custom_components.nrj_monitor.over_range import (
    Excursion,
    falsifies,
    inputs_of,
    parse_over_range,
)
from tests.conftest import AddMeter
from tests.issues.test_issues import active_issues, open_fix, submit
from tests.support.device import DeviceServer
from tests.support.states import state_where
from tests.support.texts import use_language

HARDWARE = Path(__file__).parents[2] / "docs" / "hardware.md"
L1_CURRENT = Excursion("current", Phase.L1, 104.2, 105.6)
L2_VOLTAGE = Excursion("voltage", Phase.L2, 720.4, 707.4)


@pytest.mark.parametrize(
    ("text", "excursions"),
    [
        (None, ()),
        ("", ()),
        ("none", ()),
        ("current:L1=104.2/105.6", (L1_CURRENT,)),
        (
            "current:L1=104.2/105.6;voltage:L2=720.4/707.4",
            (L1_CURRENT, L2_VOLTAGE),
        ),
        ("current:L1=1.2e+04/1e+04", (Excursion("current", Phase.L1, 12000, 10000),)),
        ("current:L1=104.2/105.6;", ()),
        ("current:L4=104.2/105.6", ()),
        ("power:L1=104.2/105.6", ()),
        ("current:L1=104.2/0", ()),
        ("current:L1=nan/105.6", ()),
        ("current:L1=-3/105.6", ()),
        ("current:L1=1e+99/105.6", (Excursion("current", Phase.L1, 1e99, 105.6),)),
        ("current:L1=104.2/105.6;" * 40, ()),
    ],
)
def test_the_text_of_the_meter_is_parsed(
    text: str | None, excursions: tuple[Excursion, ...]
) -> None:
    """A damaged text says nothing."""
    assert parse_over_range(text) == excursions


@given(st.text() | st.from_regex(r"current:L1=[0-9e+.]*/[0-9e+.]*", fullmatch=True))
def test_no_text_raises(text: str) -> None:
    """What comes from the meter is hostile until it is checked."""
    for excursion in parse_over_range(text):
        remedy(excursion)


def marked(*excursions: Excursion) -> set[str]:
    """Return the channels that are wrong because of the excursions."""
    return {id_ for id_, channel in CHANNELS.items() if falsifies(excursions, channel)}


def test_what_is_made_of_the_input_is_marked() -> None:
    """Nothing of other phases, and nothing that a cut crest leaves right."""
    current = marked(L1_CURRENT)
    assert {
        *("current_l1", "current_half_cycle_l1", "current_peak", "sum_current"),
        *("active_power_l1", "active_power", "apparent_power", "power_factor_l1"),
        *("import_energy_l1", "import_energy", "reactive_energy_q1", "current_thd_l1"),
        "apparent_energy",
    } <= current
    assert not current & {
        *("voltage_l1", "current_l2", "active_power_l2", "frequency", "frequency_l1"),
        *("neutral_current", "voltage_peak", "rejected_frames", "phase_angle_l1"),
        *("uncounted_seconds", "chip_temperature", "voltage_thd_l1"),
    }
    voltage = marked(L2_VOLTAGE)
    assert {"voltage_l2", "voltage_peak", "active_power_l2", "export_energy"} <= voltage
    assert not voltage & {"voltage_l1", "current_l2", "voltage_angle_l1_l2"}
    assert marked() == set()


def test_every_product_of_voltage_and_current_is_known() -> None:
    """A quantity that a cut crest falsifies names its inputs, whatever its unit is."""
    for channel in CHANNELS.values():
        key = channel.quantity.key
        if "power" in key or "energy" in key:
            assert inputs_of(channel.quantity) == {"voltage", "current"}, key


def test_transformers_are_those_of_the_manual() -> None:
    """Type, burden and range are those of the table in docs/hardware.md."""
    rows = {
        cells[0].strip("`"): cells
        for line in HARDWARE.read_text().splitlines()
        if line.startswith("| `")
        and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 5
    }
    for part in CURRENT_TRANSFORMERS:
        _, _, given_with, full_scale, _ = rows[part.type]
        assert full_scale.split(":")[0] == f"{part.full_scale:g} A"
        assert part.burden.replace(" Ω", "Ohm") in given_with
    ranges = [part.full_scale for part in CURRENT_TRANSFORMERS]
    assert ranges == sorted(ranges)


@pytest.mark.parametrize(
    ("rms", "full_scale", "key", "named"),
    [
        (5.0, 7.1, "known_with_burden", {"transformer": "SCT-013-030"}),
        (21.0, 21.2, "known_transformer", {"transformer": "SCT-010", "range": "96"}),
        (66.0, 68.0, "known_transformer", {"transformer": "SCT-013-000"}),
        (
            104.2,
            105.6,
            "known_transformer",
            {"transformer": "SCT-024 (200 A : 100 mA)", "burden": "6.8 Ω"},
        ),
        (122.0, 105.6, "larger_transformer", {"needed": "211"}),
        (149.0, 105.6, "larger_transformer", {"needed": "422"}),
    ],
)
def test_the_next_transformer_that_suffices_is_named(
    rms: float, full_scale: float, key: str, named: dict[str, str]
) -> None:
    """The more of the wave is cut off, the larger it must be."""
    excursion = Excursion("current", Phase.L3, rms, full_scale)
    found, placeholders = remedy(excursion)
    assert found == key
    assert named.items() <= placeholders.items()
    assert float(placeholders.get("range", "inf")) >= needed_range(excursion)


def advice(hass: HomeAssistant) -> str:
    """Return the advice of the issue."""
    issue = next(
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_key == "over_range"
    )
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders["advice"]


async def test_an_excursion_is_an_issue_until_it_is_a_day_ago(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Phase, what was measured and what would do; the greatest of several counts."""
    entry = await add_meter(server.port)
    meter = entry.runtime_data.meter
    meter.on_text("over_range", "none")
    assert "over_range" not in active_issues(hass)
    meter.on_text("over_range", "current:L1=104.2/105.6")
    assert "over_range" in active_issues(hass)
    meter.on_text("over_range", "current:L1=110/105.6;voltage:L2=720.4/707.4")
    meter.on_text("over_range", "none")
    meter.on_text("over_range", "current:L1=101/105.6")
    meter.on_text("over_range", "none")
    assert advice(hass) == (
        "- Current of L1: 110 A or more, where the range ends at 105.6 A of a sine, and"
        " sooner if the wave is peaked. A SCT-024 (200 A : 100 mA) with a burden of"
        " 6.8 Ω measures up to 208 A; or make the burden of the present transformer"
        " smaller, for 158 A.\n"
        "- Voltage of L2: 720.4 V or more, where the range ends at 707.4 V of a sine."
        " Make the voltage divider larger, for 1061 V."
    )
    freezer.tick(OVER_RANGE_MEMORY - timedelta(minutes=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert "over_range" in active_issues(hass)
    freezer.tick(timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert "over_range" not in active_issues(hass)


async def test_what_is_fixed_goes_with_a_submit_and_what_goes_on_does_not(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The repair looks again; another range begins anew."""
    await use_language(hass, "fr")
    entry = await add_meter(server.port)
    meter = entry.runtime_data.meter
    meter.on_text("over_range", "current:L3=150/105.6")
    assert advice(hass).startswith("- Courant de L3 : 150 A ou plus")
    form = await submit(hass, await open_fix(hass, "over_range"))
    assert form["errors"] == {"base": "still_there"}
    meter.on_text("over_range", "current:L3=210/208")
    assert advice(hass).startswith("- Courant de L3 : 210 A ou plus")
    meter.on_text("over_range", "current:L3=120/105.6")
    assert advice(hass).startswith("- Courant de L3 : 120 A ou plus")
    meter.on_text("over_range", "none")
    assert (await submit(hass, form))["type"] is FlowResultType.CREATE_ENTRY
    assert "over_range" not in active_issues(hass)


async def test_readings_are_marked_while_it_goes_on(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The mark is an attribute of the readings concerned, and goes with the link."""
    entry = await add_meter(server.port)
    meter = entry.runtime_data.meter
    power, voltage = "sensor.nrj_meter_active_power_l1", "sensor.nrj_meter_voltage_l1"
    meter.on_text("over_range", "current:L1=104.2/105.6")
    for marked_sensor in (power, "sensor.nrj_meter_import_energy"):
        state = hass.states.get(marked_sensor)
        assert state is not None
        assert state.attributes["over_range"] is True
    state = hass.states.get(voltage)
    assert state is not None
    assert "over_range" not in state.attributes
    meter.on_text("over_range", "none")
    await state_where(hass, power, lambda state: "over_range" not in state.attributes)
    meter.on_text("over_range", "current:L1=104.2/105.6")
    await server.stop()
    await state_where(hass, power, lambda state: state.state == "unavailable")
    assert meter.over_range == ()
