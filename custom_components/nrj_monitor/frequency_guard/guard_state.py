"""States and reasons of the frequency guard."""

from enum import StrEnum


class GuardState(StrEnum):
    """State of the grid by its frequency."""

    NORMAL = "normal"
    INHIBIT = "inhibit"
    SHED_1 = "shed_1"
    SHED_2 = "shed_2"
    SHED_3 = "shed_3"
    ABSORB_1 = "absorb_1"
    ABSORB_2 = "absorb_2"
    INVALID = "invalid"

    @property
    def under_depth(self) -> int:
        """Return the depth below normal: 1 for inhibit, 2 to 4 for sheds, else 0."""
        return UNDER.index(self) + 1 if self in UNDER else 0

    @property
    def over_depth(self) -> int:
        """Return the height above normal: 1 and 2 for absorb, else 0."""
        return OVER.index(self) + 1 if self in OVER else 0


UNDER = (GuardState.INHIBIT, GuardState.SHED_1, GuardState.SHED_2, GuardState.SHED_3)
OVER = (GuardState.ABSORB_1, GuardState.ABSORB_2)


class GuardReason(StrEnum):
    """Reason for a state of the guard."""

    START = "start"
    UNDER_FREQUENCY = "under_frequency"
    RATE_OF_CHANGE = "rate_of_change"
    OVER_FREQUENCY = "over_frequency"
    RECOVERED = "recovered"
    RELEASED = "released"
    VALID_AGAIN = "valid_again"
    NO_VOLTAGE = "no_voltage"
    NO_FREQUENCY = "no_frequency"
    OUT_OF_RANGE = "out_of_range"
    PHASES_DISAGREE = "phases_disagree"
    SILENT = "silent"
