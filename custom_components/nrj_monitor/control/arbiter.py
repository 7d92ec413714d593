"""Arbiter: decides the state of each load in the house, and gives the reason.

Reasons and their order are those of `decision.Reason`: a greater reason always wins.
Equal inputs give equal decisions; time and the seed of random delays are arguments.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..frequency_guard.grid_view import GridView
from .context import LONGEST_OVERRIDE, OVERRIDE_TIME, ArbiterContext, ArbiterSettings
from .decision import EMERGENCIES, Activity, Decision, Notice, Reason, action_of
from .demand_limit import DemandMonitor
from .grid_monitor import GridMonitor
from .house import HouseView, LoadView
from .limit_monitor import LimitMonitor
from .load import Load, LoadClass, LoadError
from .load_state import LoadState, Override
from .overload_shedding import Candidate
from .restore_plan import RestorePlan
from .rules import LoadRequest, ReasonRules
from .storage_loads import StorageLoads
from .supply import Supply

SURPLUS_SEED: Final = 0x9E3779B9
"""Bits by which the delays of surplus differ from those of the same house's restores."""


class Arbiter:
    """Decides over the loads of one meter.

    State mutation rules: `update` alone moves time and decides; persons and automations
    change the state of a load through `record_switch`, `override`, `end_override` and
    `restore`. `loads`, `states` and the other properties are for reading.
    """

    def __init__(
        self,
        loads: Iterable[Load],
        monitors: Mapping[Supply, LimitMonitor] | None = None,
        settings: ArbiterSettings | None = None,
        seed: int = 1,
    ) -> None:
        """Control `loads` within the limits of `monitors`; `seed` sets the random delays."""
        settings = settings or ArbiterSettings()
        self._context = ArbiterContext(loads, monitors or {}, settings)
        self._grid_monitor = GridMonitor(settings)
        self._storage = StorageLoads(self._context, seed ^ SURPLUS_SEED)
        self._rules = ReasonRules(self._context, self._grid_monitor)
        self._restores = RestorePlan(settings.restore_spread, seed)
        self._notices: list[Notice] = []

    @property
    def loads(self) -> Mapping[str, Load]:
        """Return the loads by id, in the order of shedding."""
        return self._context.loads

    @property
    def states(self) -> Mapping[str, LoadState]:
        """Return the state of each load by id."""
        return self._context.states

    @property
    def is_lost(self) -> bool:
        """Return whether the state of the grid is unknown."""
        return self._grid_monitor.is_lost

    @property
    def is_overload_shedding_futile(self) -> bool:
        """Return whether shedding for overloads is given up for now."""
        return self._context.shedding.is_futile

    @property
    def is_grid_shedding_futile(self) -> bool:
        """Return whether shedding for the grid is given up until the grid is normal."""
        return self._context.shed_check.is_futile

    # Persons and automations.

    def record_switch(
        self, load_id: str, on: bool, now: float, *, by_person: bool
    ) -> None:
        """Record the switching of a load by a person or an automation."""
        state = self._context.states[load_id]
        against = state.target is not None and on is not state.target
        state.record_switch(on, now)
        state.requested_on = on
        state.requested_by_automation = not by_person
        if self.loads[load_id].load_class is LoadClass.NEVER_SHED:
            # A never-shed load follows whoever switched it: clear override and command.
            state.override = state.target = None
        elif against and by_person:
            self._override(state, on, now + OVERRIDE_TIME)
        elif against:
            # An automation undid our command: clear the command, so the next update sends
            # the command again without the retry delay.
            state.clear_other_command(None)

    def override(self, load_id: str, on: bool, duration: float, now: float) -> None:
        """Override a load for `duration` s, against all reasons but safety.

        Raises:
            LoadError: off for a never-shed load, or a duration out of range.
        """
        if not 0 < duration <= LONGEST_OVERRIDE:
            raise LoadError(
                "out_of_range", "duration", f"{duration} s are no time to override for"
            )
        if not on and self.loads[load_id].load_class is LoadClass.NEVER_SHED:
            raise LoadError("never_shed", "load", f"{load_id} is never shed")
        state = self._context.states[load_id]
        if self.loads[load_id].load_class is LoadClass.NEVER_SHED:
            # A never-shed load stays on after the override: the arbiter has no off for it.
            state.requested_on = True
        self._override(state, on, now + duration)

    @staticmethod
    def _override(state: LoadState, on: bool, until: float) -> None:
        state.override = Override(on, until)
        state.to_restore = False

    def end_override(self, load_id: str, now: float) -> bool:
        """End the override of a load; return whether an override was in force."""
        state = self._context.states[load_id]
        in_force = state.override is not None and now < state.override.until
        if in_force:
            state.override = Override(False, now)
        return in_force

    def restore(self, load_id: str, now: float) -> None:
        """Restore a load without random delay, once no other reason keeps the load off."""
        self.end_override(load_id, now)
        state = self._context.states[load_id]
        if state.to_restore:
            state.restore_at = now

    def pop_notices(self) -> list[Notice]:
        """Return and clear the notices since the last call."""
        notices, self._notices = self._notices, []
        return notices

    # Storage.

    def as_dict(self) -> dict[str, Any]:
        """Return the lasting part of the loads' states, as JSON can store it."""
        now = self._context.now
        return {id_: state.as_dict(now) for id_, state in self._context.states.items()}

    def update_from_dict(self, stored: Mapping[str, Any], now: float) -> None:
        """Take over the stored result of `as_dict`; unknown loads are left out."""
        self._context.now = now
        for id_, kept in stored.items():
            state = self._context.states.get(id_)
            if state is None:
                continue
            if self.loads[id_].load_class is not LoadClass.NEVER_SHED:
                state.update_from_dict(kept, now)
            elif kept["to_restore"] and kept["asked"]:
                # The load was of another class before, and shed.
                self.override(id_, True, OVERRIDE_TIME, now)
                state.is_recalled = True

    # Deciding.

    def is_settled(self, guard: GridView) -> bool:
        """Return whether no rule waits for time to pass under the state `guard`.

        Updates with the same view then decide nothing, and neither do others whose
        powers the arbiter `is_indifferent` to.
        """
        context = self._context
        return (
            guard.state.over_depth == 0
            and self._grid_monitor.is_settled
            and self._storage.is_settled
            and context.shedding.is_settled
            and context.shed_check.is_settled
            and all(state.is_settled for state in context.states.values())
        )

    def is_indifferent(self, powers: Mapping[Supply, float | None]) -> bool:
        """Return whether `powers`, W, would change nothing in a settled house."""
        return self._storage.is_indifferent(powers.get(Supply.TOTAL)) and all(
            monitor.is_indifferent(powers.get(limit))
            for limit, monitor in self._context.monitors.items()
        )

    def record_reading(self, read_at: float, now: float) -> None:
        """Record when the powers were read, s, as known at `now`, where nothing is decided."""
        self._context.rhythm.update(read_at, now)

    def update(self, view: HouseView) -> list[Decision]:
        """Return the new decisions for the state `view` of the house."""
        context = self._context
        context.now = max(context.now, view.now)
        context.rhythm.update(
            context.now if view.read_at is None else view.read_at, context.now
        )
        for id_, state in context.states.items():
            self._record_observation(state, view.loads.get(id_, LoadView(None)))
        was_lost = self.is_lost
        self._grid_monitor.update(view, context.now)
        if self.is_lost and not was_lost:
            self._add_notice("lost")
        if self._grid_monitor.is_outage:
            self._expect_pickup()
        guard = view.guard or GridView()
        if guard.held.under_depth == 0:
            context.shed_check.reset()
        powers = view.powers if view.meter_there else {}
        self._shed_overload(view, powers)
        for failed in self._storage.update_surplus(
            powers.get(Supply.TOTAL),
            guard,
            is_disturbed=self.is_lost or self._grid_monitor.is_outage,
            cut_off=view.cut_off,
            levels={id_: load.level for id_, load in view.loads.items()},
        ):
            self._add_notice("no_effect", failed)
        absorbing = self._storage.absorbing(guard, is_lost=self.is_lost)
        may_restore = guard.may_restore or self.is_lost
        self._restores.plan(context.loads, context.states, may_restore, context.now)
        decisions: list[Decision] = []
        # Loads of highest priority come on first.
        for load in reversed(context.loads.values()):
            is_cut_off = load.id in view.cut_off
            self._rules.advance(load, guard, cut_off=is_cut_off)
            request = self._rules.request(
                load,
                guard,
                cut_off=is_cut_off,
                absorbs=load.id in absorbing,
                has_surplus=self._storage.has_surplus(load.id),
                level=self._storage.level(load.id),
            )
            self._rules.record(load, request)
            decision = self._apply(load, request)
            if decision is not None:
                decisions.append(decision)
        self._check_effect(view, powers.get(Supply.TOTAL), decisions)
        return decisions

    def _check_effect(
        self, view: HouseView, power: float | None, decisions: Iterable[Decision]
    ) -> None:
        """Check the effect of sheds for the grid; add a notice where there is none."""
        check = self._context.shed_check
        if check.update(power, self._context.now):
            self._add_notice("no_relief")
        for decision in decisions:
            load = self._context.loads[decision.load_id]
            if (
                decision.switch
                and self._context.states[load.id].attempts == 1
                and decision.on is False
                and decision.reason is Reason.UNDER_FREQUENCY
            ):
                check.record_shed(power, self._power_of(view, load), self._context.now)

    @staticmethod
    def _power_of(view: HouseView, load: Load) -> float:
        observed = view.loads[load.id]
        drawn = observed.level if observed.power is None else observed.power
        return load.nominal_power if drawn is None else drawn

    def _add_notice(self, key: str, load_id: str | None = None) -> None:
        self._notices.append(Notice(key=key, time=self._context.now, load_id=load_id))

    def _record_observation(self, state: LoadState, observed: LoadView) -> None:
        first = state.observed_on is None and observed.on is not None
        state.record_observation(observed.on, self._context.now)
        if first and not state.is_recalled:
            state.requested_on = state.is_on

    def _expect_pickup(self) -> None:
        """Have all requested loads come back in turn after an outage."""
        for id_, load in self._context.loads.items():
            state = self._context.states[id_]
            if load.load_class is not LoadClass.NEVER_SHED and state.requested_on:
                state.to_restore, state.only_overload = True, False

    def _shed_overload(
        self, view: HouseView, powers: Mapping[Supply, float | None]
    ) -> None:
        context = self._context
        for monitor in context.monitors.values():
            if isinstance(monitor, DemandMonitor) and view.time is not None:
                monitor.account.update(
                    view.time, powers.get(Supply.TOTAL), view.imported
                )
        candidates = [
            Candidate(
                load,
                self._power_of(view, load),
                can_be_lowered=load.least_power is not None
                and context.states[load.id].requested_on,
            )
            for load in context.loads.values()
            if load.load_class is not LoadClass.NEVER_SHED
            and context.states[load.id].is_on
            and not context.states[load.id].is_unresponsive
            and not context.is_overridden(load)
        ]
        given_up = context.shedding.update(powers, candidates, context.now)
        if given_up is not None:
            self._notices.append(Notice(key="futile", time=context.now, limit=given_up))

    def _apply(self, load: Load, request: LoadRequest) -> Decision | None:
        """Return the decision on a request within the load's limits; None if unchanged."""
        now = self._context.now
        state = self._context.states[load.id]
        on, activity = request.on, request.activity
        if on is None and state.target is not None:
            # The arbiter has no say any more: the load returns to the requested state.
            if state.is_on is state.requested_on:
                state.target = None
            else:
                on = state.requested_on
        gives_back = on is None and state.is_limited and state.is_on
        if gives_back and state.requested_on:
            on = True
        state.clear_other_command(on)
        if (
            on is not None
            and on is not state.is_on
            and self._must_wait(load, request, on)
        ):
            # Lost and overridden are more telling than the wait.
            if activity not in (Activity.LOST, Activity.OVERRIDDEN):
                activity = Activity.WAITING
            on = state.is_on
        switch = False
        if on is not None:
            state.confirm_command(on)
            switch = state.needs_command(on, now)
        state.target = on
        if switch:
            self._record_command(load, state, on=bool(on))
        if on is not None and state.is_unresponsive:
            activity = Activity.DISOBEYING
        before, last = state.activity, state.last_decision
        level = request.level if on else None
        stops = on and not request.on and not gives_back
        if stops and last is not None and last.level is not None:
            # The load stops once its minimum time on is over, at least power until then.
            level = load.least_power
        if on and state.is_on and last is not None and last.on:
            switch = switch or level != last.level
        if on and state.is_on and activity is Activity.LIMITED:
            switch = switch or not state.is_limited
        switch = switch or bool(gives_back and on)
        if switch or not state.is_on:
            state.is_limited = bool(on) and activity is Activity.LIMITED
        state.reason, state.activity = request.reason, activity
        if (
            last is not None
            and not switch
            and (last.on, last.activity, last.reason, last.level)
            == (on, activity, request.reason, level)
        ):
            return None
        state.last_decision = Decision(
            load_id=load.id,
            time=now,
            on=on,
            action=action_of(before, activity),
            activity=activity,
            reason=request.reason,
            switch=switch,
            level=level,
        )
        return state.last_decision

    def _record_command(self, load: Load, state: LoadState, *, on: bool) -> None:
        was_unresponsive = state.is_unresponsive
        state.record_command(on, self._context.now)
        if on:
            self._context.last_start = self._context.now
            self._storage.record_start(load.id)
        if state.is_unresponsive and not was_unresponsive:
            self._add_notice("disobeys", load.id)

    def _must_wait(self, load: Load, request: LoadRequest, on: bool) -> bool:
        """Return whether a load's own limits forbid switching for now."""
        context = self._context
        state = context.states[load.id]
        if not on:
            return request.reason not in EMERGENCIES and not state.has_lasted(
                load.minimum_on, context.now
            )
        if state.commanded_at is not None:
            return False
        if request.reason is Reason.OVERRIDE:
            # A person may exceed the number of starts, but not harm a compressor.
            return not state.has_lasted(load.minimum_off, context.now)
        return not context.may_start(load) or not context.is_spaced()
