"""Delivery by the forwarder: each sample once, in order, through any failure."""

import asyncio
import logging
import sqlite3
import time
from typing import Any

import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.ngsi import (
    delivery_queue as delivery_queue_module,
    forwarder as forwarder_module,
    write_buffer as write_buffer_module,
)
from custom_components.nrj_monitor.ngsi.auth import StaticAuth
from custom_components.nrj_monitor.ngsi.errors import LinkState
from custom_components.nrj_monitor.ngsi.mapping import Api
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Limits, QueueId, Spool
from tests.ngsi.conftest import BEGIN, ID, Forwarding, sample, times
from tests.support.ngsi import NgsiLd, NgsiV2, QuantumLeapServer

TENANT = ("nrj", "/house")


def refuse_sample(number: int) -> Any:
    """Return a rule of the test broker to refuse the sample `number`."""
    return lambda entity: (
        entity.get("totalActivePower", {}).get("value") == float(number)
    )


async def test_a_sample_is_delivered_at_once_as_measured(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Deliver a sample to the configured tenant and service path."""
    forwarder = forwarding.make(orion)
    states: list[str] = []
    remove_listener = forwarder.async_add_listener(
        lambda: states.append(forwarder.status.state)
    )
    forwarder.add_sample(sample(1, frequency=50.02))
    await forwarding.until(lambda: orion.times == times(1), hurry=False)
    kept = orion.entity(ID, *TENANT)
    assert kept["frequency"]["value"] == 50.02
    assert kept["frequency"]["metadata"]["unitCode"]["value"] == "HTZ"
    assert kept["TimeInstant"]["value"] == "2026-09-21T14:13:30.000Z"
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 1)
    assert states[-1] == LinkState.CONNECTED
    remove_listener()
    assert forwarder.status.spool.oldest is None


async def test_a_backlog_is_delivered_in_batches_in_order(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Send a hundred samples a request, with a single request in flight."""
    forwarder = forwarding.make(orion)
    await forwarder.add_history([sample(n) for n in range(250, 0, -1)])
    forwarder.add_sample(sample(300))
    await forwarding.until(lambda: len(orion.times) == 251)
    assert orion.times == times(*range(1, 251), 300)
    assert orion.most_in_flight == 1
    assert orion.requests.count("POST /v2/op/update") <= 4


async def test_a_broker_outage_loses_no_sample(
    forwarding: Forwarding, orion: NgsiV2, caplog: pytest.LogCaptureFixture
) -> None:
    """Log the outage once, and its end once."""
    caplog.set_level(logging.INFO)
    forwarder = forwarding.make(orion)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    await orion.stop()
    for n in range(2, 6):
        forwarder.add_sample(sample(n))
        await asyncio.sleep(0.02)
    await forwarding.until(lambda: forwarder.status.state == "unreachable")
    assert forwarder.status.spool.oldest == times(2)[0]
    failures = forwarder._queues[0].backoff.failures
    await forwarding.until(lambda: forwarder._queues[0].backoff.failures > failures + 2)
    await orion.start()
    await forwarding.until(lambda: len(orion.times) == 5)
    assert orion.times == times(1, 2, 3, 4, 5)
    await forwarding.until(lambda: forwarder.status.state == LinkState.CONNECTED)
    said = [r for r in caplog.records if r.name == forwarder_module.__name__]
    assert [record.levelname for record in said] == ["WARNING", "INFO"]
    assert not any("127.0.0.1" in record.getMessage() for record in said)


@pytest.mark.parametrize("status", [429, 503, 408, 500, 502])
async def test_temporary_failures_are_retried(
    forwarding: Forwarding, orion: NgsiV2, status: int
) -> None:
    """Retry after the pause the broker asked for; make no dead letter."""
    forwarder = forwarding.make(orion)
    orion.status, orion.retry_after = status, "90"
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.error is not None, hurry=False)
    # A pause as long as the broker asked for, where that is its meaning.
    queue = forwarder._queues[0]
    pause = queue.due - forwarding.clock()
    assert 80 < pause < 91 if status in (408, 429, 503) else 0 < pause <= 5
    orion.status = None
    await forwarding.until(lambda: orion.times == times(1))
    assert forwarder.status.spool.dead_letters == 0


