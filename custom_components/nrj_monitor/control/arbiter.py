"""The one place that decides what each load of the house does, and why.

The reasons and their order are those of `decision.Reason`: a greater one always wins.
The same inputs give the same decisions; time and chance are arguments.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ..frequency_guard.grid_view import GridView
from .context import LONGEST_OVERRIDE, OVERRIDE_TIME, ArbiterContext, ArbiterSettings
from .decision import EMERGENCIES, Activity, Decision, Notice, Reason, action_of
from .grid_monitor import GridMonitor
from .house import HouseView, LoadView
from .load import Load, LoadClass, LoadError
from .load_state import LoadState, Override
from .overload import OverloadMonitor
from .restore_plan import RestorePlan
from .rules import LoadRequest, ReasonRules
from .storage_loads import StorageLoads


class Arbiter:
    """Feed it the house with `update`, and what people do with the other methods."""

    def __init__(
        self,
        loads: Iterable[Load],
        monitors: Mapping[str | None, OverloadMonitor] | None = None,
        settings: ArbiterSettings | None = None,
        seed: int = 1,
    ) -> None:
        """Take over loads; `monitors` are the limits by phase, None the contract."""
        settings = settings or ArbiterSettings()
        self._context = ArbiterContext(loads, monitors or {}, settings)
        self._grid_monitor = GridMonitor(settings)
        self._storage = StorageLoads(self._context)
        self._rules = ReasonRules(self._context, self._grid_monitor)
        self._restores = RestorePlan(settings.restore_spread, seed)
        self._notices: list[Notice] = []

    @property
    def loads(self) -> Mapping[str, Load]:
        """Return the loads by id, in the order in which they are shed."""
        return self._context.loads

    @property
    def states(self) -> Mapping[str, LoadState]:
        """Return what is remembered of each load."""
        return self._context.states

    @property
    def is_lost(self) -> bool:
        """Return whether nothing is known of the grid."""
        return self._grid_monitor.is_lost

    @property
    def is_overload_shedding_futile(self) -> bool:
        """Return whether shedding for an overload was given up for now."""
        return self._context.shedding.is_futile

    @property
    def is_grid_shedding_futile(self) -> bool:
        """Return whether shedding for the grid was given up until it is well."""
        return self._context.shed_check.is_futile

    # What people and automations do.

    def record_switch(
        self, load_id: str, on: bool, now: float, *, by_person: bool
    ) -> None:
        """Note that somebody else switched a load."""
        state = self._context.states[load_id]
        against = state.target is not None and on is not state.target
        state.record_switch(on, now)
        state.requested_on = on
        state.requested_by_automation = not by_person
        if self.loads[load_id].load_class is LoadClass.NEVER_SHED:
            # Whoever it was: there is nothing to hold against him.
            state.override = state.target = None
        elif against and by_person:
            self._override(state, on, now + OVERRIDE_TIME)
        elif against:
            # It did obey; it is told again at once.
            state.clear_other_command(None)

    def override(self, load_id: str, on: bool, duration: float, now: float) -> None:
        """Have a load on or off for `duration` s, whatever is below a person's wish.

        Raises:
            LoadError: it is never shed, or the duration is none.
        """
        if not 0 < duration <= LONGEST_OVERRIDE:
            raise LoadError(
                "out_of_range", "duration", f"{duration} s are no time to override for"
            )
        if not on and self.loads[load_id].load_class is LoadClass.NEVER_SHED:
            raise LoadError("never_shed", "load", f"{load_id} is never shed")
        state = self._context.states[load_id]
        if self.loads[load_id].load_class is LoadClass.NEVER_SHED:
            # It stays on afterwards too: nothing here ever switches it off.
            state.requested_on = True
        self._override(state, on, now + duration)

    @staticmethod
    def _override(state: LoadState, on: bool, until: float) -> None:
        state.override = Override(on, until)
        state.to_restore = False

    def end_override(self, load_id: str, now: float) -> bool:
        """End a person's override; return whether there was one."""
        state = self._context.states[load_id]
        there = state.override is not None and now < state.override.until
        if there:
            state.override = Override(False, now)
        return there

    def restore(self, load_id: str, now: float) -> None:
        """Give a load back as soon as nothing else keeps it off: no random delay."""
        self.end_override(load_id, now)
        state = self._context.states[load_id]
        if state.to_restore:
            state.restore_at = now

    def pop_notices(self) -> list[Notice]:
        """Return what a person should know since the last time."""
        notices, self._notices = self._notices, []
        return notices

    # What is remembered over a restart.

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON can store it."""
        now = self._context.now
        return {
            id_: {
                "asked": state.requested_on,
                "to_restore": state.to_restore or state.target is False,
                "override": None
                if state.override is None
                else [state.override.on, state.override.until - now],
                "mine": bool(state.target),
            }
            for id_, state in self._context.states.items()
        }

    def update_from_dict(self, stored: Mapping[str, Any], now: float) -> None:
        """Take up what `memory` returned; loads that are no more are left out."""
        self._context.now = now
        for id_, kept in stored.items():
            state = self._context.states.get(id_)
            if state is None:
                continue
            if self.loads[id_].load_class is LoadClass.NEVER_SHED:
                # It may have been of another class, and off for it.
                if kept["to_restore"] and kept["asked"]:
                    self.override(id_, True, OVERRIDE_TIME, now)
                    state.is_recalled = True
                continue
            state.to_restore = kept["to_restore"] and kept["asked"]
            state.requested_on = kept["asked"]
            # What it was started for is to be seen again, or it is let go.
            state.target = True if kept["mine"] else None
            state.is_recalled = state.to_restore or kept["mine"]
            if kept["override"] is not None:
                on, left = kept["override"]
                state.override = Override(on, now + left)
                state.is_recalled = True

    # Deciding.

    def update(self, view: HouseView) -> list[Decision]:
        """Return what changes now."""
        context = self._context
        context.now = max(context.now, view.now)
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
            powers.get(None),
            guard,
            is_lost=self.is_lost,
            cut_off=view.cut_off,
            levels={id_: seen.level for id_, seen in view.loads.items()},
        ):
            self._add_notice("no_effect", failed)
        absorbing = self._storage.absorbing(guard, is_lost=self.is_lost)
        may_restore = guard.may_restore or self.is_lost
        self._restores.plan(context.loads, context.states, may_restore, context.now)
        decisions: list[Decision] = []
        # What matters most comes on first.
        for load in reversed(context.loads.values()):
            request = self._rules.request(
                load,
                guard,
                cut_off=load.id in view.cut_off,
                absorbs=load.id in absorbing,
                has_surplus=self._storage.has_surplus(load.id),
                level=self._storage.level(load.id),
            )
            decision = self._apply(load, request)
            if decision is not None:
                decisions.append(decision)
        self._check_effect(view, powers.get(None), decisions)
        return decisions

    def _check_effect(
        self, view: HouseView, power: float | None, decisions: Iterable[Decision]
    ) -> None:
        """Tell where a shed for the grid's sake took nothing off; there are no more then."""
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
        seen = view.loads[load.id]
        drawn = seen.level if seen.power is None else seen.power
        return load.nominal_power if drawn is None else drawn

    def _add_notice(self, key: str, load_id: str | None = None) -> None:
        self._notices.append(Notice(key=key, time=self._context.now, load_id=load_id))

    def _record_observation(self, state: LoadState, seen: LoadView) -> None:
        first = state.observed_on is None and seen.on is not None
        state.record_observation(seen.on, self._context.now)
        if first and not state.is_recalled:
            state.requested_on = state.is_on

    def _expect_pickup(self) -> None:
        """After an outage everything comes back one by one."""
        for id_, load in self._context.loads.items():
            state = self._context.states[id_]
            if load.load_class is not LoadClass.NEVER_SHED and state.requested_on:
                state.to_restore = True

    def _shed_overload(
        self, view: HouseView, powers: Mapping[str | None, float | None]
    ) -> None:
        context = self._context
        candidates = [
            load
            for load in context.loads.values()
            if load.load_class is not LoadClass.NEVER_SHED
            and context.states[load.id].is_on
            and not context.states[load.id].is_unresponsive
            and not context.is_overridden(load)
        ]
        given_up = context.shedding.update(
            powers, candidates, partial(self._power_of, view), context.now
        )
        if given_up is not None:
            self._notices.append(
                Notice(key="futile", time=context.now, phase=given_up or None)
            )

    def _apply(self, load: Load, request: LoadRequest) -> Decision | None:
        """Turn a wish into a decision within the load's limits; None if nothing is new."""
        now = self._context.now
        state = self._context.states[load.id]
        on, activity = request.on, request.activity
        if on is None and state.target is not None:
            # It was taken, and is given back as it is wanted now.
            if state.is_on is state.requested_on:
                state.target = None
            else:
                on = state.requested_on
        state.clear_other_command(on)
        if (
            on is not None
            and on is not state.is_on
            and self._must_wait(load, request, on)
        ):
            # What keeps it says more than that it waits.
            if activity not in (Activity.LOST, Activity.OVERRIDDEN):
                activity = Activity.WAITING
            on = state.is_on
        switch = on is not None and state.needs_command(on, now)
        state.target = on
        if switch:
            self._record_command(load, state, on=bool(on))
        if on is not None and state.is_unresponsive:
            activity = Activity.DISOBEYING
        before, last = state.activity, state.last_decision
        level = request.level if on else None
        if on and not request.on and last is not None and last.level is not None:
            # It ends as soon as its minimum time lets it.
            level = load.least_power
        if on and state.is_on and last is not None and last.on:
            switch = switch or level != last.level
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
        """Return whether a load's own limits keep it as it is for now."""
        context = self._context
        state = context.states[load.id]
        if not on:
            return request.reason not in EMERGENCIES and not state.has_lasted(
                load.minimum_on, context.now
            )
        if state.commanded_at is not None:
            return False
        if request.reason is Reason.OVERRIDE:
            # A person may ask for more starts, but not for a compressor's damage.
            return not state.has_lasted(load.minimum_off, context.now)
        return not context.may_start(load) or not context.is_spaced()
