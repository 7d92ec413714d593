"""Clients of brokers, and the test brokers they are tested against.

The table of answers was measured against a real Orion 4.7. A real one cannot be started
here: nobody publishes it in a package registry.
"""

import gzip
import json
from pathlib import Path
import re
import ssl
import subprocess
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.nrj_monitor.ngsi import broker as broker_module
from custom_components.nrj_monitor.ngsi.auth import OAuth2, StaticAuth
from custom_components.nrj_monitor.ngsi.broker import (
    LdBroker,
    QuantumLeap,
    Temporal,
    V2Broker,
    dump,
    make_broker,
)
from custom_components.nrj_monitor.ngsi.errors import (
    BusyError,
    DeliveryError,
    ForbiddenError,
    NotABrokerError,
    RefusedError,
    TooLargeError,
    UnansweredError,
    UnauthorizedError,
    UnreachableError,
    UntrustedError,
)
from custom_components.nrj_monitor.ngsi.http import Answer, Server
from custom_components.nrj_monitor.ngsi.mapping import Api
from tests.support.ngsi import Hostile, Keyrock, NgsiLd, NgsiV2, QuantumLeapServer

TRANSLATIONS = (
    Path(__file__).parents[2] / "custom_components/nrj_monitor/translations/en.json"
)
JSON = {"Content-Type": "application/json"}


def number(value: Any, **more: Any) -> dict[str, Any]:
    """Return an attribute of type Number."""
    return {"type": "Number", "value": value, **more}


def thing(id_: str = "urn:t:1", **attributes: Any) -> dict[str, Any]:
    """Return an entity of type Thing."""
    return {"id": id_, "type": "T", **attributes}


