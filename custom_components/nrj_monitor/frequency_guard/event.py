"""Events of a meter's own frequency guard: changes of its state and of relays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import re
from typing import Any, Final, Self

from ..catalog import CHANNELS
from ..device_number import LONGEST, number_name, whole_number
from ..device_text import one_line
from ..reading_gate import is_possible
from .guard_state import GuardReason, GuardState

RELAY_KINDS: Final = ("relay_off", "relay_on")
KINDS: Final = (*(state.value for state in GuardState), *RELAY_KINDS)
"""New states of the guard, and switching of relays."""

LONGEST_AGO: Final = 10 * 365 * 86400 * 1000
"""Milliseconds before its message at which an event may have happened."""

CODE: Final = re.compile(r"[a-z_]{1,40}")
"""Reasons are codes; later firmware may have others."""

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
            ValueError: something is missing, unknown or beyond its range.
        """
        try:
            state = GuardState(data["state"]).value
            what = data["what"]
            if what not in ("state", "relay"):
                raise ValueError(f"unknown kind {what!r}")
            hertz = float(data["frequency"][:LONGEST])
            if CODE.fullmatch(data["reason"]) is None:
                raise ValueError(f"unknown reason {data['reason'][:LONGEST]!r}")
            is_on = data["on"] == "1"
            ago = data.get("happened_ms_ago")
            return cls(
                kind=RELAY_KINDS[is_on] if what == "relay" else state,
                state=state,
                reason=data["reason"],
                frequency=hertz if is_possible(CHANNELS["frequency"], hertz) else None,
                relay=one_line(data["relay"]) or None if what == "relay" else None,
                id=(
                    f"{number_name(data['boot'])}-{whole_number(data['number'])}"
                    if "number" in data
                    else None
                ),
                happened=(
                    now - timedelta(milliseconds=whole_number(ago, LONGEST_AGO))
                    if now and ago
                    else None
                ),
            )
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error

    def attributes(self) -> dict[str, Any]:
        """Return the event as attributes of an event entity."""
        return {
            "state": self.state,
            "reason": self.reason,
            "frequency": self.frequency,
            "relay": self.relay,
            "happened": self.happened.isoformat() if self.happened else None,
        }
