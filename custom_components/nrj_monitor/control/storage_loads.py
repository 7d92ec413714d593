"""Selection of the storage loads to absorb energy of the grid, or the surplus."""

from collections.abc import Mapping

from ..frequency_guard.grid_view import GridView
from ..frequency_guard.guard_state import GuardState
from .context import ArbiterContext
from .decision import Activity
from .load import Load, LoadClass
from .surplus import SurplusRule


class StorageLoads:
    """Selects storage loads over which no higher reason decides.

    State mutation rules: only `update_surplus` and `record_start` change the selection.
    """

    def __init__(self, context: ArbiterContext) -> None:
        """Start without running storage loads."""
        self._context = context
        self._rule = SurplusRule(context.settings.surplus)

    def has_surplus(self, load_id: str) -> bool:
        """Return whether a load runs on surplus."""
        return load_id in self._rule.running

    def level(self, load_id: str) -> float | None:
        """Return the power for an adjustable load on surplus, W, or None."""
        return self._rule.level_of(load_id)

    def record_start(self, load_id: str) -> None:
        """Record the command to start a load: its effect counts from now on."""
        if load_id in self._rule.running:
            self._rule.record_start(self._context.now)

    def update_surplus(
        self,
        grid_power: float | None,
        guard: GridView,
        *,
        is_lost: bool,
        cut_off: frozenset[str],
        levels: Mapping[str, float | None],
    ) -> list[str]:
        """Add the power at the grid point, W; return the loads whose start had no effect.

        `levels` are the powers to which adjustable loads are set, W.
        """
        context, rule = self._context, self._rule
        inhibited = guard.held.under_depth > 0 or is_lost
        for id_ in tuple(rule.running):
            if inhibited or id_ in cut_off or not self._is_free(context.loads[id_]):
                rule.remove(id_)
        candidates = [
            load
            for load in sorted(
                context.loads.values(), key=lambda load: (-load.priority, load.id)
            )
            if load.load_class is LoadClass.SURPLUS
            and self._is_free(load)
            and not context.states[load.id].is_on
            and load.id not in cut_off
            and context.may_start(load)
            and context.has_headroom(load)
        ]
        may_start = not inhibited and guard.state is not GuardState.INVALID
        return rule.update(grid_power, candidates, may_start, context.now, levels)

    def absorbing(self, guard: GridView, *, is_lost: bool) -> set[str]:
        """Return the storage loads to run for the grid: a single load in absorb_1, else all."""
        context = self._context
        wanted = guard.state.over_depth
        if wanted == 0 or is_lost:
            return set()
        free = [
            load
            for load in context.loads.values()
            if self._is_free(load)
            and (
                context.states[load.id].is_on
                or (context.may_start(load) and context.has_headroom(load))
            )
        ]
        if wanted == 1:
            # A load that absorbs already goes on; else the highest priority starts.
            free.sort(
                key=lambda load: (
                    context.states[load.id].activity is not Activity.ABSORBING,
                    -load.priority,
                    load.id,
                )
            )
            free = free[:1]
        return {load.id for load in free}

    def _is_free(self, load: Load) -> bool:
        """Return whether no higher reason decides over a storage load."""
        context = self._context
        state = context.states[load.id]
        return (
            load.load_class.stores
            and not state.requested_on
            and not state.is_unresponsive
            and load.id not in context.shedding.off
            and not context.is_overridden(load)
        )
