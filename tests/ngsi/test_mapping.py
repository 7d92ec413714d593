"""Mapping of samples to valid entities of the data models, in their units."""

from dataclasses import replace
from datetime import UTC, datetime
import json
from math import isclose, radians, sin, sqrt
from pathlib import Path
import re
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS, QUANTITIES
from custom_components.nrj_monitor.ngsi.groups import (
    DEFAULT_GROUPS,
    Group,
    group_of,
    select_channels,
)
from custom_components.nrj_monitor.ngsi.mapping import (
    Api,
    Generation,
    Mapper,
    NgsiEntity,
    temporal,
)
from custom_components.nrj_monitor.ngsi.models import UNIT_CODES, Model
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.wiring import measures_between_phases
from tests.support.ngsi.schemas import errors, key_values, read

MOMENT = datetime(2026, 11, 20, 23, 59, 59, 123000, UTC)
TIME = "2026-11-20T23:59:59.123Z"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# A house by hand: L1 draws, L2 feeds, L3 rests; powers from V, I and the angle.
HOUSE: dict[str, float] = {
    "voltage_l1": 230.0,
    "voltage_l2": 232.0,
    "voltage_l3": 229.0,
    "current_l1": 10.0,
    "current_l2": 5.0,
    "current_l3": 0.5,
    "neutral_current": 4.25,
    "active_power_l1": 2000.0,
    "active_power_l2": -1100.0,
    "active_power_l3": 100.0,
    "active_power": 1000.0,
    "reactive_power_l1": 900.0,
    "reactive_power_l2": -200.0,
    "reactive_power_l3": 0.0,
    "reactive_power": 700.0,
    "fundamental_active_power_l1": 300.0,
    "fundamental_reactive_power_l1": 400.0,
    "fundamental_active_power_l2": -300.0,
    "fundamental_reactive_power_l2": 400.0,
    "apparent_power_l1": 2300.0,
    "apparent_power": 3500.0,
    "power_factor_l1": 0.87,
    "power_factor": 0.286,
    "frequency": 49.9876,
    "voltage_thd_l1": 2.5,
    "current_thd_l1": 35.0,
    "current_thd_l2": 140.0,
    "import_energy_l1": 1234.567,
    "import_energy": 1500.25,
    "export_energy": 300.5,
    "reactive_energy_q1_l1": 10.0,
    "reactive_energy_q2_l1": 2.5,
    "reactive_energy_q3_l1": 1.0,
    "reactive_energy_q4_l1": 0.25,
    "apparent_energy": 2222.0,
    "voltage_angle_l1_l2": 120.0,
    "voltage_angle_l2_l3": 119.0,
    "voltage_angle_l1_l3": 121.0,
    "voltage_unbalance": 0.7,
    "voltage_harmonic_3_l1": 1.5,
    "chip_temperature": 41.5,
    "rejected_frames": 3.0,
}

NGSI_ENTITY = NgsiEntity(
    id="urn:ngsi-ld:ThreePhaseAcMeasurement:aabbccddeeff",
    name="NRJ Meter (cellar)",
    ref_device="urn:ngsi-ld:Device:aabbccddeeff",
    latitude=46.5,
    longitude=6.6,
    metering_started=round(STARTED.timestamp() * 1000),
)


def ngsi_entity(model: Model, **changes: Any) -> NgsiEntity:
    """Return the constant attributes of the house's meter."""
    id_ = f"urn:ngsi-ld:{model.value}:aabbccddeeff"
    return replace(NGSI_ENTITY, id=id_, model=model, **changes)


