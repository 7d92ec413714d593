"""What all rules of the arbiter look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .load import Load
from .load_state import LoadState
from .overload import OverloadMonitor
from .overload_shedding import OverloadShedding
from .shed_check import ShedCheck
from .surplus import SurplusSettings

OVERRIDE_TIME: Final = 1800.0
"""Seconds for which a switch operated by a person holds against the arbiter."""

LONGEST_OVERRIDE: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterSettings:
    """Times in s.

    The meter counts as lost after `lost_after` without readings, or `broken_after` with
    a frequency that is none though there is voltage. What is held then is given back
    after `hold_limit`. Without voltage for `outage` everything is picked up one by one.
    """

    surplus: SurplusSettings = field(default_factory=SurplusSettings)
    restore_spread: float = 300.0
    spacing: float = 10.0
    lost_after: float = 60.0
    broken_after: float = 3600.0
    hold_limit: float = 3600.0
    outage: float = 60.0


class ArbiterContext:
    """The loads in the order of shedding, their states, the limits and the time."""

    def __init__(
        self,
        loads: Iterable[Load],
        monitors: Mapping[str | None, OverloadMonitor],
        settings: ArbiterSettings,
    ) -> None:
        """Begin with nothing known."""
        ordered = sorted(
            loads, key=lambda load: (load.load_class.sheds_at, load.priority, load.id)
        )
        self.settings = settings
        self.loads: dict[str, Load] = {load.id: load for load in ordered}
        self.states: dict[str, LoadState] = {id_: LoadState() for id_ in self.loads}
        self.monitors = monitors
        self.shedding = OverloadShedding(monitors)
        self.shed_check = ShedCheck()
        self.now = 0.0
        self.last_start: float | None = None

    def is_overridden(self, load: Load) -> bool:
        """Return whether a person has the say over a load."""
        override = self.states[load.id].override
        return override is not None and self.now < override.until

    def has_headroom(self, load: Load) -> bool:
        """Return whether the limits leave room for a load."""
        return all(
            monitor.headroom >= load.nominal_power * load.share_of(limit)
            for limit, monitor in self.monitors.items()
        )

    def may_start(self, load: Load) -> bool:
        """Return whether a load's own limits let it start."""
        state = self.states[load.id]
        return state.may_go_on(load.minimum_off, load.starts_per_hour, self.now)

    def is_spaced(self) -> bool:
        """Return whether the last start of any load is long enough ago."""
        return (
            self.last_start is None
            or self.now - self.last_start >= self.settings.spacing
        )
