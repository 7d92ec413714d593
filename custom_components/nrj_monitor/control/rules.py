"""Request of the highest reason in force to each load."""

from dataclasses import dataclass
from typing import Final

from ..frequency_guard.grid_view import GridView
from ..frequency_guard.guard_state import GuardState
from .context import ArbiterContext
from .decision import Activity, Reason
from .grid_monitor import GridMonitor
from .load import Load, LoadClass, WhenLost
from .load_state import LoadState

RELEASED: Final = frozenset(
    {
        Activity.RUNNING,
        Activity.IDLE,
        Activity.ABSORBING,
        Activity.SURPLUS,
        Activity.LIMITED,
    }
)
"""Activities of a load that nothing keeps off any more."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """State requested of a load: on, off, or None for the load's own choice.

    `level` is the power that an adjustable load should draw, W.
    """

    on: bool | None
    reason: Reason
    activity: Activity
    level: float | None = None


class ReasonRules:
    """Finds the highest reason applying to a load.

    State mutation rules: `request` only reads, so asking twice changes nothing.
    `advance` moves the timers of a load (override, comfort, return after an overload)
    and comes before `request`; `record` notes the wait for a restore that an accepted
    request begins or ends, and comes after `request`.
    """

    def __init__(self, context: ArbiterContext, grid_monitor: GridMonitor) -> None:
        """Apply the rules to the loads of `context`."""
        self._context = context
        self._grid_monitor = grid_monitor

    def advance(self, load: Load, guard: GridView, *, cut_off: bool) -> None:
        """Move the timers of a load to the present of the context."""
        context = self._context
        state = context.states[load.id]
        if state.override is not None and not context.is_overridden(load):
            _end_override(state, context.now)
        never = load.load_class is LoadClass.NEVER_SHED
        if cut_off or state.override is not None or never:
            # Timers of the grid and of limits stand still under a higher reason.
            return
        if self._grid_monitor.is_lost:
            if load.when_lost is WhenLost.HOLD and not self._is_held_lost(load, state):
                # The overload that the load is off for can no longer be seen.
                context.shedding.remove(load.id)
                context.shedding.remove_level(load.id)
            return
        if not state.requested_on:
            context.shedding.remove_level(load.id)
        self._advance_comfort(load, state, guard)
        if not self._sheds_for_grid(load, state, guard):
            context.shedding.advance(load, context.now)

    def request(
        self,
        load: Load,
        guard: GridView,
        *,
        cut_off: bool,
        absorbs: bool,
        has_surplus: bool,
        level: float | None,
    ) -> LoadRequest:
        """Return the request of the highest reason, before the load's own limits."""
        context = self._context
        state = context.states[load.id]
        never = load.load_class is LoadClass.NEVER_SHED
        if cut_off and not never:
            return LoadRequest(False, Reason.SAFETY, Activity.CUT_OFF)
        if state.override is not None:
            return LoadRequest(state.override.on, Reason.OVERRIDE, Activity.OVERRIDDEN)
        if never:
            return _as_requested(state)
        if self._grid_monitor.is_lost:
            return self._when_lost(load, state)
        comfort = self._comfort(load, state, guard)
        if self._sheds_for_grid(load, state, guard):
            return comfort or _shed(Reason.UNDER_FREQUENCY)
        shedding = context.shedding
        if load.id in shedding.off and not shedding.may_return(load, context.now):
            return comfort or _shed(Reason.OVERLOAD)
        if self._is_inhibited(load, state, guard):
            return comfort or _shed(Reason.INHIBIT)
        if guard.state is GuardState.INVALID and (held := _held(state)) is not None:
            return held
        if comfort is not None:
            return comfort
        waiting = self._waiting(load, state, may_restore=guard.may_restore)
        if waiting is not None:
            return waiting
        limited = self._limited(load, state)
        if limited is not None:
            return limited
        if absorbs:
            return LoadRequest(True, Reason.ABSORB, Activity.ABSORBING)
        if has_surplus:
            return LoadRequest(True, Reason.SURPLUS, Activity.SURPLUS, level)
        return _as_requested(state)

    def record(self, load: Load, request: LoadRequest) -> None:
        """Begin or end the wait for a restore, as an accepted request demands."""
        state = self._context.states[load.id]
        if request.activity is Activity.SHED:
            by_overload = request.reason is Reason.OVERLOAD
            fresh = not state.to_restore
            state.only_overload = by_overload and (fresh or state.only_overload)
            state.to_restore = True
            if state.only_overload or not by_overload:
                state.shed_reason = request.reason
                state.restore_at = None
        elif request.activity is Activity.LOST and request.on is False:
            state.to_restore = True
        elif (
            request.activity in RELEASED
            and state.to_restore
            and load.load_class is not LoadClass.NEVER_SHED
        ):
            state.to_restore = state.only_overload = False
            state.restore_at = None
            self._context.shedding.remove(load.id)

    def _is_inhibited(self, load: Load, state: LoadState, guard: GridView) -> bool:
        """Return whether the depth of the under-frequency reaches the load's class."""
        return (
            guard.held.under_depth >= load.load_class.sheds_at
            and not self._is_spared(load, state)
        )

    def _sheds_for_grid(self, load: Load, state: LoadState, guard: GridView) -> bool:
        """Return whether the load is to be shed for an under-frequency."""
        deep = guard.held.under_depth >= GuardState.SHED_1.under_depth
        return deep and self._is_inhibited(load, state, guard)

    def _is_spared(self, load: Load, state: LoadState) -> bool:
        """Return whether a load stays on because shedding for the grid is futile."""
        return (
            self._context.shed_check.is_futile
            and state.is_on
            and state.target is not False
            and not load.load_class.stores
        )

    def _limited(self, load: Load, state: LoadState) -> LoadRequest | None:
        """Return the request to draw less for the sake of a limit, or None."""
        level = self._context.shedding.levels.get(load.id)
        if level is None or not state.requested_on:
            return None
        return LoadRequest(True, Reason.OVERLOAD, Activity.LIMITED, level)

    def _when_lost(self, load: Load, state: LoadState) -> LoadRequest:
        """Return the request of a load whose meter is lost."""
        if load.when_lost is WhenLost.ON:
            return LoadRequest(True, Reason.DEFAULT, Activity.LOST)
        if load.when_lost is WhenLost.OFF:
            return LoadRequest(False, Reason.DEFAULT, Activity.LOST)
        if self._is_held_lost(load, state):
            return LoadRequest(False, state.shed_reason, Activity.LOST)
        return self._waiting(load, state, may_restore=True) or _as_requested(state)

    def _is_held_lost(self, load: Load, state: LoadState) -> bool:
        """Return whether a shed load stays off for now although the meter is lost."""
        since = self._grid_monitor.lost_since
        limit = self._context.settings.hold_limit
        if load.longest_off is not None:
            limit = min(limit, load.longest_off)
        held = since is not None and self._context.now - since < limit
        return held and state.to_restore and state.requested_on

    def _advance_comfort(self, load: Load, state: LoadState, guard: GridView) -> None:
        """Move the timers of the comfort limit: time off, then time of recovery."""
        now = self._context.now
        if load.longest_off is None or not state.requested_on:
            state.off_since = state.comfort_until = None
            return
        if state.comfort_until is not None and now >= state.comfort_until:
            state.comfort_until = state.off_since = None
        if state.is_on or not state.to_restore:
            state.off_since = None
        elif state.off_since is None:
            state.off_since = now
        if (
            self._permits_comfort(load, guard)
            and state.comfort_until is None
            and state.off_since is not None
            and now - state.off_since >= load.longest_off
        ):
            state.comfort_until = now + load.recovery

    def _permits_comfort(self, load: Load, guard: GridView) -> bool:
        """Return whether a load may recover: neither grid nor fuse is in danger."""
        return (
            guard.held is not GuardState.SHED_3
            and guard.state is not GuardState.INVALID
            and (
                load.id not in self._context.shedding.off
                or self._context.shedding.keeps_comfort(load.id)
            )
        )

    def _comfort(
        self, load: Load, state: LoadState, guard: GridView
    ) -> LoadRequest | None:
        """Return the request to recover after the longest time off; None before."""
        if state.comfort_until is None or not self._permits_comfort(load, guard):
            return None
        return LoadRequest(True, Reason.DEFAULT, Activity.COMFORT)

    def _waiting(
        self, load: Load, state: LoadState, *, may_restore: bool
    ) -> LoadRequest | None:
        """Return the request to wait for the time of return; None without a wait."""
        context = self._context
        shedding = context.shedding
        if not state.to_restore or not state.requested_on or state.is_on:
            return None
        due = state.restore_at is not None and context.now >= state.restore_at
        fits = load.id not in shedding.off or shedding.may_return(load, context.now)
        if (
            may_restore
            and due
            and fits
            and context.may_start(load)
            and context.is_spaced()
        ):
            return None
        return LoadRequest(False, state.shed_reason, Activity.RESTORING)


def _end_override(state: LoadState, now: float) -> None:
    """End an override; a requested load comes back without a random delay."""
    state.override = None
    if state.requested_on and not state.is_on:
        state.to_restore = True
        state.restore_at = now


def _shed(reason: Reason) -> LoadRequest:
    return LoadRequest(False, reason, Activity.SHED)


def _held(state: LoadState) -> LoadRequest | None:
    """Return the request to stay unchanged while the frequency is invalid, or None."""
    if state.to_restore and state.requested_on:
        return LoadRequest(False, state.shed_reason, Activity.HELD)
    if state.reason is Reason.ABSORB and state.target and not state.requested_on:
        return LoadRequest(True, Reason.ABSORB, Activity.HELD)
    return None


def _as_requested(state: LoadState) -> LoadRequest:
    """Return the request of a load over which the arbiter has no say."""
    reason = Reason.AUTOMATION if state.requested_by_automation else Reason.DEFAULT
    activity = Activity.RUNNING if state.requested_on else Activity.IDLE
    return LoadRequest(None, reason, activity)
