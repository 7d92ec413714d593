"""Sources of the energy preferences: what is missing there, and what undoing leaves.

Pure rules over the shapes Home Assistant documents in `components/energy/data.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

type Source = dict[str, Any]

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "grid": (),
    "solar": ("stat_energy_from",),
    "battery": ("stat_energy_from", "stat_energy_to"),
}
"""What each type of source cannot be without; of a grid connection one is enough."""

STATISTICS: Final = ("stat_energy_from", "stat_energy_to", "stat_rate", "stat_soc")

ALWAYS_THERE: Final[Mapping[str, tuple[str, ...]]] = {
    "grid": ("stat_energy_from", "stat_energy_to"),
}
"""Keys that are None rather than missing where there is no such statistic."""


def missing(existing: Iterable[Source], wanted: Source) -> Source | None:
    """Return of `wanted` what no source of its type has yet, None if that is nothing.

    A source that cannot exist in parts is there as soon as one of its parts is.
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


def undone(sources: Iterable[Source], added: Source) -> list[Source]:
    """Return `sources` without what `added` brought in.

    What a person has changed since is theirs and stays. A source goes as a whole
    where nothing is left that it could consist of; one that has become half a
    person's and cannot be halved stays whole.
    """
    return [left for source in sources if (left := _without(source, added)) is not None]


def _without(source: Source, added: Source) -> Source | None:
    """Return what is left of one source, None if it goes."""
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
    """Tell whether a source consists of anything."""
    return any(source.get(key) is not None for key in STATISTICS)
