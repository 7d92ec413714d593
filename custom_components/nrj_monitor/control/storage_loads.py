"""Selection of the storage loads to absorb energy of the grid, or the surplus."""

from collections.abc import Mapping

from ..frequency_guard.grid_view import GridView
from ..frequency_guard.guard_state import GuardState
from .context import ArbiterContext
from .decision import Activity
from .load import Load, LoadClass
from .surplus import SurplusRule
from .xorshift import XorShift32


class StorageLoads:
    """Selects storage loads over which no higher reason decides.

    State mutation rules: only `update_surplus` and `record_start` change the selection.
    """

    def __init__(self, context: ArbiterContext, seed: int) -> None:
        """Start without running storage loads; `seed` sets the random delays."""
        self._context = context
        self._rule = SurplusRule(context.settings.surplus)
        self._random = XorShift32(seed)
        self._has_recovered = True
        self._starts_from = 0.0

    def has_surplus(self, load_id: str) -> bool:
        """Return whether a load runs on surplus."""
        return load_id in self._rule.running

    def level(self, load_id: str) -> float | None:
        """Return the power for an adjustable load on surplus, W, or None."""
        return self._rule.level_of(load_id)

    @property
    def is_settled(self) -> bool:
        """Return whether no load runs on surplus, or is about to."""
        return self._rule.is_settled

    def is_indifferent(self, grid_power: float | None) -> bool:
        """Return whether a power at the grid point, W, starts no load."""
        return self._rule.is_indifferent(
            grid_power,
            (
                load
                for load in self._context.loads.values()
                if load.load_class is LoadClass.SURPLUS
            ),
        )

    def record_start(self, load_id: str) -> None:
        """Record the command to start a load: its effect counts from now on."""
        if load_id in self._rule.running:
            self._rule.record_start(self._context.now)

    def update_surplus(
        self,
        grid_power: float | None,
        guard: GridView,
        *,
        is_disturbed: bool,
        cut_off: frozenset[str],
        levels: Mapping[str, float | None],
    ) -> list[str]:
        """Add the power at the grid point, W; return the loads whose start had no effect.

        `is_disturbed` tells of a lost meter or an outage; `levels` are the powers to
        which adjustable loads are set, W.
        """
        context, rule = self._context, self._rule
        inhibited = guard.held.under_depth > 0 or is_disturbed
        self._delay_recovery(guard, inhibited)
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
        may_start = (
            self._has_recovered
            and context.now >= self._starts_from
            and guard.state is not GuardState.INVALID
        )
        return rule.update(
            grid_power,
            candidates,
            may_start,
            context.now,
            levels,
            taken=self._taken(),
            rhythm=context.rhythm,
        )

    def _delay_recovery(self, guard: GridView, inhibited: bool) -> None:
        """Draw the delay after which surplus counts again once an event is over.

        Without the delay all houses with a surplus would start in the same second, into
        the rebound of the frequency.
        """
        if inhibited:
            self._has_recovered = False
        elif not self._has_recovered and guard.may_restore:
            self._has_recovered = True
            spread = self._context.settings.restore_spread
            self._starts_from = self._context.now + self._random.below(spread)

    def _taken(self) -> float:
        """Return the power of the loads that wait to come back, W."""
        context = self._context
        return sum(
            load.nominal_power
            for load in context.loads.values()
            if (state := context.states[load.id]).to_restore
            and state.requested_on
            and not state.is_on
        )

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