async def update(
    session: ClientSession,
    orion: NgsiV2,
    body: Any,
    *,
    headers: dict[str, str] | None = None,
    query: str = "",
) -> tuple[int, str | None]:
    """Return the status and error of a batch update sent without the client."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with session.post(
        f"{orion.url}/v2/op/update{query}", data=raw, headers=headers or JSON
    ) as response:
        text = await response.text()
        return response.status, json.loads(text)["error"] if text else None


def append(*entities: Any, action: str = "append") -> dict[str, Any]:
    """Return a batch of entities to append."""
    return {"actionType": action, "entities": list(entities)}


LARGE = 1_048_576
CASES: dict[str, tuple[Any, tuple[int, str | None]]] = {
    "new": (append(thing(a=number(1))), (204, None)),
    "existing attribute, strictly": (
        append(thing("known", a=number(1)), action="appendStrict"),
        (422, "Unprocessable"),
    ),
    "update of none": (
        append(thing("nobody", a=number(1)), action="update"),
        (404, "NotFound"),
    ),
    "update of some": (
        append(thing("known", a=number(9)), thing("nobody"), action="update"),
        (422, "PartialUpdate"),
    ),
    "bad JSON": (b"{", (400, "ParseError")),
    "NaN": (
        (
            b'{"actionType":"append","entities":[{"id":"a","type":"T","n":'
            b'{"type":"Number","value":NaN}}]}'
        ),
        (400, "ParseError"),
    ),
    "beyond a double": (
        (
            b'{"actionType":"append","entities":[{"id":"a","type":"T","n":'
            b'{"type":"Number","value":1e400}}]}'
        ),
        (400, "ParseError"),
    ),
    "null": (append(thing(a=number(None))), (204, None)),
    "no entities": (append(), (400, "BadRequest")),
    "no id": (append({"type": "T"}), (400, "BadRequest")),
    "unknown member": (append(thing(a=number(1, unit="W"))), (400, "BadRequest")),
    "unknown member of the batch": ({**append(thing()), "x": 1}, (400, "BadRequest")),
    "unknown action": (append(thing(), action="upsert"), (400, "BadRequest")),
    "raw number": (append(thing(a=1)), (400, "BadRequest")),
    "bad time": (
        append(thing(a={"type": "DateTime", "value": "now"})),
        (400, "BadRequest"),
    ),
    "no type": (append({"id": "a", "a": {"value": 1}}), (204, None)),
    "text as a number": (append(thing(a=number("unknown"))), (204, None)),
    "escaped": (
        append(thing(a={"type": "TextUnrestricted", "value": "a=b"})),
        (204, None),
    ),
    **{
        f"{c} in a value": (
            append(thing(a={"type": "Text", "value": f"a{c}"})),
            (400, "BadRequest"),
        )
        for c in "<>\"'=;()"
    },
    **{
        f"{c!r} in an id": (append(thing(f"a{c}b")), (400, "BadRequest"))
        for c in "&?/# \xe9("
    },
    **{f"{c} in an id": (append(thing(f"a{c}b")), (204, None)) for c in ":.-%"},
    "nested": (
        append(thing(a={"type": "StructuredValue", "value": {"L1": ["a=b"]}})),
        (400, "BadRequest"),
    ),
    "metadata that is none": (
        append(thing(a=number(1, metadata={"unit": "W"}))),
        (400, "BadRequest"),
    ),
    "an attribute named type": (
        append({"id": "a", "type": number(1)}),
        (400, "BadRequest"),
    ),
    "an attribute named id": (
        append({"id": number(1), "type": "T"}),
        (400, "BadRequest"),
    ),
    "an id too long": (append(thing("a" * 257)), (400, "BadRequest")),
    "delete": (append(thing("known"), action="delete"), (204, None)),
}


@pytest.mark.parametrize("case", CASES)
async def test_broker_answers_as_orion_was_measured(
    session: ClientSession, orion: NgsiV2, case: str
) -> None:
    """Compare the test broker with answers recorded from Orion, case by case."""
    await update(session, orion, append(thing("known", a=number(1))))
    body, expected = CASES[case]
    assert await update(session, orion, body) == expected
    if case == "update of some":
        assert orion.entity("known")["a"]["value"] == 9


async def test_one_bad_entity_refuses_the_whole_batch(
    session: ClientSession, orion: NgsiV2
) -> None:
    """Apply no entity of a batch with a refused entity."""
    bad = thing("bad", a={"type": "Text", "value": "a=b"})
    status, _ = await update(session, orion, append(thing("good", a=number(1)), bad))
    assert status == 400
    assert orion.applied == []


async def test_headers_methods_and_sizes(session: ClientSession, orion: NgsiV2) -> None:
    """Answer 415, 411, 405 and 413, and separate tenants and paths."""
    text = {"Content-Type": "text/plain"}
    assert (await update(session, orion, append(thing()), headers=text))[0] == 415

    async def chunks() -> Any:
        yield json.dumps(append(thing())).encode()

    async with session.post(
        f"{orion.url}/v2/op/update", data=chunks(), headers=JSON
    ) as response:
        assert response.status == 411
    async with session.get(f"{orion.url}/v2/op/update") as response:
        assert response.status == 405
    empty = len(json.dumps(append(thing(a={"type": "Text", "value": ""}))))
    for size, expected in ((LARGE, 204), (LARGE + 1, 413)):
        filled = append(thing(a={"type": "Text", "value": "a" * (size - empty)}))
        assert (await update(session, orion, filled))[0] == expected
    for name, value, expected in (
        ("Fiware-Service", "nrj-1", 400),
        ("Fiware-Service", "a" * 51, 400),
        ("Fiware-Service", "ABC", 204),
        ("Fiware-ServicePath", "house", 400),
        ("Fiware-ServicePath", "/a-b", 400),
        ("Fiware-ServicePath", "/a" * 11, 400),
        ("Fiware-ServicePath", "/a" * 10, 204),
    ):
        headers = {**JSON, name: value}
        answer = await update(session, orion, append(thing()), headers=headers)
        assert answer[0] == expected, (name, value)
    # Tenants are folded to lower case.
    assert orion.entity("urn:t:1", "abc")["type"] == "T"


async def test_times_are_stored_in_utc_and_key_values_are_typed(
    session: ClientSession, orion: NgsiV2
) -> None:
    """Store times in UTC; a date in keyValues without a type becomes a text."""
    moment = {"type": "DateTime", "value": "2026-11-21T12:00:00+01:00"}
    await update(session, orion, append(thing(at=moment)))
    assert orion.entity("urn:t:1")["at"]["value"] == "2026-11-21T11:00:00.000Z"
    await update(
        session,
        orion,
        append(thing("k", n=1, s="2026-11-21T12:00:00Z", b=True, o={"a": 1})),
        query="?options=keyValues",
    )
    kept = orion.entity("k")
    assert [kept[name]["type"] for name in "nsbo"] == [
        "Number",
        "Text",
        "Boolean",
        "StructuredValue",
    ]


def subscription(url: str, description: str = "to history") -> dict[str, Any]:
    """Return a subscription to all things."""
    return {
        "description": description,
        "subject": {
            "entities": [{"idPattern": ".*", "type": "ThreePhaseAcMeasurement"}]
        },
        "notification": {"http": {"url": url}},
    }


def measured(n: int) -> dict[str, Any]:
    """Return a measured entity."""
    time = f"2026-11-21T12:00:{n % 60:02d}.{n:03d}Z"
    return {
        "id": "urn:m:1",
        "type": "ThreePhaseAcMeasurement",
        "TimeInstant": {"type": "DateTime", "value": time},
        "totalActivePower": number(5),
    }


async def test_subscribers_are_notified_of_changes_only_and_out_of_order(
    session: ClientSession, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Notify a changed time; skip an equal entity unless forced."""
    broker = V2Broker(Server(session, orion.url, StaticAuth()))
    url = f"{quantumleap.url}/v2/notify"
    await broker.subscribe(subscription(url))
    body = append(*(measured(n) for n in range(40)))
    assert (await update(session, orion, body))[0] == 204
    await orion.notified()
    assert len(set(quantumleap.times)) == len(quantumleap.times) == 40
    assert quantumleap.times != sorted(quantumleap.times)
    await update(session, orion, append(measured(39)))
    await orion.notified()
    assert len(quantumleap.times) == 40
    await update(session, orion, append(measured(39)), query="?options=forcedUpdate")
    await orion.notified()
    assert len(quantumleap.times) == 41
    # An equal subscription is created again, and every row is then there twice.
    await broker.subscribe(subscription(url))
    assert len(await broker.subscriptions()) == 2
    await update(session, orion, append(measured(50)))
    await orion.notified()
    assert len(quantumleap.times) == 43
    with pytest.raises(RefusedError, match="Invalid characters"):
        await broker.subscribe(subscription(url, "meter -> history"))


