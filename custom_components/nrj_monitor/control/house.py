"""What the arbiter is told of the house, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..frequency_guard.grid_view import GridView


@dataclass(frozen=True, slots=True)
class LoadView:
    """What a load does (None: not known) and draws, W (None: not measured).

    `level` is the power that one that can be set is set to, W (None: not known).
    """

    on: bool | None
    power: float | None = None
    level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseView:
    """All of it. `now` is in s of a clock that does not go back.

    `powers` (W, import positive) are by phase, None being the whole supply; what is
    missing or None is not known. `guard` is None where there is no frequency at all.
    `cut_off` are loads that must be off for safety.
    """

    now: float
    guard: GridView | None = None
    meter_there: bool = True
    powers: Mapping[str | None, float | None] = field(default_factory=dict)
    loads: Mapping[str, LoadView] = field(default_factory=dict)
    cut_off: frozenset[str] = frozenset()
