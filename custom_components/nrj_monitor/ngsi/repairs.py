"""The dialogue behind samples that a broker refused."""

from collections.abc import Mapping
from typing import Any

from homeassistant import data_entry_flow
from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import probatio as vol

from ..entry_data import NrjConfigEntry
from .manager import BrokerLink
from .settings import SUBENTRY_BROKER


class SetAsideFlow(RepairsFlow):
    """Says what was refused and why; empties the set-aside when a person agrees."""

    def __init__(self, link: BrokerLink) -> None:
        """Prepare for a broker."""
        self._link = link

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Ask, then empty."""
        told = self._link.told
        if user_input is not None:
            await self._link.forwarder.empty_set_aside()
            return self.async_create_entry(title="", data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "name": self._link.subentry.title,
                "count": str(told.status.set_aside),
                "reason": told.refused[-1].reason if told.refused else "",
            },
        )


def async_set_aside_flow(hass: HomeAssistant, data: Mapping[str, Any]) -> RepairsFlow:
    """Return the dialogue of an issue, or raise UnknownHandler without its broker."""
    entry: NrjConfigEntry | None = hass.config_entries.async_get_entry(
        str(data["entry_id"])
    )
    link = None
    if entry is not None and entry.state is ConfigEntryState.LOADED:
        link = entry.runtime_data.brokers.get(str(data[SUBENTRY_BROKER]))
    if link is None:
        raise data_entry_flow.UnknownHandler("The broker of this issue is not there")
    return SetAsideFlow(link)