async def test_whole_numbers_are_written_without_a_fraction(
    session: ClientSession, orion: NgsiV2
) -> None:
    """Write 0.0 as 0 in an answer, at any depth."""
    value = {"L1": 0.0, "L2": 0.5, "L3": [104.0]}
    await update(
        session, orion, append(thing(a={"type": "StructuredValue", "value": value}))
    )
    async with session.get(f"{orion.url}/v2/entities/urn:t:1") as response:
        text = await response.text()
    assert '"value":{"L1":0,"L2":0.5,"L3":[104]}' in text


async def test_notifications_have_the_tenant_and_leave_their_outcome(
    session: ClientSession, orion: NgsiV2, quantumleap: QuantumLeapServer
) -> None:
    """Keep times and reasons of notifications in the list; repeat none that failed."""
    at = Server(
        session,
        orion.url,
        StaticAuth(),
        headers={"Fiware-Service": "NRJ", "Fiware-ServicePath": "/house/"},
    )
    client = V2Broker(at)
    await client.subscribe(subscription(f"{quantumleap.url}/v2/notify"))

    async def told(n: int) -> dict[str, Any]:
        time = {"type": "DateTime", "value": f"2026-01-01T00:00:0{n}.000Z"}
        entity = thing(TimeInstant=time) | {"type": "ThreePhaseAcMeasurement"}
        await client.deliver(client.payload([dump(entity)]))
        await orion.notified()
        (known,) = await client.subscriptions()
        return {"status": known["status"], **known["notification"]}

    arrived = await told(1)
    assert quantumleap.headers == [("nrj", "/house")]
    assert arrived["timesSent"] == 1
    assert arrived["status"] == "active"
    assert "lastSuccess" in arrived
    assert "lastFailure" not in arrived
    # An answer that says no is an answer: its status alone tells.
    quantumleap.database_is_down = True
    refused = await told(2)
    assert (refused["status"], refused["lastSuccessCode"]) == ("active", 500)
    await quantumleap.stop()
    failed = await told(3)
    assert failed["status"] == "failed"
    assert failed["timesSent"] == 3
    assert failed["lastFailureReason"]
    await quantumleap.start()
    quantumleap.database_is_down = False
    assert (await told(4))["status"] == "active"
    assert len(quantumleap.times) == 2


