"""Callbacks for updates of a kind."""

from collections.abc import Callable
import logging

from .quiet_log import QuietLog

_LOG = QuietLog(logging.getLogger(__name__), "")

type Unsubscribe = Callable[[], None]


class Listeners[*Ts]:
    """Callbacks for a kind of update, called in the order of their adding.

    A callback may add and remove callbacks while an update is delivered: the change
    counts from the next update on.
    """

    __slots__ = ("_callbacks",)

    def __init__(self) -> None:
        """Start without callbacks."""
        # Replaced, never changed, so an update in delivery keeps its own callbacks.
        self._callbacks: tuple[Callable[[*Ts], None], ...] = ()

    def async_add(self, callback: Callable[[*Ts], None]) -> Unsubscribe:
        """Add a callback; return the function to remove the callback again."""
        self._callbacks = (*self._callbacks, callback)

        def unsubscribe() -> None:
            callbacks = list(self._callbacks)
            callbacks.remove(callback)
            self._callbacks = tuple(callbacks)

        return unsubscribe

    def async_notify(self, *update: *Ts) -> None:
        """Call each callback with an update.

        An exception of a callback is logged and does not reach the other callbacks.
        """
        for callback in self._callbacks:
            try:
                callback(*update)
            except Exception as error:  # noqa: BLE001
                _LOG.exception("A listener of the meter failed", about=type(error))
