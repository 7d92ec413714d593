"""The history behind a broker: told of everything, or sent what it missed, once."""

import sqlite3
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.nrj_monitor.ngsi import spool as spool_module
from custom_components.nrj_monitor.ngsi.auth import StaticAuth
from custom_components.nrj_monitor.ngsi.broker import V2Broker
from custom_components.nrj_monitor.ngsi.http import Server
from custom_components.nrj_monitor.ngsi.mapping import Api
from custom_components.nrj_monitor.ngsi.subscription import (
    ensure,
    find_history,
    outcome,
    subscription,
)
from tests.ngsi.conftest import HEADERS, TYPE, Forwarding, sample, times
from tests.support.ngsi import NgsiV2, QuantumLeapServer

TENANT = ("nrj", "/house")


@pytest.fixture
def client(session: ClientSession, orion: NgsiV2) -> V2Broker:
    """Return a client of the broker, in the tenant of the forwarder."""
    return V2Broker(Server(session, orion.url, StaticAuth(), headers=HEADERS[Api.V2]))


async def a_minute_later(forwarding: Forwarding, orion: NgsiV2) -> None:
    """Wait for the notifications, and make what was sent old enough for a check."""
    await orion.notified()
    forwarding.now += 60_000


def notify(server: QuantumLeapServer) -> str:
    """Return the address of notifications of a history."""
    return f"{server.url}/v2/notify"


async def test_what_an_away_history_missed_is_sent_to_it_once(
    forwarding: Forwarding,
    orion: NgsiV2,
    quantumleap: QuantumLeapServer,
    client: V2Broker,
) -> None:
    """Say that notifications fail while the broker is connected; send the rest after."""
    await ensure(client, TYPE, notify(quantumleap))
    forwarder = forwarding.make(orion, history=quantumleap, check=True)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: quantumleap.times == times(1))
    await forwarding.until(lambda: forwarder.status.history == "connected")
    await quantumleap.stop()
    for n in range(2, 6):
        forwarder.add_sample(sample(n))
    await forwarding.until(lambda: orion.times == times(1, 2, 3, 4, 5))
    await a_minute_later(forwarding, orion)
    await forwarding.until(lambda: forwarder.status.history == "failing")
    await forwarding.until(lambda: forwarder.status.state == "connected")
    await quantumleap.start()
    await forwarding.until(lambda: sorted(quantumleap.times) == times(1, 2, 3, 4, 5))
    forwarder.add_sample(sample(6))
    await forwarding.until(lambda: forwarder.status.history == "connected")
    await forwarding.until(lambda: times(6)[0] in quantumleap.times)
    await a_minute_later(forwarding, orion)
    await forwarding.until(lambda: not forwarder._spool.unconfirmed(2**60, 99))
    assert sorted(quantumleap.times) == times(1, 2, 3, 4, 5, 6)
    assert forwarder._spool.unconfirmed(2**60, 99) == []


async def test_a_history_whose_database_was_down_has_everything_after(
    forwarding: Forwarding,
    orion: NgsiV2,
    quantumleap: QuantumLeapServer,
    client: V2Broker,
) -> None:
    """Trust no answer of 500 to a notification, which Orion calls a success."""
    await ensure(client, TYPE, notify(quantumleap))
    forwarder = forwarding.make(orion, history=quantumleap, check=True)
    quantumleap.database_is_down = True
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: orion.times == times(1))
    await a_minute_later(forwarding, orion)
    await forwarding.until(lambda: forwarder.status.history != "connecting")
    assert forwarder.status.history in ("not_notified", "failing")
    quantumleap.database_is_down = False
    await forwarding.until(lambda: quantumleap.times == times(1))


async def test_without_its_address_a_failing_history_is_told(
    forwarding: Forwarding,
    orion: NgsiV2,
    quantumleap: QuantumLeapServer,
    client: V2Broker,
) -> None:
    """Watch the broker's subscription where the history itself is not known."""
    await ensure(client, TYPE, notify(quantumleap))
    forwarder = forwarding.make(orion, check=True)
    await quantumleap.stop()
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.history == "not_notified")
    assert forwarder.status.history_reason
    await forwarding.until(lambda: forwarder.status.state == "connected")
    assert forwarder._spool.unconfirmed(2**60, 99) == []


