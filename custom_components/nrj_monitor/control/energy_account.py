"""How much energy a load was denied, took up for others, and had again afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from .decision import Activity

WATT_SECONDS_PER_KWH = 3.6e6

DENIED = frozenset(
    {
        Activity.SHED,
        Activity.RESTORING,
        Activity.HELD,
        Activity.LOST,
        Activity.CUT_OFF,
        Activity.OVERRIDDEN,
    }
)
TAKEN_UP = frozenset({Activity.ABSORBING, Activity.SURPLUS})


@dataclass(slots=True)
class EnergyAccount:
    """Totals in kWh; they only rise.

    `shed` is what a load that was wanted on would have drawn at its expected power;
    `absorbed` is what it drew because it was started; `restored` is what it drew after
    it came back, up to what it had been denied.
    """

    shed: float = 0.0
    absorbed: float = 0.0
    restored: float = 0.0
    owed: float = 0.0

    def add(
        self,
        activity: Activity,
        *,
        requested_on: bool,
        on: bool,
        expected: float,
        drawn: float,
        seconds: float,
    ) -> None:
        """Let `seconds` pass; powers in W."""
        if not on and requested_on and activity in DENIED:
            energy = expected * seconds / WATT_SECONDS_PER_KWH
            self.shed += energy
            self.owed += energy
        elif on and activity in TAKEN_UP:
            self.absorbed += drawn * seconds / WATT_SECONDS_PER_KWH
        elif on and self.owed > 0:
            energy = min(self.owed, drawn * seconds / WATT_SECONDS_PER_KWH)
            self.restored += energy
            self.owed -= energy

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON can store it."""
        return {
            "shed": self.shed,
            "absorbed": self.absorbed,
            "restored": self.restored,
            "owed": self.owed,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, float]) -> Self:
        """Read what `as_dict` wrote."""
        return cls(**stored)
