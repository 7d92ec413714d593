"""State of the grid as a frequency guard reports to the load control."""

from dataclasses import dataclass

from .guard_state import GuardState


@dataclass(frozen=True, slots=True, kw_only=True)
class GridView:
    """Report of a guard, the device's or Home Assistant's own.

    `held` is the state that loads follow: the same, or the one before it was invalid.
    `dead` says that there is no voltage.
    """

    state: GuardState = GuardState.NORMAL
    held: GuardState = GuardState.NORMAL
    may_restore: bool = True
    dead: bool = False
