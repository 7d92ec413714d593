"""Decode messages in the forms of makers: what a person's meter publishes gives its readings."""

import json
from typing import Any

import pytest

from custom_components.nrj_monitor.sources.mqtt_layouts import (
    MessageError,
    decode_three_phases,
    decoder,
    mapping_decoder,
)

type Messages = list[tuple[str, Any]]

EM = {
    "id": 0,
    "a_voltage": 230.5,
    "a_current": 4.0,
    "a_act_power": 900.5,
    "a_pf": 0.98,
    "b_voltage": 231.0,
    "b_act_power": -400.0,
    "c_voltage": 229.0,
    "c_act_power": 12.0,
    "n_current": None,
    "total_act_power": 512.5,
}
MAKES: dict[str, tuple[str, Messages, dict[str, float | None]]] = {
    "shelly, a notification of em": (
        "shelly",
        [
            (
                "house/events/rpc",
                {"method": "NotifyStatus", "params": {"ts": 1.1, "em:0": EM}},
            )
        ],
        {"voltage_l2": 231.0, "active_power_l2": -400.0, "active_power": 512.5},
    ),
    "shelly, em on its status topic": (
        "shelly",
        [("house/status/em:0", EM)],
        {"voltage_l1": 230.5, "power_factor_l1": 0.98, "neutral_current": None},
    ),
    "shelly, em1": (
        "shelly",
        [
            (
                "house/events/rpc",
                {"params": {"em1:1": {"id": 1, "voltage": 244.7, "act_power": 858.3}}},
            ),
            ("house/status/em1:2", {"id": 2, "voltage": 240.0, "act_power": -5.5}),
        ],
        {"voltage_l2": 244.7, "active_power_l2": 858.3, "active_power_l3": -5.5},
    ),
    "shelly, emdata in Wh": (
        "shelly",
        [
            (
                "house/events/rpc",
                {
                    "params": {
                        "emdata:0": {
                            "a_total_act_energy": 52330.0,
                            "total_act": 53615.0,
                            "total_act_ret": 92.0,
                        }
                    }
                },
            ),
            ("house/status/em1data:1", {"total_act_energy": 1500.0}),
        ],
        {
            "import_energy_l1": 52.33,
            "import_energy_l2": 1.5,
            "import_energy": 53.615,
            "export_energy": 0.092,
        },
    ),
    "shelly gen1, a topic for each value": (
        "shelly_gen1",
        [
            ("shellies/shellyem3-1/emeter/0/power", "-351.20"),
            ("shellies/shellyem3-1/emeter/2/voltage", "229.91"),
            ("shellies/shellyem3-1/emeter/1/pf", "0.88"),
            ("shellies/shellyem3-1/emeter/1/energy", "77"),
            ("shellies/shellyem3-1/emeter/1/total", "1234567.8"),
            ("shellies/shellyem3-1/emeter/1/total_returned", "500.0"),
            ("shellies/shellyem3-1/relay/0", "off"),
            ("shellies/shellyem3-1/online", "true"),
        ],
        {
            "active_power_l1": -351.2,
            "voltage_l3": 229.91,
            "power_factor_l2": 0.88,
            "import_energy_l2": 1234.5678,
            "export_energy_l2": 0.5,
        },
    ),
    "tasmota, one phase": (
        "tasmota_energy",
        [
            (
                "tele/plug/SENSOR",
                {
                    "Time": "2026-11-01T12:00:00",
                    "ENERGY": {
                        "TotalStartTime": "2026-01-01T00:00:00",
                        "Total": 812.4,
                        "Today": 1.5,
                        "Power": 77,
                        "Factor": 0.9,
                        "Voltage": 231,
                        "Current": 0.37,
                    },
                },
            )
        ],
        {
            "import_energy": 812.4,
            "active_power": 77.0,
            "power_factor": 0.9,
            "voltage_l1": 231.0,
            "current_l1": 0.37,
        },
    ),
    "tasmota, three phases": (
        "tasmota_energy",
        [
            (
                "tele/meter/SENSOR",
                {
                    "ENERGY": {
                        "Total": [1.5, 2.5, 3.5],
                        "Power": [10, 20, -30],
                        "Voltage": [230, 231, 229],
                        "Frequency": 50,
                    }
                },
            )
        ],
        {
            "import_energy_l3": 3.5,
            "active_power_l3": -30.0,
            "voltage_l2": 231.0,
            "frequency": 50.0,
        },
    ),
    "tasmota, a reading head": (
        "tasmota_sml",
        [
            (
                "tele/head/SENSOR",
                {
                    "Time": "2026-11-01T12:00:00",
                    "SML": {
                        "Total_in": 20345.1234,
                        "Total_out": 812.5,
                        "Power_curr": -1230,
                        "power_l1": 10,
                        "voltage_l1": 231.5,
                        "Meter_Id": "0a01",
                    },
                },
            )
        ],
        {
            "import_energy": 20345.1234,
            "export_energy": 812.5,
            "active_power": -1230.0,
            "active_power_l1": 10.0,
            "voltage_l1": 231.5,
        },
    ),
    "tasmota, a reading head with drawn and fed": (
        "tasmota_sml",
        [("tele/h/SENSOR", {"E320": {"E_in": 1.5, "Power_in": 0, "Power_out": 900}})],
        {"import_energy": 1.5, "active_power": -900.0},
    ),
    "em24": (
        "em24",
        [
            (
                "tele/em24/SENSOR",
                {
                    "EM24": {
                        "Voltage_L1": 229.4,
                        "Current_L2": 1.774,
                        "Power_L1": 246.3,
                        "Power_va_L1": 311.8,
                        "Power_var_L1": -183.1,
                        "Power_L1_p": 861.1,
                        "Energy_Demand_W": 599.8,
                        "Energy_Tot_Import": 3573.3,
                        "Energy_Tot_Export": 0.0,
                    }
                },
            )
        ],
        {
            "voltage_l1": 229.4,
            "current_l2": 1.774,
            "active_power_l1": 246.3,
            "apparent_power_l1": 311.8,
            "reactive_power_l1": -183.1,
            "import_energy": 3573.3,
            "export_energy": 0.0,
        },
    ),
    "ams reader, a house that feeds": (
        "ams_reader",
        [
            (
                "ams",
                {
                    "id": "02:00",
                    "data": {"P": 0, "PO": 2350, "U1": 231, "tPI": 38353.36, "PF": 0},
                },
            )
        ],
        {"active_power": -2350.0, "voltage_l1": 231.0, "import_energy": 38353.36},
    ),
    "ams reader, flat": (
        "ams_reader",
        [("ams/power", {"P": 6933, "PO": 0, "I2": 6.7})],
        {"active_power": 6933.0, "current_l2": 6.7},
    ),
    "ams reader, raw topics": (
        "ams_reader",
        [
            ("ams/meter/import/active", "0"),
            ("ams/meter/export/active", "1200"),
            ("ams/meter/l1/voltage", "230.10"),
            ("ams/meter/import/active/accumulated", "38353.360"),
            ("ams/rssi", "-61"),
        ],
        {"active_power": -1200.0, "voltage_l1": 230.1, "import_energy": 38353.36},
    ),
    "dsmr-reader, json of texts": (
        "dsmr_reader",
        [
            (
                "dsmr/json",
                {
                    "electricity_delivered_1": "14002.123",
                    "electricity_delivered_2": "15003.456",
                    "electricity_returned_1": "12.001",
                    "electricity_returned_2": "34.002",
                    "electricity_currently_delivered": "0.000",
                    "electricity_currently_returned": "1.250",
                    "phase_currently_delivered_l1": "0.100",
                    "phase_currently_returned_l1": "0.000",
                    "phase_voltage_l3": "231.0",
                    "phase_power_current_l1": 1,
                },
            )
        ],
        {
            "import_energy": 29005.579,
            "export_energy": 46.003,
            "active_power": -1250.0,
            "active_power_l1": 100.0,
            "voltage_l3": 231.0,
            "current_l1": 1.0,
        },
    ),
    "dsmr-reader, a topic for each value": (
        "dsmr_reader",
        [
            ("dsmr/reading/electricity_currently_delivered", "0.0"),
            ("dsmr/reading/electricity_currently_returned", "0.75"),
            ("dsmr/reading/electricity_delivered_1", "100.5"),
            ("dsmr/reading/electricity_delivered_2", "200.25"),
            ("dsmr/reading/phase_voltage_l2", "229.8"),
            ("dsmr/reading/timestamp", "2026-10-01T12:00:00Z"),
        ],
        {"active_power": -750.0, "import_energy": 300.75, "voltage_l2": 229.8},
    ),
    "esphome, its own topics": (
        "esphome",
        [
            ("meter/sensor/voltage_l1/state", "230.1"),
            ("meter/sensor/phase_b_power/state", "-120.5"),
            ("meter/sensor/power_l3/state", "nan"),
            ("meter/sensor/frequency/state", "50.02"),
            ("meter/sensor/import_active_energy/state", "812.25"),
            ("meter/sensor/uptime/state", "12"),
            ("meter/status", "online"),
        ],
        {
            "voltage_l1": 230.1,
            "active_power_l2": -120.5,
            "active_power_l3": None,
            "frequency": 50.02,
            "import_energy": 812.25,
        },
    ),
    "esphome, its P1 reader in kW": (
        "esphome",
        [
            ("p1/sensor/power_delivered/state", "0.000"),
            ("p1/sensor/power_returned/state", "1.500"),
            ("p1/sensor/energy_delivered_tariff1/state", "10.5"),
            ("p1/sensor/energy_delivered_tariff2/state", "20.25"),
        ],
        {"active_power": -1500.0, "import_energy": 30.75},
    ),
    "go-e, topics": (
        "go_e",
        [
            (
                "go-eCharger/123456/nrg",
                [
                    230,
                    229,
                    231,
                    0,
                    6.1,
                    6,
                    6.2,
                    1403,
                    1374,
                    1432,
                    0,
                    4209,
                    99,
                    98,
                    99,
                    0,
                ],
            ),
            ("go-eCharger/123456/eto", 2500),
            ("go-eCharger/123456/car", 2),
        ],
        {
            "voltage_l3": 231.0,
            "current_l1": 6.1,
            "active_power_l2": 1374.0,
            "active_power": 4209.0,
            "power_factor_l2": 0.98,
            "import_energy": 2.5,
        },
    ),
    "opendtu": (
        "opendtu",
        [
            ("solar/114190641177/0/power", "412.5"),
            ("solar/114190641177/0/voltage", "231.5"),
            ("solar/114190641177/0/yieldtotal", "1013.338"),
            ("solar/114190641177/0/frequency", "50.01"),
            ("solar/114190641177/1/power", "210.0"),
            ("solar/114190641177/1/voltage", "33.1"),
            ("solar/114190641177/0/powerdc", "430.0"),
            ("solar/114190641177/name", "HM-800"),
        ],
        {
            "active_power": -412.5,
            "voltage_l1": 231.5,
            "export_energy": 1013.338,
            "frequency": 50.01,
        },
    ),
    "opendtu, three phases": (
        "opendtu",
        [("solar/1/0/voltage ph2-n", "230.0"), ("solar/1/0/current ph3", "1.5")],
        {"voltage_l2": 230.0, "current_l3": 1.5},
    ),
}


