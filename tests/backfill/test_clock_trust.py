"""The system's clock is judged by its steps and by the meter's uptime."""

import pytest

from custom_components.nrj_monitor.backfill import clock_trust
from custom_components.nrj_monitor.backfill.clock_trust import ClockTrust

NOW = 1_795_000_000.0
DAY = 24 * 3600.0
BOOT_SETTLES = 600.0


@pytest.fixture(autouse=True)
def settling_machine(monkeypatch: pytest.MonkeyPatch, settled_clock: None) -> None:
    """Let the clock settle after Home Assistant's start."""
    monkeypatch.setattr(clock_trust, "BOOT_SETTLES", BOOT_SETTLES)


@pytest.mark.parametrize(
    ("now", "watched", "not_before", "trusted", "firm"),
    [
        pytest.param(NOW, 30.0, 0.0, False, False, id="just started"),
        pytest.param(NOW, BOOT_SETTLES, 0.0, True, False, id="settled"),
        pytest.param(NOW, DAY, 0.0, True, True, id="long running"),
        pytest.param(100.0, DAY, 0.0, False, False, id="1970"),
        pytest.param(NOW, DAY, NOW + 3600, False, False, id="before the last save"),
    ],
)
def test_clock_without_a_step_is_trusted_once_it_has_settled(
    now: float, watched: float, not_before: float, *, trusted: bool, firm: bool
) -> None:
    """Nothing else tells whether a clock is right, however long the machine runs."""
    clock = ClockTrust(now - watched, DAY, not_before)
    assert clock.is_trusted(now, DAY + watched) is trusted
    assert clock.is_firm(now, DAY + watched) is firm


def test_clock_that_agrees_with_a_known_start_is_trusted_at_once() -> None:
    """The meter ran on while the machine was restarted."""
    clock = ClockTrust(NOW, 30.0)
    assert clock.judge(-3.0, NOW, 30.0, is_firm=True) is None
    assert clock.is_firm(NOW, 30.0)


def test_step_is_dated_anew_once_a_page_has_told_of_it() -> None:
    """In between nothing is trusted, and shortly after nothing either."""
    clock = ClockTrust(NOW - BOOT_SETTLES, 1000.0 - BOOT_SETTLES)
    assert clock.is_trusted(NOW, 1000.0)
    clock.look(NOW + 7200 + 10, 1010.0)
    assert not clock.is_trusted(NOW + 7200 + 10, 1010.0)
    step = clock.judge(7200.0, NOW + 7200 + 11, 1011.0, is_firm=False)
    assert step == pytest.approx(7200.0)
    assert not clock.is_trusted(NOW + 7200 + 11, 1011.0)
    assert clock.is_trusted(NOW + 7400, 1200.0)


def test_suspended_machine_dates_nothing_anew() -> None:
    """The meter's uptime went on with the clock."""
    clock = ClockTrust(NOW - BOOT_SETTLES, 1000.0 - BOOT_SETTLES)
    later = NOW + 8 * 3600
    assert clock.judge(0.5, later, 1000.0, is_firm=False) is None
    assert clock.is_trusted(later, 1000.0)


def test_suspension_counts_as_time_of_a_clock_that_was_not_set() -> None:
    """A clock that is watched for long need not settle after it."""
    clock = ClockTrust(NOW, 1000.0)
    assert not clock.is_trusted(NOW, 1000.0)
    assert clock.judge(0.0, NOW + BOOT_SETTLES, 1000.0, is_firm=False) is None
    assert clock.is_trusted(NOW + BOOT_SETTLES, 1000.0)


@pytest.mark.parametrize(("step", "expected"), [(300.0, None), (-300.0, -300.0)])
def test_step_seen_first_by_a_new_start_is_a_suspension_if_it_can_be(
    step: float, expected: float | None
) -> None:
    """No time goes back while a machine is suspended."""
    clock = ClockTrust(NOW - BOOT_SETTLES, 1000.0 - BOOT_SETTLES)
    judged = clock.judge(None, NOW + step, 1000.0, is_firm=False)
    assert judged == expected


def test_steps_that_cancel_are_none() -> None:
    """A clock that was set wrongly and back at once has dated nothing."""
    clock = ClockTrust(NOW - BOOT_SETTLES, 1000.0 - BOOT_SETTLES)
    clock.look(NOW + 86400, 1000.0)
    clock.look(NOW + 1, 1001.0)
    assert clock.is_trusted(NOW + 1, 1001.0)


def test_drift_between_two_looks_is_no_step() -> None:
    """A second of tolerance is taken anew at each look."""
    clock = ClockTrust(NOW - BOOT_SETTLES, 1000.0 - BOOT_SETTLES)
    for minute in range(100):
        clock.look(NOW + minute * 60.5, 1000.0 + minute * 60)
        assert clock.is_trusted(NOW + minute * 60.5, 1000.0 + minute * 60)


def test_clock_that_contradicts_a_known_start_is_not_trusted_until_it_lasts() -> None:
    """A correction ends the dispute at once; without one the clock is right in an hour."""
    clock = ClockTrust(NOW - 4 * 3600, 30.0)
    assert clock.judge(-4 * 3600.0, NOW - 4 * 3600, 30.0, is_firm=True) is None
    assert not clock.is_trusted(NOW - 4 * 3600 + 3000, 3030.0)
    assert not clock.has_outlasted(NOW - 4 * 3600 + 3000, 3030.0)
    assert clock.has_outlasted(NOW - 4 * 3600 + 3600, 3630.0)
    step = clock.judge(0.0, NOW + 60, 90.0, is_firm=True)
    assert step == pytest.approx(4 * 3600.0)
    assert clock.is_trusted(NOW + 60, 90.0)


def test_clock_of_a_firm_start_that_is_set_wrongly_is_disputed() -> None:
    """The meter's uptime counts, not the hand that set the clock."""
    clock = ClockTrust(NOW, DAY)
    assert clock.judge(0.0, NOW, DAY, is_firm=True) is None
    wrong = NOW + 30 * DAY
    assert clock.judge(30 * DAY, wrong, DAY, is_firm=True) == pytest.approx(30 * DAY)
    assert clock.begin_period(wrong) == NOW
    assert not clock.is_trusted(wrong + 1800, DAY + 1800)
    assert clock.judge(0.0, NOW + 1800, DAY + 1800, is_firm=True) is not None
    assert clock.is_trusted(NOW + 1800, DAY + 1800)


def test_dispute_is_ended() -> None:
    """A clock that has outlasted it is right from then on."""
    clock = ClockTrust(NOW - 3600, DAY - 3600, not_before=NOW + DAY)
    assert clock.is_disputed(NOW)
    clock.begin_period(NOW)
    clock.end_dispute()
    assert clock.is_trusted(NOW, DAY)
