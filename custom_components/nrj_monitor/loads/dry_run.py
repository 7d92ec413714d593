"""State of the loads in a dry run: decided, not commanded."""

from collections.abc import Mapping
from typing import Final

from ..control.decision import Decision
from ..control.load import Load
from ..control.supply import Supply
from .managed_device import ManagedDevice


class DryRun:
    """Simulated states of loads, from decisions without commands."""

    def __init__(self, devices: Mapping[str, ManagedDevice]) -> None:
        """Start from the real states of `devices`."""
        self._devices: Final = devices
        self._on: dict[str, bool] = {}
        self._levels: dict[str, float | None] = {}

    def reset(self) -> None:
        """Return to the real states of the loads."""
        self._on.clear()
        self._levels.clear()

    def record_switch(self, load_id: str, on: bool, decision: Decision) -> None:
        """Record the simulated state of a load."""
        self._on[load_id] = on
        self._levels[load_id] = decision.level

    def discard(self, load_id: str) -> None:
        """Return a load to its real state, after somebody switched the load."""
        self._on.pop(load_id, None)
        self._levels.pop(load_id, None)

    def is_on(self, load_id: str) -> bool | None:
        """Return whether a load would be on; None while unknown."""
        return self._on.get(load_id, self._devices[load_id].is_on)

    def level(self, load_id: str) -> float | None:
        """Return the simulated power level of a load, W; None without levels."""
        if load_id in self._on:
            return self._levels.get(load_id)
        return self._devices[load_id].level

    def powers(
        self, measured: Mapping[Supply, float | None], loads: Mapping[str, Load]
    ) -> dict[Supply, float | None]:
        """Return the simulated powers, W, from those `measured`."""
        powers = dict(measured)
        for id_, on in self._on.items():
            load = loads[id_]
            drawn = (self.level(id_) if on else None) or load.nominal_power
            more = int(on) - int(bool(self._devices[id_].is_on))
            for part, power in powers.items():
                if more and power is not None:
                    powers[part] = power + more * drawn * load.share_of(part)
        return powers
