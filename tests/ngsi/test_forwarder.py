"""Everything measured arrives: once, in order, whatever happens on the way."""

import asyncio
import logging
import sqlite3
import time
from typing import Any

import pytest

from custom_components.nrj_monitor.ngsi import (
    delivery_queue as lane_module,
    forwarder as forwarder_module,
    write_buffer as intake_module,
)
from custom_components.nrj_monitor.ngsi.auth import StaticAuth
from custom_components.nrj_monitor.ngsi.forwarder import CONNECTED, NO_STORAGE
from custom_components.nrj_monitor.ngsi.mapping import Api
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Limits, Spool
from tests.ngsi.conftest import BEGIN, ID, Forwarding, sample, times
from tests.support.ngsi import NgsiLd, NgsiV2, QuantumLeapServer

TENANT = ("nrj", "/house")


def is_bad(number: int) -> Any:
    """Return a broker's dislike of one measurement."""
    return lambda entity: (
        entity.get("totalActivePower", {}).get("value") == float(number)
    )


async def test_a_sample_goes_at_once_and_is_in_the_broker_as_measured(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """In the tenant and path that were asked for."""
    forwarder = forwarding.make(orion)
    told: list[str] = []
    unlisten = forwarder.listen(lambda: told.append(forwarder.told.state))
    forwarder.offer(sample(1, frequency=50.02))
    await forwarding.until(lambda: orion.times == times(1), hurry=False)
    kept = orion.entity(ID, *TENANT)
    assert kept["frequency"]["value"] == 50.02
    assert kept["frequency"]["metadata"]["unitCode"]["value"] == "HTZ"
    assert kept["TimeInstant"]["value"] == "2026-09-21T14:13:30.000Z"
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 1)
    assert told[-1] == CONNECTED
    unlisten()
    assert forwarder.told.status.oldest is None


