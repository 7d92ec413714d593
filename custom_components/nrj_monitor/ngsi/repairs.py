"""Repair flow of the issue of refused samples."""

from collections.abc import Mapping
from typing import Any

from homeassistant import data_entry_flow
from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import probatio as vol

from ..entry_data import NrjConfigEntry
from .manager import BrokerManager
from .settings import SUBENTRY_BROKER


class DeadLettersFlow(RepairsFlow):
    """Repair flow: shows the refused samples, deletes dead letters on consent."""

    def __init__(self, broker: BrokerManager) -> None:
        """Prepare the flow for the dead letters of `broker`."""
        self._broker = broker

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Start with the confirmation."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Ask for confirmation, then delete the dead letters."""
        status = self._broker.status
        if user_input is not None:
            await self._broker.forwarder.clear_dead_letters()
            return self.async_create_entry(title="", data={})
        letters = status.dead_letters
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "name": self._broker.subentry.title,
                "count": str(status.spool.dead_letters),
                "reason": letters[-1].reason if letters else "",
            },
        )


def async_dead_letters_flow(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> RepairsFlow:
    """Return the repair flow of an issue; raises UnknownHandler without its broker."""
    entry: NrjConfigEntry | None = hass.config_entries.async_get_entry(
        str(data["entry_id"])
    )
    broker = None
    if entry is not None and entry.state is ConfigEntryState.LOADED:
        broker = entry.runtime_data.brokers.get(str(data[SUBENTRY_BROKER]))
    if broker is None:
        raise data_entry_flow.UnknownHandler("The broker of this issue is not there")
    return DeadLettersFlow(broker)
