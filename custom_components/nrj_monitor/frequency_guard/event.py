"""What a meter's own guard tells: how the grid is, and what it did with its relays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final, Self

from .guard_state import GuardReason, GuardState

RELAY_KINDS: Final = ("relay_off", "relay_on")
KINDS: Final = (*(state.value for state in GuardState), *RELAY_KINDS)
"""A state the guard turned to, or what it did with a relay."""

REASONS: Final = tuple(reason.value for reason in GuardReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardEvent:
    """One change; `frequency` is in Hz, None where there was none."""

    kind: str
    state: str
    reason: str
    frequency: float | None
    relay: str | None
    id: str | None = None
    """What names it among those of its meter; None of a guard that keeps none."""
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
        """Return it as the attributes of an event."""
        return {
            "state": self.state,
            "reason": self.reason,
            "frequency": self.frequency,
            "relay": self.relay,
            "happened": self.happened.isoformat() if self.happened else None,
        }
