"""What a device's entities measure, tried on the listings of real integrations.

The listings are the installed Home Assistant's own, those of ESPHome and Tasmota the
names that their documents propose.
"""

from collections.abc import Sequence
from typing import Final

import pytest

from custom_components.nrj_monitor.catalog import Phase
from custom_components.nrj_monitor.flows.device_entities import ListedEntity, filled_in
from tests.support.device_listings import listing, named

THREE: Final = tuple(Phase)


def by_phase(field: str, template: str, *phases: str) -> dict[str, str]:
    """Return a field of each phase; `template` makes the entity from the maker's phase."""
    return {
        f"{field}_{phase.lower()}": template.format(its)
        for phase, its in zip(Phase, phases, strict=False)
    }


ABC = ("a", "b", "c")
NUMBERS = ("1", "2", "3")
FROM_ZERO = ("0", "1", "2")
L_NUMBERS = ("l1", "l2", "l3")


def found(listed: Sequence[ListedEntity], count: int = 3) -> dict[str, str]:
    """Return what is filled in, several entities of a field joined by a plus."""
    return {
        field: " + ".join(entities)
        for field, entities in filled_in(listed, THREE[:count]).items()
    }


def test_shelly_3em_of_the_second_generation() -> None:
    """Phases a, b, c, each with its counters, and totals of all."""
    entities = listing("shelly", "RPC_SENSORS", "{mapped}", key="em")
    own = [entity for entity in entities if "em1" not in entity.entity_id]
    assert found([entity for entity in own if entity.entity_id not in EM1]) == {
        **by_phase("voltage", "{}_voltage", *ABC),
        **by_phase("current", "{}_current", *ABC),
        **by_phase("active_power", "{}_act_power", *ABC),
        "active_power": "total_act_power",
        **by_phase("apparent_power", "{}_aprt_power", *ABC),
        "apparent_power": "total_aprt_power",
        **by_phase("power_factor", "{}_pf", *ABC),
        "frequency": "a_freq",
        **by_phase("import_energy", "{}_total_act_energy", *ABC),
        "import_energy": "total_act",
        **by_phase("export_energy", "{}_total_act_ret_energy", *ABC),
        "export_energy": "total_act_ret",
    }


EM1 = ("total_act_energy", "total_act_ret_energy")
"""Keys of the counters of a single channel."""


def test_shelly_with_three_channels() -> None:
    """Channels are numbered from zero."""
    channels = [
        entity
        for number in FROM_ZERO
        for entity in listing(
            "shelly", "RPC_SENSORS", f"em1:{number}-" + "{mapped}", key="em1"
        )
    ]
    assert found(channels) == {
        **by_phase("voltage", "em1:{}-voltage_em1", *FROM_ZERO),
        **by_phase("current", "em1:{}-current_em1", *FROM_ZERO),
        **by_phase("active_power", "em1:{}-power_em1", *FROM_ZERO),
        **by_phase("apparent_power", "em1:{}-aprt_power_em1", *FROM_ZERO),
        **by_phase("power_factor", "em1:{}-pf_em1", *FROM_ZERO),
        "frequency": "em1:0-freq_em1",
        **by_phase("import_energy", "em1:{}-total_act_energy", *FROM_ZERO),
        **by_phase("export_energy", "em1:{}-total_act_ret_energy", *FROM_ZERO),
    }


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shelly_of_the_first_generation(count: int) -> None:
    """Of more channels than phases the first are taken; of one its energy is the total."""
    channels = [
        entity
        for number in FROM_ZERO
        for entity in listing(
            "shelly", "BLOCK_SENSORS", f"emeter_{number}-" + "{attribute}", key="emeter"
        )
    ]
    wanted = FROM_ZERO[:count]
    energies = (
        {"import_energy": "emeter_0-energy", "export_energy": "emeter_0-energyReturned"}
        if count == 1
        else by_phase("import_energy", "emeter_{}-energy", *wanted)
        | by_phase("export_energy", "emeter_{}-energyReturned", *wanted)
    )
    assert found(channels, count) == {
        **by_phase("voltage", "emeter_{}-voltage", *wanted),
        **by_phase("current", "emeter_{}-current", *wanted),
        **by_phase("active_power", "emeter_{}-power", *wanted),
        **by_phase("power_factor", "emeter_{}-powerFactor", *wanted),
        **energies,
    }


