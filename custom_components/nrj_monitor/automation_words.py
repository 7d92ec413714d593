"""What automations may wait for, as states of this integration's own entities."""

from typing import Final

from .frequency_guard.guard_state import OVER, UNDER, GuardState
from .loads.activity import WORDS

STAGES: Final = tuple(state.value for state in GuardState)
LOW: Final = frozenset(state.value for state in UNDER)
HIGH: Final = frozenset(state.value for state in OVER)
"""States of the sensor that tells how the grid is."""

SHED: Final = frozenset(word for word in WORDS if word.startswith("shed_"))
AWAY: Final = SHED | {
    word for word in WORDS if word.startswith("restoring_") or word in ("held", "lost")
}
BACK: Final = frozenset({"running", "comfort"})
STARTED: Final = frozenset({"absorbing", "surplus"})
OVERRIDDEN: Final = frozenset({"overridden_on", "overridden_off"})
"""States of the sensor that tells what a load does."""
