"""What the greatest reason wants of one load."""

from dataclasses import dataclass

from ..frequency_guard.grid_view import GridView
from ..frequency_guard.guard_state import GuardState
from .context import ArbiterContext
from .decision import Activity, Reason
from .grid_monitor import GridMonitor
from .load import Load, LoadClass, WhenLost
from .load_state import LoadState


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What one load should do, and how much of it, W: None is as it likes."""

    on: bool | None
    reason: Reason
    activity: Activity
    level: float | None = None


class ReasonRules:
    """Goes through the reasons, the greatest first."""

    def __init__(self, context: ArbiterContext, grid_monitor: GridMonitor) -> None:
        """Look things up in `books`."""
        self._context = context
        self._grid_monitor = grid_monitor

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
        """Return what `load` should do as far as reasons go, its own limits apart."""
        context = self._context
        state = context.states[load.id]
        if state.override is not None and not context.is_overridden(load):
            _end_override(state, context.now)
        never = load.load_class is LoadClass.NEVER_SHED
        if cut_off and not never:
            return LoadRequest(False, Reason.SAFETY, Activity.CUT_OFF)
        if state.override is not None:
            return LoadRequest(state.override.on, Reason.OVERRIDE, Activity.OVERRIDDEN)
        if never:
            return _as_asked(state)
        if self._grid_monitor.is_lost:
            return self._when_lost(load, state)
        comfort = self._comfort(load, state, guard)
        depth = guard.held.under_depth
        reached = depth >= load.load_class.sheds_at and not self._is_spared(load, state)
        if reached and depth >= GuardState.SHED_1.under_depth:
            return comfort or _take_off(state, Reason.UNDER_FREQUENCY)
        shedding = context.shedding
        if load.id in shedding.off and not shedding.may_return(load, context.now):
            return _take_off(state, Reason.OVERLOAD)
        if reached:
            return comfort or _take_off(state, Reason.INHIBIT)
        if guard.state is GuardState.INVALID and (held := _held(state)) is not None:
            return held
        if comfort is not None:
            return comfort
        if (waiting := self._restore(load, state, guard.may_restore)) is not None:
            return waiting
        if absorbs:
            return LoadRequest(True, Reason.ABSORB, Activity.ABSORBING)
        if has_surplus:
            return LoadRequest(True, Reason.SURPLUS, Activity.SURPLUS, level)
        return _as_asked(state)

    def _is_spared(self, load: Load, state: LoadState) -> bool:
        """Return whether a load stays on because sheds for the grid do not help."""
        return (
            self._context.shed_check.is_futile
            and state.is_on
            and state.target is not False
            and not load.load_class.stores
        )

    def _when_lost(self, load: Load, state: LoadState) -> LoadRequest:
        if load.when_lost is WhenLost.ON:
            return LoadRequest(True, Reason.DEFAULT, Activity.LOST)
        if load.when_lost is WhenLost.OFF:
            state.to_restore = True
            return LoadRequest(False, Reason.DEFAULT, Activity.LOST)
        since = self._grid_monitor.lost_since
        limit = self._context.settings.hold_limit
        if load.longest_off is not None:
            limit = min(limit, load.longest_off)
        held = since is not None and self._context.now - since < limit
        if held and state.to_restore and state.requested_on:
            return LoadRequest(False, state.shed_reason, Activity.LOST)
        # Nobody knows any more what it is off for, nor of how much room there is.
        self._context.shedding.remove(load.id)
        return self._restore(load, state, may_restore=True) or _as_asked(state)

    def _comfort(
        self, load: Load, state: LoadState, guard: GridView
    ) -> LoadRequest | None:
        """Return that it must be on for a while, where it has been off for too long."""
        now = self._context.now
        if load.longest_off is None or not state.requested_on:
            state.off_since = state.comfort_until = None
            return None
        if state.comfort_until is not None and now >= state.comfort_until:
            state.comfort_until = state.off_since = None
        if state.is_on or not state.to_restore:
            state.off_since = None
        elif state.off_since is None:
            state.off_since = now
        if guard.held is GuardState.SHED_3 or guard.state is GuardState.INVALID:
            # The grid is about to fail, or nobody knows: it waits.
            return None
        if load.id in self._context.shedding.off:
            return None
        since = state.off_since
        if (
            state.comfort_until is None
            and since is not None
            and now - since >= load.longest_off
        ):
            state.comfort_until = now + load.recovery
        if state.comfort_until is None:
            return None
        return LoadRequest(True, Reason.DEFAULT, Activity.COMFORT)

    def _restore(
        self, load: Load, state: LoadState, may_restore: bool
    ) -> LoadRequest | None:
        """Return that it waits for its turn, None where there is nothing to wait for."""
        context = self._context
        shedding = context.shedding
        if not state.to_restore:
            return None
        if state.requested_on and not state.is_on:
            due = state.restore_at is not None and context.now >= state.restore_at
            room = load.id not in shedding.off or shedding.may_return(load, context.now)
            if not (
                may_restore
                and due
                and room
                and context.may_start(load)
                and context.is_spaced()
            ):
                return LoadRequest(False, state.shed_reason, Activity.RESTORING)
        state.to_restore = False
        state.restore_at = None
        shedding.remove(load.id)
        return None


def _end_override(state: LoadState, now: float) -> None:
    state.override = None
    if state.requested_on and not state.is_on:
        state.to_restore = True
        state.restore_at = now


def _take_off(state: LoadState, reason: Reason) -> LoadRequest:
    state.to_restore = True
    state.shed_reason = reason
    state.restore_at = None
    return LoadRequest(False, reason, Activity.SHED)


def _held(state: LoadState) -> LoadRequest | None:
    """Return that a load stays as it is as long as the frequency is invalid."""
    if state.to_restore and state.requested_on:
        return LoadRequest(False, state.shed_reason, Activity.HELD)
    if state.reason is Reason.ABSORB and state.target and not state.requested_on:
        return LoadRequest(True, Reason.ABSORB, Activity.HELD)
    return None


def _as_asked(state: LoadState) -> LoadRequest:
    reason = Reason.AUTOMATION if state.requested_by_automation else Reason.DEFAULT
    activity = Activity.RUNNING if state.requested_on else Activity.IDLE
    return LoadRequest(None, reason, activity)
