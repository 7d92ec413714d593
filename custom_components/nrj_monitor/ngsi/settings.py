"""Settings of a broker, stored in its config subentry, and the clients they lead to."""

from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext, create_default_context
import time
from typing import Any, Final

from homeassistant.const import CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..sources import MeterDescription
from .auth import Auth, OAuth2, StaticAuth
from .broker import LdBroker, QuantumLeap, Target, Temporal, V2Broker, make_broker
from .http import Server
from .mapping import Api, Generation, NgsiEntity
from .models import Model
from .wiring import measures_between_phases

SUBENTRY_BROKER: Final = "broker"
"""Type of the config subentries of brokers."""

CONF_API: Final = "api"
CONF_TENANT: Final = "tenant"
CONF_SERVICE_PATH: Final = "service_path"
CONF_AUTH: Final = "auth"
CONF_TOKEN_URL: Final = "token_url"
CONF_CLIENT_ID: Final = "client_id"
CONF_CLIENT_SECRET: Final = "client_secret"
CONF_CA_FILE: Final = "ca_file"
CONF_MODEL: Final = "model"
CONF_ENTITY: Final = "entity"
CONF_GENERATION: Final = "generation"
CONF_REF_DEVICE: Final = "ref_device"
CONF_LOCATION: Final = "location"
CONF_GROUPS: Final = "groups"
CONF_EXTRAS: Final = "extras"
CONF_INTERVAL: Final = "interval"
CONF_HISTORY_URL: Final = "history_url"
CONF_TEMPORAL: Final = "temporal"

AUTH_NONE: Final = "none"
AUTH_TOKEN: Final = "token"
AUTH_OAUTH2: Final = "oauth2"
AUTHS: Final = (AUTH_NONE, AUTH_TOKEN, AUTH_OAUTH2)

CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    AUTH_NONE: (),
    AUTH_TOKEN: (CONF_TOKEN,),
    AUTH_OAUTH2: (
        CONF_TOKEN_URL,
        CONF_CLIENT_ID,
        CONF_CLIENT_SECRET,
        CONF_USERNAME,
        CONF_PASSWORD,
    ),
}
"""Settings of each kind of authentication."""

SECRET: Final = {
    CONF_URL,
    CONF_TOKEN,
    CONF_TOKEN_URL,
    CONF_CLIENT_ID,
    CONF_CLIENT_SECRET,
    CONF_USERNAME,
    CONF_PASSWORD,
    CONF_CA_FILE,
    CONF_ENTITY,
    CONF_REF_DEVICE,
    CONF_LOCATION,
    CONF_HISTORY_URL,
}
"""Settings to redact: credentials, addresses, the location."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Clients of a broker and of its history server."""

    broker: V2Broker | LdBroker
    history: QuantumLeap | Temporal | None

    @property
    def backlog(self) -> Target | None:
        """Return the target of waiting samples, None for the broker itself."""
        return self.history if isinstance(self.history, Temporal) else None


async def async_connect(hass: HomeAssistant, data: Mapping[str, Any]) -> Connection:
    """Return the clients for a broker's settings, without sending a request.

    Raises OSError where the file of certificates cannot be read.
    """
    context: SSLContext | bool = True
    if path := data.get(CONF_CA_FILE):
        context = await hass.async_add_executor_job(_context, path)
    api = Api(data[CONF_API])
    session = async_get_clientsession(hass)
    auth = _auth(hass, data, context)
    headers = _headers(api, data)
    server = Server(session, data[CONF_URL], auth, headers=headers, ssl=context)
    history: QuantumLeap | Temporal | None = None
    if api is Api.V2 and (url := data.get(CONF_HISTORY_URL)):
        history = QuantumLeap(Server(session, url, auth, headers=headers, ssl=context))
    elif api is Api.LD and data.get(CONF_TEMPORAL):
        history = Temporal(server)
    return Connection(make_broker(api, server), history)


def create_ngsi_entity(
    data: Mapping[str, Any], meter: MeterDescription, metering_started: int
) -> NgsiEntity:
    """Return the constant attributes of a meter for a broker's settings.

    `metering_started` is in milliseconds since 1970.
    """
    location = data.get(CONF_LOCATION) or {}
    return NgsiEntity(
        id=data[CONF_ENTITY],
        model=Model(data[CONF_MODEL]),
        name=meter.name,
        ref_device=data.get(CONF_REF_DEVICE, ""),
        latitude=location.get("latitude"),
        longitude=location.get("longitude"),
        metering_started=metering_started,
        extras=data[CONF_EXTRAS],
        line_voltages=measures_between_phases(meter.channels),
        generation=Generation(data[CONF_GENERATION]),
    )


def _headers(api: Api, data: Mapping[str, Any]) -> dict[str, str]:
    tenant, path = data.get(CONF_TENANT), data.get(CONF_SERVICE_PATH)
    if api is Api.LD:
        return {"NGSILD-Tenant": tenant} if tenant else {}
    headers = {"Fiware-Service": tenant} if tenant else {}
    return headers | ({"Fiware-ServicePath": path} if path else {})


def _auth(
    hass: HomeAssistant, data: Mapping[str, Any], context: SSLContext | bool
) -> Auth:
    if data[CONF_AUTH] == AUTH_OAUTH2:
        return OAuth2(
            async_get_clientsession(hass),
            data[CONF_TOKEN_URL],
            data[CONF_CLIENT_ID],
            data[CONF_CLIENT_SECRET],
            clock=time.monotonic,
            username=data.get(CONF_USERNAME),
            password=data.get(CONF_PASSWORD),
            ssl=context,
        )
    return StaticAuth(data.get(CONF_TOKEN))


def _context(path: str) -> SSLContext:
    return create_default_context(cafile=path)