async def test_a_backlog_goes_in_batches_in_the_order_of_measurement(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """One request at a time, a hundred samples each."""
    forwarder = forwarding.make(orion)
    await forwarder.history([sample(n) for n in range(250, 0, -1)])
    forwarder.offer(sample(300))
    await forwarding.until(lambda: len(orion.times) == 251)
    assert orion.times == times(*range(1, 251), 300)
    assert orion.most_in_flight == 1
    assert orion.requests.count("POST /v2/op/update") <= 4


async def test_a_broker_that_is_away_loses_nothing(
    forwarding: Forwarding, orion: NgsiV2, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once when it goes, once when it is back."""
    caplog.set_level(logging.INFO)
    forwarder = forwarding.make(orion)
    forwarder.offer(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    await orion.stop()
    for n in range(2, 6):
        forwarder.offer(sample(n))
        await asyncio.sleep(0.02)
    await forwarding.until(lambda: forwarder.told.state == "unreachable")
    assert forwarder.told.status.oldest == times(2)[0]
    failures = forwarder._lanes[0].backoff.failures
    await forwarding.until(lambda: forwarder._lanes[0].backoff.failures > failures + 2)
    await orion.start()
    await forwarding.until(lambda: len(orion.times) == 5)
    assert orion.times == times(1, 2, 3, 4, 5)
    await forwarding.until(lambda: forwarder.told.state == CONNECTED)
    said = [r for r in caplog.records if r.name == forwarder_module.__name__]
    assert [record.levelname for record in said] == ["WARNING", "INFO"]
    assert not any("127.0.0.1" in record.getMessage() for record in said)


@pytest.mark.parametrize("status", [429, 503, 408, 500, 502])
async def test_everything_temporary_is_tried_again(
    forwarding: Forwarding, orion: NgsiV2, status: int
) -> None:
    """And nothing is set aside for it."""
    forwarder = forwarding.make(orion)
    orion.status, orion.retry_after = status, "90"
    forwarder.offer(sample(1))
    await forwarding.until(lambda: forwarder.told.error is not None, hurry=False)
    # A pause as long as the broker asked for, where that is its meaning.
    lane = forwarder._lanes[0]
    pause = lane.due - forwarding.clock()
    assert 80 < pause < 91 if status in (408, 429, 503) else 0 < pause <= 5
    orion.status = None
    await forwarding.until(lambda: orion.times == times(1))
    assert forwarder.told.status.set_aside == 0


async def test_an_answer_that_was_lost_is_asked_for_not_sent_again(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """The broker had taken the batch when the connection broke."""
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 30):
        forwarder.offer(sample(n))
    orion.lose_answers = 1
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 29)
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 29)
    forwarder.offer(sample(30))
    await forwarding.until(lambda: len(orion.times) == 30)
    assert orion.times == times(*range(1, 31))


async def test_a_request_that_was_lost_is_sent_again(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """The broker had not taken it, and says so when asked."""
    forwarder = forwarding.make(orion)
    forwarder.offer(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    orion.drop_requests = 1
    forwarder.offer(sample(2))
    await forwarding.until(lambda: len(orion.times) == 2)
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 2)
    assert orion.times == times(1, 2)


async def test_a_process_that_died_while_sending_asks_first(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """What its spool marked as being sent may be there: here half of it is."""
    first = forwarding.make(orion)
    for n in (1, 2):
        first.offer(sample(n))
    await forwarding.until(lambda: len(orion.times) == 2)
    await forwarding.until(lambda: first.told.status.counts.sent == 2)
    await first.stop()
    spool = Spool(forwarding.folder / "queue.sqlite", Limits(), lambda: forwarding.now)
    spool.open()
    spool.push([sample(3), sample(4)])
    spool.sending(spool.head(0, 2))
    spool.close()
    forwarding.make(orion)
    await forwarding.until(lambda: len(orion.times) == 4)
    assert orion.times == times(1, 2, 3, 4)


async def test_the_one_bad_sample_is_set_aside_with_its_reason(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """All others arrive; a batch with it is applied not at all."""
    orion.refuse = is_bad(37)
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 101):
        forwarder.offer(sample(n))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 99)
    assert orion.times == times(*(n for n in range(1, 101) if n != 37))
    await forwarding.until(lambda: forwarder.told.status.set_aside == 1)
    (aside,) = forwarder.told.refused
    assert (aside.time, aside.reason) == (
        times(37)[0],
        "BadRequest: this one is not liked",
    )
    assert forwarder.told.status.counts.refused == 1
    assert len(orion.requests) < 25
    assert await forwarder.empty_set_aside() == 1
    assert forwarder.told.status.set_aside == 0


async def test_a_broker_that_refuses_everything_gets_nothing_to_refuse(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """It is not the samples that are bad then: they wait."""
    orion.refuse = lambda entity: True
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 51):
        forwarder.offer(sample(n))
    forwarder.start()
    await forwarding.until(lambda: forwarder.told.state == "refused")
    refused = forwarder.told.status.counts.refused
    assert refused < forwarder_module.SUSPICIOUS
    orion.refuse = lambda entity: False
    await forwarding.until(lambda: len(orion.times) == 50 - refused)
    assert orion.times == times(*range(refused + 1, 51))


async def test_many_bad_samples_in_a_row_are_found_where_the_broker_is_good(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """The probe tells the two apart."""
    orion.refuse = lambda entity: (
        entity.get("totalActivePower", {}).get("value", 99.0) <= 8.0
    )
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 13):
        forwarder.offer(sample(n))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 4)
    assert orion.times == times(9, 10, 11, 12)
    await forwarding.until(lambda: forwarder.told.status.counts.refused == 8)
    assert {key[1] for key in orion.tenants[TENANT].entities} == {
        "ThreePhaseAcMeasurement"
    }


async def test_a_batch_that_is_too_large_is_split(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """By what this broker takes, not by what another would."""
    orion.largest = 4000
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 101):
        forwarder.offer(sample(n))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 100)
    assert orion.times == times(*range(1, 101))
    orion.largest = 100
    forwarder.offer(sample(101))
    await forwarding.until(lambda: forwarder.told.status.set_aside == 1)
    assert "too large" in forwarder.told.refused[-1].reason


async def test_requests_stay_below_their_own_limit(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single record may be larger."""
    monkeypatch.setattr(lane_module, "LARGEST_REQUEST", 2000)
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 21):
        forwarder.offer(sample(n))
    monster = {f"voltage_harmonic_{n}_l1": 1.0 for n in range(2, 41)}
    forwarder.offer(Sample(times(21)[0], monster))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 21)
    assert sorted(orion.bodies)[-2] < 2200


async def test_the_journal_goes_to_quantumleap_once(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """With its true times, while live readings go to the broker; also after a restart."""
    forwarder = forwarding.make(orion, history=quantumleap)
    forwarder.offer(sample(500))
    assert await forwarder.history([sample(n) for n in range(1, 301)]) == 300
    assert await forwarder.history([sample(n) for n in range(1, 301)]) == 0
    await forwarding.until(lambda: len(quantumleap.times) == 300)
    await forwarding.until(lambda: orion.times == times(500))
    await forwarding.until(lambda: forwarder.told.status.waiting == 0)
    await forwarder.stop()
    again = forwarding.make(orion, history=quantumleap)
    assert await again.history([sample(n) for n in range(200, 303)]) == 2
    await forwarding.until(lambda: len(quantumleap.times) == 302)
    assert quantumleap.times == times(*range(1, 303))
    assert quantumleap.lost == []


async def test_a_lost_answer_of_quantumleap_makes_no_row_twice(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """It does not look for doubles itself, so it is asked."""
    quantumleap.lose_answers = 1
    forwarder = forwarding.make(orion, history=quantumleap)
    await forwarder.history([sample(n) for n in range(1, 51)])
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 50)
    quantumleap.drop_requests = 1
    await forwarder.history([sample(60)])
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 51)
    assert quantumleap.times == times(*range(1, 51), 60)


