"""Subentry flow of a context broker: adds a broker or changes its settings.

Settings are stored only after the broker has been probed: its interface is the chosen
one, and a probe entity can be written, read and deleted in the tenant and service path.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    LocationSelector,
    LocationSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio as vol

from ..ngsi import names
from ..ngsi.broker import QuantumLeap
from ..ngsi.errors import DeliveryError
from ..ngsi.groups import DEFAULT_GROUPS, Group
from ..ngsi.mapping import Api, Generation
from ..ngsi.models import Model
from ..ngsi.settings import (
    AUTH_NONE,
    AUTHS,
    CONF_API,
    CONF_AUTH,
    CONF_CA_FILE,
    CONF_CLIENT_ID,
    CONF_CLIENT_SECRET,
    CONF_ENTITY,
    CONF_EXTRAS,
    CONF_GENERATION,
    CONF_GROUPS,
    CONF_HISTORY_URL,
    CONF_INTERVAL,
    CONF_LOCATION,
    CONF_MODEL,
    CONF_REF_DEVICE,
    CONF_SERVICE_PATH,
    CONF_TEMPORAL,
    CONF_TENANT,
    CONF_TOKEN_URL,
    CREDENTIALS,
    SUBENTRY_BROKER,
    async_connect,
)

URL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
TEXT: Final = TextSelector()


def _choice(key: str, options: list[str], multiple: bool = False) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            mode=SelectSelectorMode.LIST if multiple else SelectSelectorMode.DROPDOWN,
            multiple=multiple,
            translation_key=f"broker_{key}",
        )
    )


SERVER_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_URL): URL,
        vol.Required(CONF_API, default=Api.V2.value): _choice(CONF_API, list(Api)),
        vol.Optional(CONF_TENANT): TEXT,
        vol.Optional(CONF_SERVICE_PATH): TEXT,
        vol.Required(CONF_AUTH, default=AUTH_NONE): _choice(CONF_AUTH, list(AUTHS)),
        vol.Optional(CONF_CA_FILE): TEXT,
    }
)
TOKEN_SCHEMA: Final = vol.Schema({vol.Required(CONF_TOKEN): SECRET})
OAUTH2_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_TOKEN_URL): URL,
        vol.Required(CONF_CLIENT_ID): TEXT,
        vol.Required(CONF_CLIENT_SECRET): SECRET,
        vol.Optional(CONF_USERNAME): TEXT,
        vol.Optional(CONF_PASSWORD): SECRET,
    }
)
CREDENTIAL_SCHEMAS: Final = {"token": TOKEN_SCHEMA, "oauth2": OAUTH2_SCHEMA}

_INTERVAL: Final = NumberSelector(
    NumberSelectorConfig(
        min=1,
        max=3600,
        step=1,
        mode=NumberSelectorMode.BOX,
        unit_of_measurement="s",
    )
)


def entity_schema(api: Api) -> vol.Schema:
    """Return the schema of the entity form; its history field depends on the interface."""
    history: dict[Any, Any] = (
        {vol.Optional(CONF_HISTORY_URL): URL}
        if api is Api.V2
        else {vol.Required(CONF_TEMPORAL, default=False): bool}
    )
    return vol.Schema(
        {
            vol.Required(CONF_MODEL, default=Model.THREE_PHASE.name.lower()): _choice(
                CONF_MODEL, [model.name.lower() for model in Model]
            ),
            vol.Required(CONF_ENTITY): TEXT,
            vol.Optional(CONF_REF_DEVICE): TEXT,
            vol.Required(CONF_GENERATION, default=Generation.EXPORT.value): _choice(
                CONF_GENERATION, list(Generation)
            ),
            vol.Optional(CONF_LOCATION): LocationSelector(
                LocationSelectorConfig(radius=False)
            ),
            vol.Required(
                CONF_GROUPS, default=[group.value for group in DEFAULT_GROUPS]
            ): _choice(CONF_GROUPS, list(Group), multiple=True),
            vol.Required(CONF_EXTRAS, default=True): bool,
            vol.Required(CONF_INTERVAL, default=10): _INTERVAL,
            **history,
        }
    )


def is_address(text: str) -> bool:
    """Return whether `text` is the URL of a server, without credentials or a query."""
    try:
        parts = urlsplit(text.strip())
        port_is_none = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port_is_none
        and parts.username is None
        and not parts.query
        and not parts.fragment
    )


async def async_probe(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> tuple[str | None, str]:
    """Probe a broker; return the key of the error, None without, and its reason."""
    try:
        connection = await async_connect(hass, data)
    except OSError:
        return "bad_ca_file", ""
    try:
        await connection.broker.version()
        await connection.broker.probe()
        if isinstance(connection.history, QuantumLeap):
            await connection.history.version()
    except DeliveryError as error:
        return error.key, str(error)
    return None, ""


class BrokerFlow(ConfigSubentryFlow):
    """Subentry flow of a broker."""

    def __init__(self) -> None:
        """Prepare a flow without settings."""
        self._data: dict[str, Any] = {}
        self._reason = ""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Start to add a broker, with the meter and the location of the home suggested."""
        meter = self._get_entry().runtime_data.meter.description
        serial = "".join(c for c in meter.mac if c.isalnum())
        place = self.hass.config
        self._data = {
            CONF_REF_DEVICE: f"urn:ngsi-ld:Device:{serial}",
            CONF_LOCATION: {"latitude": place.latitude, "longitude": place.longitude},
        }
        self._serial = serial
        return await self.async_step_server()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Start to change a broker, with its settings suggested."""
        self._data = dict(self._get_reconfigure_subentry().data)
        self._serial = ""
        return await self.async_step_server()

    async def async_step_server(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the URL, the interface, the tenant and the authentication."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._update(user_input, SERVER_SCHEMA)
            errors = self._server_errors()
            if not errors:
                if user_input[CONF_AUTH] != AUTH_NONE:
                    step = getattr(self, f"async_step_{user_input[CONF_AUTH]}")
                    result: SubentryFlowResult = await step()
                    return result
                errors = await self._async_probe()
                if not errors:
                    return await self.async_step_entity()
        return self._form("server", SERVER_SCHEMA, errors)

    async def async_step_token(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the token."""
        return await self._async_credentials("token", user_input)

    async def async_step_oauth2(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the client credentials of an OAuth2 server."""
        return await self._async_credentials("oauth2", user_input)

    async def _async_credentials(
        self, step: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        schema = CREDENTIAL_SCHEMAS[step]
        if user_input is not None:
            self._update(user_input, schema)
            if not is_address(self._data.get(CONF_TOKEN_URL, self._data[CONF_URL])):
                errors = {CONF_TOKEN_URL: "bad_url"}
            else:
                errors = await self._async_probe()
            if not errors:
                return await self.async_step_entity()
        return self._form(step, schema, errors)

    async def async_step_entity(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the model, the entity, the quantities and the interval."""
        errors: dict[str, str] = {}
        schema = entity_schema(Api(self._data[CONF_API]))
        if user_input is not None:
            self._update(user_input, schema)
            self._data[CONF_MODEL] = Model[user_input[CONF_MODEL].upper()].value
            self._data[CONF_INTERVAL] = int(user_input[CONF_INTERVAL])
            errors = self._entity_errors()
            if not errors and self._data.get(CONF_HISTORY_URL):
                errors = await self._async_probe()
            if not errors:
                return self._finish()
        elif CONF_ENTITY not in self._data:
            model = Model.THREE_PHASE.value
            self._data[CONF_ENTITY] = f"urn:ngsi-ld:{model}:{self._serial}"
        return self._form("entity", schema, errors)

    @callback
    def _finish(self) -> SubentryFlowResult:
        """Store the settings, without those of another authentication or interface."""
        unwanted = {
            key
            for auth, keys in CREDENTIALS.items()
            if auth != self._data[CONF_AUTH]
            for key in keys
        }
        unwanted.add(
            CONF_TEMPORAL if self._data[CONF_API] == Api.V2 else CONF_HISTORY_URL
        )
        data = {key: v for key, v in self._data.items() if key not in unwanted}
        title = urlsplit(data[CONF_URL]).hostname or ""
        unique_id = "|".join(
            str(data.get(key, ""))
            for key in (CONF_URL, CONF_TENANT, CONF_SERVICE_PATH, CONF_ENTITY)
        )
        own_id = (
            self._reconfigure_subentry_id if self.source == SOURCE_RECONFIGURE else None
        )
        for known in self._get_entry().get_subentries_of_type(SUBENTRY_BROKER):
            if known.unique_id == unique_id and known.subentry_id != own_id:
                return self.async_abort(reason="already_configured")
        if own_id is not None:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                data=data,
                unique_id=unique_id,
            )
        return self.async_create_entry(title=title, data=data, unique_id=unique_id)

    @callback
    def _update(self, answers: Mapping[str, Any], schema: vol.Schema) -> None:
        """Update the settings from the answers to a form; empty fields are removed."""
        for field in schema.schema:
            self._data.pop(str(field), None)
        for key, value in answers.items():
            self._data[key] = value.strip() if isinstance(value, str) else value

    @callback
    def _server_errors(self) -> dict[str, str]:
        data = self._data
        errors: dict[str, str] = {}
        if not is_address(data[CONF_URL]):
            errors[CONF_URL] = "bad_url"
        if not names.is_tenant(data.get(CONF_TENANT, "")):
            errors[CONF_TENANT] = "bad_tenant"
        if not names.is_service_path(data.get(CONF_SERVICE_PATH, "")):
            errors[CONF_SERVICE_PATH] = "bad_service_path"
        return errors

    @callback
    def _entity_errors(self) -> dict[str, str]:
        data = self._data
        errors: dict[str, str] = {}
        good = names.is_uri if data[CONF_API] == Api.LD else names.is_identifier
        if not good(data[CONF_ENTITY]):
            errors[CONF_ENTITY] = "bad_identifier"
        if (device := data.get(CONF_REF_DEVICE)) and not good(device):
            errors[CONF_REF_DEVICE] = "bad_identifier"
        if not data[CONF_GROUPS]:
            errors[CONF_GROUPS] = "no_groups"
        if data[CONF_MODEL] == Model.AC and not data.get(CONF_LOCATION):
            errors[CONF_LOCATION] = "location_required"
        if (url := data.get(CONF_HISTORY_URL)) and not is_address(url):
            errors[CONF_HISTORY_URL] = "bad_url"
        return errors

    async def _async_probe(self) -> dict[str, str]:
        """Probe the broker; return the errors of the form."""
        key, self._reason = await async_probe(self.hass, self._data)
        return {} if key is None else {"base": key}

    @callback
    def _form(
        self, step: str, schema: vol.Schema, errors: dict[str, str]
    ) -> SubentryFlowResult:
        """Show a form with the current settings suggested."""
        known = dict(self._data)
        if CONF_MODEL in known:
            known[CONF_MODEL] = Model(known[CONF_MODEL]).name.lower()
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, known),
            errors=errors,
            description_placeholders={
                "reason": self._reason,
                "name": self._get_entry().title,
            },
        )
