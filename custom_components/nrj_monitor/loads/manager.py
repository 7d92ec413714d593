"""Load manager of a meter: gives the arbiter its inputs, and executes its decisions."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final
import zlib

from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_time_interval,
)
from homeassistant.util import dt as dt_util

from ..catalog import CHANNELS, Channel
from ..checked_store import StoredData
from ..const import CONF_GRID_PROFILE, DEFAULT_GRID_PROFILE, DOMAIN
from ..control.arbiter import Arbiter
from ..control.deadline import Deadline, deadline_of
from ..control.decision import Decision
from ..control.energy_account import EnergyAccount
from ..control.house import HouseView, LoadView
from ..control.supply import PHASES, Supply
from ..entity_links.references import CONF_REGISTRY_IDS
from ..entry_data import NrjConfigEntry
from ..frequency_guard.guard_state import GuardState
from ..listeners import Listeners, Unsubscribe
from ..meter import Meter
from ..quiet_log import QuietLog
from ..sources.derived_totals import total_of
from .dry_run import DryRun
from .give_back import shed_devices
from .grid_source import ComputedGrid, grid_of
from .limits import overload_monitors
from .managed_device import ManagedDevice
from .memory import EntityChange, recall
from .publisher import LoadPublisher
from .relay_conflict import async_track_relay_conflicts
from .settings import load_entries, load_of
from .store import DELAY, load_store

_LOGGER = logging.getLogger(__name__)

TICK: Final = timedelta(seconds=1)
LONGEST_TICK: Final = 10.0
"""Seconds; the energy of a longer pause is unknown, and not counted."""

TOTALS_INTERVAL: Final = 900.0
"""Seconds between two writes of the totals of energy."""

OUR_CONTEXTS: Final = 64

clock: Callable[[], float] = time.monotonic
"""Seconds of a clock that does not go back."""


class LoadManager:
    """Manages the loads of a meter."""

    def __init__(
        self, hass: HomeAssistant, entry: NrjConfigEntry, meter: Meter
    ) -> None:
        """Manage the loads of `entry`."""
        self.hass = hass
        self.entry = entry
        self.meter = meter
        self.titles = {
            subentry.subentry_id: subentry.title for subentry in load_entries(entry)
        }
        self.devices = {
            subentry.subentry_id: ManagedDevice(hass, subentry.data)
            for subentry in load_entries(entry)
        }
        entities = {id_: device.entity_id for id_, device in self.devices.items()}
        self.publisher = LoadPublisher(hass, entry, self.titles, entities)
        self.accounts = {id_: EnergyAccount() for id_ in self.devices}
        self.deadlines: dict[str, Deadline | None] = {}
        self.dry_run = False
        self.arbiter = self._new_arbiter()
        profile = entry.options.get(CONF_GRID_PROFILE, DEFAULT_GRID_PROFILE)
        self.grid = grid_of(meter, profile)
        self.grid_state: GuardState | None = None
        self._grid_listeners: Listeners[()] = Listeners()
        self._store = load_store(hass, entry.entry_id)
        self._log = QuietLog(_LOGGER, entry.entry_id)
        self._simulation = DryRun(self.devices)
        self._contexts: deque[str] = deque(maxlen=OUR_CONTEXTS)
        self._ticked: float | None = None
        self._power_read_at: float | None = None
        self._saved_at = clock()
        self._is_paused = False
        self._switching: set[asyncio.Task[None]] = set()
        # Loads that were shed and have been removed since, until they are switched on.
        self._removed: dict[str, ManagedDevice] = {}

    def _new_arbiter(self) -> Arbiter:
        entry = self.entry
        demand = entry.runtime_data.demand
        return Arbiter(
            [load_of(item.subentry_id, item.data) for item in load_entries(entry)],
            overload_monitors(
                entry.options, None if demand is None else demand.account
            ),
            seed=zlib.crc32(entry.entry_id.encode()),
        )

    async def async_start(self) -> None:
        """Load the stored states, and start control."""
        await self._store.async_restore(self._restore)
        for id_, device in self._removed.items():
            await self._switch(device, True, id_)
        self._removed.clear()
        watched = [
            entity for device in self.devices.values() for entity in device.watched
        ]
        unload = self.entry.async_on_unload
        unload(async_track_state_change_event(self.hass, watched, self._on_state))
        unload(async_track_time_interval(self.hass, self._on_time, TICK))
        unload(self.meter.async_add_text_listener(self.async_tick))
        of_loads = [
            (id_, self.titles[id_], device.entity_id)
            for id_, device in self.devices.items()
        ]
        unload(async_track_relay_conflicts(self.hass, self.meter, of_loads))
        for channel in power_channels(self.meter):
            unload(self.meter.async_add_reading_listener(channel, self._on_power))
        if isinstance(self.grid, ComputedGrid):
            for channel in self.meter.description.channels:
                if channel.quantity.key == "frequency":
                    unload(
                        self.meter.async_add_reading_listener(
                            channel, self._on_frequency
                        )
                    )
        self.async_tick()

    async def async_stop(self) -> None:
        """Store the states, and delete the issues; the next set-up raises them anew."""
        self.publisher.async_remove_issues()
        await self._store.async_try_save(self._data)

    async def async_give_back(self) -> None:
        """Return all loads to the state requested of each, and decide no more."""
        self._is_paused = True
        await self.async_wait_for_commands()
        if not self.dry_run:
            await self._give_back_all()
        self.arbiter = self._new_arbiter()

    async def _give_back_all(self) -> None:
        for id_, state in self.arbiter.states.items():
            is_off = state.target is not None and state.target is not state.requested_on
            if is_off or state.is_limited:
                await self._switch(self.devices[id_], state.requested_on, id_)

    def _restore(self, stored: StoredData) -> None:
        """Take over the stored states, once all of them are found to be of use."""
        dry_run = bool(stored.get("dry_run", False))
        accounts = {
            id_: EnergyAccount.from_dict(account)
            for id_, account in stored.get("accounts", {}).items()
            if id_ in self.accounts
        }
        kept: Mapping[str, Any] = stored.get("plants", {})
        devices = {
            id_: ManagedDevice(self.hass, device.data)
            for id_, device in self.devices.items()
            if id_ in kept
        }
        for id_, device in devices.items():
            device.update_from_dict(kept[id_])
        states = recall(
            stored.get("arbiter", {}),
            saved=stored.get("saved"),
            now=dt_util.utcnow().timestamp(),
            changes=self._changes(),
            our_contexts=stored.get("contexts", ()),
        )
        arbiter, removed = self._new_arbiter(), {}
        if not dry_run:
            arbiter.update_from_dict(states, clock())
            known = self.entry.data.get(CONF_REGISTRY_IDS, {})
            removed = shed_devices(self.hass, states, kept, known, self.devices)
        self.dry_run, self.arbiter, self._removed = dry_run, arbiter, removed
        self.accounts |= accounts
        self.devices |= devices

    def _changes(self) -> dict[str, EntityChange]:
        """Return the last change of each load's entity, none while Home Assistant starts.

        A start sets all states anew, at a time that tells nothing.
        """
        changes = {}
        for id_, device in self.devices.items() if self.hass.is_running else ():
            state = self.hass.states.get(device.entity_id or "")
            if state is not None:
                at = state.last_changed.timestamp()
                changes[id_] = EntityChange(at, state.context.id)
        return changes

    def _data(self) -> dict[str, Any]:
        return {
            "saved": dt_util.utcnow().timestamp(),
            "contexts": list(self._contexts),
            "dry_run": self.dry_run,
            "arbiter": {} if self.dry_run else self.arbiter.as_dict(),
            "accounts": {id_: acc.as_dict() for id_, acc in self.accounts.items()},
            "plants": {id_: device.as_dict() for id_, device in self.devices.items()},
        }

    def async_add_grid_listener(self, listener: Callable[[], None]) -> Unsubscribe:
        """Call `listener` when the guard turns to another state."""
        return self._grid_listeners.async_add(listener)

    async def async_set_dry_run(self, dry_run: bool) -> None:
        """Begin or end the dry run; shed and started loads return to their requested state."""
        if dry_run is self.dry_run:
            return
        # No decision falls while loads return to their requested state.
        self._is_paused = True
        if dry_run:
            await self._give_back_all()
        self.dry_run = dry_run
        self._simulation.reset()
        self.arbiter = self._new_arbiter()
        await self._store.async_try_save(self._data)
        self._is_paused = False
        self.async_tick()

    def now(self) -> float:
        """Return the time of the arbiter, s."""
        return clock()

    async def async_wait_for_commands(self) -> None:
        """Wait for the commands in flight."""
        if self._switching:
            await asyncio.wait(self._switching)

    def is_load_on(self, load_id: str) -> bool | None:
        """Return whether a load is on, or would be in a dry run."""
        return self._simulation.is_on(load_id)

    @callback
    def _on_time(self, _: datetime) -> None:
        self.async_tick()

    @callback
    def _on_frequency(self, value: float | None, now: float) -> None:
        if isinstance(self.grid, ComputedGrid):
            self.grid.update(clock())
        self.async_tick()

    @callback
    def _on_power(self, value: float | None, now: float) -> None:
        self._power_read_at = clock()

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        """Tell switching by persons and automations from our own."""
        old, new = event.data["old_state"], event.data["new_state"]
        for id_, device in self.devices.items():
            if event.data["entity_id"] != device.entity_id:
                continue
            was, on = device.reads_on(old), device.reads_on(new)
            if was is None or on is None or was is on:
                continue
            if event.context.id in self._contexts:
                continue
            self._simulation.discard(id_)
            # The context of an automation has a parent; that of a person at the device has none.
            by_person = event.context.parent_id is None
            self.arbiter.record_switch(id_, on, self.now(), by_person=by_person)
        self.async_tick()

    @callback
    def async_tick(self) -> None:
        """Decide on the present state, and execute the decisions."""
        if self._is_paused:
            return
        now = clock()
        if (demand := self.entry.runtime_data.demand) is not None:
            demand.async_update()
        view = self._view(now)
        decisions = self.arbiter.update(view)
        if view.guard is not None and view.guard.state is not self.grid_state:
            self.grid_state = view.guard.state
            self._grid_listeners.async_notify()
        notices = self.arbiter.pop_notices()
        self._add_energy(now)
        self._update_deadlines(now)
        for decision in decisions:
            self._execute(decision)
        for notice in notices:
            self.publisher.publish_notice(notice)
        self.publisher.async_remove_solved_issues(self.arbiter)
        if decisions or now - self._saved_at >= TOTALS_INTERVAL:
            self._saved_at = now
            self._store.async_delay_save(self._data, DELAY)

    def _view(self, now: float) -> HouseView:
        for device in self.devices.values():
            device.update()
            device.watch_power(now)
        loads = {
            id_: LoadView(
                self.is_load_on(id_), device.power, self._simulation.level(id_)
            )
            for id_, device in self.devices.items()
        }
        return HouseView(
            now=now,
            guard=None if self.grid is None else self.grid.view(now),
            meter_there=self.meter.connected,
            powers=self._simulation.powers(powers_of(self.meter), self.arbiter.loads),
            read_at=self._power_read_at,
            loads=loads,
            cut_off=frozenset(
                id_ for id_, device in self.devices.items() if device.is_cut_off
            ),
        )

    def _update_deadlines(self, now: float) -> None:
        """Publish that what a load does ends at another time than before, or never."""
        for id_, load in self.arbiter.loads.items():
            deadline = deadline_of(load, self.arbiter.states[id_], now)
            if deadline != self.deadlines.get(id_):
                self.deadlines[id_] = deadline
                self.publisher.publish_change(id_)

    def _add_energy(self, now: float) -> None:
        """Add the energy since the last tick to the accounts."""
        since, self._ticked = self._ticked, now
        if since is None or not 0 < now - since <= LONGEST_TICK or self.dry_run:
            return
        for id_, account in self.accounts.items():
            state, load = self.arbiter.states[id_], self.arbiter.loads[id_]
            device = self.devices[id_]
            power = device.level if device.power is None else device.power
            before = (account.shed, account.absorbed, account.restored)
            account.add(
                state.activity,
                requested_on=state.requested_on,
                on=state.is_on,
                expected=load.nominal_power,
                drawn=load.nominal_power if power is None else power,
                seconds=now - since,
            )
            if before != (account.shed, account.absorbed, account.restored):
                self.publisher.publish_change(id_)

    def _execute(self, decision: Decision) -> None:
        """Switch a load as decided, and publish the decision."""
        id_ = decision.load_id
        if decision.switch and decision.on is not None:
            if self.dry_run:
                self._simulation.record_switch(id_, decision.on, decision)
            else:
                task = self.entry.async_create_task(
                    self.hass,
                    self._switch(self.devices[id_], decision.on, id_, decision.level),
                    f"{DOMAIN} switches {self.titles[id_]}",
                )
                if not task.done():
                    self._switching.add(task)
                    task.add_done_callback(self._switching.discard)
        self.publisher.publish_decision(decision, dry_run=self.dry_run)

    async def _switch(
        self, device: ManagedDevice, on: bool, load_id: str, level: float | None = None
    ) -> None:
        """Switch a load; the arbiter repeats a failed command later."""
        context = Context()
        self._contexts.append(context.id)
        try:
            await device.switch(on, context, level)
        except HomeAssistantError as error:
            title = self.titles.get(load_id, load_id)
            self._log.warning("%s was not switched: %s", title, error, about=load_id)


def power_channels(meter: Meter) -> tuple[Channel, ...]:
    """Return the channels that the total power comes from."""
    total = CHANNELS["active_power"]
    known = meter.description.channels
    if total in known:
        return (total,)
    phases = (CHANNELS[f"active_power_{phase.lower()}"] for phase in PHASES)
    return tuple(channel for channel in phases if channel in known)


def powers_of(meter: Meter) -> dict[Supply, float | None]:
    """Return the power of each phase and in total, W; the total may be the sum of all."""
    snapshot = meter.snapshot
    powers: dict[Supply, float | None] = {
        phase: snapshot.get(CHANNELS[f"active_power_{phase.lower()}"])
        for phase in PHASES
    }
    phases = meter.description.phases
    powers[Supply.TOTAL] = total_of(snapshot, "active_power", phases)
    return powers