async def test_a_quantumleap_that_is_away_holds_up_nothing_live(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Each has its own pauses."""
    quantumleap.status = 503
    forwarder = forwarding.make(orion, history=quantumleap)
    await forwarder.history([sample(1)])
    forwarder.offer(sample(2))
    await forwarding.until(lambda: orion.times == times(2))
    assert forwarder.told.state == "busy"
    quantumleap.status = None
    await forwarding.until(lambda: quantumleap.times == times(1))
    await forwarding.until(lambda: forwarder.told.state == CONNECTED)


async def test_without_a_place_of_its_own_history_comes_before_what_is_live(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """And never leaves an old reading as the broker's latest."""
    forwarder = forwarding.make(orion)
    forwarder.offer(sample(100))
    await forwarding.until(lambda: orion.times == times(100))
    await forwarder.history([sample(n) for n in (1, 2, 3)])
    await asyncio.sleep(0.1)
    # An old reading alone would overwrite the newest.
    assert orion.times == times(100)
    forwarder.offer(sample(101))
    await forwarding.until(lambda: len(orion.times) == 5)
    assert orion.times == times(100, 1, 2, 3, 101)
    assert orion.entity(ID, *TENANT)["totalActivePower"]["value"] == 101.0


async def test_ngsi_ld_takes_one_sample_a_request(
    forwarding: Forwarding, ld: NgsiLd
) -> None:
    """The same entity twice in a batch is not portable."""
    forwarder = forwarding.make(ld, Api.LD, start=False)
    for n in range(1, 6):
        forwarder.offer(sample(n))
    ld.lose_answers = 1
    forwarder.start()
    await forwarding.until(lambda: len(ld.times) == 5)
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 5)
    assert ld.times == times(1, 2, 3, 4, 5)
    assert ld.entity(ID)["totalActivePower"]["value"] == 5.0


async def test_ngsi_ld_with_a_temporal_interface_takes_a_backlog_there(
    forwarding: Forwarding, ld: NgsiLd
) -> None:
    """The newest is the state, all before it are its history; the journal's too."""
    forwarder = forwarding.make(ld, Api.LD, temporal=True, start=False)
    for n in range(10, 20):
        forwarder.offer(sample(n))
    ld.lose_answers = 1
    await forwarder.history([sample(n) for n in range(1, 5)])
    forwarder.start()
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 14)
    assert ld.instances == times(*range(1, 5), *range(10, 19))
    assert ld.times == times(19)


async def test_ngsi_ld_tells_in_words_which_sample_it_refuses(
    forwarding: Forwarding, ld: NgsiLd
) -> None:
    """Status 207, with the reason inside."""
    ld.refuse = is_bad(2)
    forwarder = forwarding.make(ld, Api.LD)
    for n in range(1, 4):
        forwarder.offer(sample(n))
    await forwarding.until(lambda: len(ld.times) == 2)
    await forwarding.until(lambda: forwarder.told.status.set_aside == 1)
    assert forwarder.told.refused[0].reason == "this one is not liked"
    assert ld.times == times(1, 3)


async def test_a_drain_keeps_to_its_rate(forwarding: Forwarding, orion: NgsiV2) -> None:
    """And live readings are not held up when there is no backlog."""
    forwarder = forwarding.make(orion, rate=400.0, start=False)
    for n in range(1, 301):
        forwarder.offer(sample(n))
    begun = time.monotonic()
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 300, hurry=False)
    # Three batches of 100: the third begins half a second after the first.
    assert 0.45 < time.monotonic() - begun < 3.0


