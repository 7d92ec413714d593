"""Assessment of the power use: which devices use the power?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..catalog import Phase
from . import Readings, by_phase, total

MIN_POWER = 5.0
"""Watts below which a device or phase is not worth mentioning."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Device with a power sensor in the energy dashboard, W.

    The power of an upstream device includes that of a device with `is_included`.
    """

    name: str
    power: float
    is_included: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerUse:
    """Power use of the house, W; positive is drawn from the grid.

    `rest` is the power of the house that no device accounts for, None where unknown.
    """

    power: float | None
    phases: dict[Phase, float]
    heaviest: Phase | None
    consumers: tuple[Consumer, ...]
    rest: float | None
    relays_on: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the power use as JSON data."""
        return {
            "grid_power_w": self.power,
            "phase_power_w": {str(phase): p for phase, p in self.phases.items()},
            "heaviest_phase": self.heaviest and str(self.heaviest),
            "devices_w": {device.name: device.power for device in self.consumers},
            "not_accounted_for_w": self.rest,
            "relays_on": list(self.relays_on),
        }


def assess_power_use(
    readings: Readings,
    consumers: Iterable[Consumer],
    supplied: float | None,
    relays_on: Sequence[str],
) -> PowerUse:
    """Assess the power use by the latest readings and the devices' powers.

    `supplied` is the power of solar panels and batteries in W, negative while they
    charge; None if they exist without a known power. The heaviest phase draws most; None
    where no phase draws or there is only one.
    """
    power = total(readings, "active_power")
    phases = by_phase(readings, "active_power")
    heaviest = max(phases, key=lambda phase: phases[phase], default=None)
    if heaviest is not None and (len(phases) == 1 or phases[heaviest] < MIN_POWER):
        heaviest = None
    drawing = sorted(
        (device for device in consumers if device.power >= MIN_POWER),
        key=lambda device: -device.power,
    )
    rest = None
    if drawing and power is not None and supplied is not None:
        counted = sum(device.power for device in drawing if not device.is_included)
        rest = power + supplied - counted
        rest = rest if rest >= MIN_POWER else None
    return PowerUse(
        power=power,
        phases=phases,
        heaviest=heaviest,
        consumers=tuple(drawing),
        rest=rest,
        relays_on=tuple(relays_on),
    )
