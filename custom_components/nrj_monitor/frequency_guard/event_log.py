"""Logbook of a frequency guard: its events, without hiccups of the frequency."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .event import RELAY_KINDS, GuardEvent
from .guard_state import GuardState

HICCUP: Final = 5.0
"""Seconds; an invalid frequency that is over sooner is not worth a line."""


class GuardEventLog:
    """Passes the events of a guard on, an invalid frequency only once it lasts."""

    def __init__(
        self, hass: HomeAssistant, publish: Callable[[GuardEvent], None]
    ) -> None:
        """Pass on to `publish`."""
        self._hass = hass
        self._publish = publish
        self._state: str | None = None
        """State of the guard that was passed on last."""
        self._end_wait: CALLBACK_TYPE | None = None

    @callback
    def add(self, event: GuardEvent) -> None:
        """Add the next event of the guard."""
        if event.kind in RELAY_KINDS:
            self._publish(event)
            return
        was_hiccup = self._end_wait is not None
        if event.kind == GuardState.INVALID:
            if not was_hiccup:
                self._wait(event)
            return
        self.cancel()
        if not was_hiccup or event.kind != self._state:
            self._pass_on(event)

    @callback
    def cancel(self) -> None:
        """Drop an invalid frequency that has not lasted yet."""
        if self._end_wait is not None:
            self._end_wait()
            self._end_wait = None

    def _wait(self, event: GuardEvent) -> None:
        @callback
        def on_end(_: datetime) -> None:
            self._end_wait = None
            self._pass_on(event)

        self._end_wait = async_call_later(self._hass, HICCUP, on_end)

    def _pass_on(self, event: GuardEvent) -> None:
        self._state = event.kind
        self._publish(event)
