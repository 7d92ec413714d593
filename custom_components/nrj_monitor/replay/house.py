"""House that a recording is played to: its loads and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..control.limit_monitor import LimitMonitor
from ..control.load import Load, LoadClass
from ..control.supply import Supply


@dataclass(frozen=True, slots=True)
class House:
    """Loads, the loads on at the recording's start, and limits.

    `seed` sets the random delays of the arbiter.
    """

    loads: tuple[Load, ...]
    on: frozenset[str]
    monitors: Mapping[Supply, LimitMonitor] = field(default_factory=dict)
    seed: int = 1


def default_house() -> House:
    """Return a house with a load of each class, all but storing loads on at first."""
    loads = tuple(
        Load(id=kind.value, load_class=kind, nominal_power=1000.0) for kind in LoadClass
    )
    return House(
        loads, frozenset(load.id for load in loads if not load.load_class.stores)
    )