def test_dutch_p1_meter() -> None:
    """Two tariffs become one counter; what is delivered is delivered to the grid."""
    of_other_countries = ("tariff_3", "tariff_4", "belgium", "eon_hu", "total")
    entities = [
        entity
        for entity in listing("dsmr", "SENSORS", "{key}")
        if not any(word in entity.entity_id for word in of_other_countries)
    ]
    tariffs = "electricity_{0}_tariff_1 + electricity_{0}_tariff_2"
    power = "instantaneous_active_power_{}"
    assert found(entities) == {
        **by_phase("voltage", "instantaneous_voltage_{}", *L_NUMBERS),
        **by_phase("current", "instantaneous_current_{}", *L_NUMBERS),
        **by_phase("active_power", power + "_positive", *L_NUMBERS),
        **by_phase("active_power_returned", power + "_negative", *L_NUMBERS),
        "active_power": "current_electricity_usage",
        "active_power_returned": "current_electricity_delivery",
        "import_energy": tariffs.format("used"),
        "export_energy": tariffs.format("delivered"),
    }


def test_p1_monitor() -> None:
    """Tariffs are high and low, power is consumed and produced."""
    entities = listing("p1_monitor", "SENSORS_SMARTMETER", "{key}")
    entities += listing("p1_monitor", "SENSORS_PHASES", "{key}")
    assert found(entities) == {
        **by_phase("voltage", "voltage_phase_{}", *L_NUMBERS),
        **by_phase("current", "current_phase_{}", *L_NUMBERS),
        **by_phase("active_power", "power_consumed_phase_{}", *L_NUMBERS),
        **by_phase("active_power_returned", "power_produced_phase_{}", *L_NUMBERS),
        "active_power": "power_consumption",
        "active_power_returned": "power_production",
        "import_energy": "energy_consumption_high + energy_consumption_low",
        "export_energy": "energy_production_high + energy_production_low",
    }


def test_homewizard_p1_meter() -> None:
    """A power with a sign has none taken off; a total is preferred to its tariffs."""
    entities = found(listing("homewizard", "SENSORS", "{key}"))
    assert (
        entities.items()
        >= {
            **by_phase("voltage", "active_voltage_{}_v", *L_NUMBERS),
            **by_phase("current", "active_current_{}_a", *L_NUMBERS),
            **by_phase("active_power", "active_power_{}_w", *L_NUMBERS),
            "active_power": "active_power_w",
            "frequency": "active_frequency_hz",
            "import_energy": "total_power_import_kwh",
            "export_energy": "total_power_export_kwh",
        }.items()
    )
    assert not [field for field in entities if "returned" in field]


def test_youless_and_powerfox() -> None:
    """Phases may stand before the quantity, tariffs where it is not said."""
    assert found(listing("youless", "SENSOR_TYPES", "{key}")) == {
        **by_phase("voltage", "phase_{}_voltage", *NUMBERS),
        **by_phase("current", "phase_{}_current", *NUMBERS),
        **by_phase("active_power", "phase_{}_power", *NUMBERS),
        "import_energy": "power_total",
        "export_energy": "delivery_low + delivery_high",
    }
    assert found(listing("powerfox", "SENSORS_POWER", "{key}"), 1) == {
        "active_power_l1": "power",
        "import_energy": "energy_usage",
        "export_energy": "energy_return",
    }


def test_fronius_smart_meter() -> None:
    """Voltages between phases are none of a phase."""
    entities = found(listing("fronius", "METER_ENTITY_DESCRIPTIONS", "{key}"))
    assert (
        entities.items()
        >= {
            **by_phase("voltage", "voltage_ac_phase_{}", *NUMBERS),
            **by_phase("current", "current_ac_phase_{}", *NUMBERS),
            **by_phase("active_power", "power_real_phase_{}", *NUMBERS),
            "active_power": "power_real",
            "frequency": "frequency_phase_average",
            "import_energy": "energy_real_consumed",
            "export_energy": "energy_real_produced",
        }.items()
    )


