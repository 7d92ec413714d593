"""Decisions of the guard, beyond parity with the firmware."""

from collections.abc import Iterator
from dataclasses import replace

from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    FrequencyLimits,
    GridSample,
    PhaseSample,
)
from custom_components.nrj_monitor.frequency_guard.guard import (
    FrequencyGuard,
    GuardSettings,
)
from custom_components.nrj_monitor.frequency_guard.guard_profile import (
    PROFILES,
    Threshold,
)
from custom_components.nrj_monitor.frequency_guard.guard_state import (
    GuardReason,
    GuardState,
)
from custom_components.nrj_monitor.frequency_guard.stuck_filter import StuckFilter

EUROPE = GuardSettings(profile=PROFILES["continental_europe"])


class Grid:
    """A grid sampled fifty times a second."""

    def __init__(self, guard: FrequencyGuard) -> None:
        """Create a guard for the grid."""
        self.guard = guard
        self.now_ms = 0

    def says(self, state: GuardState) -> bool:
        """Return whether the guard reports `state`."""
        return self.guard.state is state

    def run(self, seconds: float, hertz: float, volts: float = 230.0) -> None:
        """Sample a frequency for `seconds`."""
        for _ in range(round(seconds * 50)):
            self.now_ms += 20
            phase = PhaseSample(volts, hertz)
            self.guard.sample(GridSample(self.now_ms, (phase,) * 3))


def started(guard_settings: GuardSettings = EUROPE) -> Grid:
    """Return a guarded grid after a long time of normal frequency."""
    grid = Grid(FrequencyGuard(guard_settings))
    grid.run(11, 50.0)
    assert grid.says(GuardState.NORMAL)
    return grid


def states(grid: Grid, *course: tuple[float, float]) -> Iterator[GuardState]:
    """Yield the state after each stretch of seconds and hertz."""
    for seconds, hertz in course:
        grid.run(seconds, hertz)
        yield grid.guard.state


def test_a_restart_keeps_the_shed_and_absorbs_nothing() -> None:
    """The state of before holds until ten seconds of a frequency, then a minute."""
    grid = Grid(FrequencyGuard(EUROPE, kept=GuardState.SHED_2))
    assert grid.guard.held_state is GuardState.SHED_2
    assert grid.guard.reason is GuardReason.START
    assert list(states(grid, (9.9, 50.0), (1, 50.0), (51, 50.0))) == [
        GuardState.INVALID,
        GuardState.SHED_2,
        GuardState.NORMAL,
    ]
    assert grid.guard.may_restore
    grid.run(60, 50.3)
    assert grid.says(GuardState.NORMAL)
    assert grid.guard.is_absorbing_locked(grid.now_ms)
    grid.run(15 * 60, 50.3)
    assert grid.says(GuardState.ABSORB_2)
    assert grid.guard.frequency == 50.3
    again = FrequencyGuard(EUROPE, kept=GuardState.ABSORB_2)
    assert again.held_state is GuardState.NORMAL


def test_absorbing_ends_when_it_is_over() -> None:
    """Stage by stage up, and half a minute below the release threshold down."""
    grid = started()
    assert list(
        states(grid, (9, 50.12), (2, 50.12), (2, 50.25), (29, 50.0), (2, 50.0))
    ) == [
        GuardState.NORMAL,
        GuardState.ABSORB_1,
        GuardState.ABSORB_2,
        GuardState.ABSORB_2,
        GuardState.NORMAL,
    ]
    assert grid.guard.reason is GuardReason.RELEASED


def test_an_island_restores_below_its_inhibition() -> None:
    """Loads may come back at 49.7 Hz though nothing new is to start below 49.8."""
    grid = started(GuardSettings(profile=PROFILES["island_50"]))
    assert list(states(grid, (3, 49.2), (121, 49.75), (121, 49.9))) == [
        GuardState.SHED_1,
        GuardState.INHIBIT,
        GuardState.NORMAL,
    ]


def test_new_thresholds_begin_anew() -> None:
    """The state stays until they say otherwise."""
    grid = started()
    grid.run(0.9, 49.7)
    profile = replace(
        PROFILES["continental_europe"],
        under=(
            Threshold(49.95, 1000),
            Threshold(49.94, 1000),
            Threshold(49.93, 1000),
            Threshold(49.92, 1000),
        ),
    )
    grid.guard.set_profile(profile)
    grid.run(0.9, 49.7)
    assert grid.says(GuardState.NORMAL)
    grid.run(0.5, 49.7)
    assert grid.says(GuardState.SHED_3)


def test_a_minute_without_voltage_is_an_outage() -> None:
    """An outage stays reported until cleared."""
    grid = started()
    grid.run(59, 47.0, volts=10.0)
    assert grid.guard.reason is GuardReason.NO_VOLTAGE
    had = [grid.guard.had_outage]
    grid.run(2, 47.0, volts=10.0)
    had.append(grid.guard.had_outage)
    grid.guard.clear_outage()
    grid.run(1, 50.0)
    had.append(grid.guard.had_outage)
    assert had == [False, True, False]


def test_silence_is_no_frequency() -> None:
    """After a second without samples a tick makes the state invalid."""
    grid = started()
    grid.guard.tick(grid.now_ms + 900)
    assert grid.says(GuardState.NORMAL)
    grid.guard.tick(grid.now_ms + 1100)
    assert grid.says(GuardState.INVALID)
    assert grid.guard.reason is GuardReason.SILENT
    assert grid.guard.changes > 1


def test_a_fall_is_told_by_its_rate_where_that_is_wanted() -> None:
    """At 0.4 Hz/s the first stage comes before its threshold."""
    grid = started(replace(EUROPE, rate_of_change=0.3))
    for step in range(40):
        grid.run(0.02, 50.0 - 0.008 * step)
    assert grid.says(GuardState.SHED_1)
    assert grid.guard.reason is GuardReason.RATE_OF_CHANGE


def test_what_no_grid_can_be_is_none() -> None:
    """Out of range, without a number, or the phases telling different things."""
    for first, second, reason in (
        (56.0, 56.0, GuardReason.OUT_OF_RANGE),
        (float("nan"), float("nan"), GuardReason.NO_FREQUENCY),
        (50.0, 50.1, GuardReason.PHASES_DISAGREE),
    ):
        guard = FrequencyGuard(replace(EUROPE, limits=FrequencyLimits()))
        for cycle in range(2):
            guard.sample(
                GridSample(
                    20 * cycle, (PhaseSample(230.0, first), PhaseSample(230.0, second))
                )
            )
        assert guard.reason is reason


def test_a_frequency_that_stands_still_is_none() -> None:
    """Thirty times the same over a minute is not measured; rare news is."""
    stuck = StuckFilter()
    told = [stuck.filter(50.01, float(second)) for second in range(70)]
    assert told[:60] == [50.01] * 60
    assert all(value != value for value in told[60:])  # noqa: PLR0124
    assert stuck.filter(50.02, 70.0) == 50.02
    rare = StuckFilter()
    assert [rare.filter(50.0, 100.0 * n) for n in range(10)] == [50.0] * 10
