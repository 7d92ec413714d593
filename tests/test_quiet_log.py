"""A thousand bad messages are a line of the log, and later one with a count."""

import logging

import pytest

from custom_components.nrj_monitor.quiet_log import KNOWN, QuietLog, Repetitions

LOGGER = logging.getLogger("custom_components.nrj_monitor.test")


def test_a_thing_is_said_once_and_then_less_and_less_often() -> None:
    """After a minute, ten minutes, and each hour, with the number since."""
    told = Repetitions()
    said = {
        second: count
        for second in range(4 * 3600)
        if (count := told.add("bad", float(second))) is not None
    }
    assert said == {0: 1, 60: 60, 660: 600, 4260: 3600, 7860: 3600, 11460: 3600}


def test_what_stayed_away_for_an_hour_is_news_again() -> None:
    """It is said at once."""
    told = Repetitions()
    assert [told.add("bad", at) for at in (0.0, 1.0, 3602.0, 3603.0)] == [
        1,
        None,
        1,
        None,
    ]


def test_the_memory_is_bounded() -> None:
    """The thing that is longest ago is forgotten first."""
    told = Repetitions()
    for number in range(KNOWN + 1):
        assert told.add(number, 0.0) == 1
    assert told.add(KNOWN, 1.0) is None
    assert told.add(0, 1.0) == 1


def test_a_thousand_bad_events_are_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    """One at the first, one with the number of all others once a minute is over."""
    now = [0.0]
    log = QuietLog(LOGGER, "meter", clock=lambda: now[0])
    for _ in range(1000):
        log.warning("An event of %s is left out: %s", "the meter", ValueError("x"))
    now[0] = 61.0
    log.warning("An event of %s is left out: %s", "the meter", ValueError("y"))
    assert [record.getMessage() for record in caplog.records] == [
        "An event of the meter is left out: x",
        "An event of the meter is left out: y (1000 times since)",
    ]


def test_what_is_of_another_meter_or_about_something_else_is_told_apart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bad meter hides nothing of a good one, even if it is set up anew."""
    caplog.set_level(logging.INFO)
    for of in ("one", "two", "one"):
        log = QuietLog(LOGGER, of)
        log.info("Left alone: %d", 1, about="a")
        log.info("Left alone: %d", 1, about="b")
    assert len(caplog.records) == 4


def test_texts_and_numbers_of_any_length_make_no_long_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Numbers that are some are written as such."""
    log = QuietLog(LOGGER, "meter")
    log.error("%s %s %d %.1f", "x" * 10**6, 10**400, 5, 0.25)
    (record,) = caplog.records
    assert len(record.getMessage()) < 500
    assert record.getMessage().endswith("… 5 0.2")


def test_an_exception_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody has foreseen it, so its place matters."""
    log = QuietLog(LOGGER, "meter")
    try:
        int("x")
    except ValueError:
        log.exception("A listener failed")
    (record,) = caplog.records
    assert record.exc_info is not None
