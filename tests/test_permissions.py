"""Who may do what: settings, history, dashboard and brokers are for administrators, a load for who may control it.

What is looked for is listed by the running Home Assistant: an action, an entity, an intent,
a command or a view that has no line in the tables here fails the tests.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from copy import deepcopy
from enum import Enum
from http import HTTPStatus
import inspect
from typing import Any, Final

from aiohttp import web
from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.auth.permissions import PolicyPermissions
from homeassistant.auth.permissions.models import PermissionLookup
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import DOMAIN as WEBSOCKET_API
from homeassistant.components.websocket_api.decorators import require_admin
from homeassistant.components.websocket_api.messages import BASE_COMMAND_MESSAGE_SCHEMA
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    intent,
)
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.nrj_monitor import llm
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from nrj_tools.firmware import RunningFirmware
from tests.conftest import AddMeter
from tests.docs.tables import codes, table
from tests.loads.conftest import DEFAULTS
from tests.loads.dialogue import async_answer, async_open
from tests.ngsi.home import add_broker
from tests.support.assist import expose
from tests.support.device import DeviceServer
from tests.support.ngsi import NgsiV2
from tests.test_translations import TEXTS

# The recorder must start before Home Assistant.
pytestmark = pytest.mark.usefixtures("recorder_mock")

PACKAGE = f"custom_components.{DOMAIN}"

HEATER = "input_boolean.heater"
DRY_RUN = "switch.nrj_meter_dry_run_of_the_loads"
PUMP_ON, PUMP_OFF = "script.pump_on", "script.pump_off"


class Right(Enum):
    """What an action needs of the user who asks for it."""

    READ = "a login"
    CONTROL = "the right to control the entity, or the load's own entity"
    ADMIN = "an administrator"


class Visitor(Enum):
    """Somebody in front of Home Assistant."""

    NOBODY = "without login"
    READER = "a user who may only read"
    USER = "an ordinary user"
    ADMIN = "an administrator"


REFUSED: Mapping[Right, set[Visitor]] = {
    Right.READ: {Visitor.NOBODY},
    Right.CONTROL: {Visitor.NOBODY, Visitor.READER},
    Right.ADMIN: {Visitor.NOBODY, Visitor.READER, Visitor.USER},
}

GROUPS = {
    # The first user of a house is its owner.
    Visitor.ADMIN: GROUP_ID_ADMIN,
    Visitor.READER: GROUP_ID_READ_ONLY,
    Visitor.USER: GROUP_ID_USER,
}

LOADS = {"load": [HEATER, "sensor.pump_activity"]}

ACTIONS: Mapping[str, tuple[Right, dict[str, Any]]] = {
    "shed": (Right.CONTROL, LOADS),
    "restore": (Right.CONTROL, LOADS),
    "absorb": (Right.CONTROL, LOADS),
    "release": (Right.CONTROL, LOADS),
    "override": (Right.CONTROL, LOADS | {"on": False}),
    "add_to_energy_dashboard": (Right.ADMIN, {}),
    "remove_from_energy_dashboard": (Right.ADMIN, {}),
    "heal_history": (Right.ADMIN, {}),
    "replay": (Right.ADMIN, {}),
    "send_now": (Right.ADMIN, {}),
    "empty_set_aside": (Right.ADMIN, {}),
    "create_subscription": (Right.ADMIN, {"notify_url": "http://127.0.0.1:9/v2"}),
    "calibrate": (Right.ADMIN, {"quantity": "voltage", "phase": 1, "value": 230}),
    "null_residual_current": (Right.ADMIN, {"input": "neutral"}),
    "undo_calibration": (Right.ADMIN, {}),
    "reset_calibration": (Right.ADMIN, {}),
}
"""Right and data of each action of the integration."""


def path_of(action: str) -> str:
    """Return an action as a client calls it: the replay is called for its answer alone."""
    asked = "?return_response" if action == "replay" else ""
    return f"{DOMAIN}/{action}{asked}"


STATE: Final = object()
"""Stands for the entity's present state."""

