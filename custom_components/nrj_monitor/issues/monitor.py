"""Raises and clears the issues of a meter as its checks fail and pass."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from typing import Any

from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..catalog import CHANNELS
from ..const import (
    CONF_ENCRYPTION_KEY,
    CONF_SOURCE,
    DOMAIN,
    MINIMUM_FIRMWARE,
    SOURCE_NATIVE_API,
)
from ..device_messages.message import DeviceMessage, parse_messages
from ..device_messages.sentences import async_say
from ..device_text import plain
from ..entry_data import NrjConfigEntry
from ..meter import Meter
from ..meter_store import TOTALS_DELAY, MeterStore
from ..over_range import Excursion
from ..sources.errors import OtherMeterError
from ..texts import async_text
from .checks import CHECKS, CLOCK_GRACE, NOT_SET, Facts, Placeholders, failed_checks
from .range_remedy import remedy

LEARN_MORE = (
    "https://github.com/nrj-monitor/nrj-monitor/blob/main/docs/troubleshooting.md"
)

OVER_RANGE_TEXTS = "selector.over_range.options"
"""Place in the translations of the sentences about what is beyond the range."""

OTHER_METER = "other_meter"
"""Key of the issue of another device at the meter's address."""

OVER_RANGE_MEMORY = timedelta(hours=24)
"""Time after which something beyond the meter's range is forgotten."""

COUNTERS = tuple(
    channel
    for channel in CHANNELS.values()
    if channel.quantity.key in ("import_energy", "export_energy")
)


def uses_network(data: Mapping[str, Any]) -> bool:
    """Return whether the native API of an entry with this data runs over a network.

    Others could then listen to the link, or switch relays.
    """
    if data[CONF_SOURCE] != SOURCE_NATIVE_API:
        return False
    try:
        return not ip_address(data[CONF_HOST]).is_loopback
    except ValueError:
        return True


@callback
def translate_excursions(hass: HomeAssistant, excursions: Iterable[Excursion]) -> str:
    """Return a line for each excursion in Home Assistant's language, with its remedy."""
    lines = []
    for excursion in excursions:
        key, placeholders = remedy(excursion)
        what = async_text(
            hass,
            OVER_RANGE_TEXTS,
            excursion.quantity,
            phase=excursion.phase,
            rms=f"{excursion.rms:g}",
            range=f"{excursion.full_scale:g}",
        )
        lines.append(
            f"- {what} {async_text(hass, OVER_RANGE_TEXTS, key, **placeholders)}"
        )
    return "\n".join(lines)