def told(decode: Any, messages: Messages) -> dict[str, float | None]:
    """Return the latest readings after messages on their topics, by the channels' ids."""
    readings: dict[str, float | None] = {}
    for topic, message in messages:
        text = message if isinstance(message, str) else json.dumps(message)
        readings |= {
            channel.id: value for channel, value in decode(text.encode(), topic).items()
        }
    return readings


@pytest.mark.parametrize("form", MAKES)
def test_a_makers_messages_give_the_meters_readings(form: str) -> None:
    """A message as the maker's device forms it gives its values in our units."""
    layout, messages, expected = MAKES[form]
    readings = told(decoder(layout), messages)
    assert {id_: readings[id_] for id_ in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    "form",
    [
        "opendtu",
        "shelly gen1, a topic for each value",
        "esphome, its own topics",
        "em24",
    ],
)
def test_what_is_not_the_meters_is_left_alone(form: str) -> None:
    """Panels, peaks, relays and the device's own state are no readings."""
    layout, messages, expected = MAKES[form]
    assert told(decoder(layout), messages).keys() == expected.keys()


def test_a_feeding_house_is_seen_in_the_usual_layout() -> None:
    """Power drawn and power fed are two names, and the reading is their difference."""
    decode = decode_three_phases
    assert told(decode, [("", {"P": 0, "PO": 2350})]) == {"active_power": -2350.0}
    assert told(decode, [("", {"P": 6933, "PO": 0})]) == {"active_power": 6933.0}
    assert told(decode, [("", {"P1": 0, "PO1": 100, "P2": 50, "PO2": 0})]) == {
        "active_power_l1": -100.0,
        "active_power_l2": 50.0,
    }
    assert told(decode, [("", {"power_in": "0,0", "power_out": "12,5"})]) == {
        "active_power": -12.5
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("230,5", 230.5),
        ("230.5", 230.5),
        (" 40,78 ", 40.78),
        ("-1.234,56", -1234.56),
        ("1,234,567.5", 1234567.5),
        ("1.234.567", 1234567.0),
        ("1e3", 1000.0),
        ("nan", None),
        ("unavailable", None),
    ],
)
def test_a_number_told_as_text_is_a_number(text: str, value: float | None) -> None:
    """Texts with decimal points or commas are read in every layout."""
    message = {"L1": {"voltage": text}}
    assert told(decode_three_phases, [("", message)]) == {"voltage_l1": value}
    mapped = mapping_decoder({"voltage_l1": "L1.voltage"})
    assert told(mapped, [("", message)]) == {"voltage_l1": value}
    alone = decoder("shelly_gen1")
    assert told(alone, [("x/emeter/0/voltage", text)]) == {"voltage_l1": value}


