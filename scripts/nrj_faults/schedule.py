"""Run a random life of a meter and a Home Assistant, and check the energy at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
import random
import time

from .home_process import HomeProcess
from .link import FaultyLink
from .meter_process import MeterProcess
from .recording import LEAD, House
from .truth import Start, Truth

STEP = 300.0
"""Seconds of simulated time between two faults: the recorder's own step."""

LAST_READING = 1.0
"""Seconds before the end of a step in which Home Assistant gets readings."""

JOURNAL_WRITTEN = 900.0 + 2 * STEP
"""Seconds before a power cut in which a record may not be in the flash yet: the default
interval of the writes, and what one takes."""

FETCHED = 120.0
"""Seconds in which a journal comes over a link that is there."""

RECEIVED = 0.02
"""Seconds in which a message comes to the link."""

HOUR = 3600

TOTAL_ERROR = 1.0
"""Wh by which a total may be wrong at the end."""

HOUR_ERROR = 0.01
"""Part of an hour's energy by which it may be wrong, and HOUR_FLOOR besides."""

HOUR_FLOOR = 4.0
"""Wh: at both ends of an hour a state may be behind by a significant change."""

METER_LAG = 2.5
"""Wh by which what a meter has told last may be behind what it has counted."""

CHIP_TROUBLES = ("chip_resets", "configuration_errors")
"""What a meter counts of its chip's, and no schedule brings about."""

CHANNELS = ("import_energy", "export_energy", "import_energy_l1", "export_energy_l3")


