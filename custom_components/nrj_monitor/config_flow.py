"""The dialogues that set up a meter, give it a new address or a new key."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components import zeroconf
from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio as vol

from .const import CONF_ENCRYPTION_KEY, CONF_METER, DEFAULT_PORT, DOMAIN
from .sources import MeterDescription
from .sources.errors import (
    ConnectionRefusedSourceError,
    CredentialError,
    HostUnknownError,
    SourceError,
)
from .sources.native_api import NativeApiAddress, probe

KEY_FIELD = {
    vol.Optional(CONF_ENCRYPTION_KEY): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD)
    )
}

ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=1, max=65535, step=1, mode=NumberSelectorMode.BOX
                )
            ),
            vol.Coerce(int),
        ),
        **KEY_FIELD,
    }
)

KEY_SCHEMA = vol.Schema(KEY_FIELD)

FIELDS: tuple[tuple[type[SourceError], str], ...] = (
    (CredentialError, CONF_ENCRYPTION_KEY),
    (HostUnknownError, CONF_HOST),
    (ConnectionRefusedSourceError, CONF_PORT),
)
"""Beside which field an error is shown; the others stand above the form."""


class NrjMonitorConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up a meter only after it has been talked to."""

    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing asked and nothing wrong."""
        self._error: SourceError | None = None
        self._placeholders: dict[str, str] = {}

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of a meter and add it."""
        if user_input is not None and (meter := await self._async_probe(user_input)):
            await self.async_set_unique_id(meter.mac, raise_on_progress=False)
            self._abort_if_unique_id_configured()
            return self.async_create_entry(
                title=meter.name, data=_entry_data(user_input, meter)
            )
        return self._form("user", ADDRESS_SCHEMA, user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new address of a known meter."""
        entry = self._get_reconfigure_entry()
        if user_input is not None and (meter := await self._async_probe(user_input)):
            await self.async_set_unique_id(meter.mac)
            self._abort_if_unique_id_mismatch(
                reason="other_meter", description_placeholders={"name": entry.title}
            )
            return self.async_update_reload_and_abort(
                entry, data=_entry_data(user_input, meter)
            )
        return self._form("reconfigure", ADDRESS_SCHEMA, user_input or entry.data)

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin asking for the new key of a known meter."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new key of a known meter."""
        entry = self._get_reauth_entry()
        if user_input is not None:
            address = {key: entry.data[key] for key in (CONF_HOST, CONF_PORT)}
            asked = address | user_input
            if meter := await self._async_probe(asked):
                await self.async_set_unique_id(meter.mac)
                self._abort_if_unique_id_mismatch(
                    reason="other_meter",
                    description_placeholders={"name": entry.title},
                )
                return self.async_update_reload_and_abort(
                    entry, data=_entry_data(asked, meter)
                )
        return self._form("reauth_confirm", KEY_SCHEMA, user_input, name=entry.title)

    async def _async_probe(self, asked: dict[str, Any]) -> MeterDescription | None:
        """Talk to the meter; on failure note the error for the form."""
        asked[CONF_HOST] = asked[CONF_HOST].strip()
        address = NativeApiAddress(
            host=asked[CONF_HOST], port=asked[CONF_PORT], key=_key(asked)
        )
        try:
            return await probe(
                address, zeroconf=await zeroconf.async_get_instance(self.hass)
            )
        except SourceError as error:
            self._error = error
            self._placeholders = {
                "host": address.host,
                "port": str(address.port),
                **error.placeholders,
            }
        return None

    def _form(
        self,
        step_id: str,
        schema: vol.Schema,
        values: Mapping[str, Any] | None,
        **placeholders: str,
    ) -> ConfigFlowResult:
        """Show a form with what was typed before and what was wrong with it."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=_form_errors(self._error, schema),
            description_placeholders=self._placeholders | placeholders,
        )


def _form_errors(error: SourceError | None, schema: vol.Schema) -> dict[str, str]:
    """Return the error beside the field it is about, where the form has that field."""
    if error is None:
        return {}
    fields = (field for kind, field in FIELDS if isinstance(error, kind))
    field = next((field for field in fields if field in schema.schema), "base")
    return {field: error.key}


def _key(asked: Mapping[str, Any]) -> str | None:
    """Return the key that was typed, None where the field was left empty."""
    return asked.get(CONF_ENCRYPTION_KEY, "").strip() or None


def _entry_data(asked: Mapping[str, Any], meter: MeterDescription) -> dict[str, Any]:
    """Return what an entry stores."""
    key = _key(asked)
    return {
        CONF_HOST: asked[CONF_HOST],
        CONF_PORT: asked[CONF_PORT],
        CONF_METER: meter.as_dict(),
        **({} if key is None else {CONF_ENCRYPTION_KEY: key}),
    }
