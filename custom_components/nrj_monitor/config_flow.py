"""Config flow: set up, reconfigure and reauthenticate a meter of any source."""

from typing import Any, override

from homeassistant.config_entries import (
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.core import callback

from .const import CONF_SOURCE, DOMAIN, SOURCE_ENTITIES, SOURCE_MQTT, SOURCE_NATIVE_API
from .entry_data import NrjConfigEntry
from .flows.broker import BrokerFlow
from .flows.broker_reauth import BrokerReauthMixin
from .flows.entities import EntitiesFlowMixin
from .flows.loads import LoadFlow
from .flows.mqtt import MqttFlowMixin
from .flows.native import NativeFlowMixin
from .flows.options import MeterOptionsFlow
from .loads.settings import SUBENTRY_LOAD
from .ngsi.settings import SUBENTRY_BROKER

SOURCES = {
    SOURCE_NATIVE_API: "native",
    SOURCE_MQTT: "topic",
    SOURCE_ENTITIES: "entities",
}
"""The step that adds a meter, by the source of its readings, in the menu's order."""

SUBENTRIES: dict[str, type[ConfigSubentryFlow]] = {
    SUBENTRY_LOAD: LoadFlow,
    SUBENTRY_BROKER: BrokerFlow,
}
"""What can be added to a meter, and by which dialogue."""


class NrjMonitorConfigFlow(
    BrokerReauthMixin, NativeFlowMixin, MqttFlowMixin, EntitiesFlowMixin, domain=DOMAIN
):
    """Config flow of a meter; an entry is created only after the meter has answered."""

    VERSION = 1
    MINOR_VERSION = 3

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: NrjConfigEntry) -> OptionsFlow:
        """Return the dialogue behind the Configure button."""
        return MeterOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: NrjConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the subentry flows: loads and brokers."""
        return SUBENTRIES

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the readings come from."""
        return self.async_show_menu(step_id="user", menu_options=list(SOURCES.values()))

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Start the reconfiguration of the entry's source."""
        source = self._get_reconfigure_entry().data[CONF_SOURCE]
        step = getattr(self, f"async_step_reconfigure_{SOURCES[source]}")
        result: ConfigFlowResult = await step()
        return result
