"""Times at which shed loads come back: at random delays, the last load shed first."""

from collections.abc import Mapping

from .load import Load
from .load_state import LoadState
from .xorshift import XorShift32


class RestorePlan:
    """Sets the time of return of each waiting load, once the grid permits a return.

    EU 2016/1388 Art. 29 asks for a random delay of up to five minutes.
    """

    def __init__(self, spread: float, seed: int) -> None:
        """Spread the returns over `spread` s, at delays drawn from `seed`."""
        self._spread = spread
        self._random = XorShift32(seed)

    def plan(
        self,
        loads: Mapping[str, Load],
        states: Mapping[str, LoadState],
        may_restore: bool,
        now: float,
    ) -> None:
        """Set `restore_at` of waiting loads; `loads` are in the order of shedding.

        A load that joins others on their way takes its place in the order.
        """
        waiting: list[LoadState] = []
        for id_ in reversed(tuple(loads)):
            state = states[id_]
            if not state.to_restore:
                continue
            if state.only_overload:
                # An overload concerns this house alone: no other house returns with it.
                state.restore_at = now if state.restore_at is None else state.restore_at
            elif not may_restore:
                state.restore_at = None
            elif state.restore_at is None or state.restore_at > now:
                waiting.append(state)
        times = sorted(
            now + self._random.below(self._spread)
            if state.restore_at is None
            else state.restore_at
            for state in waiting
        )
        for state, time in zip(waiting, times, strict=True):
            state.restore_at = time
