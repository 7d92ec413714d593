"""A Home Assistant with nothing but its recorder and the meter, steered line by line.

Run as a program, so that it can be killed: python -m nrj_faults.home FOLDER OFFSET PORT.
It reads a JSON object a line and answers each with one.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
import json
from pathlib import Path
import sys
from typing import Any

from .channels import CHANNELS
from .clock import CLOCK

CLOCK.install(float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)

# ruff: noqa: E402
from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.components import zeroconf
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.components.recorder.tasks import PurgeTask, StatisticsTask
from homeassistant.const import Platform
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import async_initialize_recorder, get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from custom_components import nrj_monitor
from custom_components.nrj_monitor import throttle
from custom_components.nrj_monitor.backfill.manager import BackfillManager
from custom_components.nrj_monitor.backfill.statistics import async_wait_written
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.sources.native_api import session

LAG_INTERVAL = 0.002
"""Seconds between two looks at the event loop."""

PROCESSED = 0.02
"""Seconds until what has arrived is processed."""

RECONNECTED = 1.5
"""Seconds until a link that is there again is used."""

RESENT = 50.0
"""Seconds in which the meter sends a page again."""

UP_TO_DATE = 90.0
"""Seconds before now at which a completely received journal of minutes may end."""

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def _no_zeroconf(_: core.HomeAssistant) -> None:
    return None


class Home:
    """The running Home Assistant."""

    def __init__(self, folder: Path, port: int) -> None:
        """Keep everything in `folder`; the meter is behind `port`."""
        self._folder = folder
        self._port = port
        self.hass: core.HomeAssistant
        # How often each compared total was told.
        self._readings = dict.fromkeys(CHANNELS, 0)
        self._listened: object = None
        self._lag = 0.0
        self._watch: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Start on the content of the folder, and add a missing meter."""
        # Every reading becomes a state: the recorder's rows are then exact.
        throttle.MIN_INTERVAL = throttle.MAX_INTERVAL = 0.0
        clock: Any = BackfillManager
        clock._monotonic = lambda _: CLOCK.monotonic()  # noqa: SLF001
        session.RETRY_PAUSE = 0.2  # type: ignore[misc]
        zeroconf.async_get_instance = _no_zeroconf  # type: ignore[assignment]
        self.hass = hass = core.HomeAssistant(str(self._folder))
        hass.config.skip_pip = True
        hass.config_entries = config_entries.ConfigEntries(hass, {})
        loader.async_setup(hass)
        await bootstrap.async_load_base_functionality(hass)
        await hass.config_entries.async_initialize()
        async_initialize_recorder(hass)
        # Of what the integration needs, these have nothing to do here, and take a port.
        hass.config.components |= {"zeroconf", "http"}
        if Platform.IMAGE in nrj_monitor.PLATFORMS:
            nrj_monitor.PLATFORMS.remove(Platform.IMAGE)
        assert await async_setup_component(
            hass,
            "recorder",
            {
                "recorder": {
                    "db_url": f"sqlite:///{self._folder}/home.db",
                    "commit_interval": 0,
                    "auto_purge": False,
                }
            },
        )
        assert await async_setup_component(hass, "sensor", {})
        entries = hass.config_entries.async_entries(DOMAIN)
        for entry in entries:
            await async_setup_component(hass, DOMAIN, {})
            if entry.state is config_entries.ConfigEntryState.NOT_LOADED:
                await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_start()
        if not entries:
            await self._add()
        self._listen()

    async def _add(self) -> None:
        flows = self.hass.config_entries.flow
        result = await flows.async_init(DOMAIN, context={"source": "user"})
        answers: list[dict[str, Any]] = [
            {"next_step_id": "native"},
            {"host": "127.0.0.1", "port": self._port},
            {"add_to_energy_dashboard": False},
        ]
        for answer in answers:
            result = await flows.async_configure(result["flow_id"], answer)
            if result["type"] == "create_entry":
                break
        assert result["type"] == "create_entry", result
        await self.hass.async_block_till_done()
        # Until the entry is on the disk.
        await asyncio.sleep(1.5)

    async def replace_meter(self) -> str:
        """Say that a new meter is in the place of the old one; return the answer."""
        entry = self.hass.config_entries.async_entries(DOMAIN)[0]
        flows = self.hass.config_entries.flow
        result = await flows.async_init(
            DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
        )
        result = await flows.async_configure(
            result["flow_id"],
            {"host": "127.0.0.1", "port": self._port, "new_meter": True},
        )
        await self.hass.async_block_till_done()
        self._listen()
        # Until the entry is on the disk.
        await asyncio.sleep(1.5)
        return str(result.get("reason") or (result.get("errors") or {}).get("base"))

    async def left_alone(self) -> dict[str, dict[str, str]]:
        """Return why hours have no row, by channel and begin, s since 1970.

        Where false records came, the action would fill in what the journal still has.
        """
        response = await self.backfill(dry_run=True)
        registry = er.async_get(self.hass)
        left: dict[str, dict[str, str]] = {}
        for key in ("energy", "left_alone"):
            for id_, hours in response[key].items():
                entity = registry.async_get(id_)
                assert entity is not None
                left.setdefault(entity.unique_id.partition("_")[2], {}).update(
                    {
                        str(int(datetime.fromisoformat(hour).timestamp())): str(reason)
                        for hour, reason in hours.items()
                    }
                )
        return left

    async def up_to_date(self) -> bool:
        """Return whether the meter has told all that it knows, and it may be used."""
        backfill = self._backfill()
        return (
            backfill is not None
            and await self.connected()
            and await self.trusts_clock()
            and self._journal_end(backfill) >= CLOCK.now() - UP_TO_DATE
        )

    async def trusts_clock(self) -> bool:
        """Return whether hours are filled in by the system's clock."""
        backfill = self._backfill()
        return backfill is not None and backfill._is_clock_trusted()  # noqa: SLF001

    def _journal_end(self, backfill: BackfillManager) -> float:
        """Return the time up to which the journal has been received, s since 1970."""
        return backfill._download.timeline.end or 0.0  # noqa: SLF001

    def _backfill(self) -> BackfillManager | None:
        entries = self.hass.config_entries.async_loaded_entries(DOMAIN)
        return entries[0].runtime_data.backfill if entries else None

    async def skip(self, seconds: float) -> float:
        """Move the clock; return the time."""
        # What has arrived is of before.
        await asyncio.sleep(PROCESSED)
        CLOCK.skip(seconds)
        return CLOCK.now()

    async def set_clock(self, seconds: float) -> None:
        """Set the system's clock, by so many seconds, as a time server does."""
        CLOCK.set(seconds)

    async def connected(self) -> bool:
        """Tell whether the meter is there."""
        entry = self.hass.config_entries.async_entries(DOMAIN)[0]
        return (
            entry.state is config_entries.ConfigEntryState.LOADED
            and entry.runtime_data.meter.connected
        )

    async def wait_reading(self, more_than: int, timeout: float) -> bool:
        """Wait for more than `more_than` readings of each total; False if one lacks.

        A meter that is not there is waited for no longer than for a new connection.
        """
        start = self.hass.loop.time()
        while min(self._readings.values()) <= more_than:
            # The entry may have been set up anew.
            self._listen()
            left = timeout if await self.connected() else min(timeout, RECONNECTED)
            if self.hass.loop.time() > start + left:
                return False
            await asyncio.sleep(0.01)
        return True

    async def readings(self) -> int:
        """Return how often the meter has told all its totals."""
        return min(self._readings.values())

    def _listen(self) -> None:
        entry = self.hass.config_entries.async_entries(DOMAIN)[0]
        if entry.state is not config_entries.ConfigEntryState.LOADED:
            return
        meter = entry.runtime_data.meter
        if meter is self._listened:
            return
        self._listened = meter

        def on_reading(id_: str, *_: object) -> None:
            self._readings[id_] += 1

        for channel in meter.description.channels:
            if channel.id in CHANNELS:
                meter.async_add_reading_listener(
                    channel, partial(on_reading, channel.id)
                )

    async def compile(self, start: float) -> None:
        """Make the statistics of the five minutes from `start` on."""
        instance = get_instance(self.hass)
        instance.queue_task(StatisticsTask(dt_util.utc_from_timestamp(start), True))
        await async_wait_written(self.hass)

    async def purge(self) -> None:
        """Purge all rows of five minutes, as after weeks away."""
        instance = get_instance(self.hass)
        instance.queue_task(
            PurgeTask(dt_util.utcnow(), repack=False, apply_filter=False)
        )
        await async_wait_written(self.hass)

    async def settled(self) -> bool:
        """Wait for the whole journal and fill missed hours; return whether the journal came.

        The meter sends a page that was lost again after a minute at the latest.
        """
        backfill = self._backfill()
        if backfill is None:
            return False
        deadline = self.hass.loop.time() + RESENT
        while self._journal_end(backfill) < CLOCK.now() - UP_TO_DATE:
            if self.hass.loop.time() > deadline:
                return False
            await asyncio.sleep(0.05)
        await backfill.async_backfill_missed()
        return True

    async def watch_lag(self) -> None:
        """Look from now on how late the event loop is."""

        async def watch() -> None:
            loop = self.hass.loop
            while True:
                due = loop.time() + LAG_INTERVAL
                await asyncio.sleep(LAG_INTERVAL)
                self._lag = max(self._lag, loop.time() - due)

        self._lag = 0.0
        self._watch = asyncio.ensure_future(watch())

    async def lag(self) -> float:
        """Return the longest time, s, by which the event loop has been late."""
        return self._lag

    async def filled_hours(self) -> int:
        """Return how many hours of sensors were filled in since the start."""
        backfill = self._backfill()
        return backfill.filled_hours if backfill is not None else 0

    async def dated_boots(self) -> list[str]:
        """Return the names of the meter's starts dated by a page."""
        backfill = self._backfill()
        if backfill is None:
            return []
        return list(backfill._download.boot_clock.boot_times)  # noqa: SLF001

    async def backfill(self, dry_run: bool) -> dict[str, Any]:
        """Fill missing hours from the whole journal; return the action's response."""
        backfill = self._backfill()
        assert backfill is not None
        return (await backfill.async_backfill_all(dry_run=dry_run)).as_response()

    def _entity_id(self, channel: str) -> str:
        return next(
            entity.entity_id
            for entity in er.async_get(self.hass).entities.values()
            if entity.platform == DOMAIN
            and entity.unique_id.partition("_")[2] == channel
        )

    async def state(self, channel: str) -> float:
        """Return a channel's present state; a link that was lost is waited for."""
        async with asyncio.timeout(RESENT):
            while True:
                state = self.hass.states.get(self._entity_id(channel))
                assert state is not None
                with suppress(ValueError):
                    return float(state.state)
                await asyncio.sleep(0.1)

    async def rows(self, channel: str) -> list[dict[str, Any]]:
        """Return the hours of a channel."""
        id_ = self._entity_id(channel)
        rows = await get_instance(self.hass).async_add_executor_job(
            statistics_during_period,
            self.hass,
            LONG_AGO,
            None,
            {id_},
            "hour",
            None,
            {"state", "sum", "mean", "min", "max"},
        )
        return [dict(row) for row in rows.get(id_, [])]


async def serve(home: Home) -> None:
    """Answer the questions on the standard input until its end."""
    await home.start()
    answer({"ready": CLOCK.now()})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        question = json.loads(line)
        method = getattr(home, question.pop("do"))
        try:
            answer({"answer": await method(**question)})
        except Exception as error:  # noqa: BLE001
            answer({"error": repr(error)})


def answer(what: dict[str, Any]) -> None:
    """Write an answer."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Home(Path(sys.argv[1]), int(sys.argv[3]))))