async def test_a_batch_with_a_lost_answer_is_not_sent_again(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Ask the broker for a batch stored before the connection broke."""
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 30):
        forwarder.add_sample(sample(n))
    orion.lose_answers = 1
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 29)
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 29)
    forwarder.add_sample(sample(30))
    await forwarding.until(lambda: len(orion.times) == 30)
    assert orion.times == times(*range(1, 31))


async def test_a_lost_request_is_sent_again(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Send a batch again that the broker does not have."""
    forwarder = forwarding.make(orion)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    orion.drop_requests = 1
    forwarder.add_sample(sample(2))
    await forwarding.until(lambda: len(orion.times) == 2)
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 2)
    assert orion.times == times(1, 2)


async def test_records_in_flight_are_resolved_after_a_crash(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Ask for the records in flight at a crash, half of which arrived."""
    first = forwarding.make(orion)
    for n in (1, 2):
        first.add_sample(sample(n))
    await forwarding.until(lambda: len(orion.times) == 2)
    await forwarding.until(lambda: first.status.spool.counts.sent == 2)
    await first.stop()
    spool = Spool(forwarding.folder / "queue.sqlite", Limits(), lambda: forwarding.now)
    spool.open()
    spool.push([sample(3), sample(4)])
    spool.mark_in_flight(spool.head(QueueId.LIVE, 2))
    spool.close()
    forwarding.make(orion)
    await forwarding.until(lambda: len(orion.times) == 4)
    assert orion.times == times(1, 2, 3, 4)


async def test_one_bad_sample_becomes_a_dead_letter_with_its_reason(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Deliver the rest of a batch with a refused sample."""
    orion.refuse = refuse_sample(37)
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 101):
        forwarder.add_sample(sample(n))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 99)
    assert orion.times == times(*(n for n in range(1, 101) if n != 37))
    await forwarding.until(lambda: forwarder.status.spool.dead_letters == 1)
    (aside,) = forwarder.status.dead_letters
    assert (aside.time, aside.reason) == (
        times(37)[0],
        "BadRequest: this one is not liked",
    )
    assert forwarder.status.spool.counts.refused == 1
    assert len(orion.requests) < 25
    assert await forwarder.clear_dead_letters() == 1
    assert forwarder.status.spool.dead_letters == 0


async def test_dead_letters_can_be_deleted_before_the_first_write(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """A person who presses the button at the very start gets an answer, no exception."""
    forwarder = forwarding.make(orion, start=False)
    assert await forwarder.clear_dead_letters() == 0


async def test_samples_wait_for_a_broker_that_refuses_everything(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Stop making dead letters where the probe is refused too."""
    orion.refuse = lambda entity: True
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 51):
        forwarder.add_sample(sample(n))
    forwarder.start()
    await forwarding.until(lambda: forwarder.status.state == "refused")
    refused = forwarder.status.spool.counts.refused
    assert refused < delivery_queue_module.SUSPICIOUS
    orion.refuse = lambda entity: False
    await forwarding.until(lambda: len(orion.times) == 50 - refused)
    assert orion.times == times(*range(refused + 1, 51))


async def test_many_bad_samples_in_a_row_become_dead_letters(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Make dead letters of eight samples where the broker accepts the probe."""
    orion.refuse = lambda entity: (
        entity.get("totalActivePower", {}).get("value", 99.0) <= 8.0
    )
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 13):
        forwarder.add_sample(sample(n))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 4)
    assert orion.times == times(9, 10, 11, 12)
    await forwarding.until(lambda: forwarder.status.spool.counts.refused == 8)
    assert {key[1] for key in orion.tenants[TENANT].entities} == {
        "ThreePhaseAcMeasurement"
    }


async def test_a_too_large_batch_is_split(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Halve batches to the limit of this broker; give up a too large sample."""
    orion.largest = 4000
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 101):
        forwarder.add_sample(sample(n))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 100)
    assert orion.times == times(*range(1, 101))
    orion.largest = 100
    forwarder.add_sample(sample(101))
    await forwarding.until(lambda: forwarder.status.spool.dead_letters == 1)
    assert "too large" in forwarder.status.dead_letters[-1].reason


async def test_requests_stay_below_the_limit_of_the_client(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limit the bytes of a request, except for a single large record."""
    monkeypatch.setattr(delivery_queue_module, "LARGEST_REQUEST", 2000)
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 21):
        forwarder.add_sample(sample(n))
    monster = {f"voltage_harmonic_{n}_l1": 1.0 for n in range(2, 41)}
    forwarder.add_sample(Sample(times(21)[0], monster))
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 21)
    assert sorted(orion.bodies)[-2] < 2200


