"""What is using the power?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..catalog import Phase
from . import Readings, by_phase, total

WORTH_TELLING = 5.0
"""W: what draws less is not what uses the power."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A device that has a power of its own in the energy dashboard, in W.

    One that is `within` another is counted in that one.
    """

    name: str
    power: float
    within: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerAnswer:
    """Where the power goes, in W; positive is drawn from the grid.

    `rest` is what the house draws and no device accounts for, None where that cannot be
    told.
    """

    power: float | None
    phases: dict[Phase, float]
    heaviest: Phase | None
    consumers: tuple[Consumer, ...]
    rest: float | None
    relays_on: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "grid_power_w": self.power,
            "phase_power_w": {str(phase): p for phase, p in self.phases.items()},
            "heaviest_phase": self.heaviest and str(self.heaviest),
            "devices_w": {device.name: device.power for device in self.consumers},
            "not_accounted_for_w": self.rest,
            "relays_on": list(self.relays_on),
        }


def find_use(
    readings: Readings,
    consumers: Iterable[Consumer],
    supplied: float | None,
    relays_on: Sequence[str],
) -> PowerAnswer:
    """Tell where the power goes.

    `supplied` is what solar panels and batteries give to the house in W, negative while
    they take; None if they are there and do not tell. The heaviest phase is the one
    that draws most, None where no phase draws or there is but one.
    """
    power = total(readings, "active_power")
    phases = by_phase(readings, "active_power")
    heaviest = max(phases, key=lambda phase: phases[phase], default=None)
    if heaviest is not None and (len(phases) == 1 or phases[heaviest] < WORTH_TELLING):
        heaviest = None
    drawing = sorted(
        (device for device in consumers if device.power >= WORTH_TELLING),
        key=lambda device: -device.power,
    )
    rest = None
    if drawing and power is not None and supplied is not None:
        counted = sum(device.power for device in drawing if not device.within)
        rest = power + supplied - counted
        rest = rest if rest >= WORTH_TELLING else None
    return PowerAnswer(
        power=power,
        phases=phases,
        heaviest=heaviest,
        consumers=tuple(drawing),
        rest=rest,
        relays_on=tuple(relays_on),
    )
