"""Repair flows of the meter's issues: check again once a person has fixed the cause."""

import asyncio
from contextlib import suppress
from typing import Any

from homeassistant import data_entry_flow
from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import probatio as vol

from .const import DOMAIN
from .device_text import plain
from .entry_data import NrjConfigEntry
from .issues.left_over import LEFT_OVER, LeftOverRepairFlow
from .issues.monitor import IssueMonitor
from .meter import Meter
from .ngsi.repairs import async_dead_letters_flow
from .ngsi.settings import SUBENTRY_BROKER
from .sources.errors import LinkDownError
from .sources.native_api.session import NativeApiSource

CHECK_WIRING = "check_wiring"

WIRING_CHECKS = ("wrong_wiring", "unfinished_wiring")
"""Issues that the meter's wiring check raises, and clears."""

RESULT_TIMEOUT = 2.0
"""Seconds after its answer in which the result of a wiring check must have come."""


class RecheckRepairFlow(RepairsFlow):
    """Shows a fault and its remedy, and checks again before the issue is deleted."""

    def __init__(self, entry: NrjConfigEntry, check: str) -> None:
        """Initialize the flow for a failed check of the meter of `entry`."""
        self._entry = entry
        self._check = check

    @property
    def _monitor(self) -> IssueMonitor:
        """Return the issue monitor of the present set-up of the entry."""
        if self._entry.state is not ConfigEntryState.LOADED:
            raise data_entry_flow.AbortFlow("not_there")
        return self._entry.runtime_data.issues

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Show the form."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Ask the person to fix the cause, then check again."""
        errors: dict[str, str] = {}
        monitor = self._monitor
        if user_input is not None:
            problem = await self._async_prepare()
            if problem is None and not self._entry.runtime_data.meter.connected:
                problem = "link_down"
            if problem is None and self._check not in monitor.failed_checks():
                monitor.async_update_issues()
                return self.async_create_entry(title="", data={})
            errors["base"] = problem or "still_there"
        failed = monitor.failed_checks().get(self._check, {})
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        known = (issue.translation_placeholders or {}) if issue is not None else {}
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={
                **known,
                **failed,
                "name": plain(self._entry.title),
            },
        )

    async def _async_prepare(self) -> str | None:
        """Prepare the check; return the key of the error on failure."""
        meter = self._entry.runtime_data.meter
        if self._check == "energy_gone_back":
            self._monitor.async_acknowledge_totals()
        if self._check == "impossible_readings":
            self._monitor.async_acknowledge_refusals()
        if self._check == "over_range":
            self._monitor.async_acknowledge_over_range()
        if self._check in WIRING_CHECKS and isinstance(meter.source, NativeApiSource):
            try:
                await self._async_check_wiring(meter, meter.source)
            except LinkDownError:
                return "link_down"
        return None

    async def _async_check_wiring(self, meter: Meter, source: NativeApiSource) -> None:
        """Run the meter's wiring check, and wait for a result without a fault.

        Raises LinkDownError. The answer of the action may overtake the result: the
        meter sends states in packets, and answers at once.
        """
        changed = asyncio.Event()
        remove_listener = meter.async_add_text_listener(changed.set)
        try:
            await source.run_action(CHECK_WIRING)
            with suppress(TimeoutError):
                async with asyncio.timeout(RESULT_TIMEOUT):
                    while self._check in self._monitor.failed_checks():
                        await changed.wait()
                        changed.clear()
        finally:
            remove_listener()


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the repair flow of an issue."""
    assert data is not None
    if SUBENTRY_BROKER in data:
        return async_dead_letters_flow(hass, data)
    entry = hass.config_entries.async_get_entry(str(data["entry_id"]))
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        raise data_entry_flow.UnknownHandler("The meter of this issue is not there")
    if data["check"] == LEFT_OVER:
        return LeftOverRepairFlow(entry)
    return RecheckRepairFlow(entry, str(data["check"]))