async def test_the_journal_goes_to_quantumleap_once(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Deliver the journal with its true times, once also after a restart."""
    forwarder = forwarding.make(orion, history=quantumleap)
    forwarder.add_sample(sample(500))
    assert await forwarder.add_history([sample(n) for n in range(1, 301)]) == 300
    assert await forwarder.add_history([sample(n) for n in range(1, 301)]) == 0
    await forwarding.until(lambda: len(quantumleap.times) == 300)
    await forwarding.until(lambda: orion.times == times(500))
    await forwarding.until(lambda: forwarder.status.spool.waiting == 0)
    await forwarder.stop()
    again = forwarding.make(orion, history=quantumleap)
    assert await again.add_history([sample(n) for n in range(200, 303)]) == 2
    await forwarding.until(lambda: len(quantumleap.times) == 302)
    assert quantumleap.times == times(*range(1, 303))
    assert quantumleap.lost == []


async def test_a_lost_answer_of_quantumleap_makes_no_row_twice(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Ask QuantumLeap, which does not detect duplicates, for stored rows."""
    quantumleap.lose_answers = 1
    forwarder = forwarding.make(orion, history=quantumleap)
    await forwarder.add_history([sample(n) for n in range(1, 51)])
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 50)
    quantumleap.drop_requests = 1
    await forwarder.add_history([sample(60)])
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 51)
    assert quantumleap.times == times(*range(1, 51), 60)


async def test_an_outage_of_quantumleap_does_not_delay_live_samples(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Give each queue retry pauses of its own."""
    quantumleap.status = 503
    forwarder = forwarding.make(orion, history=quantumleap)
    await forwarder.add_history([sample(1)])
    forwarder.add_sample(sample(2))
    await forwarding.until(lambda: orion.times == times(2))
    await forwarding.until(lambda: forwarder.status.history == "failing", hurry=False)
    await forwarding.until(lambda: forwarder.status.state == "connected", hurry=False)
    assert forwarder.status.history == "failing"
    quantumleap.status = None
    await forwarding.until(lambda: quantumleap.times == times(1))
    await forwarding.until(lambda: forwarder.status.state == LinkState.CONNECTED)


async def test_without_a_history_server_old_samples_go_before_live_ones(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Never leave an old reading as the latest of the broker."""
    forwarder = forwarding.make(orion)
    forwarder.add_sample(sample(100))
    await forwarding.until(lambda: orion.times == times(100))
    await forwarder.add_history([sample(n) for n in (1, 2, 3)])
    await asyncio.sleep(0.1)
    # An old reading alone would overwrite the newest.
    assert orion.times == times(100)
    forwarder.add_sample(sample(101))
    await forwarding.until(lambda: len(orion.times) == 5)
    assert orion.times == times(100, 1, 2, 3, 101)
    assert orion.entity(ID, *TENANT)["totalActivePower"]["value"] == 101.0


async def test_ngsi_ld_is_sent_one_sample_a_request(
    forwarding: Forwarding, ld: NgsiLd
) -> None:
    """Avoid a batch with the same entity twice, which is not portable."""
    forwarder = forwarding.make(ld, Api.LD, start=False)
    for n in range(1, 6):
        forwarder.add_sample(sample(n))
    ld.lose_answers = 1
    forwarder.start()
    await forwarding.until(lambda: len(ld.times) == 5)
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 5)
    assert ld.times == times(1, 2, 3, 4, 5)
    assert ld.entity(ID)["totalActivePower"]["value"] == 5.0


async def test_a_backlog_for_ngsi_ld_goes_to_the_temporal_interface(
    forwarding: Forwarding, ld: NgsiLd
) -> None:
    """Send the newest sample as the state, all older samples as history."""
    forwarder = forwarding.make(ld, Api.LD, temporal=True, start=False)
    for n in range(10, 20):
        forwarder.add_sample(sample(n))
    ld.lose_answers = 1
    await forwarder.add_history([sample(n) for n in range(1, 5)])
    forwarder.start()
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 14)
    assert ld.instances == times(*range(1, 5), *range(10, 19))
    assert ld.times == times(19)


