"""Events of a meter's own frequency guard: changes of its state and of relays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final, Self

from .guard_state import GuardReason, GuardState

RELAY_KINDS: Final = ("relay_off", "relay_on")
KINDS: Final = (*(state.value for state in GuardState), *RELAY_KINDS)
"""New states of the guard, and switching of relays."""

REASONS: Final = tuple(reason.value for reason in GuardReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardEvent:
    """A change of state or relay; `frequency` is in Hz, None while invalid."""

    kind: str
    state: str
    reason: str
    frequency: float | None
    relay: str | None
    id: str | None = None
    """Identity among the events of the meter; None for older firmware."""
    happened: datetime | None = None

    @classmethod
    def from_device(cls, data: Mapping[str, str], now: datetime | None = None) -> Self:
        """Read the data of the firmware's event `esphome.nrj_guard`, told at `now`.

        Raises:
            ValueError: something is missing or unknown.
        """
        try:
            state = GuardState(data["state"]).value
            what = data["what"]
            if what not in ("state", "relay"):
                raise ValueError(f"unknown kind {what!r}")
            hertz = float(data["frequency"])
            is_on = data["on"] == "1"
            ago = data.get("happened_ms_ago")
            return cls(
                kind=RELAY_KINDS[is_on] if what == "relay" else state,
                state=state,
                reason=data["reason"],
                frequency=hertz if isfinite(hertz) else None,
                relay=(data["relay"] or None) if what == "relay" else None,
                id=f"{data['boot']}-{data['number']}" if "number" in data else None,
                happened=(
                    now - timedelta(milliseconds=int(ago)) if now and ago else None
                ),
            )
        except (KeyError, OverflowError) as error:
            raise ValueError(f"{error} is missing or too large") from error

    def attributes(self) -> dict[str, Any]:
        """Return the event as attributes of an event entity."""
        return {
            "state": self.state,
            "reason": self.reason,
            "frequency": self.frequency,
            "relay": self.relay,
            "happened": self.happened.isoformat() if self.happened else None,
        }
