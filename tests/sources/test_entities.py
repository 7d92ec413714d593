"""A meter made of entities of other integrations."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.assist.queries import (
    HousePower,
    async_meters,
    everything_exposed,
    query_power,
)
from custom_components.nrj_monitor.const import CONF_REPLACED, DOMAIN
from custom_components.nrj_monitor.control.supply import Supply
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.loads.manager import powers_of
from custom_components.nrj_monitor.sources import entities as entities_module, timeout
from custom_components.nrj_monitor.sources.errors import SilentError
from custom_components.nrj_monitor.sources.units import _KNOWN
from tests.support.entities_meter import (
    add_entities,
    begin,
    confirm,
    fill_in,
    reconfigure,
    schema_of,
    shown,
    start,
    tell,
)
from tests.support.forms import typed
from tests.support.pace import patience
from tests.support.states import state_is

SHELLY: dict[str, tuple[float, str]] = {
    "sensor.em_a_voltage": (230.1, "V"),
    "sensor.em_b_voltage": (229.5, "V"),
    "sensor.em_c_voltage": (231.2, "V"),
    "sensor.em_a_current": (4.5, "A"),
    "sensor.em_a_power": (1000.0, "W"),
    "sensor.em_b_power": (-250.0, "W"),
    "sensor.em_c_power": (50.0, "W"),
    "sensor.em_a_frequency": (50.01, "Hz"),
    "sensor.em_total_energy": (1234.5, "kWh"),
}
P1: dict[str, tuple[float, str]] = {
    "sensor.p1_consumption": (0.0, "kW"),
    "sensor.p1_production": (1.25, "kW"),
    "sensor.p1_used": (4321.0, "kWh"),
    "sensor.p1_voltage": (0.2305, "kV"),
}

pytestmark = pytest.mark.usefixtures("unloaded")


SHELLY_ANSWERS = {
    "voltage_l1": "sensor.em_a_voltage",
    "voltage_l2": "sensor.em_b_voltage",
    "voltage_l3": "sensor.em_c_voltage",
    "current_l1": "sensor.em_a_current",
    "active_power_l1": "sensor.em_a_power",
    "active_power_l2": "sensor.em_b_power",
    "active_power_l3": "sensor.em_c_power",
    "frequency": "sensor.em_a_frequency",
    "import_energy": ["sensor.em_total_energy"],
}


async def add_shelly(hass: HomeAssistant) -> NrjConfigEntry:
    """Add a three-phase meter of another make."""
    tell(hass, SHELLY)
    return await add_entities(hass, "3", SHELLY_ANSWERS)


async def test_a_three_phase_meter_of_another_make(hass: HomeAssistant) -> None:
    """Make sensors of a foreign meter's phases, and a total as their sum."""
    await add_shelly(hass)
    await state_is(hass, "sensor.house_voltage_l2", "229.5")
    await state_is(hass, "sensor.house_active_power_l2", "-250.0")
    await state_is(hass, "sensor.house_active_power", "800.0")
    await state_is(hass, "sensor.house_frequency", "50.01")
    await state_is(hass, "sensor.house_import_energy", "1234.5")
    tell(hass, {"sensor.em_b_power": (750.0, "W")})
    await state_is(hass, "sensor.house_active_power", "1800.0")


async def test_a_p1_reader_of_one_phase(hass: HomeAssistant) -> None:
    """Turn returned power in kW into negative watts."""
    tell(hass, P1)
    await add_entities(
        hass,
        "1",
        {
            "voltage_l1": "sensor.p1_voltage",
            "active_power_l1": "sensor.p1_consumption",
            "active_power_returned_l1": "sensor.p1_production",
            "import_energy": ["sensor.p1_used"],
        },
    )
    await state_is(hass, "sensor.house_active_power_l1", "-1250.0")
    await state_is(hass, "sensor.house_active_power", "-1250.0")
    await state_is(hass, "sensor.house_voltage_l1", "230.5")
    assert hass.states.get("sensor.house_voltage_l2") is None