async def test_quantumleap_answers_as_version_1_was_measured(
    session: ClientSession, quantumleap: QuantumLeapServer
) -> None:
    """Answer 200 to a value of a wrong type, 500 to key values and relationships."""

    async def notify(entity: dict[str, Any]) -> int:
        async with session.post(
            f"{quantumleap.url}/v2/notify", json={"data": [entity]}
        ) as response:
            return response.status

    assert await notify(measured(1)) == 200
    assert await notify(measured(2) | {"totalActivePower": number("unknown")}) == 200
    assert len(quantumleap.rows) == 1
    assert len(quantumleap.lost) == 1
    assert await notify(measured(3) | {"totalActivePower": 5}) == 500
    reference = {"type": "Relationship", "value": ["urn:d:1"]}
    assert await notify(measured(4) | {"refDevice": reference}) == 500


def v2(session: ClientSession, orion: NgsiV2, **more: Any) -> V2Broker:
    """Return an NGSI-v2 client."""
    return V2Broker(Server(session, orion.url, more.pop("auth", StaticAuth()), **more))


async def test_a_probe_entity_is_deleted(
    session: ClientSession, orion: NgsiV2, ld: NgsiLd
) -> None:
    """Delete the probe entity, for either interface."""
    client = v2(session, orion)
    assert await client.version() == "4.7.0"
    await client.probe()
    assert orion.tenants["", "/"].entities == {}
    other = LdBroker(Server(session, ld.url, StaticAuth()))
    assert await other.version() == ""
    await other.probe()
    assert ld.tenants[""] == {}
    assert len(ld.applied) == len(orion.applied) == 1


async def test_other_servers_are_recognized_as_no_broker(
    session: ClientSession, orion: NgsiV2, ld: NgsiLd, quantumleap: QuantumLeapServer
) -> None:
    """Recognize a web page, a broker of the other interface, and a closed port."""
    for server, api in (
        (orion, Api.LD),
        (ld, Api.V2),
        (quantumleap, Api.V2),
        (quantumleap, Api.LD),
    ):
        client = make_broker(api, Server(session, server.url, StaticAuth()))
        with pytest.raises(NotABrokerError):
            await client.version()
    orion.wrong = ld.wrong = quantumleap.wrong = True
    for server, api in ((orion, Api.V2), (ld, Api.LD)):
        client = make_broker(api, Server(session, server.url, StaticAuth()))
        with pytest.raises(NotABrokerError):
            await client.version()
    with pytest.raises(NotABrokerError):
        await QuantumLeap(Server(session, quantumleap.url, StaticAuth())).version()
    quantumleap.status = 503
    quantumleap.wrong = False
    with pytest.raises(BusyError):
        await QuantumLeap(Server(session, quantumleap.url, StaticAuth())).version()


