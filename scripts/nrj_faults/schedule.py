"""Run a random life of a meter and a Home Assistant, and check the energy at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
import random
import time

from .channels import CHANNELS
from .comparison import HOUR, STEP, compare_hours
from .home_process import HomeProcess
from .link import FaultyLink
from .meter_process import MeterProcess
from .recording import LEAD, House
from .truth import Start, Truth

LAST_READING = 1.5
"""Seconds before the end of a step in which Home Assistant gets readings."""

JOURNAL_WRITTEN = 900.0 + 2 * STEP
"""Seconds before a power cut in which a record may not be in the flash yet: the default
interval of the writes, and what one takes."""

FETCHED = 120.0
"""Seconds in which a journal comes over a link that is there."""

TRUST_STEPS = 24
"""Steps within which Home Assistant trusts a clock that is right."""

RECEIVED = 0.02
"""Seconds in which a message comes to the link."""

TOTAL_ERROR = 1.0
"""Wh by which a total may be wrong at the end."""

METER_LAG = 2.5
"""Wh by which what a meter has told last may be behind what it has counted."""

CHIP_TROUBLES = ("chip_resets", "configuration_errors")
"""What a meter counts of its chip's, and no schedule brings about."""

RECONFIGURED = "reconfigure_successful"
NO_ANSWER = "no_answer"
"""What Home Assistant says to a new meter."""

NEW_MAC = "02:4E:52:4A:01:{:02X}"
"""MAC addresses of meters in the place of others."""

