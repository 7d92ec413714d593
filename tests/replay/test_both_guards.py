"""The held recordings, played whole: the firmware's guard and its twin lead to the same decisions."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    FrequencyLimits,
)
from custom_components.nrj_monitor.frequency_guard.guard import GuardSettings
from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from custom_components.nrj_monitor.replay.guards import TwinGuard
from custom_components.nrj_monitor.replay.house import default_house
from custom_components.nrj_monitor.replay.moments import Row
from custom_components.nrj_monitor.replay.recording import Recording
from custom_components.nrj_monitor.replay.replay import Replay
from nrj_replay.firmware_guard import FirmwareGuard
from tests.control.recordings import RECORDINGS, TOLEDO, Recorded

STEPS = {5000: 2000, 1000: 33}
"""Usual step of a recording, ms, by its longest silence."""


def rows_of(recorded: Recorded) -> Iterator[Row]:
    """Yield the samples of a recording as rows, with an hour missing in the middle."""
    samples = list(recorded.samples())
    for number, sample in enumerate(samples):
        gap = 4_000_000 if number > len(samples) / 2 else 0
        yield Row(
            sample.time_ms + gap,
            sample.phases[0].frequency,
            tuple(phase.voltage for phase in sample.phases),
            (),
        )


@pytest.mark.parametrize("spread", [0.0, 0.02])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("recorded", RECORDINGS, ids=lambda recorded: recorded.name)
def test_both_lead_to_the_same_decisions(
    recorded: Recorded, profile: str, spread: float
) -> None:
    """Print the same lines for each profile, suitable for the grid or not."""

    def recording() -> Recording:
        return Recording((), STEPS[recorded.silence_ms], rows_of(recorded))

    silence = recording().silence_ms
    limits = FrequencyLimits(
        nominal_voltage=recorded.nominal_voltage, silence_ms=silence
    )
    twin = TwinGuard(
        GuardSettings(profile=PROFILES[profile], limits=limits, spread=spread)
    )
    options = [
        *("--profile", profile),
        *("--nominal-voltage", repr(recorded.nominal_voltage)),
        *("--silence", str(silence)),
        *("--spread", repr(spread)),
    ]
    with closing(FirmwareGuard(options)) as firmware:
        ours = Replay(recording(), default_house(), twin)
        theirs = Replay(recording(), default_house(), firmware)
        assert list(ours.lines()) == list(theirs.lines())
    assert ours.summary() == theirs.summary()


def test_a_recording_without_its_own_decisions_would_prove_nothing() -> None:
    """Find sheds in the recorded blackout that both guards are compared on."""
    limits = FrequencyLimits(nominal_voltage=27600.0, silence_ms=TOLEDO.silence_ms)
    twin = TwinGuard(GuardSettings(limits=limits))
    replay = Replay(Recording((), 2000, rows_of(TOLEDO)), default_house(), twin)
    assert any(line["action"] == "shed" and line["switched"] for line in replay.lines())
