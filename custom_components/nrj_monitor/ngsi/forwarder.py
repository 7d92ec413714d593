"""Moves samples from a meter to a broker: at once if it can, complete in any case.

Everything that blocks runs in an executor; one request is in flight at a time. What is
being sent is marked in the spool first, so that after a broken connection or a killed
process the broker is asked whether it has it, and nothing is sent twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import logging
import sqlite3
from typing import Final, Protocol

from .broker import Broker, Target
from .delivery_queue import Batch, DeliveryQueue, next_batch
from .errors import DeliveryError, RefusedError, TooLargeError, UnauthorizedError
from .mapping import Mapper
from .retry import Backoff, BatchSize, Pace
from .sample import Sample
from .spool import HISTORY, LIVE, Counts, Record, SetAside, Spool, Status
from .write_buffer import PENDING_LIMIT, WriteBuffer

_LOGGER = logging.getLogger(__name__)

DISK_PAUSE: Final = 10.0
"""Seconds until a disk that failed is tried again."""

SUSPICIOUS: Final = 5
"""Records refused in a row after which the broker is asked whether it takes anything."""

GRACE: Final = 3.0
"""Seconds for what was sent before a restart to arrive, before it is asked for."""

STOP_LIMIT: Final = 0.9
"""Seconds each of the two steps of stopping may take."""

CONNECTING: Final = "connecting"
CONNECTED: Final = "connected"
NO_STORAGE: Final = "no_storage"


class Executor(Protocol):
    """Runs what blocks in another thread."""

    def __call__[*Ts, T](
        self, function: Callable[[*Ts], T], /, *arguments: *Ts
    ) -> Awaitable[T]:
        """Return the result of `function`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a forwarder needs of the world: threads, time, chance."""

    executor: Executor
    clock: Callable[[], float]
    random: Callable[[], float]


@dataclass(slots=True)
class ForwarderStatus:
    """What a forwarder tells of itself."""

    state: str = CONNECTING
    error: str | None = None
    status: Status = field(default_factory=lambda: Status(Counts()))
    refused: list[SetAside] = field(default_factory=list)


class Forwarder:
    """Keeps one entity in one broker."""

    def __init__(
        self,
        name: str,
        spool: Spool,
        mapper: Mapper,
        broker: Broker,
        means: Environment,
        *,
        history: Target | None = None,
        backlog: Target | None = None,
        rate: float | None = 100.0,
    ) -> None:
        """Prepare; `history` takes the journal's readings, if there is such a place.

        `backlog` takes what waits but the newest, `rate` bounds the records a second.
        """
        self._name = name
        self._spool = spool
        self._mapper = mapper
        self._broker = broker
        self._means = means
        self._intake = WriteBuffer(spool)
        self._started = 0.0
        self._stored = True
        self._to_write = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._told = ForwarderStatus()
        self._log_down = False

        def lane(
            number: int, target: Target, more: Target | None = None
        ) -> DeliveryQueue:
            largest = (more or target).largest_batch
            pause = Backoff(means.random)
            return DeliveryQueue(
                number, target, pause, Pace(rate), BatchSize(largest), backlog=more
            )

        self._lanes = [lane(LIVE, broker, backlog)]
        if history is not None:
            # What happened before is told before.
            self._lanes.insert(0, lane(HISTORY, history))

    @property
    def told(self) -> ForwarderStatus:
        """Return how it does."""
        return self._told

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` each time `told` changes; the result takes it off again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        """Begin."""
        self._started = self._means.clock()
        self._tasks = [
            asyncio.create_task(self._keep_writing(), name=f"{self._name} spool"),
            asyncio.create_task(self._keep_sending(), name=f"{self._name} broker"),
        ]
        self._to_write.set()

    async def stop(self) -> None:
        """End within 2 s; what is not sent stays in the spool."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_LIMIT)
        self._tasks = []
        try:
            async with asyncio.timeout(STOP_LIMIT):
                await self._means.executor(self._intake.close)
        except TimeoutError:
            _LOGGER.warning("%s: the disk did not take the last samples", self._name)

    def offer(self, sample: Sample) -> None:
        """Take a live sample; returns at once."""
        self._intake.offer(sample)
        self._to_write.set()

    async def history(self, samples: Iterable[Sample]) -> int:
        """Take what the meter's journal brings, with its true times; return the new ones.

        They are on disk when it returns. A sample of a time it had before is not taken
        again. Raises OSError or sqlite3.Error where the disk takes nothing: offer it
        again later.
        """
        new = await self._means.executor(self._push_history, tuple(samples))
        self._look_again()
        return new

    def send_now(self) -> None:
        """Do not wait for the end of a pause."""
        for lane in self._lanes:
            lane.due = 0.0
            lane.idle = False
        self._wake.set()

    async def empty_set_aside(self) -> int:
        """Throw away what the broker refused; return how many records that were."""
        emptied = await self._means.executor(self._spool.empty_set_aside)
        await self._refresh()
        return emptied

    # What runs in the executor.

    def _push_history(self, samples: Sequence[Sample]) -> int:
        self._intake.open()
        return self._spool.push_history(samples)

    def _status(self) -> tuple[Status, list[SetAside]]:
        return self._spool.status(), self._spool.refused()[-10:]

    def _prepare(self, lane: DeliveryQueue) -> Batch | None:
        return next_batch(lane, self._spool, self._mapper)

    def _settle(self, flying: Sequence[Record], there: set[int]) -> int:
        arrived = [record for record in flying if record.sample.time in there]
        self._spool.sent(arrived)
        self._spool.not_sent(
            [record for record in flying if record.sample.time not in there]
        )
        return len(arrived)

    # What runs in the event loop.

    def _look_again(self) -> None:
        for lane in self._lanes:
            lane.idle = False
        self._wake.set()

    async def _keep_writing(self) -> None:
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            try:
                await self._means.executor(self._intake.write)
            except (OSError, sqlite3.Error) as error:
                if self._stored:
                    _LOGGER.warning(
                        "%s: samples cannot be stored (%s); the latest %d are kept in"
                        " memory",
                        self._name,
                        error,
                        PENDING_LIMIT,
                    )
                self._stored = False
                self._tell()
                await asyncio.sleep(DISK_PAUSE)
                self._to_write.set()
                continue
            self._stored = True
            self._look_again()

    async def _keep_sending(self) -> None:
        while True:
            self._wake.clear()
            now = self._means.clock()
            waiting = [lane for lane in self._lanes if not lane.idle]
            due = [lane for lane in waiting if lane.due <= now]
            if due and self._intake.is_open:
                try:
                    await self._step(due[0])
                except (OSError, sqlite3.Error) as error:
                    _LOGGER.warning("%s: the queue failed: %s", self._name, error)
                    due[0].due = self._means.clock() + DISK_PAUSE
                except Exception:
                    _LOGGER.exception("%s: forwarding failed", self._name)
                    due[0].due = self._means.clock() + due[0].backoff.failed()
                continue
            pause = min((lane.due for lane in waiting), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    None
                    if pause is None or not self._intake.is_open
                    else max(0.0, pause - now)
                ):
                    await self._wake.wait()

    async def _step(self, lane: DeliveryQueue) -> None:
        """Send one batch of a lane and see what becomes of it."""
        executor, clock = self._means.executor, self._means.clock
        if (pause := lane.pace.wait(clock())) > 0:
            lane.due = clock() + pause
            return
        begun = clock()
        batch: Batch | None = None
        try:
            if not await self._ask_what_arrived(lane):
                return
            if (batch := await executor(self._prepare, lane)) is None:
                lane.idle = True
                await self._refresh()
                return
            await batch.target.deliver(batch.payload)
        except (RefusedError, TooLargeError) as error:
            # Without a batch it was the question that was refused.
            if batch is None:
                await self._failed(lane, error)
                return
            try:
                await self._refused(lane, batch, error)
            except DeliveryError as other:
                await self._failed(lane, other)
            return
        except DeliveryError as error:
            if batch is not None and error.arrived is False:
                await executor(self._spool.not_sent, batch.records)
            await self._failed(lane, error)
            return
        await executor(self._spool.sent, batch.records)
        lane.newest_sent = max(lane.newest_sent, batch.records[-1].sample.time)
        lane.size.accepted(len(batch.records))
        lane.pace.sent(len(batch.records), begun)
        lane.refused_in_a_row = 0
        await self._worked(lane)

    async def _ask_what_arrived(self, lane: DeliveryQueue) -> bool:
        """Find out about records that were being sent when something broke.

        Returns False where it is too early to ask.
        """
        executor = self._means.executor
        flying = await executor(self._spool.in_flight, lane.number)
        if not flying:
            return True
        if self._means.clock() < (early := self._started + GRACE):
            # Sent before this began, and perhaps still on its way.
            lane.due = early
            return False
        twin = self._mapper.twin
        times = [record.sample.time for record in flying]
        there: set[int] = set()
        for target in (lane.target, lane.backlog):
            if target is not None:
                there |= await target.arrived(twin.id, twin.model.value, times)
        settled = await executor(self._settle, flying, there)
        lane.size.accepted(settled)
        lane.newest_sent = max(lane.newest_sent, *there, 0)
        return True

    async def _refused(
        self, lane: DeliveryQueue, batch: Batch, error: RefusedError | TooLargeError
    ) -> None:
        """Look for the bad record, or set it aside once it is found."""
        executor, count = self._means.executor, len(batch.records)
        await executor(self._spool.not_sent, batch.records)
        note = (
            lane.size.too_large
            if isinstance(error, TooLargeError)
            else lane.size.refused
        )
        if note(count):
            lane.refused_in_a_row += 1
            if lane.refused_in_a_row >= SUSPICIOUS:
                # Perhaps it is not the records that are bad.
                await self._broker.probe()
                lane.refused_in_a_row = 0
            reason = str(error) or error.key
            _LOGGER.debug("%s: a record was refused: %s", self._name, reason)
            await executor(self._spool.set_aside, batch.records[0], reason)
        await self._worked(lane)

    async def _worked(self, lane: DeliveryQueue) -> None:
        lane.backoff.succeeded()
        lane.due = 0.0
        lane.error = None
        if self._log_down and all(lane.error is None for lane in self._lanes):
            self._log_down = False
            _LOGGER.info("%s is back", self._name)
        await self._refresh(CONNECTED)

    async def _failed(self, lane: DeliveryQueue, error: DeliveryError) -> None:
        lane.due = self._means.clock() + lane.backoff.failed(error.retry_after)
        lane.error = error
        if not self._log_down:
            self._log_down = True
            _LOGGER.warning(
                "%s takes nothing now, which is kept until it does: %s",
                self._name,
                error,
            )
        await self._refresh()

    async def _refresh(self, state: str | None = None) -> None:
        """Look how full the spool is, and tell."""
        status, refused = await self._means.executor(self._status)
        self._told.status, self._told.refused = status, refused
        if state is not None:
            self._told.state = state
        self._tell()

    def _tell(self) -> None:
        error = next(
            (lane.error for lane in self._lanes if lane.error is not None), None
        )
        told = self._told
        told.error = None if error is None else error.key
        if not self._stored:
            told.state = NO_STORAGE
        elif error is not None:
            told.state = error.key
        elif told.state not in (CONNECTING, CONNECTED):
            told.state = CONNECTED
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                _LOGGER.exception("A listener of %s failed", self._name)


def needs_credentials(told: ForwarderStatus) -> bool:
    """Return whether only a person can help, with a new token."""
    return told.error == UnauthorizedError.key
