"""Meaning of the wiring check's findings for the issues of a meter; pure."""

from typing import Final

from ..device_messages.kinds import WIRING

NO_FAULT: Final = frozenset(
    {
        "unclear_currents",
        "right",
        "incomplete",
        "uncertain_current",
        "no_current",
        "switch_on_heater",
        "switch_on_three_phase_heater",
        "not_checked",
        "no_measurement",
    }
)
"""Codes that name no wrong connection."""

FAULTS: Final = frozenset(WIRING) - NO_FAULT
"""Codes of wrong connections."""

UNFINISHED: Final = frozenset(
    {
        "uncertain_current",
        "unclear_currents",
        "switch_on_heater",
        "switch_on_three_phase_heater",
    }
)
"""Codes after which something is to be switched on, and the check repeated."""
