"""Layouts of MQTT messages: decoders from payloads to readings of catalog channels.

A decoder turns one message into readings, or raises MessageError with a sentence that
says what is wrong with it.
"""

from collections.abc import Iterator, Mapping
import re
import struct
from types import MappingProxyType
from typing import Any, Final, Protocol

from ..catalog import CHANNELS, Phase
from ..device_text import one_line
from .mqtt_makes import MAKES
from .mqtt_mapping import MappingDecoder, Readings, mapping_decoder, rules_of
from .mqtt_payload import MessageError, is_number, number, parse_json

__all__ = [
    "LAYOUTS",
    "Decoder",
    "MessageError",
    "Readings",
    "decode_frame",
    "decode_three_phases",
    "decoder",
    "mapping_decoder",
]

MAX_DEPTH: Final = 6
"""Levels of nesting in which readings are looked for."""


class Decoder(Protocol):
    """Decodes the payload of a message on a topic, raising MessageError where it can't."""

    def __call__(self, payload: bytes, topic: str = "") -> Readings:
        """Return the readings of a message, none where its topic has none."""


WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "voltage": "voltage",
        "volt": "voltage",
        "volts": "voltage",
        "u": "voltage",
        "v": "voltage",
        "current": "current",
        "i": "current",
        "power": "active_power",
        "p": "active_power",
        "active_power": "active_power",
        "act_power": "active_power",
        "watt": "active_power",
        "watts": "active_power",
        "q": "reactive_power",
        "reactive_power": "reactive_power",
        "reactivepower": "reactive_power",
        "apparentpower": "apparent_power",
        "apparent_power": "apparent_power",
        "aprt_power": "apparent_power",
        "pf": "power_factor",
        "power_factor": "power_factor",
        "cosphi": "power_factor",
        "frequency": "frequency",
        "freq": "frequency",
        "f": "frequency",
        "hz": "frequency",
        "import_energy": "import_energy",
        "energy_import": "import_energy",
        "export_energy": "export_energy",
        "energy_export": "export_energy",
        "power_va": "apparent_power",
        "power_var": "reactive_power",
        "import_power": "active_power",
        "power_import": "active_power",
        "active_power_import": "active_power",
        "power_in": "active_power",
        "power_drawn": "active_power",
        "po": "fed_active_power",
        "export_power": "fed_active_power",
        "power_export": "fed_active_power",
        "active_power_export": "fed_active_power",
        "power_out": "fed_active_power",
        "power_fed": "fed_active_power",
        "power_returned": "fed_active_power",
        "returned_power": "fed_active_power",
        "qo": "fed_reactive_power",
    }
)
"""Names of quantities as meters use them, by the catalog's. Energies are in kWh.

What is fed has a name of its own where a meter tells it apart, and is positive there.
"""

PHASES: Final[Mapping[str, Phase]] = MappingProxyType(
    {
        name: phase
        for phase, names in {
            Phase.L1: ("l1", "a", "1", "phase1", "r"),
            Phase.L2: ("l2", "b", "2", "phase2"),
            Phase.L3: ("l3", "c", "3", "phase3", "t"),
        }.items()
        for name in names
    }
)
"""Names of the phases."""

TOTAL_WORDS: Final = frozenset({"total", "sum"})
NOISE_WORDS: Final = frozenset({"phase", "phases", "rms", "line", "n"})
CONTAINERS: Final = frozenset(
    [
        "0",
        "data",
        "em",
        "energy",
        "measurements",
        "meter",
        "params",
        "readings",
        "sensors",
        "status",
        "values",
    ]
)
"""Names of objects that hold readings and say nothing about them."""

PHASE_KEYS: Final = frozenset({"phase", "line", "channel"})
_TOKEN = re.compile(r"[a-z]+\d*|\d+")


def decode_three_phases(payload: bytes, topic: str = "") -> Readings:
    """Decode JSON with quantities and phases named in a usual way.

    Accepted are one message for all phases or one for each (with its `phase`), nested
    or flat names in either order, and lists of one value per phase:
    `{"L1": {"voltage": 230.1}}`, `{"voltage": [230.1, 229.8, 231.0]}`,
    `{"a_voltage": 230.1}`, `{"phase": 1, "voltage": 230.1}`. Units are V, A, W, var,
    VA, Hz and kWh, as numbers or as text. What has another name is left alone; null is
    no valid measurement. Where power drawn and power fed are two, the reading is their
    difference.
    """
    message = parse_json(payload)
    if not isinstance(message, dict):
        raise MessageError("The message is JSON, but not an object with names")
    readings = _netted(dict(_named(message, (), None)))
    if not readings:
        raise MessageError(
            "No voltage, current, power or frequency is named in the message: "
            + ", ".join(one_line(key) for key in sorted(message)[:8])
        )
    return readings


