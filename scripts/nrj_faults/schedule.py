"""One random life of a meter and a Home Assistant, and what must be true at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
import random
import time

from aioesphomeapi import EntityState, SensorState, UserService
from aioesphomeapi.client import APIClient

from nrj_demo.firmware import RunningFirmware, free_port

from .home_process import HomeProcess
from .link import FaultyLink
from .recording import LEAD, House

STEP = 300.0
"""Seconds of simulated time between two faults: the recorder's own step."""

LAST_READING = 1.0
"""Seconds before the end of a step in which Home Assistant gets readings."""

SETTLED = 1.0
"""Seconds after its first reading in which a meter's chip has settled."""

JOURNAL_WRITTEN = 900.0 + 2 * STEP
"""Seconds before a power cut in which a record may not be in the flash yet: the default
interval of the writes, and what one takes."""

RECEIVED = 0.02
"""Seconds in which a message comes to the link."""

HOUR = 3600

TOTAL_ERROR = 1.0
"""Wh by which a total may be wrong at the end."""

HOUR_ERROR = 0.01
"""Part of an hour's energy by which it may be wrong, and HOUR_FLOOR besides."""

HOUR_FLOOR = 4.0
"""Wh: at both ends of an hour a state may be behind by a significant change."""

CHANNELS = ("import_energy", "export_energy", "import_energy_l1", "export_energy_l3")


@dataclass
class Outcome:
    """What came of a schedule: `faults` tells what happened, `errors` what is wrong."""

    seed: int
    faults: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    hours: int = 0
    """Hours that were compared with the truth, of all channels."""
    worst_hour: float = 0.0
    """Greatest error of an hour, as a part of its energy."""
    total_error: float = 0.0
    """Greatest error of a total, Wh."""


