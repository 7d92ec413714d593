"""Energy of a load: not drawn while shed, absorbed, and drawn again afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Self

from .decision import Activity

WATT_SECONDS_PER_KWH = 3.6e6

NOT_DRAWN = frozenset(
    {
        Activity.SHED,
        Activity.RESTORING,
        Activity.HELD,
        Activity.LOST,
        Activity.CUT_OFF,
        Activity.OVERRIDDEN,
    }
)
ABSORBED = frozenset({Activity.ABSORBING, Activity.SURPLUS})


@dataclass(slots=True)
class EnergyAccount:
    """Totals of one load in kWh; totals never fall.

    `shed` is the energy that a requested load would have drawn at its expected power;
    `absorbed` the energy drawn because the arbiter started the load; `restored` the
    energy drawn after the return, up to `owed`, which is shed and not restored yet.
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
        """Add `seconds` at the powers `expected` and `drawn`, W, to the total they concern."""
        if not on and requested_on and activity in NOT_DRAWN:
            energy = expected * seconds / WATT_SECONDS_PER_KWH
            self.shed += energy
            self.owed += energy
        elif on and activity in ABSORBED:
            self.absorbed += drawn * seconds / WATT_SECONDS_PER_KWH
        elif on and self.owed > 0:
            energy = min(self.owed, drawn * seconds / WATT_SECONDS_PER_KWH)
            self.restored += energy
            self.owed -= energy

    def as_dict(self) -> dict[str, float]:
        """Return the totals as JSON can store them."""
        return {
            "shed": self.shed,
            "absorbed": self.absorbed,
            "restored": self.restored,
            "owed": self.owed,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, float]) -> Self:
        """Return the account stored by `as_dict`.

        Raises ValueError for a total that is negative or not finite.
        """
        totals = {name: float(value) for name, value in stored.items()}
        if not all(isfinite(value) and value >= 0 for value in totals.values()):
            raise ValueError(f"{totals} kWh are no totals of a load")
        return cls(**totals)