def entity(
    model: Model = Model.THREE_PHASE,
    api: Api = Api.V2,
    values: dict[str, float] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return the entity of the house."""
    readings = HOUSE if values is None else values
    channels = [CHANNELS[id_] for id_ in readings]
    mapped = Mapper(ngsi_entity(model, **changes), channels, api).entity(
        Sample.of(MOMENT, readings)
    )
    assert mapped is not None
    return mapped


@pytest.mark.parametrize("model", Model)
def test_the_models_own_examples_are_valid(model: Model) -> None:
    """Validate the examples the authors of the models published."""
    assert errors(_normalized(read(f"{model.value}/example.json"))) == []


def _normalized(example: dict[str, Any]) -> dict[str, Any]:
    return {k: v if k in ("id", "type") else {"value": v} for k, v in example.items()}


def test_the_validator_refuses_invalid_entities() -> None:
    """Refuse an exported power in ACMeasurement, and an invalid time."""
    bad = _normalized(read("ACMeasurement/example.json"))
    bad["activePower"] = {"value": {"L1": -500}}
    bad["dateObserved"] = {"value": "yesterday"}
    assert len(errors(bad)) == 2


@pytest.mark.parametrize("model", Model)
@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("extras", [True, False])
def test_the_entity_of_a_house_is_valid(model: Model, api: Api, extras: bool) -> None:
    """Validate the entity of a house with a feeding phase."""
    assert errors(entity(model, api, extras=extras)) == []


@pytest.mark.parametrize("model", Model)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    values=st.dictionaries(
        st.sampled_from(sorted(CHANNELS)),
        st.one_of(
            st.floats(-1e6, 1e6),
            st.sampled_from([0.0, -0.0, 1.00049, -1.00049, 100.0, 1e-9]),
        ),
        min_size=1,
    )
)
def test_whatever_is_measured_the_entity_is_valid(
    model: Model, values: dict[str, float]
) -> None:
    """Validate entities of absurd readings, beyond the limits of a model."""
    mapped = Mapper(
        ngsi_entity(model), [CHANNELS[id_] for id_ in values], Api.V2
    ).entity(Sample.of(MOMENT, values))
    if mapped is not None:
        assert errors(mapped) == []
        json.dumps(mapped, allow_nan=False)


def test_every_quantity_has_its_attribute_and_unit() -> None:
    """Compare attributes by hand: W, var, VA, A, V, Hz, kWh, THD as a fraction."""
    plain = key_values(entity())
    assert plain["activePower"] == {"L1": 2000.0, "L2": -1100.0, "L3": 100.0}
    assert plain["totalActivePower"] == 1000.0
    assert plain["totalApparentPower"] == 3500.0
    assert plain["apparentPower"] == {"L1": 2300.0}
    assert plain["phaseVoltage"] == {"L1": 230.0, "L2": 232.0, "L3": 229.0}
    assert plain["current"] == {"L1": 10.0, "L2": 5.0, "L3": 0.5, "N": 4.25}
    assert plain["frequency"] == 49.9876
    assert plain["powerFactor"] == {"L1": 0.87}
    assert plain["totalPowerFactor"] == 0.286
    assert plain["thdVoltage"] == {"L1": 0.025}
    assert plain["thdCurrent"] == {"L1": 0.35}
    assert plain["activeEnergyImport"] == {"L1": 1234.567}
    assert plain["totalActiveEnergyImport"] == 1500.25
    assert plain["totalActiveEnergyExport"] == 300.5
    # IEC 62053-23: reactive import in quadrants I and II, export in III and IV.
    assert plain["reactiveEnergyImport"] == {"L1": 12.5}
    assert plain["reactiveEnergyExport"] == {"L1": 1.25}
    # 3-4-5: cos φ is 0.6, negative while the phase feeds.
    assert plain["displacementPowerFactor"] == {"L1": 0.6, "L2": -0.6}
    # The model's reactive power is that of the fundamental.
    assert plain["reactivePower"] == {"L1": 400.0, "L2": 400.0}
    assert plain["dateObserved"] == TIME
    assert plain["TimeInstant"] == TIME
    assert plain["dateEnergyMeteringStarted"] == "2026-01-02T03:04:05.000Z"
    assert plain["refDevice"] == ["urn:ngsi-ld:Device:aabbccddeeff"]
    assert plain["location"] == {"type": "Point", "coordinates": [6.6, 46.5]}
    # What a broker refuses is not in a name.
    assert plain["name"] == "NRJ Meter cellar"


def test_the_voltage_between_two_phases_is_that_of_the_phasors() -> None:
    """Compare with instantaneous values over a period, without the cosine law."""
    plain = key_values(entity())
    angles = {"L12": (230.0, 232.0, 120.0), "L23": (232.0, 229.0, 119.0)}
    for pair, (first, second, angle) in angles.items():
        steps = 720
        squares = 0.0
        for step in range(steps):
            phase = radians(step * 360 / steps)
            difference = sqrt(2) * (
                first * sin(phase) - second * sin(phase - radians(angle))
            )
            squares += difference**2
        assert isclose(
            plain["phaseToPhaseVoltage"][pair], sqrt(squares / steps), abs_tol=0.01
        )
    # Not the difference of rms values, which would be 2 V.
    assert plain["phaseToPhaseVoltage"]["L12"] > 390


def test_extra_attributes_are_named_after_the_catalog_or_left_out() -> None:
    """Send quantities without an attribute as an option, in the catalog's units."""
    plain = key_values(entity())
    assert plain["voltageUnbalance"] == 0.7
    assert plain["totalApparentEnergy"] == 2222.0
    assert plain["reactivePowerWithHarmonics"] == {"L1": 900.0, "L2": -200.0, "L3": 0.0}
    assert plain["voltageHarmonics"] == {"L1H3": 1.5}
    # More than 100 % is possible for a current, but not in thdCurrent.
    assert plain["currentThd"] == {"L2": 140.0}
    without = key_values(entity(extras=False))
    schema = {
        name
        for part in read("ThreePhaseAcMeasurement/schema.json")["allOf"]
        for name in part.get("properties", ())
    }
    known = schema | {"id", "name", "location", "dateObserved", "TimeInstant"}
    assert set(without) <= known
    assert set(without) < set(plain)


def test_ac_measurement_splits_drawn_and_fed_power() -> None:
    """Send the drawn power per phase, the fed power beside, the total signed."""
    plain = key_values(entity(Model.AC))
    assert plain["activePower"] == {"L1": 2000.0, "L2": 0.0, "L3": 100.0}
    assert plain["activePowerExported"] == {"L1": 0.0, "L2": 1100.0, "L3": 0.0}
    assert plain["totalActivePower"] == 1000.0
    assert plain["phaseType"] == "threePhase"
    assert "activePowerExported" not in key_values(entity(Model.AC, extras=False))
    single = {"voltage_l1": 230.0, "active_power_l1": 100.0}
    assert key_values(entity(Model.AC, values=single))["phaseType"] == "singlePhase"


def test_a_meter_on_a_solar_feed_is_positive_when_it_produces() -> None:
    """Send produced power as positive, in either direction of the meter."""
    readings = {
        "active_power_l1": -500.0,
        "active_power": -500.0,
        "power_factor_l1": -0.9,
        "export_energy": 12.5,
        "import_energy": 0.5,
        "current_l1": 2.2,
    }
    plain = key_values(entity(Model.SOLAR, values=readings))
    assert plain["totalActivePower"] == 500.0
    assert plain["activePower"] == {"L1": 500.0}
    assert plain["powerFactor"] == {"L1": 0.9}
    assert plain["totalEnergyGenerated"] == 12.5
    assert plain["phaseCurrent"] == {"L1": 2.2}
    assert plain["observationDateTime"] == TIME
    assert plain["totalImportEnergy"] == 0.5
    turned = key_values(
        entity(Model.SOLAR, values=readings, generation=Generation.IMPORT)
    )
    assert turned["totalActivePower"] == -500.0
    assert turned["totalEnergyGenerated"] == 0.5


def test_each_value_has_its_unit_and_time() -> None:
    """Write the unit and the time of a value for either interface."""
    v2 = entity()
    assert v2["activePower"]["metadata"] == {
        "unitCode": {"type": "Text", "value": "WTT"},
        "TimeInstant": {"type": "DateTime", "value": TIME},
    }
    assert v2["TimeInstant"] == {"type": "DateTime", "value": TIME}
    # A Relationship with a value is what QuantumLeap fails on.
    assert "Relationship" not in json.dumps(v2)
    ld = entity(api=Api.LD)
    assert ld["frequency"] == {
        "type": "Property",
        "value": 49.9876,
        "unitCode": "HTZ",
        "observedAt": TIME,
    }
    assert ld["refDevice"]["type"] == "Relationship"
    assert ld["location"]["type"] == "GeoProperty"
    assert ld["dateObserved"]["value"] == {"@type": "DateTime", "@value": TIME}
    assert "TimeInstant" not in ld


def test_unknown_readings_are_not_sent() -> None:
    """Send neither null nor NaN nor an attribute without a value."""
    sample = Sample.of(
        MOMENT,
        {"frequency": float("nan"), "voltage_l1": None, "current_l1": float("inf")},
    )
    assert sample.values == {}
    mapper = Mapper(NGSI_ENTITY, CHANNELS.values(), Api.V2)
    assert mapper.entity(sample) is None
    one = mapper.entity(Sample.of(MOMENT, {"voltage_l1": None, "voltage_l2": 231.0}))
    assert one is not None
    assert one["phaseVoltage"]["value"] == {"L2": 231.0}
    assert "current" not in one


def test_a_temporal_entity_holds_each_instance_once() -> None:
    """Leave constant attributes out of the history."""
    mapper = Mapper(NGSI_ENTITY, CHANNELS.values(), Api.LD)
    entities = [
        mapper.entity(Sample(1000 * n, {"frequency": 50.0 + n})) for n in range(3)
    ]
    history = temporal([one for one in entities if one is not None])
    assert [i["value"] for i in history["frequency"]] == [50.0, 51.0, 52.0]
    assert [i["observedAt"] for i in history["frequency"]][
        2
    ] == "1970-01-01T00:00:02.000Z"
    assert "refDevice" not in history
    assert history["id"] == NGSI_ENTITY.id
    assert history["@context"]


def test_every_quantity_of_the_catalog_has_a_unit_code_a_group_and_an_attribute() -> (
    None
):
    """Find a quantity of the catalog forgotten in the mapping."""
    assert {quantity.unit for quantity in QUANTITIES} <= set(UNIT_CODES)
    groups = {quantity.key: group_of(quantity) for quantity in QUANTITIES}
    assert set(groups.values()) == set(Group)
    assert groups["voltage"] is groups["current"] is Group.VOLTAGE_CURRENT
    assert groups["active_power"] is groups["power_factor"] is Group.POWER
    assert groups["voltage_peak"] is groups["voltage_thd"] is Group.POWER_QUALITY
    assert groups["apparent_energy"] is Group.ENERGY
    assert groups["voltage_harmonic_7"] is Group.HARMONICS
    assert groups["chip_resets"] is Group.DIAGNOSTICS
    assert CHANNELS["voltage_harmonic_3_l1"] not in select_channels(
        CHANNELS.values(), DEFAULT_GROUPS
    )
    for id_, channel in CHANNELS.items():
        mapped = Mapper(NGSI_ENTITY, [channel], Api.V2).entity(Sample(0, {id_: 0.5}))
        assert mapped is not None, id_


def test_without_power_there_is_no_displacement_factor() -> None:
    """Divide nothing by a power of zero."""
    values = {"fundamental_active_power": 0.0, "fundamental_reactive_power": 0.0}
    assert "totalDisplacementPowerFactor" not in key_values(entity(values=values))


PACKAGES = Path(__file__).parents[2] / "esphome" / "packages"


def measured(package: str) -> set[str]:
    """Return the channels the firmware's package for a wiring measures."""
    lines = (PACKAGES / package).read_text().replace("!lambda", "").splitlines()
    channels, phase = set(), ""
    for line in lines:
        if section := re.fullmatch(r"    (l[123]|total):", line):
            phase = "" if section[1] == "total" else f"_{section[1]}"
        elif key := re.match(r"      (\w+): ", line):
            channels.add(key[1] + phase)
    return channels & set(CHANNELS)


@pytest.mark.parametrize("package", sorted(p.name for p in PACKAGES.glob("meas*.yaml")))
def test_a_delta_is_known_by_what_its_firmware_measures(package: str) -> None:
    """Know the wiring without a neutral from all others, and from a meter of few values."""
    channels = [CHANNELS[id_] for id_ in measured(package)]
    assert len(channels) > 10
    assert measures_between_phases(channels) is (package == "measurements-delta.yaml")
    assert not measures_between_phases([CHANNELS["voltage_l1"]])


@pytest.mark.parametrize("model", list(Model))
@pytest.mark.parametrize("api", list(Api))
def test_the_voltages_of_a_delta_are_those_between_phases(
    model: Model, api: Api
) -> None:
    """Send no 400 V as the voltage of a phase, nor its distortion as a phase's."""
    values = {
        "voltage_l1": 400.0,
        "voltage_l2": 401.0,
        "voltage_l3": 402.0,
        "voltage_thd_l1": 2.5,
        "voltage_10_12_cycles_l3": 403.0,
        "voltage_harmonic_3_l2": 1.5,
        "current_l1": 1.0,
        "current_l3": 3.0,
        "active_power": 1000.0,
    }
    sent = entity(model, api, values, line_voltages=True)
    if not (model is Model.AC and api is Api.LD):
        assert errors(sent) == []
    plain = key_values(sent)
    # V1 is L1 against L2 and V3 is L3 against L2; V2 is computed, L1 against L3.
    assert plain["phaseToPhaseVoltage"] == {"L12": 400.0, "L31": 401.0, "L23": 402.0}
    assert "phaseVoltage" not in plain
    assert "thdVoltage" not in plain
    assert plain["current"] == {"L1": 1.0, "L3": 3.0}
    assert plain["voltageThd"] == {"L12": 2.5}
    assert plain["voltage1012Cycles"] == {"L23": 403.0}
    assert plain["voltageHarmonics"] == {"L31H3": 1.5}
    without = key_values(entity(model, api, values, line_voltages=True, extras=False))
    assert ("phaseToPhaseVoltage" in without) is (model is not Model.SOLAR)
    assert "phaseVoltage" not in without