@dataclass
class Outcome:
    """The result of a schedule: `faults` lists the events, `errors` the failures."""

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
    """Runs a schedule of random faults."""

    def __init__(
        self, seed: int, program: Path, folder: Path, steps: int | None = None
    ) -> None:
        """Prepare the schedule of `seed`, with all files in `folder`.

        Faults happen in `steps` steps, by default in as many as the seed says.
        """
        self._random = random.Random(seed)
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        by_seed = self._random.randint(36, 72)
        self._steps = by_seed if steps is None else steps
        self._house = House(seed, 36)
        self._house.write(folder / "house.csv")
        self._meter = MeterProcess(program, folder / "meter", folder / "house.csv")
        self._link = FaultyLink(self._meter.port, seed)
        self._home = HomeProcess(folder / "home", self._link)
        # How far what the meter says was off the truth before, by channel, Wh.
        self._off: dict[str, float] = dict.fromkeys(CHANNELS, 0.0)
        self._offset = 0.0
        self._truth = Truth(self._house)
        self._off_until: int | None = None
        self._home_off_until: int | None = None
        self._link_off_until: int | None = None
        self.outcome = Outcome(seed)

    def now(self) -> float:
        """Return the simulated time, s since 1970."""
        return time.time() + self._offset

    async def run(self) -> Outcome:
        """Run the schedule, and compare the end with the truth."""
        try:
            first = await self._begin()
            for step in range(self._steps):
                await self._fault(step)
                await self._step()
                self._watch_meter(step)
            await self._repair()
            while self.now() % HOUR < 600 or self.now() % HOUR > 1200:
                await self._step()
            await self._settle()
            await self._compare(first, int(self.now() // HOUR) * HOUR)
        finally:
            await self._home.kill()
            await self._link.stop()
            await self._meter.kill()
        return self.outcome

    async def _begin(self) -> int:
        """Start everything, and let a first hour pass; return the hour's start, s since 1970."""
        await self._start_meter()
        await self._link.start()
        await self._home.start(self._offset)
        await self._pass(HOUR - self.now() % HOUR + 1, self._settle)
        first = int(self.now() // HOUR) * HOUR
        for _ in range(12):
            await self._step()
        return first

    async def measure_backfill(self, hours: int) -> tuple[float, float, int]:
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
            before = await self._home.ask("filled_hours")
            await self._home.ask("watch_lag")
            started = time.monotonic()
            self._link.up = True
            while (filled := await self._home.ask("filled_hours")) == before:
                await asyncio.sleep(0.02)
            seconds = time.monotonic() - started
            return seconds, await self._home.ask("lag"), filled - before
        finally:
            await self._home.kill()
            await self._link.stop()
            await self._meter.kill()

    async def _nothing(self) -> None:
        """Wait for nothing."""

    async def _start_meter(self) -> None:
        truth = self._truth
        start = Start()

        def on_page(boot: str) -> None:
            start.boot = boot

        await self._meter.start(int(self._offset), on_page)
        if not truth.starts:
            truth.origin = self.now()
        start.on = self.now() - truth.origin
        await self._meter.set_number("simulation_position", LEAD + start.on)
        truth.starts.append(start)

    async def _set_clock(self, error: int) -> None:
        await self._meter.set_clock(error)
        self._truth.starts[-1].clock_error = error

    async def _kill_meter(self, with_journal: bool) -> None:
        # Writing may take seconds on a busy disk: nothing is to be counted after it.
        self._truth.starts[-1].off = off = await self._stop_signal()
        await self._meter.act("simulate_flash_write", with_journal=with_journal)
        if not with_journal:
            self._truth.lose(off - JOURNAL_WRITTEN, off)
        await self._meter.kill()

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
            if self._meter.is_running:
                await self._meter.act("simulate_time_passing", seconds=seconds)
                await self._meter.act("simulate_flash_write", with_journal=False)
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
        if self._home.is_running and self._link.up and self._meter.is_running:
            await self._home.ask("wait_reading", more_than=told, timeout=30.0)
        await self._skip(max(0.0, start + STEP - self.now()) + 0.05)
        if self._home.is_running:
            await self._home.ask("compile", start=start)

    async def _settle(self) -> None:
        """Wait until the meter's whole journal is in the statistics."""
        deadline = time.monotonic() + FETCHED
        while not await self._home.ask("settled"):
            if time.monotonic() > deadline:
                self.outcome.errors.append(f"no journal within {FETCHED:.0f} s")
                return
            await asyncio.sleep(0.2)

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
        if self._home.is_running and rng.random() < 0.03:
            await self._home.ask("purge")
            told.append(f"{step}: five minutes purged")
        if rng.random() < 0.1:
            self._link.lost = rng.choice((0.0, 0.3, 0.8))
            self._link.delay = rng.choice((0.0, 0.3, 1.0))
            told.append(f"{step}: {self._link.lost} lost, {self._link.delay} s delay")
        if self._meter.is_running and rng.random() < 0.06:
            error = rng.choice((0, 0, 7, -40, 3600, -7200, 86400))
            await self._set_clock(error)
            told.append(f"{step}: meter's clock wrong by {error} s")

    async def _repair(self) -> None:
        """Make everything work again."""
        if not self._meter.is_running:
            await self._start_meter()
        self._link.up, self._link.lost, self._link.delay = True, 0.0, 0.0
        if not self._home.is_running:
            await self._home.start(self._offset)
        await self._set_clock(0)
        async with asyncio.timeout(120):
            while not await self._home.ask("connected"):
                await asyncio.sleep(0.2)

    def _watch_meter(self, step: int) -> None:
        """Record an error when the meter's own count leaves the truth.

        Trouble with its chip is an error, whatever it has cost.
        """
        if not self._meter.is_running:
            return
        for name in CHIP_TROUBLES:
            trouble = f"{self._meter.latest(name):.0f} {name}"
            if self._meter.latest(name) > 0 and trouble not in self.outcome.errors:
                self.outcome.errors.append(trouble)
        for channel in CHANNELS:
            own = self._meter.latest(channel) * 1000
            off = own - self._truth.energy(channel, self._truth.origin, self.now())
            if abs(off - self._off[channel]) > METER_LAG:
                self.outcome.faults.append(
                    f"{step}: {channel} at the meter off {off:.1f} Wh"
                )
                self._off[channel] = off

    async def _stop_signal(self) -> float:
        """Stop the signal; return where."""
        await self._meter.set_number("simulation_speed", 0.0)
        return self.now() - self._truth.origin

    async def _hold(self) -> float:
        """Stop the signal; return where, once Home Assistant shows the totals there."""
        position = await self._stop_signal()
        told = await self._home.ask("readings")
        if not await self._home.ask("wait_reading", more_than=told + 2, timeout=120.0):
            self.outcome.errors.append("Home Assistant was told no totals within 2 min")
        return position

    async def _compare(self, first: int, last: int) -> None:
        """Compare the hours from `first` to `last` with the truth."""
        outcome = self.outcome
        held = await self._hold()
        truth = self._truth
        truth.lose_undated(set(await self._home.ask("dated_boots")))
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
            true_total = truth.energy(channel, truth.origin, truth.origin + held)
            error = abs(total - true_total)
            outcome.total_error = max(outcome.total_error, error)
            if error > TOTAL_ERROR:
                own = self._meter.latest(channel) * 1000
                outcome.errors.append(
                    f"{channel}: {total:.1f} Wh in all instead of {true_total:.1f},"
                    f" the meter says {own:.1f}"
                )
            for hour in hours[1:]:
                energy = (rows[hour]["sum"] - rows[hour - HOUR]["sum"]) * 1000
                true = truth.energy(channel, hour, hour + HOUR)
                if not truth.is_covered(hour - STEP, hour + HOUR + STEP):
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


async def run_schedule(
    seed: int, program: Path, folder: Path, steps: int | None = None
) -> Outcome:
    """Run the schedule of a seed, or its first `steps` steps."""
    return await Life(seed, program, folder, steps).run()