def _netted(values: Mapping[str, float | None]) -> Readings:
    """Return readings by channel, what is fed taken off what is drawn."""
    readings: Readings = {}
    for id_, value in values.items():
        if id_ in CHANNELS:
            fed = values.get(f"fed_{id_}", 0.0)
            net = None if value is None or fed is None else value - fed
            readings[CHANNELS[id_]] = net
        elif (drawn := id_.removeprefix("fed_")) not in values and value:
            # Nothing is drawn while something is fed; with neither nothing is known.
            readings[CHANNELS[drawn]] = -value
    return readings


def _named(
    message: Mapping[str, Any], above: tuple[str, ...], phase: Phase | None
) -> Iterator[tuple[str, float | None]]:
    """Yield the readings of an object, named by its keys and the keys `above`."""
    if len(above) > MAX_DEPTH * 3:
        return
    for key in PHASE_KEYS & message.keys():
        if not isinstance(message[key], (dict, list)):
            phase = PHASES.get(str(message[key]).lower(), phase)
    for key, value in message.items():
        if key in PHASE_KEYS and not isinstance(value, (dict, list)):
            continue
        tokens = (*above, *_TOKEN.findall(str(key).lower()))
        if isinstance(value, dict):
            inner = tuple(token for token in tokens if token not in CONTAINERS)
            yield from _named(value, inner, phase)
        elif isinstance(value, list):
            for name, item in zip(Phase, value, strict=False):
                if isinstance(item, dict):
                    yield from _named(item, tokens, name)
                else:
                    yield from _one(tokens, item, name)
        else:
            yield from _one(tokens, value, phase)


def _one(
    tokens: tuple[str, ...], value: Any, phase: Phase | None
) -> Iterator[tuple[str, float | None]]:
    """Yield the value named by `tokens`, if any."""
    if not is_number(value):
        return
    words: list[str] = []
    for token in tokens:
        name = token
        if token[-1] in "123" and token[:-1] in WORDS:
            # "u1", "power2": name and phase in one.
            phase, name = phase or PHASES[token[-1]], token[:-1]
        if name in PHASES:
            phase = phase or PHASES[name]
        elif name not in TOTAL_WORDS | NOISE_WORDS:
            words.append(name)
    quantity = WORDS.get("_".join(words))
    if quantity is None:
        return
    id_ = f"{quantity}_{phase.lower()}" if phase else quantity
    if id_.removeprefix("fed_") in CHANNELS:
        yield id_, number(value)


# Frames of sensors that publish on data/realtime/feature/+: packed, little-endian.
_POWERS = struct.Struct("<Bd12sBqqqqqq")
_EVERYTHING = struct.Struct("<Bd12sB21i3q")
_POWER_FRAME: Final = 16
_EVERYTHING_FRAME: Final = 17
_EVERYTHING_ORDER: Final = (
    "voltage",
    "current",
    "apparent_power",
    "active_power",
    "reactive_power",
    "power_factor",
    "phase_angle",
)
_MILLI: Final = 1000.0


def decode_frame(payload: bytes, topic: str = "") -> Readings:
    """Read a binary frame: type 16 (P and Q) or 17 (everything), in thousandths.

    The angle of type 17 is passed through as it is. The energy of the last minute is no
    counter and is left alone: Home Assistant integrates power where one is wanted.
    """
    kind = payload[0] if payload else None
    if kind == _POWER_FRAME and len(payload) == _POWERS.size:
        values = _POWERS.unpack(payload)[4:]
        order: tuple[str, ...] = ("active_power", "reactive_power")
        placed = [(quantity, phase) for quantity in order for phase in Phase]
    elif kind == _EVERYTHING_FRAME and len(payload) == _EVERYTHING.size:
        values = _EVERYTHING.unpack(payload)[4:25]
        placed = [
            (quantity, phase) for phase in Phase for quantity in _EVERYTHING_ORDER
        ]
    else:
        raise MessageError(
            f"A frame of type {kind} with {len(payload)} bytes: known are type 16 with"
            f" {_POWERS.size} and type 17 with {_EVERYTHING.size} bytes"
        )
    return {
        CHANNELS[f"{quantity}_{phase.lower()}"]: value / _MILLI
        for (quantity, phase), value in zip(placed, values, strict=True)
    }


THREE_PHASES: Final = "three_phases"
FRAMES: Final = "frames"
MAPPED: Final = "mapped"

LAYOUTS: Final = (THREE_PHASES, *MAKES, MAPPED, FRAMES)
"""How messages can be laid out, as entries store it."""


def decoder(layout: str, mapping: Mapping[str, Any] | None = None) -> Decoder:
    """Return a new decoder of a layout; raises MessageError where `mapping` is wrong."""
    if layout == MAPPED:
        return mapping_decoder(mapping or {})
    if layout in MAKES:
        return MappingDecoder(rules_of(MAKES[layout]), is_strict=False)
    return decode_three_phases if layout == THREE_PHASES else decode_frame
