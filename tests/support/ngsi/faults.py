"""Trial of forwarding in which broker, network and Home Assistant fail at random.

What happens follows from the seed; how it interleaves follows from the machine, and must
not matter: afterwards the books have to balance to the last measurement.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import random
import time

from aiohttp import ClientSession

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.ngsi.auth import StaticAuth
from custom_components.nrj_monitor.ngsi.broker import QuantumLeap, V2Broker
from custom_components.nrj_monitor.ngsi.environment import Environment
from custom_components.nrj_monitor.ngsi.forwarder import Forwarder
from custom_components.nrj_monitor.ngsi.http import Server
from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Counts, Limits, Spool
from tests.support.ngsi.orion import NgsiV2
from tests.support.ngsi.quantumleap import QuantumLeapServer

BEGIN = 1_790_000_000_000
ON_THE_WIRE = 0.05
"""Seconds for what was on its way to be dealt with: no Home Assistant starts faster, and
the forwarder's own grace is skipped here like all its pauses."""

ID = "urn:ngsi-ld:ThreePhaseAcMeasurement:m1"


async def in_thread[*Ts, T](function: Callable[[*Ts], T], /, *arguments: *Ts) -> T:
    """Run a blocking function in a thread, as Home Assistant does."""
    return await asyncio.to_thread(function, *arguments)


@dataclass(frozen=True)
class Outcome:
    """Outcome of a trial: times measured and delivered, counts and faults."""

    measured: list[int]
    journal: list[int]
    delivered: list[int]
    history: list[int]
    counts: Counts
    waiting: int
    faults: dict[str, int]

    def complaints(self, bad: set[int], bounded: bool) -> list[str]:
        """Return the contradictions; `bad` are times the broker refuses."""
        found = []
        if self.delivered != sorted(set(self.delivered)):
            found.append("the broker's are out of order or double")
        if len(set(self.history)) != len(self.history):
            found.append("the history has doubles")
        if self.waiting:
            found.append(f"{self.waiting} are still waiting")
        counts = self.counts
        if counts.taken != len(self.measured) + len(self.journal):
            found.append(f"{counts.taken} were taken")
        arrived = len(self.delivered) + len(self.history)
        if counts.sent != arrived:
            found.append(f"{counts.sent} are said to be sent, {arrived} arrived")
        gone = len(self.measured) + len(self.journal) - arrived
        if counts.dropped + counts.thinned + counts.refused != gone:
            found.append(f"{counts} do not explain that {gone} did not arrive")
        if not set(self.delivered) <= set(self.measured):
            found.append("what was never measured arrived")
        if self.measured[-1] not in (*self.delivered, *bad):
            found.append("the newest did not arrive")
        if not bounded:
            if set(self.delivered) != set(self.measured) - bad:
                found.append("not all arrived")
            if set(self.history) != set(self.journal):
                found.append("not all of the journal arrived")
            if counts.refused != len(bad):
                found.append(f"{counts.refused} are said to be refused")
        return found


