"""Layouts of MQTT messages: decoders from payloads to readings of catalog channels.

A decoder turns one message into readings, or raises MessageError with a sentence that
says what is wrong with it.
"""

from collections.abc import Callable, Iterator, Mapping
import json
from math import isfinite
import re
import struct
from types import MappingProxyType
from typing import Any, Final

from ..catalog import CHANNELS, Channel, Phase

type Readings = dict[Channel, float | None]
type Decoder = Callable[[bytes], Readings]

MAX_SIZE: Final = 65536
"""Bytes of a message that is looked at; no meter sends as much."""

MAX_DEPTH: Final = 6
"""Levels of nesting in which readings are looked for."""


class MessageError(ValueError):
    """A message can not be understood."""


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
    }
)
"""Names of quantities as meters use them, by the catalog's. Energies are in kWh."""

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


def decode_three_phases(payload: bytes) -> Readings:
    """Decode JSON with quantities and phases named in a usual way.

    Accepted are one message for all phases or one for each (with its `phase`), nested
    or flat names in either order, and lists of one value per phase:
    `{"L1": {"voltage": 230.1}}`, `{"voltage": [230.1, 229.8, 231.0]}`,
    `{"a_voltage": 230.1}`, `{"phase": 1, "voltage": 230.1}`. Units are V, A, W, var,
    VA, Hz and kWh. What has another name is left alone; null is no valid measurement.
    """
    message = _json(payload)
    if not isinstance(message, dict):
        raise MessageError("The message is JSON, but not an object with names")
    readings = dict(_named(message, (), None))
    if not readings:
        raise MessageError(
            "No voltage, current, power or frequency is named in the message: "
            + ", ".join(sorted(map(str, message))[:8])
        )
    return readings


def _json(payload: bytes) -> Any:
    if len(payload) > MAX_SIZE:
        raise MessageError(f"The message is longer than {MAX_SIZE} bytes")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageError("The message is not JSON") from error


def _named(
    message: Mapping[str, Any], above: tuple[str, ...], phase: Phase | None
) -> Iterator[tuple[Channel, float | None]]:
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
) -> Iterator[tuple[Channel, float | None]]:
    """Yield the reading named by `tokens`, if any."""
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
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
    channel = CHANNELS.get(f"{quantity}_{phase.lower()}" if phase else quantity)
    if channel is not None:
        yield channel, _number(value)


def _number(value: Any) -> float | None:
    """Return a finite number as a reading, None for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def mapping_decoder(mapping: Mapping[str, Any]) -> Decoder:
    """Return a decoder for JSON of any form.

    `mapping` holds, by the id of a channel, where its value stands: names and numbers
    with dots between ("sensors.0.U"), or an object with that `path`, a `factor` into
    the channel's unit and an `offset` in it.

    Raises:
        MessageError: the mapping itself is wrong; names the channel.
    """
    if not isinstance(mapping, Mapping):
        raise MessageError("The mapping must have lines like 'voltage_l1: L1.voltage'")
    rules = [(_channel(id_), *_rule(id_, rule)) for id_, rule in mapping.items()]
    if not rules:
        raise MessageError("The mapping is empty")

    def decode(payload: bytes) -> Readings:
        message = _json(payload)
        readings: Readings = {}
        for channel, path, factor, offset in rules:
            found, value = _follow(message, path)
            if found:
                number = _number(value)
                readings[channel] = None if number is None else number * factor + offset
        if not readings:
            raise MessageError("Nothing of the mapping is in the message")
        return readings

    return decode


def _channel(id_: Any) -> Channel:
    if (channel := CHANNELS.get(str(id_))) is None:
        raise MessageError(f"'{id_}' is not a quantity; one is 'voltage_l1'")
    return channel


def _rule(id_: str, rule: Any) -> tuple[tuple[str, ...], float, float]:
    """Return path, factor and offset of a line of a mapping."""
    parts = {"path": rule} if isinstance(rule, (str, int)) else rule
    if not isinstance(parts, Mapping) or "path" not in parts:
        raise MessageError(f"'{id_}' needs the path of its value")
    if unknown := parts.keys() - {"path", "factor", "offset"}:
        raise MessageError(
            f"'{id_}' has '{min(map(str, unknown))}', which means nothing"
        )
    factor, offset = _number(parts.get("factor", 1)), _number(parts.get("offset", 0))
    if factor is None or offset is None:
        raise MessageError(f"Factor and offset of '{id_}' must be numbers")
    return tuple(str(parts["path"]).split(".")), factor, offset


def _follow(message: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    """Return whether a value exists at `path`, and the value."""
    for name in path:
        if isinstance(message, dict) and name in message:
            message = message[name]
        elif isinstance(message, list) and name.isdigit() and int(name) < len(message):
            message = message[int(name)]
        else:
            return False, None
    return True, message


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


def decode_frame(payload: bytes) -> Readings:
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

LAYOUTS: Final = (THREE_PHASES, FRAMES, MAPPED)
"""How messages can be laid out, as entries store it."""


def decoder(layout: str, mapping: Mapping[str, Any] | None = None) -> Decoder:
    """Return the decoder of a layout; raises MessageError where `mapping` is wrong."""
    if layout == MAPPED:
        return mapping_decoder(mapping or {})
    return {THREE_PHASES: decode_three_phases, FRAMES: decode_frame}[layout]