async def test_an_error_says_a_thing_once(
    session: ClientSession,
    orion: NgsiV2,
    ld: NgsiLd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Repeat no three words of a text in its reason: the key says what, the reason why."""
    texts = json.loads(TRANSLATIONS.read_text())["config_subentries"]["broker"]["error"]
    orion.status = 503
    cases = [(orion.url, Api.V2), (ld.url, Api.V2), ("http://127.0.0.1:9", Api.V2)]
    cases += [("http://nobody.invalid", Api.V2), ("http://[", Api.V2)]
    for url, api in cases:
        for status in (503, 500, 429, 401, 403, 404, 413, 422):
            orion.status = status
            with pytest.raises(DeliveryError) as failed:
                await make_broker(api, Server(session, url, StaticAuth())).version()
            said = texts[failed.value.key].format(reason=failed.value).lower()
            words = re.findall(r"[a-z]+", said)
            threes = list(zip(words, words[1:], words[2:], strict=False))
            assert len(set(threes)) == len(threes), said
            assert "127.0.0.1" not in said
            assert str(failed.value)


async def test_an_answer_beyond_bounds_is_not_decoded(
    session: ClientSession, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read no more than a mebibyte, nothing compressed, and no token of any length."""
    decoded: list[int] = []
    loads = json.loads

    def counted(body: bytes) -> Any:
        decoded.append(len(body))
        return loads(body)

    monkeypatch.setattr(json, "loads", counted)
    server = Server(session, hostile.url, StaticAuth())
    entity = b'[{"id":"a","type":"T"}]'
    hostile.answer(entity + b" " * (1024 * 1024))
    with pytest.raises(NotABrokerError):
        await V2Broker(server).version()
    # What never ends is not waited for.
    hostile.answer(entity, endless=True)
    with pytest.raises(NotABrokerError):
        await V2Broker(server).version()
    bomb = gzip.compress(entity + b" " * 900_000)
    hostile.answer(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(NotABrokerError):
        await V2Broker(server).version()
    auth = OAuth2(session, hostile.url, "a", "b", clock=lambda: 0.0)
    token = {"access_token": "t", "expires_in": 60}
    hostile.answer(dump(token) + b" " * (64 * 1024))
    with pytest.raises(UnansweredError):
        await auth.headers()
    assert decoded == []
    hostile.answer(dump(token))
    assert (await auth.headers())["X-Auth-Token"] == "t"
    assert decoded == [len(dump(token))]


async def test_a_list_that_never_ends_is_left(
    session: ClientSession, hostile: Hostile
) -> None:
    """Read ten pages of a list whose every page is full."""
    hostile.answer(dump([{"id": str(n)} for n in range(1000)]))
    found = await V2Broker(Server(session, hostile.url, StaticAuth())).subscriptions()
    assert len(found) == 10_000
    assert len(hostile.requests) == 10


@pytest.mark.parametrize(
    "token",
    [
        {"access_token": "a\nX-Admin: 1"},
        {"access_token": "é" * 10},
        {"access_token": ""},
        {"access_token": "x" * 20_000},
        {"access_token": ["x"]},
    ],
)
async def test_a_token_no_header_can_hold_is_none(
    session: ClientSession, hostile: Hostile, token: Any
) -> None:
    """Raise the error of a server without a token."""
    hostile.answer(dump(token))
    with pytest.raises(UnreachableError):
        await OAuth2(session, hostile.url, "a", "b", clock=lambda: 0.0).headers()


@pytest.mark.parametrize(
    ("life", "until"),
    [(60, 54.0), ("soon", 3240.0), (True, 3240.0), (-1, 3240.0), (10**400, 77_760.0)],
)
async def test_the_life_of_a_token_is_within_a_day(
    session: ClientSession, hostile: Hostile, life: Any, until: float
) -> None:
    """Take an hour for nonsense, and a day for ever."""
    auth = OAuth2(session, hostile.url, "a", "b", clock=lambda: now)
    now = 0.0
    hostile.answer(dump({"access_token": "t", "expires_in": life}))
    await auth.headers()
    for now, asked in ((until - 1, 1), (until, 2)):  # noqa: B007
        await auth.headers()
        assert len(hostile.requests) == asked


async def test_a_token_of_a_person_may_be_no_header(
    session: ClientSession, orion: NgsiV2
) -> None:
    """Raise an error of delivery, not one of the library."""
    with pytest.raises(UnreachableError, match="cannot be written"):
        await v2(session, orion, auth=StaticAuth("a\nb")).version()


@pytest.mark.parametrize("answer", [b"5", b"[]", b'"x"'])
async def test_foreign_json_is_recognized_as_no_broker(
    session: ClientSession, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raise NotABrokerError for foreign JSON; read no version from foreign JSON."""

    async def ask(self: Server, *_: Any, **__: Any) -> Answer:
        return Answer(200, {}, answer)

    monkeypatch.setattr(Server, "ask", ask)
    server = Server(session, "http://x", StaticAuth())
    if answer != b"[]":
        for client in (V2Broker(server), LdBroker(server)):
            with pytest.raises(NotABrokerError):
                await client.version()
    assert await QuantumLeap(server).version() == ""


async def test_a_broker_that_does_not_store_is_reported(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raise NotABrokerError where the probe entity is read back altered."""

    async def ask(self: Server, *_: Any, **__: Any) -> Answer:
        return Answer(200, {}, b"{}")

    monkeypatch.setattr(Server, "ask", ask)
    server = Server(session, "http://x", StaticAuth())
    for client in (V2Broker(server), LdBroker(server)):
        with pytest.raises(NotABrokerError):
            await client.probe()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, NotABrokerError),
        (400, RefusedError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotABrokerError),
        (405, NotABrokerError),
        (408, BusyError),
        (409, RefusedError),
        (413, TooLargeError),
        (422, RefusedError),
        (429, BusyError),
        (500, UnansweredError),
        (503, BusyError),
        (507, UnansweredError),
    ],
)
async def test_each_status_raises_its_error(
    session: ClientSession, orion: NgsiV2, status: int, error: type[DeliveryError]
) -> None:
    """Raise the error of each HTTP status."""
    orion.status, orion.retry_after = status, "7"
    with pytest.raises(error) as caught:
        await v2(session, orion).deliver(b"{}")
    assert type(caught.value) is error
    assert caught.value.retry_after == (7.0 if error is BusyError else None)
    assert "127.0.0.1" not in str(caught.value)


