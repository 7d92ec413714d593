"""The rule of silence: who tells nothing for longer than its own rhythm explains."""

import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.sources.mqtt import _Topics
from custom_components.nrj_monitor.sources.mqtt_layouts import Readings, decoder
from custom_components.nrj_monitor.sources.silence import (
    MOST_TELLERS,
    SilenceWatch,
    needs_news,
)
from custom_components.nrj_monitor.sources.timeout import (
    INITIAL,
    INTERVALS,
    MINIMUM,
    AdaptiveTimeout,
)


def told(*times: float) -> AdaptiveTimeout:
    """Return the timeout of a source that told at these times, s."""
    timeout = AdaptiveTimeout(0.0)
    for time in times:
        timeout.update(time)
    return timeout


@pytest.mark.parametrize("pause", [5.0, 30.0, 60.0, 300.0])
def test_a_source_is_timed_out_after_three_of_its_pauses(pause: float) -> None:
    """Before it has a rhythm, two and a half minutes are waited for."""
    assert told(0.0, pause).deadline() == pause + INITIAL
    timeout = told(*(pause * index for index in range(20)))
    assert timeout.deadline() == 19 * pause + INTERVALS * pause


def test_a_fast_source_has_ten_seconds() -> None:
    """Twelve messages a second make no shorter silence than this."""
    timeout = told(*(index / 12 for index in range(200)))
    assert timeout.deadline() == pytest.approx(199 / 12 + MINIMUM)


def test_messages_in_bursts_have_the_rhythm_of_the_bursts() -> None:
    """Thirty topics that come together once a minute are no fast source."""
    times = [60.0 * burst + topic / 100 for burst in range(6) for topic in range(30)]
    timeout = told(*times)
    assert timeout.deadline() == pytest.approx(times[-1] + INTERVALS * 60.0, abs=2.0)


def test_a_pause_is_forgotten_once_the_source_is_faster() -> None:
    """A source that told once a minute and tells each second has ten seconds again."""
    slow = [60.0 * index for index in range(20)]
    fast = [slow[-1] + index for index in range(1, 60 * 17)]
    assert told(*slow, *fast).deadline() == fast[-1] + MINIMUM


def test_an_outage_is_no_rhythm() -> None:
    """After two hours of silence the next silence is noticed as soon as the first."""
    times = [float(index) for index in range(60)]
    again = [7300.0 + index for index in range(15)]
    assert told(*times, *again).deadline() == again[-1] + MINIMUM
    assert told(0.0, *again).deadline() == again[-1] + MINIMUM, "nor is the first one"


def test_a_source_that_becomes_slower_is_learnt_anew() -> None:
    """It is not silent again and again for ever."""
    times = [float(index) for index in range(60)]
    slow = [59.0 + 60.0 * index for index in range(1, 8)]
    assert told(*times, *slow).deadline() == slow[-1] + INTERVALS * 60.0


def test_each_teller_falls_silent_by_itself() -> None:
    """It is told once, and is there again with the first report."""
    watch = SilenceWatch()
    watch.expect("late", 0.0)
    for second in range(200):
        assert not watch.update("fast", second)
        assert watch.pop_fallen(second) == (["late"] if second == INITIAL + 1 else [])
    assert set(watch.silent) == {"late"}
    assert watch.update("late", 200.0)
    assert not watch.update("late", 201.0)
    assert not watch.silent
    assert watch.pop_fallen(199.0 + MINIMUM + 0.1) == ["fast"]


def test_no_more_tellers_are_watched_than_a_meter_has() -> None:
    """A wildcard may match the topics of a whole town."""
    watch = SilenceWatch()
    for number in range(2 * MOST_TELLERS):
        assert not watch.update(str(number), 0.0)
    assert len(watch.pop_fallen(INITIAL + 1)) == MOST_TELLERS


def test_a_counter_says_something_without_news() -> None:
    """What was counted was counted; a power is one of now."""
    assert needs_news(CHANNELS["active_power"])
    assert not needs_news(CHANNELS["import_energy"])


def test_a_joined_value_is_not_made_of_a_topic_that_is_silent() -> None:
    """What a dead topic told is forgotten, and said to be stale."""
    power, voltage = CHANNELS["active_power"], CHANNELS["voltage_l1"]
    decode = decoder(
        "mapped",
        {
            "active_power": {
                "path": {"topic": "in", "path": "w"},
                "minus": {"topic": "out", "path": "w"},
            },
            "voltage_l1": {"topic": "in", "path": "u"},
        },
    )
    topics = _Topics(decode)

    def tell(topic: str, message: str, now: float) -> Readings:
        readings = decode(message.encode(), topic)
        topics.update(topic, readings, now)
        return readings

    assert tell("in", '{"w": 900, "u": 231}', 0.0) == {voltage: 231}
    assert tell("out", '{"w": 200}', 1.0) == {power: 700}
    for second in range(2, 200):
        assert tell("in", '{"w": 900, "u": 231}', second)[voltage] == 231
        stale = topics.pop_stale(second)
        assert stale == ({power} if second == INITIAL + 2 else set())
    assert tell("in", '{"w": 900, "u": 231}', 200.0) == {voltage: 231}
    assert tell("out", '{"w": 100}', 201.0) == {power: 800}
    _Topics(decode)
    assert tell("in", '{"w": 900, "u": 231}', 202.0) == {voltage: 231}, "a new link"