class Trial:
    """Seeded trial of a forwarder with a broker and a history server."""

    def __init__(
        self, seed: int, folder: Path, session: ClientSession, limits: Limits
    ) -> None:
        """Prepare a trial with the faults of `seed`."""
        self.random = random.Random(seed)
        self.folder = folder
        self.session = session
        self.limits = limits
        self.orion = NgsiV2(seed)
        self.history = QuantumLeapServer()
        self.measured: list[int] = []
        self.journal: list[int] = []
        self.bad: set[int] = set()
        self.faults: dict[str, int] = {}
        self.skipped = 0.0
        self.up = True
        self._forwarder: Forwarder | None = None
        self._spool: Spool | None = None

    async def run(self, steps: int) -> Outcome:
        """Measure and fail for `steps`, then mend all faults and drain the spool."""
        async with self.orion, self.history:
            self.orion.refuse = lambda entity: (
                entity.get("totalActivePower", {}).get("value") == -1.0
            )
            self._start()
            for _ in range(steps):
                await self._step()
            await self._mend()
            await self._drained()
            assert self._forwarder is not None
            await self._forwarder.stop()
            spool = self._new_spool()
            spool.open()
            status = spool.status()
            spool.close()
        return Outcome(
            self.measured,
            self.journal,
            self.orion.times,
            self.history.times,
            status.counts,
            status.waiting,
            self.faults,
        )

    def _new_spool(self) -> Spool:
        return Spool(
            self.folder / "queue.sqlite", self.limits, lambda: BEGIN, history=True
        )

    def _start(self) -> None:
        """Start a forwarder, as a start of Home Assistant does."""
        auth = StaticAuth()
        self._spool = self._new_spool()
        self._forwarder = Forwarder(
            "Broker of the trial",
            self._spool,
            Mapper(NgsiEntity(id=ID), CHANNELS.values(), Api.V2),
            V2Broker(Server(self.session, self.orion.url, auth)),
            Environment(
                executor=in_thread,
                clock=lambda: time.monotonic() + self.skipped,
                random=self.random.random,
            ),
            history=QuantumLeap(Server(self.session, self.history.url, auth)),
            rate=None,
        )
        self._forwarder.start()

    async def _step(self) -> None:
        """Measure up to twelve times, and cause a random fault."""
        assert self._forwarder is not None
        for _ in range(self.random.randint(0, 12)):
            time_ = BEGIN + 1000 * len(self.measured)
            is_bad = self.random.random() < 0.01
            self.measured.append(time_)
            if is_bad:
                self.bad.add(time_)
            power = -1.0 if is_bad else self.random.uniform(0.0, 9000.0)
            self._forwarder.add_sample(Sample(time_, {"active_power": round(power, 1)}))
        happening = self.random.choice(
            ["nothing"] * 3
            + ["broker", "busy", "lost_answer", "lost_request", "history", "pause"]
            + ["kill", "restart", "journal"]
        )
        self.faults[happening] = self.faults.get(happening, 0) + 1
        await getattr(self, f"_{happening}")()
        await asyncio.sleep(self.random.random() * 0.02)

    async def _nothing(self) -> None:
        """Cause no fault."""

    async def _pause(self) -> None:
        self.skipped += 400.0
        assert self._forwarder is not None
        self._forwarder.send_now()

    async def _broker(self) -> None:
        """Stop a running broker, start a stopped broker."""
        if self.up:
            await self.orion.stop()
        else:
            await self.orion.start()
        self.up = not self.up

    async def _busy(self) -> None:
        choice = self.random.choice([None, 429, 503, 500])
        self.orion.status = choice

    async def _history(self) -> None:
        self.history.status = self.random.choice([None, 503])

    async def _lost_answer(self) -> None:
        self.random.choice([self.orion, self.history]).lose_answers += 1

    async def _lost_request(self) -> None:
        self.random.choice([self.orion, self.history]).drop_requests += 1

    async def _journal(self) -> None:
        """Add journal samples of an outage, some for the second time."""
        assert self._forwarder is not None
        first = max(0, len(self.journal) - 3)
        more = len(self.journal) + self.random.randint(1, 10)
        samples = [
            Sample(BEGIN - 1_000_000 + 1000 * n, {"import_energy": n / 1000})
            for n in range(first, more)
        ]
        await self._forwarder.add_history(samples)
        self.journal = [BEGIN - 1_000_000 + 1000 * n for n in range(more)]

    async def _stored(self) -> None:
        """Wait until all samples are on disk."""
        assert self._forwarder is not None
        while len(self._forwarder._buffer):
            await asyncio.sleep(0.002)

    async def _kill(self) -> None:
        """Kill the forwarder without a clean stop."""
        await self._stored()
        assert self._forwarder is not None
        assert self._spool is not None
        for task in self._forwarder._tasks:
            task.cancel()
        await asyncio.wait(self._forwarder._tasks)
        # Its file is closed as the kernel would: no word is said about what is in flight.
        self._spool.close()
        await asyncio.sleep(ON_THE_WIRE)
        self._start()

    async def _restart(self) -> None:
        assert self._forwarder is not None
        await self._forwarder.stop()
        await asyncio.sleep(ON_THE_WIRE)
        self._start()

    async def _mend(self) -> None:
        for server in (self.orion, self.history):
            server.status = None
            server.lose_answers = server.drop_requests = 0
        if not self.up:
            await self._broker()
        await self._stored()

    async def _drained(self) -> None:
        """Wait until the spool is empty."""
        assert self._spool is not None
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if not (await asyncio.to_thread(self._spool.status)).waiting:
                return
            await self._pause()
            await asyncio.sleep(0.02)