async def test_a_refusal_by_ngsi_ld_has_its_reason(
    forwarding: Forwarding, ld: NgsiLd
) -> None:
    """Read the reason from an answer with status 207."""
    ld.refuse = refuse_sample(2)
    forwarder = forwarding.make(ld, Api.LD)
    for n in range(1, 4):
        forwarder.add_sample(sample(n))
    await forwarding.until(lambda: len(ld.times) == 2)
    await forwarding.until(lambda: forwarder.status.spool.dead_letters == 1)
    assert forwarder.status.dead_letters[0].reason == "this one is not liked"
    assert ld.times == times(1, 3)


async def test_a_drain_keeps_to_its_rate(forwarding: Forwarding, orion: NgsiV2) -> None:
    """Limit the rate of a backlog, and delay no live sample otherwise."""
    forwarder = forwarding.make(orion, rate=400.0, start=False)
    for n in range(1, 301):
        forwarder.add_sample(sample(n))
    begun = time.monotonic()
    forwarder.start()
    await forwarding.until(lambda: len(orion.times) == 300, hurry=False)
    # Three batches of 100: the third begins half a second after the first.
    assert 0.45 < time.monotonic() - begun < 3.0


async def test_a_wrong_token_waits_for_a_person(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Keep all samples until a person gives a new token."""
    orion.token = "right"
    forwarder = forwarding.make(orion, auth=StaticAuth("wrong"))
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.state == "wrong_token")
    assert forwarder.status.needs_credentials
    await forwarder.stop()
    again = forwarding.make(orion, auth=StaticAuth("right"))
    again.add_sample(sample(2))
    await forwarding.until(lambda: orion.times == times(1, 2))


async def test_send_now_ends_a_pause(forwarding: Forwarding, orion: NgsiV2) -> None:
    """Send at once on request of a person, before the pause is over."""
    orion.status, orion.retry_after = 503, "3000"
    forwarder = forwarding.make(orion)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.state == "busy", hurry=False)
    orion.status = None
    forwarder.send_now()
    await forwarding.until(lambda: orion.times == times(1), hurry=False)


async def test_stopping_takes_less_than_two_seconds_with_a_hanging_broker(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Stop during a request without an answer, and keep every sample."""
    orion.delay = 30.0
    forwarder = forwarding.make(orion)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: bool(orion.requests), hurry=False)
    forwarder.add_sample(sample(2))
    begun = time.monotonic()
    await forwarder.stop()
    assert time.monotonic() - begun < 2.0
    orion.delay = 0.0
    forwarding.make(orion)
    await forwarding.until(lambda: len(orion.times) == 2)
    assert orion.times == times(1, 2)