async def test_a_wrong_token_waits_for_a_person(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Nothing is lost meanwhile."""
    orion.token = "right"
    forwarder = forwarding.make(orion, auth=StaticAuth("wrong"))
    forwarder.offer(sample(1))
    await forwarding.until(lambda: forwarder.told.state == "wrong_token")
    assert forwarder_module.needs_credentials(forwarder.told)
    await forwarder.stop()
    again = forwarding.make(orion, auth=StaticAuth("right"))
    again.offer(sample(2))
    await forwarding.until(lambda: orion.times == times(1, 2))


async def test_send_now_waits_for_no_pause(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """A person who knows that the broker is back need not wait."""
    orion.status, orion.retry_after = 503, "3000"
    forwarder = forwarding.make(orion)
    forwarder.offer(sample(1))
    await forwarding.until(lambda: forwarder.told.state == "busy", hurry=False)
    orion.status = None
    forwarder.send_now()
    await forwarding.until(lambda: orion.times == times(1), hurry=False)


async def test_stopping_takes_less_than_two_seconds_whatever_hangs(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """The broker does not answer; what was measured until the end is kept."""
    orion.delay = 30.0
    forwarder = forwarding.make(orion)
    forwarder.offer(sample(1))
    await forwarding.until(lambda: bool(orion.requests), hurry=False)
    forwarder.offer(sample(2))
    begun = time.monotonic()
    await forwarder.stop()
    assert time.monotonic() - begun < 2.0
    orion.delay = 0.0
    forwarding.make(orion)
    await forwarding.until(lambda: len(orion.times) == 2)
    assert orion.times == times(1, 2)


async def test_a_disk_that_hangs_does_not_hold_up_the_end(
    forwarding: Forwarding,
    orion: NgsiV2,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is given up after a second."""
    forwarder = forwarding.make(orion)
    monkeypatch.setattr(forwarder_module, "STOP_LIMIT", 0.1)
    monkeypatch.setattr(forwarder._intake, "close", lambda: time.sleep(0.5))
    begun = time.monotonic()
    await forwarder.stop()
    assert time.monotonic() - begun < 0.4
    assert "did not take the last samples" in caplog.text
    monkeypatch.undo()


async def test_a_full_disk_keeps_the_latest_in_memory_and_counts_the_rest(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it takes them again."""
    monkeypatch.setattr(intake_module, "PENDING_LIMIT", 10)
    monkeypatch.setattr(forwarder_module, "DISK_PAUSE", 0.05)
    forwarder = forwarding.make(orion)
    await forwarding.until(lambda: forwarder._intake.is_open)
    push = forwarder._spool.push

    def full(samples: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(forwarder._spool, "push", full)
    for n in range(1, 26):
        forwarder.offer(sample(n))
    await forwarding.until(lambda: forwarder.told.state == NO_STORAGE)
    monkeypatch.setattr(forwarder._spool, "push", push)
    await forwarding.until(lambda: len(orion.times) == 10)
    assert orion.times == times(*range(16, 26))
    await forwarding.until(lambda: forwarder.told.status.counts.dropped == 15)
    await forwarding.until(lambda: forwarder.told.state == CONNECTED)


async def test_a_queue_that_fails_while_sending_is_tried_again(
    forwarding: Forwarding,
    orion: NgsiV2,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And a mistake in the code does not end the forwarding either."""
    forwarder = forwarding.make(orion)
    await forwarding.until(lambda: forwarder._intake.is_open)
    prepare, failures = forwarder._prepare, [sqlite3.OperationalError("x"), KeyError()]

    def fail(lane: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return prepare(lane)

    monkeypatch.setattr(forwarder, "_prepare", fail)
    forwarder.offer(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    assert "the queue failed: x" in caplog.text
    assert "forwarding failed" in caplog.text


async def test_samples_without_anything_to_tell_are_dropped(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """They were taken before another choice of quantities was made."""
    forwarder = forwarding.make(orion, start=False)
    forwarder.offer(Sample(BEGIN, {"not_known_any_more": 1.0}))
    forwarder.offer(sample(1))
    forwarder.offer(Sample(BEGIN + 99_999, {"not_known_any_more": 1.0}))
    forwarder.start()
    await forwarding.until(lambda: orion.times == times(1))
    await forwarding.until(lambda: forwarder.told.status.counts.dropped == 2)


async def test_a_listener_that_fails_is_logged(
    forwarding: Forwarding, orion: NgsiV2, caplog: pytest.LogCaptureFixture
) -> None:
    """The others hear all the same."""
    forwarder = forwarding.make(orion)

    def fail() -> None:
        raise KeyError

    forwarder.listen(fail)
    forwarder.offer(sample(1))
    await forwarding.until(lambda: forwarder.told.status.counts.sent == 1)
    assert "A listener of Broker of the test failed" in caplog.text


async def test_a_question_that_is_refused_is_a_failure_like_any_other(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is set aside for it."""
    forwarder = forwarding.make(orion, start=False)
    forwarder.offer(sample(1))
    orion.drop_requests = 1
    forwarder.start()
    await forwarding.until(lambda: forwarder.told.state == "unanswered", hurry=False)
    orion.status = 400
    await forwarding.until(lambda: forwarder.told.state == "refused")
    orion.status = None
    await forwarding.until(lambda: orion.times == times(1))
    assert forwarder.told.status.counts.refused == 0
