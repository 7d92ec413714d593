"""Forwarding in Home Assistant: flow, entities, actions, issues and diagnostics."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import json
from pathlib import Path
import time
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    get_schema_suggested_value,
)

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.diagnostics import async_get_config_entry_diagnostics
from custom_components.nrj_monitor.flows.broker_reauth import BrokerReauthMixin
from custom_components.nrj_monitor.ngsi.issues import issue_id
from custom_components.nrj_monitor.ngsi.manager import async_add_samples, spool_path
from custom_components.nrj_monitor.ngsi.repairs import DeadLettersFlow
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.sensor import WRITE_INTERVAL
from custom_components.nrj_monitor.repairs import async_create_fix_flow
from tests.conftest import AddMeter
from tests.ngsi.home import ENTITY, Dialogue, add_broker, brokers, server as first_form
from tests.support.device import DeviceServer
from tests.support.ngsi import Keyrock, NgsiLd, NgsiV2, QuantumLeapServer
from tests.support.ngsi.schemas import errors, key_values
from tests.support.pace import patience
from tests.support.states import state_is

ID = ENTITY["entity"]


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder for the spools of the brokers."""
    return hass_tmp_config_dir


async def until(holds: Callable[[], Any], within: float = 8.0) -> None:
    """Wait until `holds` returns True."""
    async with asyncio.timeout(patience(within)):
        while not holds():
            await asyncio.sleep(0.02)


def measuring(server: DeviceServer) -> asyncio.Task[None]:
    """Return a task in which the meter measures five times a second."""

    async def measure() -> None:
        power = 1500.0
        while True:
            power += 1.0
            server.measure(voltage_l1=230.5, active_power_l1=power, active_power=power)
            await asyncio.sleep(0.2)

    return asyncio.get_running_loop().create_task(measure())


@dataclass
class Servers:
    """Servers of all kinds to forward to."""

    orion: NgsiV2
    ld: NgsiLd
    quantumleap: QuantumLeapServer


@pytest.fixture
def servers(orion: NgsiV2, ld: NgsiLd, quantumleap: QuantumLeapServer) -> Servers:
    """Return all servers at once."""
    return Servers(orion, ld, quantumleap)


@pytest.fixture
async def meter(server: DeviceServer) -> Any:
    """Return a continuously measuring device."""
    task = measuring(server)
    yield server
    task.cancel()


def sensor_id(hass: HomeAssistant, broker: Any, key: str) -> str:
    """Return the entity id of a sensor of a broker."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{broker.subentry.subentry_id}_{key}"
    )
    assert entity_id is not None
    return entity_id


async def test_a_meter_has_its_entity_in_the_broker(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Forward a valid entity with its time; add a device with sensors."""
    entry = await add_meter(meter.port)
    broker = await add_broker(
        hass, entry, orion.url, tenant="nrj", service_path="/house"
    )
    begun = time.time()
    await until(lambda: len(orion.times) > 2)
    entity = orion.entity(ID, "nrj", "/house")
    assert errors(entity) == []
    plain = key_values(entity)
    assert plain["phaseVoltage"] == {"L1": 230.5}
    assert plain["totalActivePower"] > 1500
    assert plain["location"]["coordinates"] == [6.6, 46.5]
    assert plain["name"] == "NRJ Meter"
    assert abs(orion.times[-1] / 1000 - begun) < 10
    assert orion.times == sorted(set(orion.times))
    assert plain["dateEnergyMeteringStarted"][:4] == str(entry.created_at.year)
    await state_is(hass, sensor_id(hass, broker, "link"), "connected")
    device = er.async_get(hass).async_get(sensor_id(hass, broker, "sent"))
    assert device is not None
    assert device.device_id is not None
    described = dr.async_get(hass).async_get(device.device_id)
    assert described is not None
    assert described.config_subentry_id == broker.subentry.subentry_id