async def test_a_write_after_the_end_creates_no_file(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Leave a removed spool removed, even by a write already on its way."""
    forwarder = forwarding.make(orion)
    await forwarding.until(lambda: forwarder._buffer.is_open)
    await forwarder.stop()
    for file in forwarding.folder.glob("queue*"):
        file.unlink()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await asyncio.to_thread(forwarder._buffer.write)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await forwarder.add_history([sample(1)])
    assert list(forwarding.folder.glob("queue*")) == []


async def test_a_hanging_disk_does_not_delay_stopping(
    forwarding: Forwarding,
    orion: NgsiV2,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Give up a hanging disk after the limit."""
    forwarder = forwarding.make(orion)
    monkeypatch.setattr(forwarder_module, "STOP_LIMIT", 0.1)
    monkeypatch.setattr(forwarder._buffer, "close", lambda: time.sleep(0.5))
    begun = time.monotonic()
    await forwarder.stop()
    assert time.monotonic() - begun < 0.4
    assert "did not take the last samples" in caplog.text
    monkeypatch.undo()


async def test_a_full_disk_keeps_the_latest_in_memory_and_counts_the_rest(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep the latest samples in memory until the disk works again."""
    monkeypatch.setattr(write_buffer_module, "PENDING_LIMIT", 10)
    monkeypatch.setattr(forwarder_module, "DISK_PAUSE", 0.05)
    forwarder = forwarding.make(orion)
    await forwarding.until(lambda: forwarder._buffer.is_open)
    push = forwarder._spool.push

    def full(samples: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(forwarder._spool, "push", full)
    for n in range(1, 26):
        forwarder.add_sample(sample(n))
    await forwarding.until(lambda: forwarder.status.state == LinkState.NO_STORAGE)
    monkeypatch.setattr(forwarder._spool, "push", push)
    await forwarding.until(lambda: len(orion.times) == 10)
    assert orion.times == times(*range(16, 26))
    await forwarding.until(lambda: forwarder.status.spool.counts.dropped == 15)
    await forwarding.until(lambda: forwarder.status.state == LinkState.CONNECTED)


async def test_samples_merged_while_a_batch_is_made_arrive_in_order(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliver in the order of time where a full spool merges what was just read."""
    forwarder = forwarding.make(orion, limits=Limits(rows=10), start=False)
    for n in range(1, 11):
        forwarder.add_sample(sample(n))
    entity, late = forwarder._mapper.entity, [sample(11)]

    def encode(read: Sample) -> Any:
        if late:
            forwarder._spool.push([late.pop()])
        return entity(read)

    monkeypatch.setattr(forwarder._mapper, "entity", encode)
    forwarder.start()
    await forwarding.until(lambda: times(11) == orion.times[-1:])
    assert orion.times == sorted(set(orion.times))
    await forwarding.until(
        lambda: forwarder.status.spool.counts.sent == len(orion.times)
    )
    counts = forwarder.status.spool.counts
    assert counts.thinned == 11 - len(orion.times) > 0


async def test_a_sample_added_while_the_empty_spool_is_read_is_sent(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Send a sample that came in just after its queue was found empty, without another."""
    forwarder = forwarding.make(orion, start=False)
    next_batch, loop = forwarder._next_batch, asyncio.get_running_loop()
    written, late = asyncio.Event(), [sample(1)]

    async def add() -> None:
        forwarder.add_sample(late.pop())
        while len(forwarder._buffer):
            await asyncio.sleep(0.001)
        written.set()

    def read(queue: Any) -> Any:
        batch = next_batch(queue)
        if late:
            asyncio.run_coroutine_threadsafe(add(), loop).result()
        return batch

    monkeypatch.setattr(forwarder, "_next_batch", read)
    forwarder.start()
    await written.wait()
    await forwarding.until(lambda: orion.times == times(1))


async def test_a_queue_that_begins_on_a_full_disk_sends_to_a_healthy_broker(
    forwarding: Forwarding,
    orion: NgsiV2,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Send from memory until there is a disk; lose and double nothing on its return."""
    monkeypatch.setattr(forwarder_module, "DISK_PAUSE", 0.05)
    # A folder where the file should be: it can be neither opened nor created.
    file = forwarding.folder / "queue.sqlite"
    file.mkdir()
    forwarder = forwarding.make(orion)
    for n in range(1, 4):
        forwarder.add_sample(sample(n))
    await forwarding.until(lambda: orion.times == times(1, 2, 3))
    await forwarding.until(lambda: forwarder.status.state == LinkState.NO_STORAGE)
    await orion.stop()
    forwarder.add_sample(sample(4))
    await forwarding.until(lambda: forwarder.status.spool.waiting == 1)
    file.rmdir()
    await forwarding.until(file.exists)
    await orion.start()
    forwarder.add_sample(sample(5))
    await forwarding.until(lambda: orion.times == times(1, 2, 3, 4, 5))
    await forwarding.until(lambda: forwarder.status.state == LinkState.CONNECTED)
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 5)
    assert forwarder.status.spool.counts.taken == 5
    assert caplog.text.count("cannot be stored") == 1


async def test_a_disk_that_fills_up_stops_nothing_that_is_measured_now(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Send new samples from memory; the stored ones follow when the disk has room."""
    monkeypatch.setattr(forwarder_module, "DISK_PAUSE", 0.05)
    forwarder = forwarding.make(orion)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    pages = forwarder._spool._file._db
    assert pages is not None
    # SQLite's own limit answers as a full disk does.
    used = pages.execute("PRAGMA page_count").fetchone()[0]
    connect = sqlite3.connect

    def full(where: Any, **more: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(where, **more)
        if str(where) != ":memory:":
            made.execute(f"PRAGMA max_page_count = {used}")
        return made

    pages.execute(f"PRAGMA max_page_count = {used}")
    monkeypatch.setattr(sqlite3, "connect", full)
    sent = 1
    while forwarder.status.state != LinkState.NO_STORAGE:
        sent += 1
        forwarder.add_sample(
            sample(
                sent, **{c: 1.5 for c in list(CHANNELS)[:200] if c != "active_power"}
            )
        )
        await asyncio.sleep(0.02)
        assert sent < 300
    await forwarding.until(lambda: orion.times == times(*range(1, sent + 1)))
    monkeypatch.undo()


async def test_a_broker_that_refuses_everything_is_said_once(
    forwarding: Forwarding, orion: NgsiV2, caplog: pytest.LogCaptureFixture
) -> None:
    """Back off further each time, with one request for a test, and one line in the log."""
    orion.refuse = lambda entity: True
    forwarder = forwarding.make(orion, start=False)
    for n in range(1, 200):
        forwarder.add_sample(sample(n))
    forwarder.start()
    await forwarding.until(lambda: forwarder.status.state == "refused")
    seen = len(orion.requests)
    (live,) = forwarder._queues
    failures = live.backoff.failures
    for _ in range(6):
        before = live.backoff.failures
        while live.backoff.failures == before:
            await forwarding.until(lambda: True)
            forwarding.clock.skipped += 400.0
            forwarder.send_now()
            await asyncio.sleep(0.01)
        assert forwarder.status.state == "refused"
    # Each time one record and one probe.
    tries = live.backoff.failures - failures
    assert len(orion.requests) - seen <= 2 * tries + 1
    assert caplog.text.count("takes nothing now") == 1
    assert "is back" not in caplog.text
    orion.refuse = lambda entity: False
    refused = forwarder.status.spool.counts.refused
    await forwarding.until(lambda: len(orion.times) == 199 - refused)
    assert caplog.text.count("is back") == 1


async def test_a_spool_that_fails_while_sending_is_tried_again(
    forwarding: Forwarding,
    orion: NgsiV2,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Retry after a failing disk, and after an unexpected exception."""
    forwarder = forwarding.make(orion)
    await forwarding.until(lambda: forwarder._buffer.is_open)
    next_batch, failures = (
        forwarder._next_batch,
        [sqlite3.OperationalError("x"), KeyError()],
    )

    def fail(queue: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return next_batch(queue)

    monkeypatch.setattr(forwarder, "_next_batch", fail)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    assert "the queue failed: x" in caplog.text
    assert "forwarding failed" in caplog.text


async def test_samples_without_a_forwarded_quantity_are_dropped(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Drop samples stored before other quantities were chosen."""
    forwarder = forwarding.make(orion, start=False)
    forwarder.add_sample(Sample(BEGIN, {"not_known_any_more": 1.0}))
    forwarder.add_sample(sample(1))
    forwarder.add_sample(Sample(BEGIN + 99_999, {"not_known_any_more": 1.0}))
    forwarder.start()
    await forwarding.until(lambda: orion.times == times(1))
    await forwarding.until(lambda: forwarder.status.spool.counts.dropped == 2)


async def test_a_listener_that_fails_is_logged(
    forwarding: Forwarding, orion: NgsiV2, caplog: pytest.LogCaptureFixture
) -> None:
    """Log a failing listener, and call the others."""
    forwarder = forwarding.make(orion)

    def fail() -> None:
        raise KeyError

    forwarder.async_add_listener(fail)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 1)
    assert "A listener of Broker of the test failed" in caplog.text


async def test_a_refused_question_for_arrivals_is_a_failure(
    forwarding: Forwarding, orion: NgsiV2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make no dead letter where the broker refuses a question."""
    forwarder = forwarding.make(orion, start=False)
    forwarder.add_sample(sample(1))
    orion.drop_requests = 1
    forwarder.start()
    await forwarding.until(lambda: forwarder.status.state == "unanswered", hurry=False)
    orion.status = 400
    await forwarding.until(lambda: forwarder.status.state == "refused")
    orion.status = None
    await forwarding.until(lambda: orion.times == times(1))
    assert forwarder.status.spool.counts.refused == 0