async def test_counters_of_two_tariffs_are_summed(hass: HomeAssistant) -> None:
    """Several counters make one, which has a value only while all of them have."""
    tell(hass, {"sensor.low": (1500000, "Wh"), "sensor.high": (2000.25, "kWh")})
    counters = {"import_energy": ["sensor.low", "sensor.high"]}
    entry = await add_entities(hass, "1", counters)
    await state_is(hass, "sensor.house_import_energy", "3500.25")
    tell(hass, {"sensor.low": ("unavailable", "Wh")})
    await state_is(hass, "sensor.house_import_energy", "unknown")
    tell(hass, {"sensor.low": (1501000, "Wh")})
    await state_is(hass, "sensor.house_import_energy", "3501.25")
    form = await start(hass, await reconfigure(hass, entry), "1")
    assert shown(form) == counters


async def test_a_split_phase_meter_has_two_legs(hass: HomeAssistant) -> None:
    """Ask for two phases where there are two, and sum their power."""
    tell(hass, {"sensor.leg_1": (1.5, "kW"), "sensor.leg_2": (500, "W")})
    legs = {"active_power_l1": "sensor.leg_1", "active_power_l2": "sensor.leg_2"}
    form = await begin(hass, "2")
    assert not [field for field in schema_of(form) if "l3" in str(field)]
    entry = await confirm(hass, await fill_in(hass, form, legs))
    await state_is(hass, "sensor.house_active_power", "2000.0")
    assert hass.states.get("sensor.house_active_power_l3") is None
    assert entry.data["phases"] == 2
    form = await reconfigure(hass, entry)
    assert typed(form)["phases"] == "2"


