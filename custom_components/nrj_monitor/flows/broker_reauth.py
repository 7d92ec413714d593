"""Reauthentication flow of a broker with refused credentials."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult, ConfigSubentry

from ..ngsi.settings import CONF_AUTH, SUBENTRY_BROKER
from .broker import CREDENTIAL_SCHEMAS, async_probe


class BrokerReauthMixin(ConfigFlow):
    """Steps of a reauthentication started by a broker, not by the meter."""

    _broker_id = ""

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Start the reauthentication of the broker, or of the meter in the next class."""
        if SUBENTRY_BROKER not in entry_data:
            parent: Any = super()
            result: ConfigFlowResult = await parent.async_step_reauth(entry_data)
            return result
        self._broker_id = entry_data[SUBENTRY_BROKER]
        broker = self._broker
        if broker is None or broker.data[CONF_AUTH] not in CREDENTIAL_SCHEMAS:
            return self.async_abort(reason="broker_gone")
        if broker.data[CONF_AUTH] == "token":
            return await self.async_step_reauth_token()
        return await self.async_step_reauth_oauth2()

    @property
    def _broker(self) -> ConfigSubentry | None:
        return self._get_reauth_entry().subentries.get(self._broker_id)

    async def async_step_reauth_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new token."""
        return await self._async_new_credentials("token", user_input)

    async def async_step_reauth_oauth2(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for new client credentials of the OAuth2 server."""
        return await self._async_new_credentials("oauth2", user_input)

    async def _async_new_credentials(
        self, kind: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        entry, broker = self._get_reauth_entry(), self._broker
        if broker is None:
            return self.async_abort(reason="broker_gone")
        schema = CREDENTIAL_SCHEMAS[kind]
        errors: dict[str, str] = {}
        reason = ""
        if user_input is not None:
            old = {
                k: v for k, v in broker.data.items() if k not in map(str, schema.schema)
            }
            data = old | user_input
            key, reason = await async_probe(self.hass, data)
            if key is None:
                self.hass.config_entries.async_update_subentry(entry, broker, data=data)
                return self.async_abort(reason="reauth_successful")
            errors = {"base": f"broker_{key}"}
        return self.async_show_form(
            step_id=f"reauth_{kind}",
            data_schema=self.add_suggested_values_to_schema(schema, broker.data),
            errors=errors,
            description_placeholders={"name": broker.title, "reason": reason},
        )
