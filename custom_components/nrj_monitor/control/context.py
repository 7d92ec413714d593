"""State shared by all rules of the arbiter: loads, limits, settings and time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .limit_monitor import LimitMonitor
from .load import Load
from .load_state import LoadState
from .overload_shedding import OverloadShedding
from .reading_rhythm import ReadingRhythm
from .shed_check import ShedCheck
from .supply import Supply
from .surplus import SurplusSettings

OVERRIDE_TIME: Final = 1800.0
"""Seconds for which a switch operated by a person overrides the arbiter."""

LONGEST_OVERRIDE: Final = 7 * 86_400.0
"""Seconds for which a person may override the arbiter at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterSettings:
    """Delays of the arbiter, s.

    The meter counts as lost after `lost_after` without readings, or `broken_after` with
    an invalid frequency in spite of voltage. Loads that are held off then come back
    after `hold_limit`. After `outage` without voltage all loads come back one by one.
    """

    surplus: SurplusSettings = field(default_factory=SurplusSettings)
    restore_spread: float = 300.0
    spacing: float = 10.0
    lost_after: float = 60.0
    broken_after: float = 3600.0
    hold_limit: float = 3600.0
    outage: float = 60.0


class ArbiterContext:
    """Loads in the order of shedding, their states, the limits and the time.

    State mutation rules: the arbiter sets `now` and `last_start`; the methods only read.
    """

    def __init__(
        self,
        loads: Iterable[Load],
        monitors: Mapping[Supply, LimitMonitor],
        settings: ArbiterSettings,
    ) -> None:
        """Start with loads whose state is unknown."""
        ordered = sorted(
            loads, key=lambda load: (load.load_class.sheds_at, load.priority, load.id)
        )
        self.settings = settings
        self.loads: dict[str, Load] = {load.id: load for load in ordered}
        self.states: dict[str, LoadState] = {id_: LoadState() for id_ in self.loads}
        self.monitors = monitors
        self.rhythm = ReadingRhythm()
        self.shedding = OverloadShedding(monitors, self.rhythm)
        self.shed_check = ShedCheck()
        self.now = 0.0
        self.last_start: float | None = None

    def is_overridden(self, load: Load) -> bool:
        """Return whether a person's override of a load is in force."""
        override = self.states[load.id].override
        return override is not None and self.now < override.until

    def has_headroom(self, load: Load) -> bool:
        """Return whether all limits have headroom for the nominal power of a load."""
        return all(
            monitor.headroom >= load.nominal_power * load.share_of(limit)
            for limit, monitor in self.monitors.items()
        )

    def may_start(self, load: Load) -> bool:
        """Return whether minimum time off and number of starts permit a load to start."""
        state = self.states[load.id]
        return state.may_go_on(load.minimum_off, load.starts_per_hour, self.now)

    def is_spaced(self) -> bool:
        """Return whether `spacing` has passed since the last start of any load."""
        return (
            self.last_start is None
            or self.now - self.last_start >= self.settings.spacing
        )