OBIS = {"1.7.0": "0", "2.7.0": "1,5", "1.8.1": 100, "1.8.2": 50, "a": {"b.c": 7}}


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("'1.8.1'", 100.0),
        ('"1.8.1"', 100.0),
        (r"1\.8\.1", 100.0),
        ("a.'b.c'", 7.0),
        ({"path": ["'1.8.1'", r"1\.8\.2"]}, 150.0),
        ({"path": ["'1.8.1'", "'1.8.2'"], "factor": 0.001}, 0.15),
        ({"path": "'1.7.0'", "minus": "'2.7.0'", "factor": 1000}, -1500.0),
        ({"import": "'1.7.0'", "export": "'2.7.0'", "factor": 1000}, -1500.0),
        ({"path": "'1.8.1'", "minus": ["'1.8.2'", "a.'b.c'"]}, 43.0),
    ],
)
def test_a_mapping_combines_values_whose_names_have_dots(
    rule: Any, value: float
) -> None:
    """Names are quoted or escaped, values summed, and what is fed taken off."""
    decode = mapping_decoder({"active_power": rule})
    assert told(decode, [("", OBIS)]) == pytest.approx({"active_power": value})


def test_an_older_mappings_path_is_read_as_before() -> None:
    """A name that begins with a quote was found as it stands, and still is."""
    decode = mapping_decoder({"voltage_l1": "'x'.u", "voltage_l2": 7})
    readings = told(decode, [("", {"'x'": {"u": 230}, "7": 231})])
    assert readings == {"voltage_l1": 230.0, "voltage_l2": 231.0}