ENTITY_ACTIONS: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "binary_sensor": {},
    "button": {"press": {}},
    "number": {"set_value": {"value": STATE}},
    "select": {
        "select_option": {"option": STATE},
        "select_first": {},
        "select_last": {},
        "select_next": {"cycle": True},
        "select_previous": {"cycle": True},
    },
    "switch": {"turn_on": {}, "turn_off": {}, "toggle": {}},
    "update": {"install": {}, "skip": {}, "clear_skipped": {}},
    "image": {"snapshot": {"filename": "/nowhere/oscillogram.svg"}},
    "event": {},
    "sensor": {},
}
"""Data of Home Assistant's actions on the entities, by domain."""

ENTITIES: Mapping[str, Right] = {
    "button.nrj_meter_add_to_energy_dashboard": Right.ADMIN,
    "button.nrj_meter_remove_from_energy_dashboard": Right.ADMIN,
    **{
        f"button.{load}_{what}": Right.CONTROL
        for load in ("heater", "pump")
        for what in ("shed", "restore", "release")
    },
    "image.nrj_meter_oscillogram": Right.CONTROL,
    **{
        f"number.nrj_meter_guard_{threshold}_{what}": Right.ADMIN
        for threshold in (
            "inhibit",
            "shed_1",
            "shed_2",
            "shed_3",
            "restore",
            "absorb_1",
            "absorb_2",
            "release",
        )
        for what in ("frequency", "delay")
    },
    "select.nrj_meter_guard_profile": Right.ADMIN,
    "select.nrj_meter_relay_1_class": Right.ADMIN,
    "select.nrj_meter_relay_2_class": Right.ADMIN,
    DRY_RUN: Right.ADMIN,
    "switch.nrj_meter_guard": Right.ADMIN,
    "switch.nrj_meter_relay_1": Right.CONTROL,
    "switch.nrj_meter_relay_2": Right.CONTROL,
    "update.nrj_meter_firmware": Right.ADMIN,
    # Last: after another class all begins anew, and is unavailable for a moment.
    "select.heater_class": Right.ADMIN,
    "select.pump_class": Right.ADMIN,
}
"""Right to run an action on each entity of which there are actions."""

INTENTS: Mapping[str, Right] = {
    "NrjGridStability": Right.READ,
    "NrjPowerUse": Right.READ,
    "NrjPhaseLoad": Right.READ,
    "NrjLoadWhy": Right.READ,
    "NrjShedLoad": Right.CONTROL,
    "NrjRestoreLoad": Right.CONTROL,
    "NrjReleaseLoad": Right.CONTROL,
}

WEBSOCKET_COMMANDS: Mapping[str, tuple[Right, dict[str, Any]]] = {}
"""Right and data of the integration's own commands."""

VIEWS: Mapping[tuple[str, str], tuple[Right, Any]] = {}
"""Right and data of the integration's own views, by method and path."""


type Clients = Mapping[Visitor, TestClient[Any, Any]]
"""A client of each visitor."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder for the spool of the broker."""
    return hass_tmp_config_dir


