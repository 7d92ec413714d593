"""How the loads would be in a dry run, in which nothing is touched."""

from collections.abc import Mapping
from typing import Final

from ..control.decision import Decision
from ..control.load import Load
from ..control.supply import Supply
from .managed_device import ManagedDevice


class DryRun:
    """What was decided and not carried out."""

    def __init__(self, devices: Mapping[str, ManagedDevice]) -> None:
        """Begin with the loads as they are."""
        self._devices: Final = devices
        self._on: dict[str, bool] = {}
        self._levels: dict[str, float | None] = {}

    def reset(self) -> None:
        """Begin anew with the loads as they are."""
        self._on.clear()
        self._levels.clear()

    def record_switch(self, load_id: str, on: bool, decision: Decision) -> None:
        """Take a load as switched."""
        self._on[load_id] = on
        self._levels[load_id] = decision.level

    def discard(self, load_id: str) -> None:
        """Take a load as it is: somebody has switched it."""
        self._on.pop(load_id, None)
        self._levels.pop(load_id, None)

    def is_on(self, load_id: str) -> bool | None:
        """Return whether a load would be on; None where it does not say."""
        return self._on.get(load_id, self._devices[load_id].is_on)

    def level(self, load_id: str) -> float | None:
        """Return what a load would be set to, W; None where it has no levels."""
        if load_id in self._on:
            return self._levels.get(load_id)
        return self._devices[load_id].level

    def powers(
        self, measured: Mapping[Supply, float | None], loads: Mapping[str, Load]
    ) -> dict[Supply, float | None]:
        """Return what would be drawn, W by phase; `measured` is what is drawn."""
        powers = dict(measured)
        for id_, on in self._on.items():
            load = loads[id_]
            drawn = (self.level(id_) if on else None) or load.nominal_power
            more = int(on) - int(bool(self._devices[id_].is_on))
            for part, power in powers.items():
                if more and power is not None:
                    powers[part] = power + more * drawn * load.share_of(part)
        return powers