async def test_the_flow_shows_errors_beside_their_fields(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    tmp_path: Path,
    servers: Servers,
) -> None:
    """Show each error at its field, and store nothing until all are mended."""
    orion = servers.orion
    ld = servers.ld
    entry = await add_meter(server.port)
    dialogue = Dialogue(hass, entry)
    form = await dialogue.begin()
    assert form["step_id"] == "server"
    for answers, expected in (
        (first_form("ftp://x"), {"url": "bad_url"}),
        (first_form("http://user:pw@x"), {"url": "bad_url"}),
        (first_form("http://x:99999"), {"url": "bad_url"}),
        (first_form(orion.url, tenant="nrj-1"), {"tenant": "bad_tenant"}),
        (
            first_form(orion.url, service_path="house"),
            {"service_path": "bad_service_path"},
        ),
        (first_form("http://127.0.0.1:9"), {"base": "unreachable"}),
        (first_form(ld.url), {"base": "not_a_broker"}),
        (first_form(orion.url, api="ngsi_ld"), {"base": "not_a_broker"}),
        (
            first_form(orion.url, ca_file=str(tmp_path / "none")),
            {"base": "bad_ca_file"},
        ),
    ):
        assert await dialogue.errors(answers) == expected, answers
    orion.forbidden_paths = {"/secret"}
    answers = first_form(orion.url, service_path="/secret")
    assert await dialogue.errors(answers) == {"base": "forbidden"}
    orion.status = 503
    assert await dialogue.errors(first_form(orion.url)) == {"base": "busy"}
    orion.status = None
    orion.refuse = lambda entity: True
    assert await dialogue.errors(first_form(orion.url)) == {"base": "refused"}
    assert dialogue.form["description_placeholders"]["reason"].endswith("not liked")
    orion.refuse = lambda entity: False
    orion.token = "right"
    assert await dialogue.errors(first_form(orion.url)) == {"base": "wrong_token"}
    form = await dialogue.answer(first_form(orion.url, auth="token"))
    assert form["step_id"] == "token"
    assert await dialogue.errors({"token": "wrong"}) == {"base": "wrong_token"}
    form = await dialogue.answer({"token": "right"})
    assert form["step_id"] == "entity"
    assert get_schema_suggested_value(form["data_schema"].schema, "entity").startswith(
        "urn:ngsi-ld:ThreePhaseAcMeasurement:"
    )
    for wrong, expected in (
        ({"entity": "a b"}, {"entity": "bad_identifier"}),
        ({"ref_device": "a=b"}, {"ref_device": "bad_identifier"}),
        ({"groups": []}, {"groups": "no_groups"}),
        ({"history_url": "x"}, {"history_url": "bad_url"}),
        ({"history_url": "http://127.0.0.1:9"}, {"base": "unreachable"}),
    ):
        assert await dialogue.errors(ENTITY | wrong) == expected, wrong
    nowhere = {k: v for k, v in ENTITY.items() if k != "location"} | {"model": "ac"}
    assert await dialogue.errors(nowhere) == {"location": "location_required"}
    assert not entry.subentries
    result = await dialogue.answer(ENTITY)
    assert result["type"] == "create_entry"
    assert result["title"] == "127.0.0.1"
    (subentry,) = entry.subentries.values()
    assert subentry.data["token"] == "right"
    assert subentry.data["model"] == "ThreePhaseAcMeasurement"
    assert "temporal" not in subentry.data
    # The probe is gone again.
    assert all(not tenant.entities for tenant in orion.tenants.values())
    await hass.async_block_till_done(wait_background_tasks=False)


async def test_several_brokers_of_both_kinds_at_once(
    hass: HomeAssistant,
    add_meter: AddMeter,
    meter: DeviceServer,
    servers: Servers,
) -> None:
    """Forward to brokers of both interfaces; refuse the same entity twice."""
    orion = servers.orion
    ld = servers.ld
    quantumleap = servers.quantumleap
    entry = await add_meter(meter.port)
    await add_broker(hass, entry, orion.url, model="ac", history_url=quantumleap.url)
    await add_broker(hass, entry, ld.url, api="ngsi_ld", temporal=True, extras=False)
    await until(lambda: orion.times and ld.times)
    assert orion.entity(ID)["type"] == "ACMeasurement"
    assert errors(orion.entity(ID)) == []
    assert errors(ld.entity(ID)) == []
    dialogue = Dialogue(hass, entry)
    await dialogue.begin()
    await dialogue.answer(first_form(orion.url))
    result = await dialogue.answer(ENTITY | {"model": "solar"})
    assert result["reason"] == "already_configured"
    # What the journal brings goes to each once, in the quantities that were chosen.
    an_hour_ago = round(time.time() - 3600) * 1000
    past = Sample(an_hour_ago, {"import_energy": 12.0, "rejected_frames": 3.0})
    for _ in range(2):
        await async_add_samples(entry.runtime_data, [past])
    await until(lambda: quantumleap.times and ld.instances)
    await asyncio.sleep(0.2)
    assert quantumleap.times == ld.instances[:1] == [past.time]
    assert "rejectedframes" not in quantumleap.rows[0][2]


