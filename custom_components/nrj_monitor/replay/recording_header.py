"""The first line of a recording: which column is what, and in what unit."""

from collections.abc import Sequence
from dataclasses import dataclass
import re

from custom_components.nrj_monitor.control.supply import PHASES

from .errors import ReplayError

FREQUENCY = "frequency_hz"
TIMES = ("time_s", "time")
_NAMES = {
    "time_s": "",
    "time": "",
    FREQUENCY: "Hz",
    **{f"voltage_{phase.lower()}": "V" for phase in PHASES},
    **{f"power_{phase.lower()}": "W" for phase in PHASES},
}
"""Columns that are read, with their units."""

_SIMULATOR_NAMES = {
    "frequency": FREQUENCY,
    **{f"active_power_{phase.lower()}": f"power_{phase.lower()}" for phase in PHASES},
}
"""Names of the same columns in recordings of the simulated meter."""

_PREFIXES = {"": 1.0, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6}
_WITH_UNIT = re.compile(r"(?P<name>.*?)\s*[(\[](?P<unit>[^)\]]*)[)\]]")


@dataclass(frozen=True, slots=True)
class Column:
    """Name of a column, empty for a column that is not read, and factor to its unit."""

    name: str
    factor: float = 1.0


SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""Separators of columns."""

NOT_MEASURED = frozenset({"", "?", "nan", "none", "null", "unknown", "unavailable"})


def is_measured(text: str) -> bool:
    """Return whether a field, without blanks around, has a measurement."""
    return text.lower() not in NOT_MEASURED


def separator(first_line: str) -> str:
    """Return the separator of a recording's columns: the most frequent in its first line."""
    return max(SEPARATORS, key=first_line.count)


def read(path: object, names: Sequence[str], delimiter: str) -> list[Column]:
    """Return what each column is.

    Raises:
        ReplayError: a column is missing, there twice, or in an unknown unit.
    """
    columns = [_column(path, name.strip()) for name in names]
    known = [column.name for column in columns if column.name]
    if len(set(known)) != len(known):
        raise ReplayError(f"{path} names a column twice: {', '.join(names)}.")
    if not set(TIMES) & set(known) or FREQUENCY not in known:
        raise ReplayError(
            f"{path} needs the columns time_s (seconds) or time and {FREQUENCY}; its"
            f" first line has {', '.join(names) or 'nothing'}, read with"
            f" {SEPARATORS[delimiter]} between the columns."
        )
    return columns


def _column(path: object, written: str) -> Column:
    found = _WITH_UNIT.fullmatch(written)
    plain = found["name"] if found else written
    name = plain.lower().replace(" ", "_")
    name = _SIMULATOR_NAMES.get(name, name)
    if name not in _NAMES:
        return Column("")
    own = _NAMES[name]
    if found is None or not own:
        return Column(name)
    unit = found["unit"].strip()
    if unit.lower() == own.lower():
        return Column(name)
    prefix = unit[: -len(own)]
    if unit.lower().endswith(own.lower()) and prefix in _PREFIXES:
        return Column(name, _PREFIXES[prefix])
    raise ReplayError(
        f"{path}: the column '{written}' is in '{unit}', which is no unit of {name}:"
        f" write its values in {own}."
    )
