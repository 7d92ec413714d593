"""Parity of Home Assistant's guard with the firmware's, sample for sample."""

from collections.abc import Iterable
from math import isnan, nan

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    FrequencyLimits,
    GridSample,
    PhaseSample,
)
from custom_components.nrj_monitor.frequency_guard.guard import (
    FrequencyGuard,
    GuardSettings,
)
from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from tests.control.recordings import RECORDINGS, Recorded
from tests.frequency_guard.firmware_guard import Change, firmware_changes


def python_changes(
    samples: Iterable[GridSample | int], guard_settings: GuardSettings
) -> list[Change]:
    """Return the states of Home Assistant's guard over samples."""
    guard = FrequencyGuard(guard_settings)
    changes: list[Change] = []
    known: tuple[object, ...] = (0, False, False)
    for sample in samples:
        if isinstance(sample, int):
            guard.tick(sample)
            now_ms = sample
        else:
            guard.sample(sample)
            now_ms = sample.time_ms
        seen = (guard.changes, guard.may_restore, guard.had_outage)
        if seen != known:
            known = seen
            changes.append(
                Change(
                    now_ms,
                    guard.state,
                    guard.reason,
                    f"{guard.frequency:.17g}",
                    guard.may_restore,
                    guard.had_outage,
                )
            )
    return changes


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("recorded", RECORDINGS, ids=lambda recorded: recorded.name)
def test_both_decide_alike_on_recordings(recorded: Recorded, profile: str) -> None:
    """Both guards agree for each profile, suitable for the grid or not."""
    samples = list(recorded.samples())
    silence = recorded.silence_ms
    ours = python_changes(
        samples,
        GuardSettings(
            profile=PROFILES[profile],
            limits=FrequencyLimits(
                nominal_voltage=recorded.nominal_voltage, silence_ms=silence
            ),
        ),
    )
    theirs = firmware_changes(
        samples,
        [
            *("--profile", profile),
            *("--nominal-voltage", repr(recorded.nominal_voltage)),
            *("--silence", str(silence)),
        ],
    )
    assert ours == theirs
    assert ours, "something must have been decided"


hertz = st.one_of(
    st.floats(44, 66),
    st.sampled_from([49.9, 49.8, 49.6, 49.2, 50.1, 50.2, 50.02, 50.0, 59.9, 48.0]),
    st.just(nan),
)
volts = st.one_of(st.just(230.0), st.floats(0, 400), st.just(nan))
segment = st.tuples(hertz, volts, st.integers(1, 400), st.sampled_from([20, 200, 997]))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(segment, min_size=1, max_size=25),
    st.sampled_from(sorted(PROFILES)),
    st.sampled_from([0.0, 0.013]),
    st.sampled_from([0.0, 0.5]),
    st.randoms(use_true_random=False),
)
def test_both_decide_alike_on_anything(
    segments: list[tuple[float, float, int, int]],
    profile: str,
    spread: float,
    rate_of_change: float,
    random: object,
) -> None:
    """Steps, ramps, losses, silences and disagreeing phases in any order."""
    samples: list[GridSample | int] = []
    now_ms, before = 0, 50.0
    for target, voltage, count, interval in segments:
        for i in range(1, count + 1):
            now_ms += interval
            value = (
                before + (target - before) * i / count if not isnan(before) else target
            )
            noise = random.gauss(0, 0.004)  # type: ignore[attr-defined]
            other = random.choice([voltage, 0.0])  # type: ignore[attr-defined]
            if count % 7 == 3 and i % 2:
                samples.append(now_ms)
                continue
            samples.append(
                GridSample(
                    now_ms,
                    (
                        PhaseSample(voltage, value + noise),
                        PhaseSample(other, value),
                        PhaseSample(voltage, value - noise),
                    ),
                )
            )
        before = target
    ours = python_changes(
        samples,
        GuardSettings(
            profile=PROFILES[profile], spread=spread, rate_of_change=rate_of_change
        ),
    )
    theirs = firmware_changes(
        samples,
        [
            *("--profile", profile),
            *("--spread", repr(spread)),
            *("--rate-of-change", repr(rate_of_change)),
        ],
    )
    assert ours == theirs