async def test_a_broker_is_changed_and_removed(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Forward with changed settings at once; delete the spool with the broker."""
    entry = await add_meter(meter.port)
    broker = await add_broker(hass, entry, orion.url)
    subentry_id = broker.subentry.subentry_id
    await until(lambda: orion.times)
    path = spool_path(hass, subentry_id)
    assert path.exists()
    dialogue = Dialogue(hass, entry, change=subentry_id)
    form = await dialogue.begin()
    suggested = get_schema_suggested_value(form["data_schema"].schema, "url")
    assert suggested == orion.url
    form = await dialogue.answer(first_form(orion.url, service_path="/new"))
    model = get_schema_suggested_value(form["data_schema"].schema, "model")
    assert model == "three_phase"
    result = await dialogue.answer(ENTITY | {"extras": False})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=False)
    await until(lambda: ("", "/new") in orion.tenants)
    await until(lambda: orion.tenants["", "/new"].entities)
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done(wait_background_tasks=False)
    await until(lambda: not path.exists())
    assert brokers(hass, entry) == []
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)[1:]


async def test_a_removed_meter_leaves_no_spool(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Delete the spools with the meter."""
    entry = await add_meter(meter.port)
    broker = await add_broker(hass, entry, orion.url)
    path = spool_path(hass, broker.subentry.subentry_id)
    await until(path.exists)
    await hass.config_entries.async_remove(entry.entry_id)
    assert list(path.parent.glob(f"{path.stem}*")) == []


async def test_a_revoked_token_starts_a_reauthentication(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Try a new token before storing; lose no sample meanwhile."""
    orion.token = "old"
    entry = await add_meter(meter.port)
    dialogue = Dialogue(hass, entry)
    await dialogue.begin()
    await dialogue.answer(first_form(orion.url, auth="token"))
    await dialogue.answer({"token": "old"})
    await dialogue.answer(ENTITY)
    await hass.async_block_till_done(wait_background_tasks=False)
    await until(lambda: len(orion.times) > 1)
    orion.token = "new"
    flows: list[Any] = []
    progress = hass.config_entries.flow.async_progress

    def asked() -> bool:
        flows[:] = [f for f in progress() if f["context"]["source"] == "reauth"]
        return bool(flows)

    await until(asked)
    assert flows[0]["step_id"] == "reauth_token"
    configure = hass.config_entries.flow.async_configure
    form = await configure(flows[0]["flow_id"], {"token": "wrong"})
    assert form["errors"] == {"base": "broker_wrong_token"}
    waiting = orion.times[-1]
    result = await configure(flows[0]["flow_id"], {"token": "new"})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=False)
    await until(lambda: orion.times[-1] > waiting)
    steps = [b - a for a, b in zip(orion.times, orion.times[1:], strict=False)]
    assert min(steps) > 0


async def test_oauth2_from_the_flow_to_its_renewal(
    hass: HomeAssistant,
    add_meter: AddMeter,
    meter: DeviceServer,
    orion: NgsiV2,
    keyrock: Keyrock,
) -> None:
    """Forward with client credentials; reauthenticate after a new secret."""
    orion.accept_token = lambda token: token == keyrock.current
    entry = await add_meter(meter.port)
    dialogue = Dialogue(hass, entry)
    await dialogue.begin()
    form = await dialogue.answer(first_form(orion.url, auth="oauth2"))
    assert form["step_id"] == "oauth2"
    client = {"token_url": "x", "client_id": "app", "client_secret": "s3cret"}
    assert await dialogue.errors(client) == {"token_url": "bad_url"}
    client["token_url"] = f"{keyrock.url}/oauth2/token"
    assert await dialogue.errors(client | {"client_secret": "no"}) == {
        "base": "wrong_token"
    }
    await dialogue.answer(client)
    await dialogue.answer(ENTITY)
    await hass.async_block_till_done(wait_background_tasks=False)
    await until(lambda: orion.times)
    keyrock.secret, keyrock.refreshable = "other", False
    keyrock.issued += 1
    flows = hass.config_entries.flow
    await until(lambda: flows.async_progress_by_handler(DOMAIN))
    (flow,) = flows.async_progress_by_handler(DOMAIN)
    assert flow["step_id"] == "reauth_oauth2"
    result = await flows.async_configure(
        flow["flow_id"], client | {"client_secret": "other"}
    )
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=False)
    known = len(orion.times)
    await until(lambda: len(orion.times) > known)


async def test_reauthentication_of_a_removed_broker(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    orion: NgsiV2,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Abort with a reason, at the start or in the middle of the flow."""
    entry = await add_meter(server.port)
    flows = hass.config_entries.flow
    entry.async_start_reauth(hass, data={"broker": "nobody"})
    await hass.async_block_till_done(wait_background_tasks=False)
    assert flows.async_progress_by_handler(DOMAIN) == []
    orion.token = "t"
    dialogue = Dialogue(hass, entry)
    await dialogue.begin()
    await dialogue.answer(first_form(orion.url, auth="token"))
    await dialogue.answer({"token": "t"})
    await dialogue.answer(ENTITY)
    await hass.async_block_till_done(wait_background_tasks=False)
    (subentry_id,) = entry.subentries
    entry.async_start_reauth(hass, data={"broker": subentry_id})
    await hass.async_block_till_done(wait_background_tasks=False)
    (flow,) = flows.async_progress_by_handler(DOMAIN)
    # Removed, and the meter not set up again yet, which would end the dialogue.
    monkeypatch.setattr(BrokerReauthMixin, "_broker", None)
    result = await flows.async_configure(flow["flow_id"], {"token": "x"})
    assert result["reason"] == "broker_gone"
    await hass.async_block_till_done(wait_background_tasks=False)


async def call_action(hass: HomeAssistant, action: str, **data: Any) -> Any:
    """Call an action of the integration; return its response."""
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )


async def test_actions_send_subscribe_and_delete_dead_letters(
    hass: HomeAssistant,
    add_meter: AddMeter,
    meter: DeviceServer,
    servers: Servers,
) -> None:
    """Create the subscription once; require the device with several brokers."""
    orion = servers.orion
    ld = servers.ld
    quantumleap = servers.quantumleap
    entry = await add_meter(meter.port)
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "send_now")
    broker = await add_broker(hass, entry, orion.url)
    assert "waiting" in await call_action(hass, "send_now")
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "create_subscription")
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "create_subscription", notify_url="a->b")
    url = f"{quantumleap.url}/v2/notify"
    made = await call_action(hass, "create_subscription", notify_url=url)
    assert made["created"]
    # The first notification has arrived before the action says that all is well.
    assert made["arrived"]
    assert quantumleap.times
    other_spelling = url.replace("127.0.0.1", "localhost")
    again = await call_action(hass, "create_subscription", notify_url=other_spelling)
    assert again == made | {"created": False}
    (known,) = orion.tenants["", "/"].subscriptions.values()
    assert known["notification"]["http"]["url"] == url
    await until(lambda: len(quantumleap.times) > 1)
    orion.status = 503
    with pytest.raises(HomeAssistantError):
        await call_action(hass, "create_subscription", notify_url=url)
    orion.status = None
    other = await add_broker(hass, entry, ld.url, api="ngsi_ld", temporal=False)
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "send_now")
    entity = er.async_get(hass).async_get(sensor_id(hass, other, "sent"))
    assert entity is not None
    device = entity.device_id
    assert await call_action(hass, "empty_set_aside", device_id=device) == {
        "emptied": 0
    }
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "create_subscription", device_id=device, notify_url=url)
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "send_now", device_id="nobody")
    assert broker.v2_broker is not None


