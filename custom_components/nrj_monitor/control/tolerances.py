"""What a limit of the house tolerates, by name, and the monitor that watches it."""

from datetime import UTC, tzinfo
from typing import Final

from .demand import INTERVALS, DemandAccount
from .demand_limit import DemandLimit, DemandMonitor
from .limit_monitor import LimitMonitor
from .overload import CURVES, OverloadMonitor

TOLERANCES: Final = (*CURVES, *INTERVALS)
"""Names of the tolerances of a contract: of overloads for a time, or the mean of one."""


def limit_monitor(power: float, tolerance: str, timezone: tzinfo = UTC) -> LimitMonitor:
    """Return a monitor of a limit, W, with an account of its own for a mean."""
    if (interval := INTERVALS.get(tolerance)) is not None:
        account = DemandAccount(interval, timezone)
        return DemandMonitor(account, DemandLimit(power=power))
    return OverloadMonitor(power, CURVES[tolerance])
