"""What a meter says is drawn, as the arbiter wants it."""

from ..catalog import CHANNELS, Phase
from ..meter import Meter


def powers_of(meter: Meter) -> dict[str | None, float | None]:
    """Return what is drawn by phase, W; None is all of them, their sum if need be."""
    snapshot = meter.snapshot
    powers: dict[str | None, float | None] = {
        phase.value: snapshot.get(CHANNELS[f"active_power_{phase.value.lower()}"])
        for phase in Phase
    }
    total = snapshot.get(CHANNELS["active_power"])
    known = [power for power in powers.values() if power is not None]
    powers[None] = sum(known) if total is None and known else total
    return powers