async def test_a_subscription_that_reaches_nobody_is_an_error(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Say that the first notification did not arrive, in the action and as an issue."""
    entry = await add_meter(meter.port)
    broker = await add_broker(hass, entry, orion.url)
    with pytest.raises(HomeAssistantError, match="did not arrive"):
        await call_action(
            hass, "create_subscription", notify_url="http://127.0.0.1:9/v2/notify"
        )
    broker.forwarder.send_now()
    issue = issue_id("history_not_notified", broker.subentry.subentry_id)
    registry = ir.async_get(hass)
    await until(lambda: registry.async_get_issue(DOMAIN, issue))
    await state_is(hass, sensor_id(hass, broker, "history"), "not_notified")
    await state_is(hass, sensor_id(hass, broker, "link"), "connected")


async def test_the_subscription_of_a_configured_quantumleap(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    orion: NgsiV2,
    quantumleap: QuantumLeapServer,
) -> None:
    """Subscribe the configured QuantumLeap without a URL in the call."""
    entry = await add_meter(server.port)
    await add_broker(hass, entry, orion.url, history_url=f"{quantumleap.url}/")
    await hass.services.async_call(DOMAIN, "create_subscription", {}, blocking=True)
    (known,) = orion.tenants["", "/"].subscriptions.values()
    assert known["notification"]["http"]["url"] == f"{quantumleap.url}/v2/notify"


async def test_dead_letters_raise_an_issue_and_are_deleted_by_its_repair_flow(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Raise an issue for two refused samples, and forward the rest."""
    assert await async_setup_component(hass, REPAIRS, {})
    entry = await add_meter(meter.port)
    broker = await add_broker(hass, entry, orion.url)
    refused: set[str] = set()

    def refuse(entity: dict[str, Any]) -> bool:
        if "TimeInstant" in entity and len(refused) < 2:
            refused.add(entity["TimeInstant"]["value"])
        return entity.get("TimeInstant", {}).get("value") in refused

    orion.refuse = refuse
    await until(lambda: broker.status.spool.dead_letters == 2, 15.0)
    id_ = issue_id("samples_set_aside", broker.subentry.subentry_id)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, id_)
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["count"] == "2"
    flow = await async_create_fix_flow(hass, id_, issue.data)
    assert isinstance(flow, DeadLettersFlow)
    flow.hass = hass
    form = await flow.async_step_init()
    assert form["description_placeholders"] is not None
    assert form["description_placeholders"]["reason"].endswith("not liked")
    assert (await flow.async_step_confirm({}))["type"] == "create_entry"
    assert ir.async_get(hass).async_get_issue(DOMAIN, id_) is None
    assert broker.status.spool.counts.refused == 2
    await until(lambda: len(orion.times) > 1)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(Exception, match="not there"):
        await async_create_fix_flow(hass, id_, issue.data)