@pytest.mark.parametrize(
    ("quantities", "phases"),
    [(("_l1", "_l2", "_l3", ""), 3), (("_l1", "_l2"), 2), (("_l1", ""), 1), (("",), 1)],
)
async def test_an_entry_of_one_entity_a_reading_works_on(
    hass: HomeAssistant, quantities: tuple[str, ...], phases: int
) -> None:
    """Read what was stored before several entities could be summed."""
    tell(hass, P1)
    reading = {
        "entity_id": "sensor.p1_consumption",
        "subtracted": "sensor.p1_production",
        "inverted": True,
    }
    stored = {f"active_power{suffix}": reading for suffix in quantities}
    energy = {"entity_id": "sensor.p1_used", "subtracted": None, "inverted": False}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="House",
        unique_id="entities-1",
        version=1,
        minor_version=2,
        data={
            "source": "entities",
            "readings": stored | {"import_energy": energy},
            "meter": {
                "mac": "entities-1",
                "name": "House",
                "manufacturer": "NRJ Monitor",
                "model": "",
                "hardware": "",
                "software": "",
                "channels": [*stored, "import_energy"],
                "relays": {},
            },
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    for suffix in quantities:
        await state_is(hass, f"sensor.house_active_power{suffix}", "1250.0")
    await state_is(hass, "sensor.house_import_energy", "4321.0")
    assert entry.data["phases"] == phases
    assert typed(await reconfigure(hass, entry))["phases"] == str(phases)


async def test_a_meter_with_the_other_sign(hass: HomeAssistant) -> None:
    """Invert a power given as negative on import."""
    tell(hass, {"sensor.power": (-700, "W")})
    answers = {"active_power_l1": "sensor.power", "inverted": ["l1"]}
    await add_entities(hass, "1", answers)
    await state_is(hass, "sensor.house_active_power_l1", "700.0")


async def test_missing_quantities_are_shown(hass: HomeAssistant) -> None:
    """Show the meter's missing quantities before the meter is added."""
    tell(hass, {"sensor.power": (700, "W"), "sensor.u2": (230, "V")})
    form = await fill_in(
        hass,
        await begin(hass, "3"),
        {"active_power_l1": "sensor.power", "voltage_l2": "sensor.u2"},
    )
    words = form["description_placeholders"]
    assert words is not None
    assert "- Active power: L1 700 W\n" in words["found"] + "\n"
    assert "Σ" not in words["found"], "one phase of three is not the house"
    assert "- Active power: L2, L3" in words["missing"]
    assert "- Voltage: L1" in words["missing"]
    assert "- Frequency" in words["missing"]


@pytest.mark.parametrize(
    ("state", "unit", "error"),
    [
        ("unavailable", "W", "no_value"),
        ("broken", "W", "no_value"),
        ("nan", "W", "no_value"),
        ("20", "°C", "wrong_unit"),
    ],
)
async def test_an_unusable_entity_is_refused(
    hass: HomeAssistant, state: str, unit: str, error: str
) -> None:
    """Name an unusable entity and what it tells, and accept another entity."""
    tell(hass, {"sensor.power": (state, unit), "sensor.good": (1.5, "kW")})
    form = await fill_in(
        hass, await begin(hass, "1"), {"active_power_l1": "sensor.power"}
    )
    assert form["errors"] == {"active_power_l1": error}
    assert problems(form) == f"- sensor.power: {state} {unit}"
    form = await fill_in(hass, form, {"active_power_l1": "sensor.good"})
    await confirm(hass, form)
    await state_is(hass, "sensor.house_active_power", "1500.0")


def problems(form: ConfigFlowResult) -> str:
    """Return the unusable entities that a form names."""
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    return placeholders["problems"]


async def test_an_entity_that_does_not_exist_is_refused(hass: HomeAssistant) -> None:
    """Refuse an entity id without an entity, by name."""
    form = await fill_in(hass, await begin(hass, "1"), {"voltage_l1": "sensor.nobody"})
    assert form["errors"] == {"voltage_l1": "no_value"}
    assert problems(form) == "- sensor.nobody: ?"


async def test_two_wrong_fields_get_two_errors(hass: HomeAssistant) -> None:
    """Each wrong field has its own error, also one that was in a section."""
    tell(hass, P1 | {"sensor.warm": (20, "°C"), "sensor.dead": ("unknown", "V")})
    answers = {
        "voltage_l1": "sensor.dead",
        "voltage_l2": "sensor.p1_voltage",
        "frequency": "sensor.warm",
        "import_energy": ["sensor.p1_used", "sensor.dead"],
    }
    form = await fill_in(hass, await begin(hass, "3"), answers)
    assert form["errors"] == {
        "voltage_l1": "no_value",
        "frequency": "wrong_unit",
        "import_energy": "no_value",
    }
    assert set(form["errors"]) <= set(map(str, schema_of(form)))
    assert sorted(problems(form).splitlines()) == [
        "- sensor.dead: unknown V",
        "- sensor.dead: unknown V",
        "- sensor.warm: 20 °C",
    ]
    assert shown(form) == answers


async def test_power_returned_needs_power_drawn(hass: HomeAssistant) -> None:
    """Refuse a returned power without a drawn power to subtract from."""
    tell(hass, P1)
    form = await fill_in(
        hass,
        await begin(hass, "1"),
        {"active_power_returned_l1": "sensor.p1_production"},
    )
    assert form["errors"] == {"active_power_l1": "power_missing"}


async def test_a_meter_of_nothing_is_not_added(hass: HomeAssistant) -> None:
    """End the dialogue with advice when no entity is chosen."""
    result = await fill_in(hass, await begin(hass, "1"), {})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "nothing_chosen"


async def test_the_same_entities_are_one_meter(hass: HomeAssistant) -> None:
    """A second meter of the same entities is refused."""
    tell(hass, P1)
    answers = {"voltage_l1": "sensor.p1_voltage"}
    await add_entities(hass, "1", answers)
    result = await fill_in(hass, await begin(hass, "1"), answers)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_entities_that_go_take_the_meter_along(hass: HomeAssistant) -> None:
    """Make a lost entity unknown, and the meter unavailable without any entity."""
    await add_shelly(hass)
    await state_is(hass, "sensor.house_active_power", "800.0")
    tell(hass, {"sensor.em_b_power": ("unavailable", "W")})
    await state_is(hass, "sensor.house_active_power_l2", "unknown")
    await state_is(hass, "sensor.house_active_power", "unknown")
    await state_is(hass, "sensor.house_active_power_l1", "1000.0")
    tell(hass, dict.fromkeys(SHELLY, ("unavailable", "")))
    await state_is(hass, "sensor.house_active_power_l1", "unavailable")
    tell(hass, SHELLY)
    await state_is(hass, "sensor.house_active_power", "800.0")


@pytest.mark.parametrize("new_meter", [False, True])
async def test_other_entities_keep_the_meter(
    hass: HomeAssistant, *, new_meter: bool
) -> None:
    """Show the chosen entities when reconfigured, keep the sensors, and begin a count."""
    entry = await add_shelly(hass)
    tell(hass, {"sensor.other": (240, "V")})
    form = await reconfigure(hass, entry)
    assert typed(form) == {
        "name": "House",
        "phases": "3",
        "device_id": None,
        "new_meter": None,
    }
    form = await start(hass, form, "1", new_meter=new_meter)
    assert shown(form) == {
        field: value
        for field, value in SHELLY_ANSWERS.items()
        if not field.endswith(("_l2", "_l3"))
    }
    form = await fill_in(hass, form, {"voltage_l1": "sensor.other"})
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    await state_is(hass, "sensor.house_voltage_l1", "240.0")
    assert entry.data["phases"] == 1
    assert (CONF_REPLACED in entry.data) == new_meter


@pytest.mark.parametrize("inverted", [[], ["l1"], ["l2", "total"]])
async def test_forms_sent_as_they_open_change_nothing(
    hass: HomeAssistant, inverted: list[str]
) -> None:
    """Reconfigured, the forms know power returned and the sign of power as well."""
    tell(hass, P1 | SHELLY)
    answers: dict[str, Any] = {
        "active_power_l1": "sensor.p1_consumption",
        "active_power_returned_l1": "sensor.p1_production",
        "active_power_l2": "sensor.em_b_power",
        "active_power": "sensor.em_c_power",
        "import_energy_l1": ["sensor.p1_used"],
        "power_factor": "sensor.cos",
    }
    tell(hass, {"sensor.cos": (98, "%")})
    if inverted:
        answers["inverted"] = inverted
    entry = await add_entities(hass, "2", answers)
    watts = "1250.0" if "l1" in inverted else "-1250.0"
    await state_is(hass, "sensor.house_active_power_l1", watts)
    before = dict(entry.data)
    form = await start(hass, await reconfigure(hass, entry), "2")
    assert shown(form) == answers
    form = await fill_in(hass, form, shown(form))
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert dict(entry.data) == before
    await state_is(hass, "sensor.house_active_power_l1", watts)


async def test_a_meter_whose_entities_come_later_starts_when_they_do(
    hass: HomeAssistant,
) -> None:
    """After a restart of Home Assistant other integrations may need some minutes."""
    entry = await add_shelly(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    for entity_id in SHELLY:
        hass.states.async_remove(entity_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await state_is(hass, "sensor.house_voltage_l1", "unavailable")
    tell(hass, SHELLY)
    await state_is(hass, "sensor.house_voltage_l1", "230.1")


async def test_one_phase_of_three_is_not_the_house(hass: HomeAssistant) -> None:
    """No total of power is shown, spoken or acted on while a declared phase tells none."""
    tell(hass, {"sensor.power": (700, "W"), "sensor.hertz": (50.02, "Hz")})
    answers = {"active_power_l1": "sensor.power", "frequency": "sensor.hertz"}
    entry = await add_entities(hass, "3", answers)
    await state_is(hass, "sensor.house_active_power_l1", "700.0")
    await state_is(hass, "sensor.house_frequency", "50.02")
    assert hass.states.get("sensor.house_active_power") is None
    meter = entry.runtime_data.meter
    assert powers_of(meter)[Supply.L1] == 700
    assert powers_of(meter)[Supply.TOTAL] is None
    (queried,) = async_meters(hass, everything_exposed)
    assert query_power(queried, HousePower(now=dt_util.utcnow())).power is None


async def test_a_total_of_some_phases_of_an_earlier_version_is_no_more(
    hass: HomeAssistant,
) -> None:
    """The stored description loses what was never the house's power."""
    tell(hass, {"sensor.power": (700, "W"), "sensor.volts": (231, "V")})
    answers = {"active_power_l1": "sensor.power", "voltage_l2": "sensor.volts"}
    entry = await add_entities(hass, "2", answers)
    meter = {**entry.data["meter"]}
    meter["channels"] = [*meter["channels"], "active_power"]
    del meter["declared"]
    hass.config_entries.async_update_entry(entry, data={**entry.data, "meter": meter})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await state_is(hass, "sensor.house_active_power_l1", "700.0")
    assert hass.states.get("sensor.house_active_power") is None


async def test_the_dialogue_shows_the_value_of_a_derived_total(
    hass: HomeAssistant,
) -> None:
    """What was read stands beside each phase, and the sum beside Σ."""
    tell(hass, SHELLY)
    form = await fill_in(
        hass,
        await begin(hass, "3"),
        {
            "active_power_l1": "sensor.em_a_power",
            "active_power_l2": "sensor.em_b_power",
            "active_power_l3": "sensor.em_c_power",
        },
    )
    words = form["description_placeholders"]
    assert words is not None
    assert words["found"] == "- Active power: L1 1000 W, L2 -250 W, L3 50 W, Σ 800 W"


async def test_a_unit_that_disappears_changes_no_value(hass: HomeAssistant) -> None:
    """A power in kW stays one, also over a reload where the registry knows the unit."""
    registered = er.async_get(hass).async_get_or_create(
        "sensor", "p1", "1", object_id_base="drawn", unit_of_measurement="kW"
    )
    power = registered.entity_id
    tell(hass, P1 | {power: (0.5, "kW")})
    answers = {"active_power_l1": power, "voltage_l1": "sensor.p1_voltage"}
    entry = await add_entities(hass, "1", answers)
    await state_is(hass, "sensor.house_active_power_l1", "500.0")
    hass.states.async_set(power, "0.75")
    hass.states.async_set("sensor.p1_voltage", "0.2310")
    await state_is(hass, "sensor.house_active_power_l1", "750.0")
    await state_is(hass, "sensor.house_voltage_l1", "231.0")
    hass.data.pop(_KNOWN)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await state_is(hass, "sensor.house_active_power_l1", "750.0")


async def wait_rhythm(
    hass: HomeAssistant, states: Mapping[str, tuple[float, str]]
) -> None:
    """Let entities report the same states until their rhythm is known, twice over."""
    end = hass.loop.time() + 2 * timeout.MINIMUM
    while hass.loop.time() < end:
        tell_the_same(hass, states)
        await asyncio.sleep(0.02)


def tell_the_same(hass: HomeAssistant, states: Mapping[str, tuple[float, str]]) -> None:
    """Let other integrations report states that may not have changed."""
    for entity_id, (value, unit) in states.items():
        hass.states.async_set(entity_id, str(value), {"unit_of_measurement": unit})


@pytest.fixture
def quick_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the rule of silence."""
    monkeypatch.setattr(timeout, "MINIMUM", patience(0.3))
    monkeypatch.setattr(entities_module, "WATCH_INTERVAL", 0.05)


@pytest.mark.usefixtures("quick_rule")
async def test_a_constant_value_is_alive_and_a_frozen_one_is_not(
    hass: HomeAssistant,
) -> None:
    """What counts is whether a value is still reported, not whether it changes."""
    power = {"sensor.power": (-500.0, "W")}
    volts = {"sensor.volts": (231.0, "V")}
    energy = {"sensor.energy": (12.5, "kWh")}
    tell(hass, power | volts | energy)
    answers = {
        "active_power_l1": "sensor.power",
        "voltage_l1": "sensor.volts",
        "import_energy": ["sensor.energy"],
    }
    entry = await add_entities(hass, "1", answers)
    async with reporting(hass, power | volts | energy):
        await wait_rhythm(hass, power | volts | energy)
        await state_is(hass, "sensor.house_active_power", "-500.0")
    # The power freezes, the voltage does not.
    async with reporting(hass, volts):
        await state_is(hass, "sensor.house_active_power_l1", "unknown", patience(20))
        await state_is(hass, "sensor.house_active_power", "unknown")
        assert powers_of(entry.runtime_data.meter)[Supply.TOTAL] is None
        await state_is(hass, "sensor.house_voltage_l1", "231.0")
        assert hass.states.is_state("sensor.house_import_energy", "12.5")
    await state_is(hass, "sensor.house_voltage_l1", "unavailable", patience(20))
    assert isinstance(entry.runtime_data.meter.error, SilentError)
    tell_the_same(hass, power | volts)
    await state_is(hass, "sensor.house_active_power", "-500.0")


@pytest.mark.usefixtures("quick_rule")
async def test_entities_of_a_device_speak_for_one_another(hass: HomeAssistant) -> None:
    """Many devices tell only what has changed: a phase without load is no dead one."""
    config = MockConfigEntry(domain="shelly")
    config.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=config.entry_id, identifiers={("shelly", "1")}
    )
    power, volts = (
        er.async_get(hass)
        .async_get_or_create(
            "sensor", "shelly", key, device_id=device.id, config_entry=config
        )
        .entity_id
        for key in ("power", "volts")
    )
    tell(hass, {power: (0.0, "W"), volts: (231.0, "V")})
    await add_entities(hass, "1", {"active_power_l1": power, "voltage_l1": volts})
    async with reporting(hass, {volts: (231.0, "V")}):
        await wait_rhythm(hass, {volts: (231.0, "V")})
        await state_is(hass, "sensor.house_active_power_l1", "0.0")
    await state_is(hass, "sensor.house_active_power_l1", "unavailable", patience(20))
    # One that has repeated what did not change, and does so no more, is frozen.
    await wait_rhythm(hass, {power: (0.0, "W"), volts: (231.0, "V")})
    async with reporting(hass, {volts: (231.0, "V")}):
        await state_is(hass, "sensor.house_active_power_l1", "unknown", patience(20))
        tell_the_same(hass, {power: (0.0, "W")})
        await state_is(hass, "sensor.house_active_power_l1", "0.0")


async def test_a_value_frozen_long_before_a_start_is_not_taken(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """A reload makes no reading of now from one of two hours ago."""
    tell(hass, {"sensor.power": (-500.0, "W")})
    entry = await add_entities(hass, "1", {"active_power_l1": "sensor.power"})
    await state_is(hass, "sensor.house_active_power_l1", "-500.0")
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(7200)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.is_state("sensor.house_active_power_l1", "unavailable")
    tell_the_same(hass, {"sensor.power": (-500.0, "W")})
    await hass.async_block_till_done()
    assert entry.runtime_data.meter.connected


@asynccontextmanager
async def reporting(
    hass: HomeAssistant, states: Mapping[str, tuple[float, str]]
) -> AsyncGenerator[None]:
    """Report states over and over."""

    async def go_on() -> None:
        while True:
            tell_the_same(hass, states)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
