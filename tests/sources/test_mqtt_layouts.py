"""Decode other systems' messages as their documents and pages show the messages."""

import json
from math import isfinite
import struct
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.sources.mqtt_layouts import (
    MessageError,
    decode_frame,
    decode_three_phases,
    mapping_decoder,
)

THREE = {
    "voltage_l1": 230.1,
    "voltage_l2": 229.8,
    "voltage_l3": 231.0,
    "active_power_l1": -420.0,
    "active_power_l2": 10.5,
    "active_power_l3": 0.0,
    "frequency": 50.02,
}
SPELLINGS: dict[str, Any] = {
    "the catalog's names": THREE,
    "an object for each phase": {
        "L1": {"voltage": 230.1, "power": -420.0},
        "L2": {"voltage": 229.8, "power": 10.5},
        "L3": {"voltage": 231.0, "power": 0},
        "frequency": 50.02,
    },
    "a list for each quantity": {
        "ts": 1790000000,
        "voltage": [230.1, 229.8, 231.0],
        "power": [-420.0, 10.5, 0.0],
        "frequency": 50.02,
    },
    "a list of phases": {
        "phases": [
            {"u": 230.1, "p": -420.0},
            {"u": 229.8, "p": 10.5},
            {"u": 231.0, "p": 0.0},
        ],
        "f": 50.02,
    },
    "letters and digits": {
        "U1": 230.1,
        "U2": 229.8,
        "U3": 231.0,
        "P1": -420.0,
        "P2": 10.5,
        "P3": 0.0,
        "Freq": 50.02,
    },
    "Shelly's names": {
        "id": 0,
        "a_voltage": 230.1,
        "b_voltage": 229.8,
        "c_voltage": 231.0,
        "a_act_power": -420.0,
        "b_act_power": 10.5,
        "c_act_power": 0.0,
        "a_errors": ["power_meter_failure"],
        "frequency": 50.02,
    },
    "Tasmota's names": {
        "Time": "2026-11-01T12:00:00",
        "ENERGY": {
            "Total": 812.4,
            "Factor": [0.9, 0.9, 0.9],
            "Voltage": [230.1, 229.8, 231.0],
            "Power": [-420.0, 10.5, 0.0],
            "Frequency": 50.02,
        },
    },
}


def by_id(payload: bytes) -> dict[str, float | None]:
    """Return the readings of a message by the ids of their channels."""
    return {
        channel.id: value for channel, value in decode_three_phases(payload).items()
    }


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_usual_names_are_understood(spelling: str) -> None:
    """Decode the same readings from every usual spelling, and nothing else."""
    assert by_id(json.dumps(SPELLINGS[spelling]).encode()) == THREE


@pytest.mark.parametrize("phase", [2, "2", "L2", "b", "B"])
def test_a_message_for_one_phase(phase: int | str) -> None:
    """Decode the phase from a message of a single phase."""
    message = {"phase": phase, "voltage": 229.8, "current": 1.5, "power": 300}
    assert by_id(json.dumps(message).encode()) == {
        "voltage_l2": 229.8,
        "current_l2": 1.5,
        "active_power_l2": 300.0,
    }


def test_limits_and_extremes_are_no_readings() -> None:
    """Refuse a quantity nested under a name without a known meaning."""
    with pytest.raises(MessageError):
        decode_three_phases(b'{"max": {"L1": {"voltage": 253}}, "limit": {"p": 9000}}')


def test_null_is_no_valid_measurement() -> None:
    """Decode null as an unmeasured phase, not as zero."""
    assert by_id(b'{"voltage": [230.1, null, 231.0]}') == {
        "voltage_l1": 230.1,
        "voltage_l2": None,
        "voltage_l3": 231.0,
    }


