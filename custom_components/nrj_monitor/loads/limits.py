"""The limits of a house: its main fuse and its contract."""

from collections.abc import Mapping
from typing import Any

from ..catalog import Phase
from ..const import (
    CONF_CONTRACT,
    CONF_CONTRACT_TOLERANCE,
    CONF_MAIN_FUSE,
    DEFAULT_CONTRACT_TOLERANCE,
)
from ..control.overload import CURVES, OverloadMonitor

NOMINAL_VOLTAGE = 230.0


def overload_monitors(options: Mapping[str, Any]) -> dict[str | None, OverloadMonitor]:
    """Return the limits that are told in a meter's options, by phase; None is all."""
    monitors: dict[str | None, OverloadMonitor] = {}
    if (fuse := options.get(CONF_MAIN_FUSE)) is not None:
        for phase in Phase:
            monitors[phase.value] = OverloadMonitor(
                float(fuse) * NOMINAL_VOLTAGE, CURVES["breaker"]
            )
    if (contract := options.get(CONF_CONTRACT)) is not None:
        tolerance = options.get(CONF_CONTRACT_TOLERANCE, DEFAULT_CONTRACT_TOLERANCE)
        monitors[None] = OverloadMonitor(float(contract) * 1000.0, CURVES[tolerance])
    return monitors