ELSEWHERE = (0, 0, 1, 5)
"""Hours that a meter may have counted elsewhere: its count is then below or above the old one's."""


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


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup knows: positions, as in `Life`, and how many new meters."""

    told: float = 0.0
    filled: float = 0.0
    said_meters: int = 0


class Life:
    """Runs a schedule of random faults."""

    def __init__(
        self,
        seed: int,
        program: Path,
        folder: Path,
        steps: int | None = None,
        *,
        has_rare_faults: bool = True,
    ) -> None:
        """Prepare the schedule of `seed`, with all files in `folder`.

        Faults happen in `steps` steps, by default in as many as the seed says. Rare ones
        are a replaced or erased meter, false records, a backup, a wrong system clock.
        """
        self._has_rare_faults = has_rare_faults
        self._random = random.Random(seed)
        self._program = program
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        by_seed = self._random.randint(36, 72)
        self._steps = by_seed if steps is None else steps
        self._house = House(seed, 36)
        self._house.write(folder / "house.csv")
        self._meter = self._new_meter("meter")
        self._link = FaultyLink(self._meter.port, seed, self._on_nonsense)
        self._home = HomeProcess(folder / "home", self._link)
        # How far what the meter says was off the truth before, by channel, Wh.
        self._off: dict[str, float] = dict.fromkeys(CHANNELS, 0.0)
        # What the present meter had counted elsewhere, by channel, Wh.
        self._before: dict[str, float] = dict.fromkeys(CHANNELS, 0.0)
        self._offset = 0.0
        self._truth = Truth(self._house)
        # Positions up to which Home Assistant has been told totals, and whole hours.
        self._told = 0.0
        self._is_told_certain = True
        self._filled = 0.0
        self._off_until: int | None = None
        self._home_off_until: int | None = None
        self._link_off_until: int | None = None
        self._unsaid_until: int | None = None
        self._new_meters = 0
        # Seconds by which Home Assistant's clock is wrong, and until when.
        self._clock_error = 0.0
        self._clock_until = 0
        self._home_killed_at = 0.0
        self._backups = 0
        self._backed_up = BackedUp()
        self._said_meters = 0
        self.outcome = Outcome(seed)

    def _new_meter(self, name: str) -> MeterProcess:
        return MeterProcess(
            self._program, self._folder / name, self._folder / "house.csv"
        )

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
            await self._wait_trusted()
            while self.now() % HOUR < 600 or self.now() % HOUR > 1200:
                await self._step()
            await self._settle()
            await self._compare(first, int(self.now() // HOUR) * HOUR)
        except Exception as error:  # noqa: BLE001
            self.outcome.errors.append(f"broke off: {error!r}")
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
        if left > LAST_READING:
            await self._skip(left - LAST_READING)
        position = self.now() - self._truth.origin
        if self._is_linked():
            # The first reading after the skipped time may have been made before it.
            told = await self._home.ask("readings") + 1
            if await self._home.ask("wait_reading", more_than=told, timeout=30.0):
                self._told = position
                self._is_told_certain = True
            else:
                # It may be told in the next moment.
                self._is_told_certain = False
        await self._skip(max(0.0, start + STEP - self.now()) + 0.05)
        if self._home.is_running:
            await self._home.ask("compile", start=start + self._clock_error)
            if not self._clock_error and await self._home.ask("up_to_date"):
                self._filled = position

    async def _wait_trusted(self) -> None:
        """Let time pass until Home Assistant trusts its clock."""
        for _ in range(TRUST_STEPS):
            await self._step()
            if await self._home.ask("trusts_clock"):
                return
        self.outcome.errors.append("Home Assistant does not trust its right clock")

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
        for fault in (
            self._fault_of_meter,
            self._fault_of_link,
            self._fault_of_home,
            self._fault_of_system_clock,
            self._fault_of_disk,
            self._fault_of_recorder,
            self._fault_of_messages,
            self._fault_of_clock,
            self._fault_of_flash,
            self._fault_of_hardware,
        ):
            await fault(step)

    def _tell(self, step: int, what: str) -> None:
        self.outcome.faults.append(f"{step}: {what}")

    def _happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def _happens_rarely(self, probability: float) -> bool:
        """Return whether something happens that a short life is spared."""
        return self._has_rare_faults and self._happens(probability)

    async def _fault_of_meter(self, step: int) -> None:
        """Pull the meter's plug, or put it back."""
        if self._off_until is not None and step >= self._off_until:
            self._off_until = None
            await self._start_meter()
            self._tell(step, "meter on")
        elif self._off_until is None and self._happens(0.015):
            with_journal = self._happens(0.5)
            await self._kill_meter(with_journal)
            self._off_until = step + self._random.randint(0, 4)
            self._tell(step, f"meter killed, journal written: {with_journal}")

    async def _fault_of_link(self, step: int) -> None:
        """Cut the link, or mend it."""
        if self._link_off_until is not None and step >= self._link_off_until:
            self._link_off_until = None
            self._link.up = True
            self._tell(step, "link up")
        elif self._link_off_until is None and self._happens(0.12):
            self._link.up = False
            self._link.cut()
            self._link_off_until = step + self._random.randint(1, 30)
            self._tell(step, "link cut")

    async def _fault_of_home(self, step: int) -> None:
        """Kill Home Assistant, or start it."""
        if self._home_off_until is not None and step >= self._home_off_until:
            self._home_off_until = None
            await self._restore_backup(step)
            await self._start_home(step)
        elif self._home_off_until is None and self._happens(0.06):
            await self._home.kill()
            self._home_killed_at = self.now()
            self._home_off_until = step + self._random.randint(0, 20)
            self._tell(step, "home killed")

    async def _start_home(self, step: int) -> None:
        """Start Home Assistant; without a network its clock may be wrong until later."""
        if self._happens_rarely(0.3):
            # A clock without a battery goes on from where it was switched off.
            self._clock_error = -((self.now() - self._home_killed_at) // STEP) * STEP
            self._clock_until = step + self._random.randint(1, 6)
        await self._home.start(self._offset + self._clock_error)
        if self._clock_error and self._meter.is_running:
            # The meter takes its time from Home Assistant.
            await self._set_clock(int(self._clock_error))
        wrong = f", its clock wrong by {self._clock_error:.0f} s"
        self._tell(step, f"home started{wrong if self._clock_error else ''}")

    async def _fault_of_system_clock(self, step: int) -> None:
        """Set Home Assistant's clock right, and the meter's with it."""
        if not self._clock_error:
            return
        if not self._home.is_running:
            self._clock_error = 0.0
        elif step >= self._clock_until:
            await self._set_clock_right()
            self._tell(step, "home's clock set")

    async def _set_clock_right(self) -> None:
        error, self._clock_error = self._clock_error, 0.0
        await self._home.ask("set_clock", seconds=-error)
        if self._meter.is_running:
            await self._set_clock(0)

    async def _fault_of_disk(self, step: int) -> None:
        """Back up Home Assistant."""
        if self._happens_rarely(0.04) and not self._clock_error:
            self._backups += 1
            await asyncio.to_thread(self._home.back_up, self._backup)
            self._backed_up = BackedUp(self._told, self._filled, self._said_meters)
            self._tell(step, "backup made")

    async def _restore_backup(self, step: int) -> None:
        """Perhaps put back the latest backup of a Home Assistant that does not run."""
        if not self._backups or not self._happens_rarely(0.3):
            return
        await asyncio.to_thread(self._home.restore, self._backup)
        known = self._backed_up
        self._told = min(self._told, known.told)
        self._filled = min(self._filled, known.filled)
        ended = [end for end in self._truth.counts if end > known.told]
        if ended:
            # What was told of a count that is over is in no statistics any more.
            self._truth.lose_energy(known.told, ended[-1])
            self._truth.lose(known.filled, ended[-1])
        if known.said_meters != self._new_meters:
            self._said_meters = known.said_meters
            self._unsaid_until = step
        self._tell(step, "backup restored")

    @property
    def _backup(self) -> Path:
        """Return the folder of the latest backup."""
        return self._folder / f"backup-{self._backups}"

    async def _fault_of_recorder(self, step: int) -> None:
        """Purge the rows of five minutes."""
        if self._home.is_running and self._happens(0.03):
            await self._home.ask("purge")
            # What it was told in this hour is in no row of an hour yet.
            hour = self.now() // HOUR * HOUR - self._truth.origin
            self._told = min(self._told, hour)
            self._tell(step, "five minutes purged")

    async def _fault_of_messages(self, step: int) -> None:
        """Lose, delay or falsify what is said on the link."""
        link = self._link
        if self._happens(0.1):
            link.lost = self._random.choice((0.0, 0.3, 0.8))
            link.delay = self._random.choice((0.0, 0.3, 1.0))
            self._tell(step, f"{link.lost} lost, {link.delay} s delay")
        if link.nonsense:
            link.nonsense = 0.0
        elif self._meter.is_running and self._happens_rarely(0.05):
            link.total_keys = self._meter.keys(CHANNELS)
            link.nonsense = self._random.choice((0.1, 0.5, 1.0))
            self._tell(step, f"{link.nonsense} nonsense")

    async def _fault_of_clock(self, step: int) -> None:
        """Put the meter's clock wrong, or right."""
        if self._meter.is_running and self._happens(0.06):
            error = self._random.choice((0, 0, 7, -40, 3600, -7200, 86400))
            await self._set_clock(error)
            self._tell(step, f"meter's clock wrong by {error} s")

    async def _fault_of_flash(self, step: int) -> None:
        """Erase the meter's flash: it counts from zero, under the same address."""
        if self._meter.is_running and self._happens_rarely(0.012):
            await self._end_count()
            self._meter.erase_flash()
            self._begin_count(dict.fromkeys(CHANNELS, 0.0))
            await self._start_meter()
            self._tell(step, "flash erased")

    async def _fault_of_hardware(self, step: int) -> None:
        """Replace the meter by another one; later, say so to Home Assistant."""
        if self._unsaid_until is not None:
            is_there = self._meter.is_running and self._link.up
            if step >= self._unsaid_until and is_there and self._home.is_running:
                answer = await self._say_replaced()
                self._tell(step, f"replacement said: {answer}")
        elif self._meter.is_running and self._happens_rarely(0.012):
            hours = self._random.choice(ELSEWHERE)
            await self._replace_meter(hours)
            self._unsaid_until = step + self._random.choice((0, 0, 1, 15))
            self._tell(step, f"meter replaced, {hours} h counted elsewhere")

    async def _end_count(self) -> None:
        """Take the meter off: nobody reads its counters and its journal any more."""
        position = await self._stop_signal()
        if self._is_linked() and await self._home.ask("connected"):
            told = await self._home.ask("readings")
            if await self._home.ask("wait_reading", more_than=told + 2, timeout=30.0):
                self._told = position
                self._is_told_certain = True
        self._truth.starts[-1].off = position
        if not self._is_told_certain:
            self._truth.is_sum_known = False
        self._truth.lose(min(self._filled, self._told), position)
        self._truth.lose_energy(self._told, position)
        await self._meter.kill()

    def _is_linked(self) -> bool:
        """Return whether Home Assistant can be told what the meter says."""
        return (
            self._home.is_running
            and self._link.up
            and self._meter.is_running
            and self._unsaid_until is None
        )

    def _begin_count(self, before: dict[str, float]) -> None:
        """Expect totals from `before` on, Wh by channel."""
        self._truth.begin_count(self.now() - self._truth.origin)
        self._before = before
        self._off = dict.fromkeys(CHANNELS, 0.0)

    async def _replace_meter(self, hours: int) -> None:
        """Put a meter that has counted for some hours elsewhere in the place of the old one."""
        await self._end_count()
        self._new_meters += 1
        self._meter = meter = self._new_meter(f"meter-{self._new_meters}")
        before = dict.fromkeys(CHANNELS, 0.0)
        if hours:
            await meter.start(int(self._offset) - hours * HOUR, lambda _: None)
            await meter.set_number("simulation_position", LEAD)
            for _ in range(int(hours * HOUR / STEP)):
                await meter.act("simulate_time_passing", seconds=STEP)
            await meter.set_number("simulation_speed", 0.0)
            await meter.act("simulate_flash_write", with_journal=True)
            await meter.wait_reading(3)
            before = {channel: meter.latest(channel) * 1000 for channel in CHANNELS}
            await meter.kill()
        self._link.cut()
        self._link.meter_port = meter.port
        self._link.mac = NEW_MAC.format(self._new_meters)
        self._begin_count(before)
        await self._start_meter()

    async def _say_replaced(self) -> str:
        """Reconfigure the meter in Home Assistant: it is a new one; return the answer.

        Where a slow link gives none in time, somebody tries again later.
        """
        answer: str = await self._home.ask("replace_meter")
        if answer == RECONFIGURED:
            self._unsaid_until = None
            self._said_meters = self._new_meters
            self._truth.lose_before_latest_start()
        elif answer != NO_ANSWER or not self._link.delay:
            self.outcome.errors.append(f"not reconfigured: {answer}")
        return answer

    def _on_nonsense(self, what: str) -> None:
        """Expect nothing of the hours around records that were falsified."""
        told = f"a page with {what}"
        if not self.outcome.faults or self.outcome.faults[-1] != told:
            self.outcome.faults.append(told)
        position = self.now() - self._truth.origin
        self._truth.lose(min(self._filled, position - JOURNAL_WRITTEN), position + STEP)

    async def _repair(self) -> None:
        """Make everything work again."""
        if not self._meter.is_running:
            await self._start_meter()
        link = self._link
        link.up, link.lost, link.delay, link.nonsense = True, 0.0, 0.0, 0.0
        if not self._home.is_running:
            self._clock_error = 0.0
            await self._home.start(self._offset)
        if self._clock_error:
            await self._set_clock_right()
        await self._set_clock(0)
        if self._unsaid_until is not None:
            await self._say_replaced()
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
            own = self._meter.latest(channel) * 1000 - self._before[channel]
            off = own - self._truth.in_count(channel, self.now() - self._truth.origin)
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
        left_alone = await self._home.ask("left_alone")
        for channel in CHANNELS:
            told: dict[str, str] = left_alone.get(channel, {})
            compared = compare_hours(
                channel,
                {
                    int(row["start"]): row
                    for row in await self._home.ask("rows", channel=channel)
                },
                truth,
                range(first, last, HOUR),
                {int(hour): reason for hour, reason in told.items()},
            )
            outcome.hours += compared.count
            outcome.worst_hour = max(outcome.worst_hour, compared.worst)
            outcome.errors += compared.errors
            total = await self._home.ask("state", channel=channel) * 1000
            true_total = truth.in_count(channel, held) + self._before[channel]
            error = abs(total - true_total)
            outcome.total_error = max(outcome.total_error, error)
            if error > TOTAL_ERROR:
                own = self._meter.latest(channel) * 1000
                outcome.errors.append(
                    f"{channel}: {total:.1f} Wh in all instead of {true_total:.1f},"
                    f" the meter says {own:.1f}"
                )


async def run_schedule(
    seed: int,
    program: Path,
    folder: Path,
    steps: int | None = None,
    *,
    has_rare_faults: bool = True,
) -> Outcome:
    """Run the schedule of a seed, or its first `steps` steps."""
    life = Life(seed, program, folder, steps, has_rare_faults=has_rare_faults)
    return await life.run()
