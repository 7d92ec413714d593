"""Forwarder of a meter's samples to a broker, through a spool on disk.

Everything that blocks runs in an executor; one request is in flight at a time. Records
are marked in the spool before they are sent: after a broken connection or a killed
process the forwarder asks the broker which of them arrived, and sends none twice.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import logging
from typing import Final

from ..quiet_log import QuietLog
from .broker import Broker, Target
from .delivery_queue import SUSPICIOUS, Batch, DeliveryQueue
from .environment import Environment
from .errors import DeliveryError, HistoryState, LinkState, RefusedError, TooLargeError
from .history_check import HistoryCheck
from .mapping import Mapper
from .sample import Sample
from .spool import DISK_ERRORS, Counts, DeadLetter, QueueId, Record, Spool, SpoolStatus
from .write_buffer import PENDING_LIMIT, WriteBuffer

_LOGGER = logging.getLogger(__name__)

DISK_PAUSE: Final = 10.0
"""Seconds until a disk that failed is tried again."""

GRACE: Final = 3.0
"""Seconds after a restart in which requests of the former process may still arrive."""

CHECK_INTERVAL: Final = 60.0
"""Seconds between two checks of the history."""

STOP_LIMIT: Final = 0.9
"""Seconds each of the two steps of stopping may take."""

LATEST_DEAD_LETTERS: Final = 10
"""Dead letters in the status, the newest last."""


@dataclass(slots=True)
class ForwarderStatus:
    """Status of a forwarder, for sensors, issues and diagnostics.

    `state` is that of the link to the broker, `history` that of the history behind it.
    `error` is the cause of the last failure of either until a batch is taken again.
    """

    state: LinkState = LinkState.CONNECTING
    error: LinkState | None = None
    history: HistoryState = HistoryState.NOT_USED
    history_reason: str = ""
    spool: SpoolStatus = field(default_factory=lambda: SpoolStatus(Counts()))
    dead_letters: list[DeadLetter] = field(default_factory=list)

    @property
    def needs_credentials(self) -> bool:
        """Return whether the broker waits for a new token from a person."""
        return self.error is LinkState.WRONG_TOKEN


class Forwarder:
    """Forwarder of samples to an entity in a broker."""

    def __init__(
        self,
        name: str,
        spool: Spool,
        mapper: Mapper,
        broker: Broker,
        environment: Environment,
        *,
        history: Target | None = None,
        check: HistoryCheck | None = None,
        backlog: Target | None = None,
        rate: float | None = 100.0,
    ) -> None:
        """Prepare a forwarder; `start` begins to write and to send.

        `history` is the target of the journal's samples, by default the broker itself;
        `check` sees whether it has what it is notified of.
        `backlog` is the target of all waiting samples but the newest. `rate` limits the
        records a second of each queue; None is no limit.
        """
        self._name = name
        self._log = QuietLog(_LOGGER, object())
        self._spool = spool
        self._mapper = mapper
        self._broker = broker
        self._environment = environment
        self._buffer = WriteBuffer(spool)
        self._started = 0.0
        self._disk_works = True
        self._additions = 0
        self._check = check
        self._to_write = asyncio.Event()
        self._to_check = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._status = ForwarderStatus()
        self._logged_failure = False
        self._queue_failed = False

        targets: list[tuple[QueueId, Target, Target | None]] = [
            (QueueId.LIVE, broker, backlog)
        ]
        if history is not None:
            # The journal is older than live samples, and is sent before them.
            targets.insert(0, (QueueId.HISTORY, history, None))
        self._queues = [
            DeliveryQueue.create(
                id_, target, random=environment.random, rate=rate, backlog=more
            )
            for id_, target, more in targets
        ]

    @property
    def status(self) -> ForwarderStatus:
        """Return the status of the link, the spool and the dead letters."""
        return self._status

    def async_add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each update of `status`; return its remover."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        """Start to write samples to the spool and to send its records."""
        self._started = self._environment.clock()
        self._tasks = [
            asyncio.create_task(self._keep_writing(), name=f"{self._name} spool"),
            asyncio.create_task(self._keep_sending(), name=f"{self._name} broker"),
        ]
        if self._check is not None:
            self._tasks.append(
                asyncio.create_task(
                    self._keep_checking(self._check), name=f"{self._name} history"
                )
            )
        self._to_write.set()

    async def stop(self) -> None:
        """Stop within 2 s; unsent samples stay in the spool."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_LIMIT)
        self._tasks = []
        try:
            async with asyncio.timeout(STOP_LIMIT):
                await self._environment.executor(self._buffer.close)
        except TimeoutError:
            self._log.warning("%s: the disk did not take the last samples", self._name)

    def add_sample(self, sample: Sample) -> None:
        """Add a live sample without blocking."""
        self._buffer.append(sample)
        self._to_write.set()

    async def add_history(self, samples: Iterable[Sample]) -> int:
        """Add samples of the journal with their true times; return how many are new.

        The samples are on disk when this returns. A time that was added before is
        skipped. Raises one of DISK_ERRORS where the disk fails: add them again later.
        """
        new = await self._environment.executor(self._push_history, tuple(samples))
        self._resume_sending()
        return new

    def send_now(self) -> None:
        """Send waiting samples at once, without the rest of a pause."""
        for queue in self._queues:
            queue.send_now()
        self._to_check.set()
        self._wake.set()

    async def clear_dead_letters(self) -> int:
        """Delete the samples the broker refused; return how many were deleted."""
        deleted = await self._environment.executor(self._clear_dead_letters)
        await self._refresh_status()
        return deleted

    # Blocking functions, called in the executor.

    def _clear_dead_letters(self) -> int:
        # A person may ask before the first write has opened the spool.
        self._buffer.open()
        return self._spool.clear_dead_letters()

    def _push_history(self, samples: Sequence[Sample]) -> int:
        self._buffer.open()
        return self._spool.push_history(samples)

    def _read_status(self) -> tuple[SpoolStatus, list[DeadLetter]]:
        letters = self._spool.dead_letters()
        return self._spool.status(), letters[-LATEST_DEAD_LETTERS:]

    def _next_batch(self, queue: DeliveryQueue) -> Batch | None:
        return queue.next_batch(self._spool, self._mapper)

    def _settle(self, in_flight: Sequence[Record], arrived: set[int]) -> int:
        """Remove the records whose times `arrived`; mark the others as waiting again."""
        sent = [record for record in in_flight if record.sample.time in arrived]
        self._spool.remove_sent(sent)
        self._spool.clear_in_flight(
            [record for record in in_flight if record.sample.time not in arrived]
        )
        return len(sent)

    # Coroutines and callbacks of the event loop.

    def _resume_sending(self) -> None:
        self._additions += 1
        for queue in self._queues:
            queue.idle = False
        self._wake.set()

    async def _keep_writing(self) -> None:
        """Write samples to the spool as they come in, until cancelled."""
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            try:
                await self._environment.executor(self._buffer.write)
            except DISK_ERRORS as error:
                if self._disk_works:
                    self._log.warning(
                        "%s: samples cannot be stored (%s); the latest %d are kept in"
                        " memory, and sent from there",
                        self._name,
                        error,
                        PENDING_LIMIT,
                    )
                self._disk_works = False
                self._resume_sending()
                self._update_state()
                await asyncio.sleep(DISK_PAUSE)
                self._to_write.set()
                continue
            self._disk_works = True
            self._resume_sending()

    async def _keep_sending(self) -> None:
        """Send batches of the due queues until cancelled."""
        clock = self._environment.clock
        while True:
            self._wake.clear()
            now = clock()
            waiting = [queue for queue in self._queues if not queue.idle]
            due = [queue for queue in waiting if queue.due <= now]
            if due and self._buffer.is_open:
                try:
                    await self._step(due[0])
                except DISK_ERRORS as error:
                    if not self._queue_failed:
                        self._queue_failed = True
                        self._log.warning("%s: the queue failed: %s", self._name, error)
                    due[0].due = clock() + DISK_PAUSE
                except Exception:  # noqa: BLE001
                    self._log.exception("%s: forwarding failed", self._name)
                    due[0].due = clock() + due[0].backoff.failed()
                continue
            pause = min((queue.due for queue in waiting), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    None
                    if pause is None or not self._buffer.is_open
                    else max(0.0, pause - now)
                ):
                    await self._wake.wait()

    async def _keep_checking(self, check: HistoryCheck) -> None:
        """Check the history at an interval, and when something is to be sent at once."""
        while True:
            self._to_check.clear()
            if self._buffer.is_open:
                try:
                    if await check.run():
                        self._resume_sending()
                    await self._refresh_status()
                except DISK_ERRORS as error:
                    _LOGGER.debug("%s: the queue failed: %s", self._name, error)
                except Exception:  # noqa: BLE001
                    self._log.exception(
                        "%s: the check of the history failed", self._name
                    )
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self._to_check.wait()

    async def _step(self, queue: DeliveryQueue) -> None:
        """Send the next batch of a queue, and handle the broker's answer."""
        executor, clock = self._environment.executor, self._environment.clock
        if (pause := queue.pace.wait(clock())) > 0:
            queue.due = clock() + pause
            return
        begun = clock()
        batch: Batch | None = None
        try:
            if not await self._resolve_in_flight(queue):
                return
            additions = self._additions
            if (batch := await executor(self._next_batch, queue)) is None:
                # What was added while the spool was read may not have been seen.
                queue.idle = additions == self._additions
                await self._refresh_status()
                return
            await batch.target.deliver(batch.payload)
        except (RefusedError, TooLargeError) as error:
            # Without a batch the broker refused the question of what arrived.
            if batch is None:
                await self._on_failure(queue, error)
                return
            try:
                await self._on_refusal(queue, batch, error)
            except DeliveryError as other:
                await self._on_failure(queue, other)
            return
        except DeliveryError as error:
            if batch is not None and error.arrived is False:
                await executor(self._spool.clear_in_flight, batch.records)
            await self._on_failure(queue, error)
            return
        await executor(self._spool.remove_sent, batch.records)
        queue.record_delivery(batch, begun)
        await self._on_success(queue)

    async def _resolve_in_flight(self, queue: DeliveryQueue) -> bool:
        """Ask the targets which records in flight arrived before a failure.

        Returns False where it is too early to ask.
        """
        executor = self._environment.executor
        in_flight = await executor(self._spool.in_flight, queue.id)
        if not in_flight:
            return True
        if self._environment.clock() < (early := self._started + GRACE):
            # A request of the former process may still be on its way.
            queue.due = early
            return False
        entity = self._mapper.ngsi_entity
        times = [record.sample.time for record in in_flight]
        arrived: set[int] = set()
        for target in (queue.target, queue.backlog):
            if target is not None:
                arrived |= await target.arrived(entity.id, entity.model.value, times)
        queue.size.accepted(await executor(self._settle, in_flight, arrived))
        queue.newest_sent = max(queue.newest_sent, *arrived, 0)
        return True

    async def _on_refusal(
        self, queue: DeliveryQueue, batch: Batch, error: RefusedError | TooLargeError
    ) -> None:
        """Make the next batch smaller, or a single refused record a dead letter."""
        executor = self._environment.executor
        await executor(self._spool.clear_in_flight, batch.records)
        probed = False
        if queue.record_refusal(batch, error):
            if queue.refused_in_a_row >= SUSPICIOUS:
                # The broker may be refusing everything, not these records.
                await self._broker.probe()
                queue.refused_in_a_row = 0
                probed = True
            reason = str(error) or error.key
            _LOGGER.debug("%s: a record was refused: %s", self._name, reason)
            await executor(self._spool.add_dead_letter, batch.records[0], reason)
        if queue.error is None or queue.error.key is not LinkState.REFUSED or probed:
            await self._on_success(queue)
            return
        # It has refused everything before: an answer alone is no sign of a change.
        queue.due = 0.0
        await self._refresh_status()

    async def _on_success(self, queue: DeliveryQueue) -> None:
        self._queue_failed = False
        queue.backoff.succeeded()
        queue.due = 0.0
        queue.error = None
        if self._logged_failure and all(q.error is None for q in self._queues):
            self._logged_failure = False
            self._log.info("%s is back", self._name)
        await self._refresh_status(LinkState.CONNECTED)

    async def _on_failure(self, queue: DeliveryQueue, error: DeliveryError) -> None:
        pause = queue.backoff.failed(error.retry_after)
        queue.due = self._environment.clock() + pause
        queue.error = error
        if not self._logged_failure:
            self._logged_failure = True
            self._log.warning(
                "%s takes nothing now, which is kept until it does (%s: %s)",
                self._name,
                error.key,
                error,
            )
        await self._refresh_status()

    async def _refresh_status(self, state: LinkState | None = None) -> None:
        """Read the status of the spool, and call the listeners."""
        status, letters = await self._environment.executor(self._read_status)
        self._status.spool, self._status.dead_letters = status, letters
        if state is not None:
            self._status.state = state
        self._update_state()

    def _update_state(self) -> None:
        """Update the state of the link from the queues and the disk; call the listeners."""
        errors = {
            queue.id: queue.error for queue in self._queues if queue.error is not None
        }
        error, behind = errors.get(QueueId.LIVE), errors.get(QueueId.HISTORY)
        status = self._status
        first = error or behind
        status.error = None if first is None else first.key
        if behind is not None:
            status.history, status.history_reason = HistoryState.FAILING, str(behind)
        elif self._check is not None:
            status.history = self._check.state
            status.history_reason = self._check.reason
        elif len(self._queues) > 1:
            status.history, status.history_reason = HistoryState.CONNECTED, ""
        if not self._disk_works:
            status.state = LinkState.NO_STORAGE
        elif error is not None:
            status.state = error.key
        elif status.state is not LinkState.CONNECTING:
            status.state = LinkState.CONNECTED
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:  # noqa: BLE001
                self._log.exception("A listener of %s failed", self._name)
