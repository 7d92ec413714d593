"""Reads loads.yaml: the loads of a house and its limits."""

from pathlib import Path
from typing import Any

import yaml

from custom_components.nrj_monitor.control.limit_monitor import LimitMonitor
from custom_components.nrj_monitor.control.load import (
    Load,
    LoadClass,
    LoadError,
    WhenLost,
)
from custom_components.nrj_monitor.control.overload import CURVES
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.control.tolerances import TOLERANCES, limit_monitor
from custom_components.nrj_monitor.replay.errors import ReplayError
from custom_components.nrj_monitor.replay.house import House

LIMITS = {
    "contract": "power in W",
    "phases": "power in W of each phase",
}
KEYS = {
    "name",
    "class",
    "priority",
    "phase",
    "power",
    "minimum_on",
    "minimum_off",
    "longest_off",
    "recovery",
    "when_lost",
    "starts_per_hour",
    "least_power",
    "power_step",
    "on",
}


def read(path: Path) -> House:
    """Read the loads of a house.

    Raises:
        ReplayError: the file is missing, no YAML, or says something that cannot be.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReplayError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReplayError(f"{path} is no YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("loads"), list):
        raise ReplayError(f"{path} needs a list under 'loads:'.")
    if unknown := set(content) - {"loads", "limits"}:
        raise ReplayError(f"{path}: '{min(map(str, unknown))}' is not known there.")
    loads: list[Load] = []
    on: set[str] = set()
    for number, item in enumerate(content["loads"], 1):
        load = _load(path, number, item)
        if any(load.id == other.id for other in loads):
            raise ReplayError(f"{path}: two loads are named '{load.id}'.")
        loads.append(load)
        if item.get("on", not load.load_class.stores):
            on.add(load.id)
    return House(
        tuple(loads), frozenset(on), _monitors(path, content.get("limits") or {})
    )


def _load(path: Path, number: int, item: Any) -> Load:
    where = f"{path}, load {number}"
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise ReplayError(f"{where} has no name.")
    where = f"{path}, load '{item['name']}'"
    if unknown := set(item) - KEYS:
        raise ReplayError(
            f"{where}: '{min(map(str, unknown))}' is not known; there are"
            f" {', '.join(sorted(KEYS))}."
        )
    phase = item.get("phase")
    if phase is not None and phase not in PHASES:
        raise ReplayError(f"{where}: '{phase}' is no phase: L1, L2, L3, or none.")
    try:
        return Load(
            id=item["name"],
            load_class=_word(LoadClass, item.get("class", "never_shed")),
            when_lost=_word(WhenLost, item.get("when_lost", "hold")),
            phase=Supply.TOTAL if phase is None else Supply(phase),
            nominal_power=float(item.get("power", 0.0)),
            **_numbers(item),
        )
    except LoadError as error:
        raise ReplayError(f"{where}: {error}.") from error
    except (TypeError, ValueError) as error:
        raise ReplayError(f"{where}: {error}.") from error


def _numbers(item: dict[str, Any]) -> dict[str, Any]:
    """Return the given limits; absent limits keep their defaults."""
    kinds: dict[str, type[float]] = {
        **dict.fromkeys(
            (
                "minimum_on",
                "minimum_off",
                "longest_off",
                "recovery",
                "least_power",
                "power_step",
            ),
            float,
        ),
        **dict.fromkeys(("priority", "starts_per_hour"), int),
    }
    return {
        key: kind(item[key]) for key, kind in kinds.items() if item.get(key) is not None
    }


def _word[Word: (LoadClass, WhenLost)](kind: type[Word], text: Any) -> Word:
    try:
        return kind(text)
    except ValueError as error:
        words = ", ".join(kind)
        raise ValueError(f"'{text}' is none of {words}") from error


def _monitors(path: Path, limits: Any) -> dict[Supply, LimitMonitor]:
    if not isinstance(limits, dict) or set(limits) - set(LIMITS):
        raise ReplayError(f"{path}: 'limits:' takes {' and '.join(LIMITS)}.")
    monitors: dict[Supply, LimitMonitor] = {}
    for name, limit in limits.items():
        known = CURVES if name == "phases" else TOLERANCES
        power = limit.get("power") if isinstance(limit, dict) else None
        tolerance = str(
            limit.get("tolerance", "breaker") if isinstance(limit, dict) else ""
        )
        if not isinstance(power, int | float) or power <= 0 or tolerance not in known:
            raise ReplayError(
                f"{path}: the limit '{name}' needs 'power:' ({LIMITS[name]}) and, if"
                f" it is no breaker, 'tolerance:' ({', '.join(known)})."
            )
        for part in PHASES if name == "phases" else (Supply.TOTAL,):
            monitors[part] = limit_monitor(float(power), tolerance)
    return monitors