def test_a_mapping_leads_from_topics_to_quantities() -> None:
    """Plain numbers on a topic each, in either order of the line, become readings."""
    decode = mapping_decoder(
        {
            "voltage_l1": {"topic": "emeter/0/voltage"},
            "emeter/0/power": "active_power_l1",
            "emeter/0/total": {"quantity": "import_energy_l1", "factor": 0.001},
            "active_power_l2": {"topic": "status", "path": "p2"},
        }
    )
    messages: Messages = [
        ("m/emeter/0/voltage", "230,1"),
        ("m/emeter/0/power", "-40"),
        ("m/emeter/0/total", "1500"),
        ("m/status", {"p2": 7}),
        ("m/other", "text"),
    ]
    assert told(decode, messages) == {
        "voltage_l1": 230.1,
        "active_power_l1": -40.0,
        "import_energy_l1": 1.5,
        "active_power_l2": 7.0,
    }


def test_one_side_of_a_pair_tells_nothing_of_the_other_while_it_is_zero() -> None:
    """A short message with P alone is a reading only when something is drawn."""
    decode = decoder("ams_reader")
    assert told(decode, [("ams", {"data": {"P": 300}})]) == {"active_power": 300.0}
    assert told(decode, [("ams", {"data": {"P": 0}})]) == {}


def test_a_sum_waits_for_all_its_values() -> None:
    """One tariff's counter is never shown as both."""
    decode = decoder("dsmr_reader")
    assert told(decode, [("d/electricity_delivered_1", "100")]) == {}
    assert told(decode, [("d/electricity_delivered_2", "50")]) == {
        "import_energy": 150.0
    }


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"active_power": {"import": "P"}}, "both import and export"),
        ({"active_power": {"path": "P", "import": "P", "export": "x"}}, "or path"),
        ({"active_power": {"path": []}}, "needs the path"),
        ({"active_power": {"topic": "a/#"}}, "The topic of 'active_power'"),
        ({"active_power": "P\\"}, "is not understood"),
        ({"active_power": "P", "a/b": "active_power"}, "two lines"),
        ({"a/b": "power"}, "'power' is not a quantity"),
    ],
)
def test_a_wrong_line_is_refused_with_its_problem(mapping: Any, problem: str) -> None:
    """Refuse a line when typed, and say which."""
    with pytest.raises(MessageError, match=problem):
        mapping_decoder(mapping)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"data":' * 1000 + b"1" + b"}" * 1000, id="nested"),
        pytest.param(b'{"L1":' + b"[" * 1000 + b"]" * 1000 + b"}", id="lists"),
        pytest.param(b'{"voltage": 230, "x": "' + b"x" * 5_000_000 + b'"}', id="long"),
    ],
)
@pytest.mark.parametrize("layout", ["three_phases", "shelly", "go_e", "ams_reader"])
def test_a_message_no_meter_sends_is_refused(payload: bytes, layout: str) -> None:
    """Neither depth nor length of a message costs more than a sentence."""
    with pytest.raises(MessageError, match=r"nested|longer"):
        decoder(layout)(payload, "house/nrg")
