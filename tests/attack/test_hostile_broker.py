"""Hostile brokers: whatever one answers, it is an answer or an error, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import gzip
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from hypothesis import given, strategies as st

from custom_components.nrj_monitor.ngsi.auth import OAuth2, StaticAuth
from custom_components.nrj_monitor.ngsi.broker import (
    LdBroker,
    QuantumLeap,
    Temporal,
    V2Broker,
)
from custom_components.nrj_monitor.ngsi.errors import DeliveryError
from custom_components.nrj_monitor.ngsi.http import Server
from custom_components.nrj_monitor.ngsi.subscription import ensure, outcome
from tests.ngsi.conftest import BEGIN, ID, TYPE, Forwarding, sample
from tests.support.attack import LONGEST_BLOCK, examples, give, watched
from tests.support.hostile import WORDS, json_values
from tests.support.ngsi.hostile import Hostile, Reply
from tests.support.pace import patience

GOOD: tuple[Any, ...] = (
    [{"id": ID, "type": TYPE}],
    {"orion": {"version": "4.7.0"}},
    {"type": "DateTime", "value": "2026-09-21T14:13:20.000Z"},
    {"index": ["2026-09-21T14:13:20.000+00:00"]},
    {"id": ID, "frequency": [{"observedAt": "2026-09-21T14:13:20.000Z"}]},
    {"errors": [{"error": {"detail": "no"}}]},
    {"access_token": "t", "expires_in": 60, "refresh_token": "r"},
    [
        {
            "id": "1",
            "status": "failed",
            "subject": {"entities": [{"type": TYPE}]},
            "notification": {
                "http": {"url": "http://x/v2/notify"},
                "lastFailure": "2026-01-01T00:00:00.000Z",
                "lastFailureReason": "no",
            },
        }
    ],
)
"""An answer of each kind, as a good server gives it."""


def _changed(value: Any) -> st.SearchStrategy[Any]:
    """Return a value in which something at any depth is something else."""
    kept = st.just(value)
    if isinstance(value, dict) and value:
        kept = st.fixed_dictionaries({k: _changed(v) for k, v in value.items()})
    elif isinstance(value, list) and value:
        kept = st.tuples(*map(_changed, value)).map(list)
    return st.integers(0, 5).flatmap(lambda n: json_values() if n == 0 else kept)


NOTHING: tuple[Any, ...] = (None, [], {}, 5, "x", [[]])

MONSTERS = (
    *(
        Reply(body=body)
        for body in (
            b"[" * 900_000,
            b'{"index":' * 50_000,
            b"[" + b"{}," * 300_000 + b"{}]",
            b'{"index":[' + b'"2026-01-01T00:00:00Z",' * 40_000 + b"null]}",
            b'"' + b"x" * 1_000_000 + b'"',
            b"9" * 1_000_000,
            b" " * 2_000_000,
            *(json.dumps(value).encode() for value in NOTHING),
        )
    ),
    Reply(status=400, body=b'{"error":"' + b"<" * 1_000_000 + b'"}'),
    Reply(status=503, headers={"Retry-After": "9" * 5000}),
    Reply(body=b"[", endless=True),
    Reply(raw=b"\x00" * 80),
    Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b" " * 30_000_000)),
)
"""Answers that are each given to every request."""

BODIES = st.one_of(
    st.sampled_from(GOOD).flatmap(_changed).map(lambda v: json.dumps(v).encode()),
    json_values().map(lambda v: json.dumps(v).encode()),
    st.binary(max_size=60),
)
HEADERS = st.dictionaries(
    st.sampled_from(("Retry-After", "Location", "WWW-Authenticate", "Content-Length")),
    WORDS.map(lambda text: "".join(c for c in text[:200] if c.isprintable())),
    max_size=2,
)
REPLIES = st.builds(
    Reply,
    st.sampled_from((200, 200, 200, 200, 201, 204, 207, 301, 400, 401, 404, 429, 500)),
    HEADERS,
    BODIES,
)

type Operation = Callable[[], Awaitable[object]]


def _operations(session: ClientSession, url: str) -> list[Operation]:
    """Return every request the clients make of a server."""
    server = Server(session, url, StaticAuth())
    v2, ld = V2Broker(server), LdBroker(server)
    quantumleap, temporal = QuantumLeap(server), Temporal(server)
    times = [BEGIN, BEGIN + 1]
    asked: list[Operation] = [
        client_asks
        for client in (v2, ld, quantumleap, temporal)
        for client_asks in (
            lambda client=client: client.arrived(ID, TYPE, times),
            lambda client=client: client.deliver(b"{}"),
        )
    ]
    for broker in (v2, ld):
        asked += [broker.version, broker.probe]

    async def subscriptions() -> None:
        for known in await v2.subscriptions():
            outcome(known)

    async def token() -> None:
        auth = OAuth2(session, url, "a", "b", clock=lambda: 0.0)
        await V2Broker(Server(session, url, auth)).version()

    asked += [quantumleap.version, subscriptions, token]
    asked.append(lambda: ensure(v2, TYPE, "http://x/v2/notify"))
    return asked


async def test_whatever_a_broker_answers_the_promises_hold(
    session: ClientSession, hostile: Hostile, forwarding: Forwarding
) -> None:
    """Return or raise an error of delivery; keep the loop free, the log short, the books."""
    operations = _operations(session, hostile.url)
    forwarder = forwarding.make(hostile, history=hostile, check=True)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    with watched("broker") as promises:

        async def attack(reply: Reply) -> None:
            hostile.reply = reply
            forwarder.add_sample(sample(promises.inputs))
            forwarding.clock.skipped += 400.0
            forwarder.send_now()
            for operation in operations:
                with suppress(DeliveryError):
                    async with asyncio.timeout(patience(5)):
                        await operation()
                promises.inputs += 1
            assert not promises.errors, promises.errors[0]
            limit = patience(LONGEST_BLOCK)
            assert promises.longest <= limit, (
                promises.longest,
                promises.blocker,
                reply.status,
                reply.body[:30],
            )

        @examples(40)
        @given(REPLIES)
        def run(reply: Reply) -> None:
            give(loop, attack(reply))

        for monster in MONSTERS:
            await attack(monster)
        await asyncio.to_thread(run)
        await forwarder.stop()
        assert hostile.requests
        counts = forwarder.status.spool.counts
        assert counts.taken >= counts.sent + counts.dropped + counts.refused
        often = {line: n for line, n in promises.lines.items() if n > 3}
        assert not often, often
        size = sum(f.stat().st_size for f in Path(forwarding.folder).iterdir())
        assert size < 100_000_000