async def test_failed_connections_say_whether_the_request_arrived(
    session: ClientSession, orion: NgsiV2, tmp_path: Path
) -> None:
    """Know a refused connection to have delivered nothing; leave a cut open."""
    orion.drop_requests = 1
    with pytest.raises(UnansweredError) as cut:
        await v2(session, orion).deliver(b"{}")
    assert cut.value.arrived is None
    await orion.stop()
    with pytest.raises(UnreachableError) as refused:
        await v2(session, orion).version()
    assert refused.value.arrived is False
    for url in ("http://", "nonsense"):
        with pytest.raises(UnreachableError):
            await V2Broker(Server(session, url, StaticAuth())).version()


async def test_a_certificate_is_verified_against_the_configured_file(
    session: ClientSession, orion: NgsiV2, tmp_path: Path
) -> None:
    """Verify a private certificate against the configured file of certificates."""
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(certificate, key)
    await orion.stop()
    orion.ssl = secure
    await orion.start()
    url = orion.url.replace("http:", "https:")
    with pytest.raises(UntrustedError):
        await V2Broker(Server(session, url, StaticAuth())).version()
    trusted = ssl.create_default_context(cafile=str(certificate))
    client = V2Broker(Server(session, url, StaticAuth(), ssl=trusted))
    assert await client.version() == "4.7.0"


async def test_many_subscriptions_are_all_read(
    session: ClientSession, orion: NgsiV2
) -> None:
    """Read all pages of a thousand subscriptions."""
    client = v2(session, orion)
    await client.subscribe(subscription("http://127.0.0.1/x"))
    tenant = orion.tenants["", "/"]
    (first,) = tenant.subscriptions.values()
    tenant.subscriptions = {str(n): {**first, "id": str(n)} for n in range(1001)}
    assert len(await client.subscriptions()) == 1001