def test_sma_inverter_with_a_meter() -> None:
    """What is metered at the grid is preferred to the inverter and to its panels."""
    entities = found(listing("sma", "SENSOR_ENTITIES", "{name}"))
    names = ("L1", "L2", "L3")
    assert (
        entities.items()
        >= {
            **by_phase("voltage", "Metering Voltage {}", *names),
            **by_phase("current", "Metering Current {}", *names),
            **by_phase("active_power", "Metering Active Power Draw {}", *names),
            **by_phase(
                "active_power_returned", "Metering Active Power Feed {}", *names
            ),
            "active_power": "Metering Power Absorbed",
            "active_power_returned": "Metering Power Supplied",
            "frequency": "Metering Frequency",
            "import_energy": "Metering Total Absorbed",
            "export_energy": "Metering Total Yield",
        }.items()
    )


def test_esphome_and_tasmota() -> None:
    """Names that people give, in ESPHome's and Tasmota's documents."""
    atm90e32 = named(
        *(f"Phase {phase} Voltage: V" for phase in "ABC"),
        *(f"Phase {phase} Active Power: W" for phase in "ABC"),
        *(f"Phase {phase} Forward Active Energy: Wh" for phase in "ABC"),
        *(f"Phase {phase} Reverse Active Energy: Wh" for phase in "ABC"),
        "Frequency: Hz",
        "Neutral Current: A",
    )
    letters = ("A", "B", "C")
    assert found(atm90e32) == {
        **by_phase("voltage", "Phase {} Voltage", *letters),
        **by_phase("active_power", "Phase {} Active Power", *letters),
        **by_phase("import_energy", "Phase {} Forward Active Energy", *letters),
        **by_phase("export_energy", "Phase {} Reverse Active Energy", *letters),
        "frequency": "Frequency",
    }
    clamps = named("CT1 Watts: W", "CT2 Watts: W", "Total Watts: W", "Line Voltage: V")
    assert found(clamps, 2) == {
        **by_phase("active_power", "CT{} Watts", "1", "2"),
        "active_power": "Total Watts",
    }
    pzem = named("Voltage: V", "Current: A", "Power: W", "Energy: kWh")
    assert found(pzem, 1) == {
        "voltage_l1": "Voltage",
        "current_l1": "Current",
        "active_power_l1": "Power",
        "import_energy": "Energy",
    }
    energy = named(
        *(f"ENERGY Power {number}: W" for number in FROM_ZERO),
        *("ENERGY Total: kWh", "ENERGY Today: kWh", "ENERGY Yesterday: kWh"),
    )
    assert found(energy) == {
        **by_phase("active_power", "ENERGY Power {}", *FROM_ZERO),
        "import_energy": "ENERGY Total",
    }


def test_delivered_beside_returned_is_delivered_to_the_client() -> None:
    """DSMR-reader means by *delivered* what others call *used*."""
    names = (
        *("Electricity delivered 1: kWh", "Electricity delivered 2: kWh"),
        *("Currently delivered: kW", "Currently returned: kW"),
    )
    assert found(named(*names), 1) == {
        "active_power_l1": "Currently delivered",
        "active_power_returned_l1": "Currently returned",
        "import_energy": "Electricity delivered 1 + Electricity delivered 2",
    }
    tariffs = named("Energy delivered tariff 1: kWh", "Energy delivered tariff 2: kWh")
    fed = named("Energy returned tariff 1: kWh", "Energy returned tariff 2: kWh")
    assert found([*tariffs, *fed], 1) == {
        "import_energy": "Energy delivered tariff 1 + Energy delivered tariff 2",
        "export_energy": "Energy returned tariff 1 + Energy returned tariff 2",
    }


def test_what_could_be_either_is_left_out() -> None:
    """Two powers without a word between them are a person's choice, and so are two of a tariff."""
    assert found(named("Kitchen: W", "Cellar: W", "Grid voltage: V"), 1) == {
        "voltage_l1": "Grid voltage"
    }
    twice = named("Used kitchen tariff 1: kWh", "Used cellar tariff 1: kWh")
    assert found(twice, 1) == {}


def test_what_does_not_fit_its_class_is_left_out() -> None:
    """An energy that does not count up, and a class that no field has."""
    readings = named("Energy left: kWh", "Power: W")
    odd = [
        ListedEntity(
            entity_id=entity.entity_id,
            device_class=None,
            unit=entity.unit,
            state_class="measurement" if entity.unit == "kWh" else "total_increasing",
            texts=entity.texts,
        )
        for entity in readings
    ]
    assert found(odd) == {}
    assert found(named("Temperature: °C", "Battery voltage: V", "Line 1: kWh"), 1) == {
        "import_energy": "Line 1"
    }
