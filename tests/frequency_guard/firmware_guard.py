"""The firmware's own guard, built for this machine and fed from a test."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import batched

from custom_components.nrj_monitor.frequency_guard.frequency_check import GridSample
from custom_components.nrj_monitor.replay.guards import Change
from nrj_replay.firmware_guard import FirmwareGuard

__all__ = ["Change", "firmware_changes"]


def firmware_changes(
    samples: Iterable[GridSample | int], options: Sequence[str] = ()
) -> list[Change]:
    """Return the changes of the firmware's guard for samples; a bare time is a tick."""
    lines = (
        str(sample)
        if isinstance(sample, int)
        else f"{sample.time_ms} "
        + " ".join(f"{p.voltage!r} {p.frequency!r}" for p in sample.phases)
        for sample in samples
    )
    with closing(FirmwareGuard(options)) as guard:
        return [
            change
            for some in batched(lines, 256, strict=False)
            for change in guard.send(some)
        ]
