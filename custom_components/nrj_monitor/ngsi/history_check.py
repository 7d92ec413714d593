"""Check of the history behind a broker: is it told of everything, and does it have it?

A broker does not repeat a notification that failed, and says so nowhere but in the list
of its subscriptions. What it has taken is therefore kept until the history is seen to
have it; what the history has not is sent there, once.
"""

from collections.abc import Callable
import logging
from typing import Final

from .broker import QuantumLeap, V2Broker
from .environment import Environment
from .errors import DeliveryError, HistoryState
from .mapping import NgsiEntity
from .spool import Spool
from .subscription import find_history, notify_url, outcome, subscription

_LOGGER = logging.getLogger(__name__)

GRACE: Final = 60_000
"""Milliseconds a notification and the row it makes may take to be seen."""

RECORDS: Final = 500
"""Records a history is asked for at once."""

QUESTIONS: Final = 20
"""Questions in one check."""

LONGEST_URL: Final = 2000
"""Characters of an address that is remembered."""


def _is_kept(url: str) -> bool:
    """Return whether an address a broker told of can be stored and given to it again."""
    return url.isascii() and url.isprintable() and 0 < len(url) <= LONGEST_URL


class HistoryCheck:
    """Check of the subscription of a meter's history, and of the rows it has made."""

    def __init__(
        self,
        name: str,
        broker: V2Broker,
        history: QuantumLeap | None,
        spool: Spool,
        *,
        entity: NgsiEntity,
        environment: Environment,
        now: Callable[[], int],
    ) -> None:
        """Prepare a check; without `history` missed samples cannot be sent again."""
        self._name = name
        self._broker = broker
        self._history = history
        self._spool = spool
        self._entity = entity
        self._executor = environment.executor
        self._now = now
        self.state = HistoryState.CONNECTING if history else HistoryState.NOT_USED
        self.reason = ""

    async def run(self) -> int:
        """Read the subscription and confirm rows; return how many samples it missed.

        Raises one of DISK_ERRORS where the spool fails.
        """
        try:
            await self._read_subscription()
        except DeliveryError:
            # The broker's own link tells of that.
            return 0
        if self._history is None:
            return 0
        try:
            return await self._confirm(self._history)
        except DeliveryError as error:
            self.state, self.reason = HistoryState.FAILING, str(error)
            return 0

    async def _read_subscription(self) -> None:
        type_ = self._entity.model.value
        found = find_history(type_, await self._broker.subscriptions())
        remembered = await self._executor(self._spool.notify_url)
        if found is not None:
            url = notify_url(found) or ""
            if _is_kept(url) and url != remembered:
                await self._executor(self._spool.remember_notify_url, url)
            arrived, self.reason = outcome(found)
            if arrived is None:
                self.state = HistoryState.CONNECTING
            elif arrived:
                self.state = HistoryState.CONNECTED
            else:
                self.state = HistoryState.NOT_NOTIFIED
            return
        if remembered:
            # A broker with a new database knows nothing of it any more.
            await self._broker.subscribe(subscription(type_, remembered))
            _LOGGER.warning(
                "%s had lost the subscription of the history; it is made again",
                self._name,
            )
            self.state, self.reason = HistoryState.CONNECTING, ""
        elif self._history is not None:
            self.state, self.reason = HistoryState.NOT_SUBSCRIBED, ""
        else:
            self.state, self.reason = HistoryState.NOT_USED, ""

    async def _confirm(self, history: QuantumLeap) -> int:
        """Ask for the rows of what was delivered; send what it has not, once."""
        missed = 0
        for _ in range(QUESTIONS):
            records = await self._executor(
                self._spool.unconfirmed, self._now() - GRACE, RECORDS
            )
            if not records:
                break
            times = [record.sample.time for record in records]
            arrived = await history.arrived(
                self._entity.id, self._entity.model.value, times
            )
            missed += await self._executor(self._spool.confirm, records, arrived)
        return missed