class IssueMonitor:
    """Raises and deletes the issues of a meter by its checks."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: NrjConfigEntry,
        meter: Meter,
        store: MeterStore,
    ) -> None:
        """Initialize the monitor of `meter`, whose energy totals are in `store`."""
        self._hass = hass
        self._store = store
        self._energy_counters = store.energy_counters
        self._entry = entry
        self._meter = meter
        self._clock_received_at: datetime | None = None
        self._clock: str | None = None
        self._excursions: dict[tuple[str, str], tuple[Excursion, datetime]] = {}
        self._forget_timer: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> None:
        """Check the meter from now on, until its entry is unloaded."""
        meter, unload = self._meter, self._entry.async_on_unload
        unload(meter.async_add_connection_listener(self.async_update_issues))
        unload(meter.async_add_connection_listener(self._on_link))
        unload(meter.async_add_text_listener(self._on_text))
        unload(meter.async_add_refusal_listener(self.async_update_issues))
        unload(meter.async_add_over_range_listener(self._on_over_range))
        unload(self._cancel_forgetting)
        for channel in COUNTERS:
            listener = partial(self._on_total, channel.id)
            unload(meter.async_add_reading_listener(channel, listener))
            # A reading may have come before the listener was added.
            listener(meter.snapshot.get(channel), 0.0)
        self._on_link()
        self._on_over_range()
        self.async_update_issues()

    @callback
    def _on_link(self) -> None:
        """Raise the issue of another device at the meter's address, or delete it."""
        error, issue_id = self._meter.error, f"{OTHER_METER}_{self._entry.entry_id}"
        if not isinstance(error, OtherMeterError):
            if self._meter.connected:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            is_persistent=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=OTHER_METER,
            translation_placeholders={
                "name": plain(self._entry.title),
                "host": plain(self._entry.data[CONF_HOST]),
                **error.placeholders,
            },
        )

    @callback
    def async_acknowledge_totals(self) -> None:
        """Clear the recorded decreases of energy totals, acknowledged by a person."""
        self._energy_counters.acknowledge()
        self._store.async_schedule_save()

    @callback
    def async_acknowledge_refusals(self) -> None:
        """Forget the refused readings, acknowledged by a person."""
        self._meter.gate.acknowledge()

    @callback
    def async_acknowledge_over_range(self) -> None:
        """Forget what was beyond the range and is no more, acknowledged by a person."""
        self._excursions.clear()
        self._remember_over_range()

    @callback
    def _on_over_range(self) -> None:
        """Remember what is beyond the range; look again once it may be forgotten."""
        if self._remember_over_range():
            self._cancel_forgetting()
            self._forget_timer = async_call_later(
                self._hass, OVER_RANGE_MEMORY + timedelta(seconds=1), self._on_grace
            )
            self.async_update_issues()

    @callback
    def _cancel_forgetting(self) -> None:
        if self._forget_timer is not None:
            self._forget_timer()
            self._forget_timer = None

    def _remember_over_range(self) -> bool:
        """Store what is beyond the range now; return whether anything is."""
        now = dt_util.utcnow()
        for excursion in self._meter.over_range:
            key = (excursion.quantity, excursion.phase)
            known, _ = self._excursions.get(key, (excursion, now))
            # After a change of the front end the former range says nothing.
            if known.full_scale == excursion.full_scale and known.rms > excursion.rms:
                excursion = known
            self._excursions[key] = excursion, now
        return bool(self._meter.over_range)

    def _over_range_advice(self) -> str | None:
        """Return what was beyond the range of late and what would do, None for nothing."""
        self._remember_over_range()
        since = dt_util.utcnow() - OVER_RANGE_MEMORY
        for key, (_, seen) in tuple(self._excursions.items()):
            if seen < since:
                del self._excursions[key]
        excursions = [excursion for excursion, _ in self._excursions.values()]
        return translate_excursions(self._hass, excursions) or None

    @callback
    def _on_text(self) -> None:
        if (clock := self._meter.texts.get("clock")) != self._clock:
            self._clock = clock
            self._clock_received_at = dt_util.utcnow()
            if clock == NOT_SET:
                self._entry.async_on_unload(
                    async_call_later(
                        self._hass, CLOCK_GRACE + timedelta(seconds=1), self._on_grace
                    )
                )
        self.async_update_issues()

    @callback
    def _on_grace(self, _: datetime) -> None:
        self.async_update_issues()

    @callback
    def _on_total(self, id_: str, value: float | None, _: float) -> None:
        if value is None:
            return
        self._store.async_schedule_save(TOTALS_DELAY)
        if self._energy_counters.update(id_, value):
            self._store.async_schedule_save()
            self.async_update_issues()

    def failed_checks(self) -> Mapping[str, Placeholders]:
        """Return the placeholders of each failed check, by issue key."""
        entry, meter = self._entry, self._meter
        hass = self._hass
        findings = parse_messages(meter.texts.get("wiring_codes"))
        calibration = parse_messages(meter.texts.get("calibration_codes"))
        return failed_checks(
            Facts(
                firmware=meter.description.version,
                minimum_firmware=MINIMUM_FIRMWARE,
                encrypted=(
                    CONF_ENCRYPTION_KEY in entry.data
                    if uses_network(entry.data)
                    else None
                ),
                wiring=meter.texts.get("wiring"),
                wiring_findings=findings,
                wiring_advice=async_say(hass, findings or ()),
                calibration=calibration,
                calibration_advice=async_say(hass, calibration or ()),
                clock=self._clock,
                clock_words=async_say(hass, [DeviceMessage("clock_not_set")]),
                clock_received_at=self._clock_received_at,
                now=dt_util.utcnow(),
                gone_back=self._energy_counters.gone_back,
                over_range_advice=self._over_range_advice(),
                refused={
                    id_: (refusals.count, refusals.value)
                    for id_, refusals in self._meter.gate.refusals.items()
                },
            )
        )

    @callback
    def async_update_issues(self) -> None:
        """Raise the issues of failed checks, and delete those of passed ones.

        Without the link nothing new is known of the meter: its issues stay as they are.
        """
        if not self._meter.connected:
            return
        failed = self.failed_checks()
        for key in CHECKS:
            issue_id = f"{key}_{self._entry.entry_id}"
            if key not in failed:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
                continue
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                issue_id,
                data={"entry_id": self._entry.entry_id, "check": key},
                is_fixable=True,
                is_persistent=False,
                learn_more_url=LEARN_MORE,
                severity=ir.IssueSeverity.WARNING,
                translation_key=key,
                translation_placeholders={
                    "name": plain(self._entry.title),
                    **failed[key],
                },
            )


@callback
def async_delete_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the issues of a meter whose entry is removed."""
    for key in (*CHECKS, OTHER_METER):
        ir.async_delete_issue(hass, DOMAIN, f"{key}_{entry_id}")
