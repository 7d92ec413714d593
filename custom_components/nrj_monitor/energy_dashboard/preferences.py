"""Sources of the energy preferences: the missing part, and removal of added sources.

Pure rules over the shapes that Home Assistant documents in `components/energy/data.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

type Source = dict[str, Any]

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "grid": (),
    "solar": ("stat_energy_from",),
    "battery": ("stat_energy_from", "stat_energy_to"),
}
"""Keys that each type of source needs; a grid connection needs any one statistic."""

STATISTICS: Final = ("stat_energy_from", "stat_energy_to", "stat_rate", "stat_soc")

ALWAYS_THERE: Final[Mapping[str, tuple[str, ...]]] = {
    "grid": ("stat_energy_from", "stat_energy_to"),
}
"""Keys that are None rather than missing where there is no such statistic."""


ENERGIES: Final = ("stat_energy_from", "stat_energy_to")
"""Keys of the counters of a grid connection."""


def grid_connections(
    statistics: Mapping[str, Mapping[str | None, str | None]],
) -> list[Source]:
    """Return a meter as grid connections, none without a counter of energy.

    `statistics` has those of each key by phase, the meter's total under None; a value of
    None is not available. A counter without a total makes a connection of each phase.
    Power is that of each phase, or the total beside the first, so that it counts once.
    """
    rows: dict[str | None, Source] = {}
    for key in ENERGIES:
        by_phase = statistics.get(key, {})
        for phase, statistic in by_phase.items():
            if statistic is not None and (phase is None or None not in by_phase):
                rows.setdefault(phase, {})[key] = statistic
    phases = sorted(rows, key=lambda phase: phase or "")
    power = {
        phase: statistic
        for phase, statistic in statistics.get("stat_rate", {}).items()
        if statistic is not None
    }
    if len(rows) > 1 and None not in rows and power.keys() >= rows.keys():
        for phase in phases:
            rows[phase]["stat_rate"] = power[phase]
    elif rows and (None in power or len(power) == 1):
        rows[phases[0]]["stat_rate"] = power.get(None) or min(power.values())
    empty: Source = {"type": "grid", "cost_adjustment_day": 0.0}
    empty |= dict.fromkeys(ENERGIES)
    return [empty | rows[phase] for phase in phases]


def missing_part(existing: Iterable[Source], wanted: Source) -> Source | None:
    """Return the part of `wanted` missing in all sources of its type, None if empty.

    A source that cannot exist in parts counts as present with any of its parts.
    """
    type_ = wanted["type"]
    used = {
        (key, source.get(key))
        for source in existing
        if source["type"] == type_
        for key in STATISTICS
    }
    present = {
        key
        for key in STATISTICS
        if wanted.get(key) is not None and (key, wanted[key]) in used
    }
    if present & set(REQUIRED[type_]):
        return None
    rest = {key: value for key, value in wanted.items() if key not in present}
    return rest if _has_statistic(rest) else None


def without_added(sources: Iterable[Source], added: Source) -> list[Source]:
    """Return `sources` without the statistics of `added`.

    Statistics that a person has changed since stay. A source without any statistic left
    is removed as a whole; a source that cannot exist in parts stays whole where a person
    has changed a part.
    """
    return [left for source in sources if (left := _without(source, added)) is not None]


def with_names(sources: Iterable[Source], names: Mapping[str, str]) -> list[Source]:
    """Return `sources` with the statistics of renamed sensors under their new names.

    `names` are the new names by the old ones. A statistic that another source has under
    its new name already is taken out of its old place.
    """
    known = list(sources)
    used = {
        (source["type"], key, value)
        for source in known
        for key in STATISTICS
        if (value := source.get(key)) not in names
    }
    result = []
    for source in known:
        changes = {
            key: names[source[key]] for key in STATISTICS if source.get(key) in names
        }
        doubles = {
            key: source[key]
            for key, new in changes.items()
            if (source["type"], key, new) in used
        }
        left = (
            _without(source, {"type": source["type"], **doubles}) if doubles else source
        )
        if left is not None:
            result.append(
                left | {key: new for key, new in changes.items() if key not in doubles}
            )
    return result


def _without(source: Source, added: Source) -> Source | None:
    """Return a source without the added statistics, None if nothing is left."""
    type_ = source["type"]
    if type_ != added["type"]:
        return source
    ours = {
        key
        for key in STATISTICS
        if added.get(key) is not None and source.get(key) == added[key]
    }
    required = set(REQUIRED[type_])
    if required and ours >= required:
        return None
    if not ours or ours & required:
        return source
    left = {key: value for key, value in source.items() if key not in ours}
    if "stat_rate" in ours:
        left.pop("power_config", None)
    left |= {key: None for key in ALWAYS_THERE.get(type_, ()) if key in ours}
    return left if _has_statistic(left) else None


def _has_statistic(source: Source) -> bool:
    """Return whether a source has any statistic."""
    return any(source.get(key) is not None for key in STATISTICS)