class Life:
    """Runs one schedule."""

    def __init__(self, seed: int, program: Path, folder: Path) -> None:
        """Prepare the schedule of `seed`, with all files in `folder`."""
        self._random = random.Random(seed)
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._steps = self._random.randint(36, 72)
        self._house = House(seed, 36)
        self._house.write(folder / "house.csv")
        self._firmware = RunningFirmware(
            program,
            folder / "meter",
            free_port(),
            {"NRJ_RECORDING": str(folder / "house.csv"), "NRJ_START": "0"},
        )
        self._link = FaultyLink(self._firmware.port, seed)
        self._home = HomeProcess(folder / "home", self._link)
        self._client: APIClient | None = None
        self._services: dict[str, UserService] = {}
        self._keys: dict[str, int] = {}
        # What the meter itself says, by key.
        self._told: dict[int, float] = {}
        self._offset = 0.0
        self._clock_base = 0
        # Epoch at position 0 of the recording.
        self._origin = 0.0
        # Positions between which the meter was on, and what its journal does not have.
        self._on: list[list[float]] = []
        self._lost: list[tuple[float, float]] = []
        self._off_until: int | None = None
        self._home_off_until: int | None = None
        self._link_off_until: int | None = None
        self.outcome = Outcome(seed)

    def now(self) -> float:
        """Return the simulated time, s since 1970."""
        return time.time() + self._offset

    async def run(self) -> Outcome:
        """Live it, and compare the end with the truth."""
        try:
            first = await self._begin()
            for step in range(self._steps):
                await self._fault(step)
                await self._step()
            await self._repair()
            while self.now() % HOUR < 600 or self.now() % HOUR > 1200:
                await self._step()
            await self._settle()
            await self._compare(first, int(self.now() // HOUR) * HOUR)
        finally:
            await self._home.kill()
            await self._link.stop()
            await self._leave_meter()
        return self.outcome

    async def _begin(self) -> int:
        """Start everything, and let a first hour pass; return when it began."""
        await self._start_meter()
        await self._link.start()
        await self._home.start(self._offset)
        await self._pass(HOUR - self.now() % HOUR + 1, self._settle)
        first = int(self.now() // HOUR) * HOUR
        for _ in range(12):
            await self._step()
        return first

    async def measure_healing(self, hours: int) -> tuple[float, float, int]:
        """Be away for so many hours, and come back.

        Returns the seconds from the link's return until the last hour is in the
        database, the longest lag of the event loop meanwhile, s, and how many hours of
        sensors were filled in.
        """
        try:
            await self._begin()
            self._link.up = False
            self._link.cut()
            await self._pass(hours * HOUR + 600.0, self._nothing)
            # The first hour of all got its end before.
            before = await self._home.ask("healed_hours")
            await self._home.ask("watch_lag")
            started = time.monotonic()
            self._link.up = True
            while (healed := await self._home.ask("healed_hours")) == before:
                await asyncio.sleep(0.02)
            seconds = time.monotonic() - started
            return seconds, await self._home.ask("lag"), healed - before
        finally:
            await self._home.kill()
            await self._link.stop()
            await self._leave_meter()

    async def _nothing(self) -> None:
        """Wait for nothing."""

    async def _act(self, name: str, **arguments: float) -> None:
        """Run a user action at the meter itself, past the faulty link, to its end."""
        assert self._client is not None
        await self._client.execute_service(self._services[name], {**arguments})
        # Answered after what came before.
        await self._client.device_info()

    async def _start_meter(self) -> None:
        await asyncio.to_thread(self._firmware.start)
        self._client = APIClient("127.0.0.1", self._firmware.port, None)
        await self._client.connect(login=True)
        infos, services = await self._client.list_entities_services()
        self._services = {one.name: one for one in services}
        self._keys = {one.object_id: one.key for one in infos}
        # A new process begins with the machine's own clock.
        self._clock_base = int(self._offset)
        await self._set_clock(0)
        await self._wait_metering()
        if not self._origin:
            self._origin = self.now()
        position = self.now() - self._origin
        self._client.number_command(self._keys["simulation_position"], LEAD + position)
        await self._client.device_info()
        self._on.append([position, -1.0])

    async def _wait_metering(self) -> None:
        """Wait until the chip counts, so that what a start costs costs no energy."""
        assert self._client is not None
        told = asyncio.Event()
        self._told = {}

        def on_state(state: EntityState) -> None:
            if isinstance(state, SensorState) and not state.missing_state:
                self._told[state.key] = state.state
                if state.key == self._keys["import_energy"]:
                    told.set()

        self._client.subscribe_states(on_state)
        async with asyncio.timeout(20):
            await told.wait()
        await asyncio.sleep(SETTLED)

    async def _set_clock(self, error: int) -> None:
        """Make the meter's clock wrong by so many seconds."""
        await self._act("simulate_clock_error", seconds=self._clock_base + error)

    async def _kill_meter(self, with_journal: bool) -> None:
        # Writing may take seconds on a busy disk: nothing is to be counted after it.
        self._on[-1][1] = off = await self._stop_signal()
        await self._act("simulate_flash_write", with_journal=with_journal)
        self._lost.append((off if with_journal else off - JOURNAL_WRITTEN, off))
        await self._leave_meter()

    async def _leave_meter(self) -> None:
        if self._client is not None:
            await self._client.disconnect(force=True)
            self._client = None
        self._firmware.kill()

    async def _pass(self, seconds: float, then: Callable[[], Awaitable[None]]) -> None:
        """Let time pass for everyone at once; five minutes at most are compiled."""
        while seconds > 0:
            step = min(seconds, STEP)
            await self._skip(step)
            seconds -= step
        await then()

    async def _skip(self, seconds: float) -> None:
        await self._link.hold()
        try:
            if self._client is not None:
                await self._act("simulate_time_passing", seconds=seconds)
                await self._act("simulate_flash_write", with_journal=False)
            self._offset += seconds
            if self._home.is_running:
                await self._home.ask("skip", seconds=seconds)
            else:
                # Until what the meter has sent before is received.
                await asyncio.sleep(RECEIVED)
        finally:
            self._link.release()

    async def _step(self) -> None:
        """Let the rest of five minutes pass, with the statistics made at their end."""
        start = self.now() // STEP * STEP
        left = start + STEP - self.now()
        told = await self._home.ask("readings") if self._home.is_running else 0
        if left > LAST_READING:
            await self._skip(left - LAST_READING)
        if self._home.is_running and self._link.up and self._client:
            await self._home.ask("wait_reading", more_than=told, timeout=5.0)
        await self._skip(max(0.0, start + STEP - self.now()) + 0.05)
        if self._home.is_running:
            await self._home.ask("compile", start=start)

    async def _settle(self) -> None:
        """Wait until all that the meter has is in the statistics."""
        for _ in range(100):
            if await self._home.ask("settled"):
                return
            await asyncio.sleep(0.2)
        self.outcome.errors.append("the journal was not fetched within 20 s")

    async def _fault(self, step: int) -> None:
        """Perhaps let something go wrong, or right again."""
        rng, told = self._random, self.outcome.faults
        if self._off_until is not None and step >= self._off_until:
            self._off_until = None
            await self._start_meter()
            told.append(f"{step}: meter on")
        elif self._off_until is None and rng.random() < 0.015:
            with_journal = rng.random() < 0.5
            await self._kill_meter(with_journal)
            self._off_until = step + rng.randint(0, 4)
            told.append(f"{step}: meter killed, journal written: {with_journal}")
        if self._link_off_until is not None and step >= self._link_off_until:
            self._link_off_until = None
            self._link.up = True
            told.append(f"{step}: link up")
        elif self._link_off_until is None and rng.random() < 0.12:
            self._link.up = False
            self._link.cut()
            self._link_off_until = step + rng.randint(1, 30)
            told.append(f"{step}: link cut")
        if self._home_off_until is not None and step >= self._home_off_until:
            self._home_off_until = None
            await self._home.start(self._offset)
            told.append(f"{step}: home started")
        elif self._home_off_until is None and rng.random() < 0.06:
            await self._home.kill()
            self._home_off_until = step + rng.randint(0, 20)
            told.append(f"{step}: home killed")
        if rng.random() < 0.1:
            self._link.lost = rng.choice((0.0, 0.3, 0.8))
            self._link.delay = rng.choice((0.0, 0.3, 1.0))
            told.append(f"{step}: {self._link.lost} lost, {self._link.delay} s delay")
        if self._client is not None and rng.random() < 0.06:
            error = rng.choice((0, 0, 7, -40, 3600, -7200, 86400))
            await self._set_clock(error)
            told.append(f"{step}: meter's clock wrong by {error} s")

    async def _repair(self) -> None:
        """Make everything work again."""
        if self._client is None:
            await self._start_meter()
        self._link.up, self._link.lost, self._link.delay = True, 0.0, 0.0
        if not self._home.is_running:
            await self._home.start(self._offset)
        await self._set_clock(0)
        async with asyncio.timeout(30):
            while not await self._home.ask("connected"):
                await asyncio.sleep(0.2)

    def _truth(self, channel: str, begin: float, end: float) -> float:
        """Return the energy the meter can have seen between two times, Wh."""
        total = 0.0
        for on, off in self._on:
            until = off if off >= 0 else float("inf")
            low = max(on, begin - self._origin)
            high = min(until, end - self._origin)
            if high > low:
                total += self._house.energy(channel, low, high)
        return total

    def _is_covered(self, begin: float, end: float) -> bool:
        """Tell whether the meter was on between two times, and its journal has it all."""
        begin, end = begin - self._origin, end - self._origin
        return any(
            on <= begin and (off < 0 or off >= end) for on, off in self._on
        ) and not any(begin < until and since < end for since, until in self._lost)

    async def _stop_signal(self) -> float:
        """Stop the signal; return where."""
        assert self._client is not None
        self._client.number_command(self._keys["simulation_speed"], 0.0)
        await self._client.device_info()
        return self.now() - self._origin

    async def _hold(self) -> float:
        """Stop the signal; return where, once Home Assistant shows the totals there."""
        position = await self._stop_signal()
        told = await self._home.ask("readings")
        if not await self._home.ask("wait_reading", more_than=told + 2, timeout=20.0):
            self.outcome.errors.append("Home Assistant was told no totals within 20 s")
        return position

    async def _compare(self, first: int, last: int) -> None:
        """Compare the hours from `first` to `last` with the truth."""
        outcome = self.outcome
        held = await self._hold()
        for channel in CHANNELS:
            rows = {
                int(row["start"]): row
                for row in await self._home.ask("rows", channel=channel)
            }
            hours = range(first, last, HOUR)
            missing = [hour for hour in hours if hour not in rows]
            if missing:
                outcome.errors.append(f"{channel}: no rows of {missing}")
                continue
            offsets = [rows[hour]["sum"] - rows[hour]["state"] for hour in hours]
            if max(offsets) - min(offsets) > 0.001:
                outcome.errors.append(f"{channel}: lost or counted twice: {offsets}")
            total = await self._home.ask("state", channel=channel) * 1000
            truth = self._truth(channel, self._origin, self._origin + held)
            error = abs(total - truth)
            outcome.total_error = max(outcome.total_error, error)
            if error > TOTAL_ERROR:
                own = self._told.get(self._keys[channel], float("nan")) * 1000
                outcome.errors.append(
                    f"{channel}: {total:.1f} Wh in all instead of {truth:.1f},"
                    f" the meter says {own:.1f}"
                )
            for hour in hours[1:]:
                energy = (rows[hour]["sum"] - rows[hour - HOUR]["sum"]) * 1000
                true = self._truth(channel, hour, hour + HOUR)
                if not self._is_covered(hour - STEP, hour + HOUR + STEP):
                    continue
                outcome.hours += 1
                off = abs(energy - true)
                if true > 100:
                    outcome.worst_hour = max(outcome.worst_hour, off / true)
                if off > HOUR_FLOOR + HOUR_ERROR * true:
                    outcome.errors.append(
                        f"{channel}: hour {(hour - first) // HOUR} has {energy:.1f} Wh"
                        f" instead of {true:.1f}"
                    )


async def run_schedule(seed: int, program: Path, folder: Path) -> Outcome:
    """Run one schedule."""
    return await Life(seed, program, folder).run()