async def test_each_client_asks_which_samples_arrived(
    session: ClientSession,
    orion: NgsiV2,
    ld: NgsiLd,
    quantumleap: QuantumLeapServer,
) -> None:
    """Find no arrival without the entity, or where the entity has no time."""
    targets = (
        v2(session, orion),
        LdBroker(Server(session, ld.url, StaticAuth())),
        QuantumLeap(Server(session, quantumleap.url, StaticAuth())),
        Temporal(Server(session, ld.url, StaticAuth())),
    )
    for target in targets:
        assert await target.arrived("urn:m:1", "T", [1, 2, 3]) == set()
    await update(session, orion, append(thing("urn:m:1", TimeInstant=number(5))))
    assert await targets[0].arrived("urn:m:1", "T", [1, 2, 3]) == set()
    await update(
        session,
        orion,
        append(thing("urn:m:2", TimeInstant={"type": "Text", "value": "soon"})),
    )
    assert await targets[0].arrived("urn:m:2", "T", [1, 2, 3]) == set()


async def test_keyrock_tokens_are_used_refreshed_and_renewed(
    session: ClientSession, orion: NgsiV2, keyrock: Keyrock
) -> None:
    """Renew tokens of either grant, by the refresh token where available."""
    now = 0.0
    orion.accept_token = lambda token: token == keyrock.current

    def auth(**more: Any) -> OAuth2:
        return OAuth2(
            session,
            f"{keyrock.url}/oauth2/token",
            "app",
            "s3cret",
            clock=lambda: now,
            **more,
        )

    broker = v2(session, orion, auth=auth())
    await broker.version()
    await broker.version()
    assert [form["grant_type"] for form in keyrock.forms] == ["client_credentials"]
    now = 3300.0
    await broker.version()
    assert keyrock.forms[-1]["grant_type"] == "refresh_token"
    # Revoked: asked for again once, and the request repeated once.
    keyrock.issued += 1
    await broker.version()
    assert [form["grant_type"] for form in keyrock.forms[-2:]] == [
        "refresh_token",
        "client_credentials",
    ]
    user = v2(session, orion, auth=auth(username="anna", password="pw"))
    await user.version()
    assert keyrock.forms[-1] == {
        "grant_type": "password",
        "username": "anna",
        "password": "pw",
    }
    orion.accept_token = lambda token: False
    with pytest.raises(UnauthorizedError):
        await user.deliver(b"{}")


async def test_token_server_failures_raise_their_errors(
    session: ClientSession, orion: NgsiV2, keyrock: Keyrock
) -> None:
    """Raise the errors of wrong credentials, nonsense, no JSON and a closed port."""

    def broker(secret: str = "s3cret") -> V2Broker:
        url = f"{keyrock.url}/oauth2/token"
        auth = OAuth2(session, url, "app", secret, clock=lambda: 0.0)
        return v2(session, orion, auth=auth)

    with pytest.raises(UnauthorizedError):
        await broker("wrong").deliver(b"{}")
    keyrock.nonsense = True
    with pytest.raises(UnreachableError):
        await broker().deliver(b"{}")
    keyrock.nonsense, keyrock.wrong = False, True
    with pytest.raises(UnansweredError):
        await broker().deliver(b"{}")
    await keyrock.stop()
    with pytest.raises(UnreachableError):
        await broker().deliver(b"{}")


def test_refusals_have_a_reason_and_nan_is_never_sent() -> None:
    """Give every refusal a reason; refuse to encode NaN."""
    assert Answer(400, {}, b"").reason == "status 400"
    assert Answer(400, {}, b"[1]").reason == "status 400"
    assert Answer(400, {}, b'{"title":"a=b","detail":"c"}').reason == "ab: c"
    for body in (b'{"errors":[]}', b'{"errors":[{"error":{}}]}', b"[", b"[" * 99_999):
        assert broker_module._first_error(Answer(207, {}, body)) == "refused"
    with pytest.raises(ValueError, match="Out of range"):
        dump({"a": float("nan")})