async def test_failures_that_need_a_person_raise_an_issue(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Delete the issue once the broker answers again."""
    entry = await add_meter(meter.port)
    broker = await add_broker(hass, entry, orion.url)
    await until(lambda: orion.times)
    orion.status = 404
    id_ = issue_id("not_a_broker", broker.subentry.subentry_id)
    await until(lambda: ir.async_get(hass).async_get_issue(DOMAIN, id_))
    await state_is(hass, sensor_id(hass, broker, "link"), "not_a_broker")
    orion.status = None
    await call_action(hass, "send_now")
    await until(lambda: not ir.async_get(hass).async_get_issue(DOMAIN, id_))


async def test_diagnostics_contain_no_secret(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Redact the token, the URL and the location."""
    orion.token = "very-secret"
    entry = await add_meter(meter.port)
    dialogue = Dialogue(hass, entry)
    await dialogue.begin()
    await dialogue.answer(first_form(orion.url, auth="token"))
    await dialogue.answer({"token": "very-secret"})
    await dialogue.answer(ENTITY)
    await hass.async_block_till_done(wait_background_tasks=False)
    (broker,) = brokers(hass, entry)
    await until(lambda: broker.status.spool.counts.taken)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    (broker,) = diagnostics["brokers"]
    assert broker["settings"]["model"] == "ThreePhaseAcMeasurement"
    assert broker["counts"]["taken"] > 0
    text = json.dumps(diagnostics)
    for secret in ("very-secret", orion.url, "46.5", "6.6,"):
        assert secret not in text


async def test_stopping_home_assistant_takes_less_than_two_seconds(
    hass: HomeAssistant, add_meter: AddMeter, meter: DeviceServer, orion: NgsiV2
) -> None:
    """Stop three hanging brokers within 2 s, and keep their spools."""
    entry = await add_meter(meter.port)
    for n in range(3):
        broker = await add_broker(hass, entry, orion.url, entity=f"urn:t:{n}")
    await until(lambda: orion.times)
    orion.delay = 60.0
    await until(lambda: orion.in_flight == 3)
    begun = time.monotonic()
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=False)
    assert time.monotonic() - begun < 2.0
    assert brokers(hass, entry) == []
    assert spool_path(hass, broker.subentry.subentry_id).exists()
    hass.set_state(CoreState.running)


async def test_a_missing_certificate_file_stops_only_its_broker(
    hass: HomeAssistant,
    add_meter: AddMeter,
    meter: DeviceServer,
    orion: NgsiV2,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Log the missing file, and set up the meter and its other brokers."""
    entry = await add_meter(meter.port)
    broker = await add_broker(hass, entry, orion.url)
    hass.config_entries.async_update_subentry(
        entry, broker.subentry, data={**broker.subentry.data, "ca_file": "/nowhere"}
    )
    await hass.async_block_till_done(wait_background_tasks=False)
    assert brokers(hass, entry) == []
    assert "file of certificates cannot be read" in caplog.text


async def test_a_silent_meter_is_sampled_once(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, orion: NgsiV2
) -> None:
    """Send the last reading once; write the sensors at their interval."""
    entry = await add_meter(server.port)
    broker = await add_broker(hass, entry, orion.url)
    await until(lambda: orion.times)
    await asyncio.sleep(2.2)
    assert len(orion.times) <= 2
    entity_id = sensor_id(hass, broker, "oldest_unsent")
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state != STATE_UNAVAILABLE
    written = state.last_reported
    async_fire_time_changed(hass, dt_util.utcnow() + WRITE_INTERVAL)
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state == "0"
    assert state.last_reported > written