def test_a_number_that_is_none_is_no_valid_measurement() -> None:
    """JSON of some libraries holds NaN and Infinity."""
    assert by_id(b'{"voltage": [NaN, Infinity, 1e999]}') == {
        "voltage_l1": None,
        "voltage_l2": None,
        "voltage_l3": None,
    }


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"on",
        b"\xff\xfe",
        b"[1, 2]",
        b"17",
        b'{"temperature": 21}',
        b'{"voltage": "high"}',
        b"[" * 100_000,
    ],
)
def test_a_message_without_a_reading_is_refused_with_a_sentence(payload: bytes) -> None:
    """A message of something else changes nothing."""
    with pytest.raises(MessageError, match=r"^(The message|No voltage)"):
        decode_three_phases(payload)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["L1", "u", "power", "phase", "a_voltage", "x", ""])
                | st.text(max_size=6),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_understood_or_refused(message: Any) -> None:
    """Decode or refuse any JSON, each value a number or none."""
    try:
        readings = by_id(json.dumps(message).encode())
    except MessageError:
        return
    assert all(value is None or isfinite(value) for value in readings.values())


def test_a_mapping_reads_any_json() -> None:
    """A path, a factor and an offset lead to every value."""
    decode = mapping_decoder(
        {
            "voltage_l1": "sensors.0.U",
            "active_power": {"path": "total.kW", "factor": 1000},
            "frequency": {"path": "df", "offset": 50},
            "current_l2": "not.there",
        }
    )
    message = {"sensors": [{"U": 231}], "total": {"kW": -1.25}, "df": -0.02}
    readings = {c.id: v for c, v in decode(json.dumps(message).encode()).items()}
    assert readings == {
        "voltage_l1": 231.0,
        "active_power": -1250.0,
        "frequency": pytest.approx(49.98),
    }
    with pytest.raises(MessageError, match="Nothing of the mapping"):
        decode(b"{}")


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({}, "empty"),
        ("voltage_l1", "must have lines"),
        ({"voltage": "u"}, "'voltage' is not a quantity"),
        ({"voltage_l1": None}, "needs the path"),
        ({"voltage_l1": {"factor": 2}}, "needs the path"),
        ({"voltage_l1": {"path": "u", "scale": 2}}, "'scale', which means nothing"),
        ({"voltage_l1": {"path": "u", "factor": "2"}}, "must be numbers"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_problem(
    mapping: Any, problem: str
) -> None:
    """Refuse a wrong mapping when typed, not at the first message."""
    with pytest.raises(MessageError, match=problem):
        mapping_decoder(mapping)


def test_a_frame_of_powers() -> None:
    """Type 16, packed by hand: little-endian, in thousandths of W and var."""
    frame = (
        bytes([16])
        + struct.pack("<d", 1_700_000_000.0)
        + b"sensor-00001"
        + bytes([0])
        + b"".join(
            value.to_bytes(8, "little", signed=True)
            for value in (1_500_000, -250_500, 0, 100_000, -1, 2)
        )
    )
    assert len(frame) == 70
    assert {c.id: v for c, v in decode_frame(frame).items()} == {
        "active_power_l1": 1500.0,
        "active_power_l2": -250.5,
        "active_power_l3": 0.0,
        "reactive_power_l1": 100.0,
        "reactive_power_l2": -0.001,
        "reactive_power_l3": 0.002,
    }


def test_a_frame_of_everything() -> None:
    """Type 17 holds V, I, S, P, Q, PF and the angle of each phase."""
    phases = [
        [230_000, 5_000, 1_150_000, 1_000_000, 568_000, 870, 29_600],
        [229_500, 0, 0, 0, 0, 1_000, 0],
        [231_000, 2_000, 462_000, -462_000, 0, -1_000, 180_000],
    ]
    frame = (
        bytes([17])
        + struct.pack("<d", 1_700_000_000.0)
        + b"sensor-00001"
        + bytes([0])
        + b"".join(
            value.to_bytes(4, "little", signed=True) for row in phases for value in row
        )
        + bytes(24)
    )
    assert len(frame) == 130
    readings = {c.id: v for c, v in decode_frame(frame).items()}
    assert len(readings) == 21
    assert readings["voltage_l2"] == 229.5
    assert readings["active_power_l3"] == -462.0
    assert readings["power_factor_l1"] == 0.87
    assert readings["phase_angle_l3"] == 180.0


@given(st.binary(max_size=140))
def test_no_bytes_break_it(frame: bytes) -> None:
    """A frame cut short or of another type is refused with its type and length."""
    if (frame[:1], len(frame)) in ((b"\x10", 70), (b"\x11", 130)):
        return
    with pytest.raises(MessageError, match="bytes"):
        decode_frame(frame)