async def add_loads(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Add an entity and a pair of scripts as loads, as a person does."""
    for step, data in {
        "load_entity": {"name": "Heater", "entity": HEATER},
        "load_scripts": {
            "name": "Pump",
            "script_on": PUMP_ON,
            "script_off": PUMP_OFF,
        },
    }.items():
        form = await async_open(hass, entry, step)
        result = await async_answer(hass, form, {**DEFAULTS, **data})
        assert result["type"] == "create_entry", result
        await hass.async_block_till_done()


async def user_of(hass: HomeAssistant, group: str) -> tuple[User, str]:
    """Return a new user of a group, and a token."""
    user = await hass.auth.async_create_user(group, group_ids=[group])
    token = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
    return user, hass.auth.async_create_access_token(token)


@pytest.fixture
async def people(hass: HomeAssistant) -> Mapping[Visitor, tuple[User, str]]:
    """Return a user of each kind, and a token."""
    assert await async_setup_component(hass, "http", {})
    return {visitor: await user_of(hass, group) for visitor, group in GROUPS.items()}


@pytest.fixture
def all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the entities that a person has to enable."""
    enabled = property(lambda _: True)
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", enabled)


@pytest.fixture
async def loads(hass: HomeAssistant) -> None:
    """Set up what is to be a load."""
    scripts = {name: {"sequence": [{"delay": 0}]} for name in ("pump_on", "pump_off")}
    heater = {"heater": {"initial": True}}
    assert await async_setup_component(hass, "script", {"script": scripts})
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": heater})


@pytest.fixture
async def entry(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, loads: None
) -> NrjConfigEntry:
    """Return a meter with loads."""
    entry = await add_meter(server.port)
    await add_loads(hass, entry)
    return entry


@pytest.fixture
async def clients(
    hass: HomeAssistant,
    people: Mapping[Visitor, tuple[User, str]],
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> Clients:
    """Return a client of each visitor, of all that Home Assistant serves."""
    for component in (
        "homeassistant",
        "api",
        "websocket_api",
        "config",
        "conversation",
        "diagnostics",
        "energy",
        "repairs",
        "image",
    ):
        assert await async_setup_component(hass, component, {})
    return {Visitor.NOBODY: await hass_client_no_auth()} | {
        visitor: await hass_client(token) for visitor, (_, token) in people.items()
    }


@pytest.fixture
async def house(
    hass: HomeAssistant,
    all_enabled: None,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    loads: None,
) -> AsyncIterator[NrjConfigEntry]:
    """Run a house with the real meter, loads and a broker."""
    entry = await add_meter(firmware.port)
    await add_loads(hass, entry)
    async with NgsiV2() as orion:
        await add_broker(hass, entry, orion.url)
        yield entry


def own_entities(hass: HomeAssistant) -> set[str]:
    """Return the entities of the integration."""
    return {
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN
    }


def own_commands(hass: HomeAssistant) -> set[str]:
    """Return the websocket commands of the integration."""
    return {
        command
        for command, (handler, _) in hass.data[WEBSOCKET_API].items()
        if command.startswith(f"{DOMAIN}/") or handler.__module__.startswith(PACKAGE)
    }


def own_views(router: web.UrlDispatcher) -> set[tuple[str, str]]:
    """Return method and path of each view and static path of the integration."""
    return {
        (route.method, route.resource.canonical)
        for route in router.routes()
        if route.resource is not None
        and (
            DOMAIN in route.resource.canonical
            or _module_behind(route.handler).startswith(PACKAGE)
        )
    }


def _module_behind(handler: Any) -> str:
    """Return the module of the view that Home Assistant has wrapped in a handler."""
    view = inspect.getclosurevars(handler).nonlocals.get("view")
    return type(view).__module__ if view is not None else handler.__module__


def own_intents(hass: HomeAssistant) -> set[str]:
    """Return the intents of the integration."""
    return {
        handler.intent_type
        for handler in intent.async_get(hass)
        if type(handler).__module__.startswith(PACKAGE)
    }


async def refused(
    clients: Clients,
    method: str,
    path: str,
    data: Any = None,
    visitors: Iterable[Visitor] = Visitor,
) -> set[Visitor]:
    """Send a request as visitors, who may do least first; return who is refused."""
    found = set()
    for visitor in visitors:
        answer = await clients[visitor].request(method, path, json=data)
        await answer.read()
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            found.add(visitor)
    return found


async def refused_command(
    clients: Clients,
    people: Mapping[Visitor, tuple[User, str]],
    command: str,
    data: dict[str, Any],
) -> set[Visitor]:
    """Send a websocket command as everybody; return who is refused."""
    # Home Assistant hears no command before the login.
    found = {Visitor.NOBODY}
    for visitor, (_, token) in people.items():
        async with clients[visitor].ws_connect("/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            assert (await socket.receive_json())["type"] == "auth_ok"
            await socket.send_json({"id": 1, "type": command} | data)
            answer = await socket.receive_json()
        if answer.get("error", {}).get("code") == "unauthorized":
            found.add(visitor)
    return found


async def kept(hass: HomeAssistant) -> dict[str, Any]:
    """Return what an action without the right to it must leave as it is."""
    own = own_entities(hass)
    return {
        state.entity_id: state.state
        for state in hass.states.async_all()
        if state.entity_id in (HEATER, PUMP_ON, PUMP_OFF)
        or (state.entity_id in own and state.domain in ("switch", "number", "select"))
    } | {"dashboard": deepcopy((await async_get_manager(hass)).data)}


async def check_refused(
    hass: HomeAssistant,
    clients: Clients,
    right: Right,
    action: str,
    data: dict[str, Any],
) -> None:
    """Check that an action (`domain/action`) is refused without the right, and does nothing."""
    before = await kept(hass)
    found = await refused(
        clients, "POST", f"/api/services/{action}", data, REFUSED[right]
    )
    assert found == REFUSED[right]
    await hass.async_block_till_done()
    assert await kept(hass) == before


async def check_allowed(
    clients: Clients, right: Right, action: str, data: dict[str, Any]
) -> None:
    """Check that an action is not refused to who has the right to it."""
    allowed = [visitor for visitor in Visitor if visitor not in REFUSED[right]]
    path = f"/api/services/{action}"
    assert await refused(clients, "POST", path, data, allowed) == set()


def entity_actions(
    hass: HomeAssistant,
) -> Iterator[tuple[str, Right, str, dict[str, Any]]]:
    """Yield entity, right, action and data of all that can be done with the entities."""
    for entity_id, right in ENTITIES.items():
        domain = entity_id.partition(".")[0]
        for action, data in ENTITY_ACTIONS[domain].items():
            state = hass.states.get(entity_id)
            assert state is not None
            target = {"entity_id": entity_id} | {
                name: state.state if value is STATE else value
                for name, value in data.items()
            }
            yield entity_id, right, f"{domain}/{action}", target


async def test_everything_asks_for_the_right_to_it(
    hass: HomeAssistant,
    house: NrjConfigEntry,
    clients: Clients,
    people: Mapping[Visitor, tuple[User, str]],
    subtests: pytest.Subtests,
) -> None:
    """Try each action, entity, intent, command, view and dialogue of a real house as everybody."""
    with subtests.test("no action is without a line"):
        found = hass.services.async_services_for_domain(DOMAIN)
        assert found.keys() == ACTIONS.keys()
    for name, (right, data) in ACTIONS.items():
        with subtests.test(name):
            await check_refused(hass, clients, right, path_of(name), data)
    with subtests.test("no entity is without a line"):
        for domain in {entity.partition(".")[0] for entity in own_entities(hass)}:
            found = hass.services.async_services_for_domain(domain)
            assert found.keys() == ENTITY_ACTIONS[domain].keys(), domain
        assert ENTITIES.keys() == {
            entity_id
            for entity_id in own_entities(hass)
            if ENTITY_ACTIONS[entity_id.partition(".")[0]]
        }
    for entity_id, right, action, data in entity_actions(hass):
        with subtests.test(f"{action} of {entity_id}"):
            state = hass.states.get(entity_id)
            # What is unavailable takes no action, whoever asks.
            assert state is not None
            assert state.state != STATE_UNAVAILABLE
            await check_refused(hass, clients, right, action, data)
    with subtests.test("no intent is without a line"):
        assert own_intents(hass) == INTENTS.keys()
    expose(hass, HEATER)
    for name, right in INTENTS.items():
        with subtests.test(name):
            await _check_intent(hass, clients, right, name)
    with subtests.test("no command and no view is without a line"):
        assert own_commands(hass) == WEBSOCKET_COMMANDS.keys()
        assert own_views(hass.http.app.router) == VIEWS.keys()
    commands = {**WEBSOCKET_COMMANDS, **home_assistant_commands(house)}
    for command, (right, data) in commands.items():
        with subtests.test(command):
            let_out = await refused_command(clients, people, command, data)
            assert let_out == REFUSED[right]
    for name, (right, data) in ACTIONS.items():
        with subtests.test(f"{name}, with the right"):
            await check_allowed(clients, right, path_of(name), data)
    for entity_id, right, action, data in entity_actions(hass):
        with subtests.test(f"{action} of {entity_id}, with the right"):
            await check_allowed(clients, right, action, data)
    views = {**VIEWS, **home_assistant_views(hass, house)}
    for (method, path), (right, data) in views.items():
        with subtests.test(f"{method} {path}"):
            assert await refused(clients, method, path, data) == REFUSED[right]


async def _check_intent(
    hass: HomeAssistant, clients: Clients, right: Right, name: str
) -> None:
    """Check who is told that they may not, and that nothing is switched for them."""
    data = {"name": name, "data": {"load": "Heater"}, "language": "fr"}
    answer = await clients[Visitor.NOBODY].post("/api/intent/handle", json=data)
    assert answer.status == HTTPStatus.UNAUTHORIZED
    for visitor in (Visitor.READER, Visitor.USER, Visitor.ADMIN):
        before = await kept(hass)
        answer = await clients[visitor].post("/api/intent/handle", json=data)
        response = await answer.json()
        speech = response["speech"]["plain"]["speech"]
        refusal = "Vous n’avez pas le droit de commander Heater."
        is_refused = visitor in REFUSED[right]
        assert (speech == refusal) is is_refused, f"{visitor}: {speech}"
        assert (response["response_type"] == "error") is is_refused, visitor
        if is_refused:
            assert await kept(hass) == before


def home_assistant_views(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> dict[tuple[str, str], tuple[Right, Any]]:
    """Return right and data of Home Assistant's views that lead into the integration."""
    entry_id = entry.entry_id
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    diagnostics = f"/api/diagnostics/config_entry/{entry_id}"
    entries = "/api/config/config_entries"
    fix = {"handler": DOMAIN, "issue_id": "none"}
    return {
        ("GET", "/api/image_proxy/image.nrj_meter_oscillogram"): (Right.READ, None),
        ("GET", diagnostics): (Right.ADMIN, None),
        ("GET", f"{diagnostics}/device/{devices[0].id}"): (Right.ADMIN, None),
        ("POST", f"{entries}/flow"): (Right.ADMIN, {"handler": DOMAIN}),
        ("POST", f"{entries}/options/flow"): (Right.ADMIN, {"handler": entry_id}),
        ("POST", f"{entries}/subentries/flow"): (
            Right.ADMIN,
            {"handler": [entry_id, "load"]},
        ),
        ("POST", "/api/repairs/issues/fix"): (Right.ADMIN, fix),
        ("POST", f"{entries}/entry/{entry_id}/reload"): (Right.ADMIN, None),
        ("DELETE", f"{entries}/entry/{entry_id}"): (Right.ADMIN, None),
    }


def home_assistant_commands(
    entry: NrjConfigEntry,
) -> dict[str, tuple[Right, dict[str, Any]]]:
    """Return right and data of Home Assistant's commands that lead into the integration."""
    removal = {"entry_id": entry.entry_id, "subentry_id": "none"}
    trigger = {"trigger": f"{DOMAIN}.load_shed", "target": {"entity_id": HEATER}}
    return {
        "config_entries/subentries/delete": (Right.ADMIN, removal),
        "energy/save_prefs": (Right.ADMIN, {"energy_sources": []}),
        "subscribe_trigger": (Right.ADMIN, {"trigger": trigger}),
    }


async def test_a_new_command_or_view_is_found(
    hass: HomeAssistant,
    clients: Clients,
    people: Mapping[Visitor, tuple[User, str]],
) -> None:
    """Find a command and a view that somebody adds, and who is let in."""

    @callback
    def answer(_: HomeAssistant, connection: ActiveConnection, message: Any) -> None:
        connection.send_result(message["id"])

    for name, right, handler in (
        ("open", Right.READ, answer),
        ("shut", Right.ADMIN, require_admin(answer)),
    ):
        schema = BASE_COMMAND_MESSAGE_SCHEMA
        command = f"{DOMAIN}/{name}"
        before = own_commands(hass)
        async_register_command(hass, command, handler, schema.extend({"type": command}))
        assert own_commands(hass) - before == {command}
        found = await refused_command(clients, people, command, {})
        assert found == REFUSED[right]

    class PlantedView(HomeAssistantView):
        """A view of the integration."""

        url = "/api/planted"
        name = "planted"

        async def get(self, request: web.Request) -> web.Response:
            """Answer."""
            return self.json({})

    PlantedView.__module__ = f"{PACKAGE}.planted"
    app, router = web.Application(), web.Application().router
    PlantedView().register(hass, app, router)
    assert own_views(router) == {("GET", "/api/planted")}


async def test_every_tool_of_a_language_model_only_reads() -> None:
    """Offer a language model, which knows no user, nothing but questions."""
    assert llm.TOOLS
    for tool in llm.TOOLS:
        assert tool.annotations is not None
        assert tool.annotations.read_only, tool.name


async def may_shed(hass: HomeAssistant, allowed: set[str], *loads: str) -> bool:
    """Return whether a user who may control only these entities may shed the loads."""
    user = await hass.auth.async_create_user("Guest")
    user.groups = []
    user.permissions = PolicyPermissions(
        {"entities": {"entity_ids": {name: {"control": True} for name in allowed}}},
        PermissionLookup(er.async_get(hass), dr.async_get(hass)),
    )
    context = Context(user_id=user.id)
    try:
        await hass.services.async_call(
            DOMAIN, "shed", {"load": list(loads)}, blocking=True, context=context
        )
    except Unauthorized:
        return False
    return True


async def test_a_load_belongs_to_who_may_control_its_entity(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Take the rights of the load's own entity, of both scripts, of all loads or none."""
    heater, pump = "sensor.heater_activity", "sensor.pump_activity"
    assert not await may_shed(hass, {heater}, heater)
    assert not await may_shed(hass, {PUMP_OFF, pump}, pump)
    assert not await may_shed(hass, {HEATER}, HEATER, pump)
    assert hass.states.is_state(HEATER, "on")
    assert await may_shed(hass, {HEATER}, heater)
    assert hass.states.is_state(HEATER, "off")
    assert await may_shed(hass, {PUMP_ON, PUMP_OFF}, pump)


async def test_a_script_has_the_rights_of_who_runs_it_and_an_automation_has_all(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    people: Mapping[Visitor, tuple[User, str]],
) -> None:
    """Refuse inside a script what its user may not do; do it where no user has asked."""
    shed = {"action": f"{DOMAIN}.shed", "data": {"load": HEATER}}
    dry_run = {"action": "switch.turn_on", "target": {"entity_id": DRY_RUN}}
    for step, who, entity_id in (
        (shed, Visitor.READER, HEATER),
        (dry_run, Visitor.USER, DRY_RUN),
    ):
        script = Script(hass, cv.SCRIPT_SCHEMA([step]), "Night", DOMAIN)
        before = hass.states.get(entity_id)
        asked = Context(user_id=people[who][0].id)
        with pytest.raises(Unauthorized):
            await script.async_run(context=asked)
        assert hass.states.get(entity_id) is before
        # The context of an automation names what has triggered it, and no user.
        await script.async_run(context=Context(parent_id=asked.id))
        await hass.async_block_till_done()
        assert hass.states.get(entity_id) is not before


async def test_a_user_who_is_gone_may_nothing(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Refuse what is asked in the name of a user who has been deleted."""
    before = await kept(hass)
    for domain, action, data in (
        (DOMAIN, "shed", {"load": HEATER}),
        (DOMAIN, "send_now", {}),
        ("switch", "turn_on", {"entity_id": DRY_RUN}),
    ):
        with pytest.raises(UnknownUser):
            await hass.services.async_call(
                domain, action, data, blocking=True, context=Context(user_id="gone")
            )
    assert await kept(hass) == before


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Needs an administrator."), ("fr", "Réservé aux administrateurs.")],
)
def test_the_dialogue_says_what_needs_an_administrator(
    language: str, words: str
) -> None:
    """Say so at the end of the description of exactly those actions."""
    told = {
        action
        for action, texts in TEXTS[language]["services"].items()
        if texts["description"].endswith(words)
    }
    assert told == {
        action for action, (right, _) in ACTIONS.items() if right is Right.ADMIN
    }


def test_the_page_says_who_may_run_which_action() -> None:
    """List every action on the page about security, with who may run it."""
    told = {
        action: row["who may"] == "administrators"
        for row in table("security.md", "in Home Assistant", "who may")
        for action in codes(row["in Home Assistant"])
    }
    assert told == {
        action: right is Right.ADMIN for action, (right, _) in ACTIONS.items()
    }