async def test_a_broker_with_a_new_database_is_subscribed_again(
    forwarding: Forwarding,
    orion: NgsiV2,
    quantumleap: QuantumLeapServer,
    client: V2Broker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Make a subscription that is gone again, over a restart, and send what was missed."""
    await ensure(client, TYPE, notify(quantumleap))
    forwarder = forwarding.make(orion, history=quantumleap, check=True)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.history == "connected")
    await orion.notified()
    await forwarder.stop()
    orion.tenants.clear()
    forwarder = forwarding.make(orion, history=quantumleap, check=True)
    forwarder.add_sample(sample(2))
    await forwarding.until(
        lambda: TENANT in orion.tenants and bool(orion.tenants[TENANT].subscriptions)
    )
    await a_minute_later(forwarding, orion)
    (made,) = orion.tenants[TENANT].subscriptions.values()
    assert made["notification"]["http"]["url"] == notify(quantumleap)
    forwarder.add_sample(sample(3))
    await forwarding.until(lambda: sorted(quantumleap.times) == times(1, 2, 3))
    await forwarding.until(lambda: forwarder.status.history == "connected")
    assert caplog.text.count("made again") == 1


async def test_a_history_nobody_subscribed_is_told_and_filled(
    forwarding: Forwarding, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Send what the broker does not tell it of."""
    forwarder = forwarding.make(orion, history=quantumleap, check=True)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.history == "not_subscribed")
    await forwarding.until(lambda: orion.times == times(1))
    await a_minute_later(forwarding, orion)
    await forwarding.until(lambda: quantumleap.times == times(1))


async def test_without_a_history_nothing_is_said(
    forwarding: Forwarding, orion: NgsiV2
) -> None:
    """Keep silent where neither a subscription nor an address is known."""
    forwarder = forwarding.make(orion, check=True)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 1)
    assert forwarder.status.history == "not_used"


async def test_what_waits_for_a_confirmation_is_bounded(
    forwarding: Forwarding,
    orion: NgsiV2,
    quantumleap: QuantumLeapServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Give up the oldest, and what was damaged meanwhile."""
    monkeypatch.setattr(spool_module, "UNCONFIRMED_LIMIT", 3)
    await quantumleap.stop()
    forwarder = forwarding.make(orion, history=quantumleap, check=True)
    for n in range(1, 6):
        forwarder.add_sample(sample(n))
    await forwarding.until(lambda: forwarder.status.spool.counts.sent == 5)
    spool = forwarder._spool
    assert [r.sample.time for r in spool.unconfirmed(2**60, 99)] == times(3, 4, 5)
    await forwarder.stop()
    damaged = sqlite3.connect(forwarding.folder / "queue.sqlite")
    damaged.execute("UPDATE unconfirmed SET body = '{' WHERE time = ?", times(4))
    damaged.commit()
    damaged.close()
    spool.open()
    assert [r.sample.time for r in spool.unconfirmed(2**60, 99)] == times(3, 5)
    spool.close()


@pytest.mark.parametrize("host", ["\ud800", "é", "x" * 3000])
async def test_an_address_that_cannot_be_stored_is_not_remembered(
    forwarding: Forwarding, orion: NgsiV2, client: V2Broker, host: str
) -> None:
    """Leave the queue as it is, whatever a broker lists."""
    await ensure(client, TYPE, f"http://{host}/v2/notify")
    forwarder = forwarding.make(orion, check=True)
    forwarder.add_sample(sample(1))
    await forwarding.until(lambda: forwarder.status.history != "not_used")
    assert forwarder._spool.notify_url() is None
    assert not list(forwarding.folder.glob("*.damaged"))


URL = "http://quantumleap:8668/v2/notify"


def listed(url: str = URL, type_: str = TYPE, **told: Any) -> dict[str, Any]:
    """Return a subscription as a broker lists it."""
    made = subscription(type_, url)
    return made | {"id": "1", "notification": made["notification"] | told}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (listed("http://127.0.0.1:8668/v2/notify"), True),
        (listed("http://localhost/ql/v2/notify"), True),
        (listed("http://x/v2/notify/elsewhere"), False),
        (listed("http://[bad/v2/notify"), False),
        (listed(type_="Other"), False),
        ({"notification": [], "subject": 5}, False),
        ({"subject": {"entities": {}}, "notification": {"http": {"url": 5}}}, False),
    ],
)
def test_a_history_is_known_by_what_it_is_notified_of(other: Any, same: bool) -> None:
    """Compare the type and the path; the host has many spellings."""
    assert (find_history(TYPE, [other]) is other) is same


@pytest.mark.parametrize(
    ("status", "told", "arrived"),
    [
        ("active", {}, None),
        ("active", {"lastSuccess": "2026-01-02"}, True),
        ("active", {"lastSuccess": "2026-01-02", "lastSuccessCode": 200}, True),
        ("active", {"lastSuccess": "2026-01-02", "lastSuccessCode": 500}, False),
        ("active", {"lastSuccess": "2026-01-02", "lastFailure": "2026-01-01"}, True),
        ("failed", {"lastSuccess": "2026-01-01", "lastFailure": "2026-01-02"}, False),
        ("failed", {"lastFailure": "2026-01-02", "lastFailureReason": "no"}, False),
        ("inactive", {"lastSuccess": "2026-01-02"}, False),
        (5, {"lastSuccess": 5, "lastFailure": []}, None),
    ],
)
def test_the_outcome_of_the_last_notification(
    status: Any, told: dict[str, Any], arrived: bool | None
) -> None:
    """Read Orion's words, and the status of an answer it calls a success."""
    said, reason = outcome(listed(**told) | {"status": status})
    assert said is arrived
    assert bool(reason) is (arrived is False)
