"""Detection of loads whose relay the meter's own guard switches as well."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..control.load import LoadClass
from ..entry_data import NrjConfigEntry, NrjData
from ..meter import Meter
from ..sources import Relay
from .issues import TWO_MASTERS, async_create_load_issue, async_delete_load_issues

ESPHOME: Final = "esphome"

RUNNING: Final = (ConfigEntryState.LOADED, ConfigEntryState.SETUP_IN_PROGRESS)
"""Entry states with a meter."""


def class_on_meter(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the class a meter itself gives the relay behind an entity.

    None where the entity is no relay of a meter, where the meter leaves that relay
    alone, or where it has not told its settings. Home Assistant may know a relay twice,
    from here and from the ESPHome integration.
    """
    entity = er.async_get(hass).async_get(entity_id)
    if entity is None or entity.platform not in (DOMAIN, ESPHOME):
        return None
    for meter in _meters(hass):
        for relay in meter.description.relays:
            if entity.unique_id.casefold() in _unique_ids(meter, relay):
                told = meter.settings.get(f"{relay.id}_class")
                shed = isinstance(told, str) and told != LoadClass.NEVER_SHED.value
                return str(told) if shed else None
    return None


@callback
def async_track_relay_conflicts(
    hass: HomeAssistant, meter: Meter, loads: Iterable[tuple[str, str, str | None]]
) -> Callable[[], None]:
    """Create an issue for each load whose relay the meter sheds as well.

    `loads` are ids, names and entities; the function returned ends it.
    """
    watched = [(id_, name, entity) for id_, name, entity in loads if entity is not None]

    @callback
    def check() -> None:
        for id_, name, entity in watched:
            if class_on_meter(hass, entity) is not None:
                async_create_load_issue(hass, TWO_MASTERS, id_, name)
            else:
                async_delete_load_issues(hass, over=[(TWO_MASTERS, id_)], obeying=())

    unsubscribes = [
        meter.async_add_setting_listener(f"{relay.id}_class", check)
        for relay in meter.description.relays
    ]

    @callback
    def end() -> None:
        for unsubscribe in unsubscribes:
            unsubscribe()
        over = [(TWO_MASTERS, id_) for id_, _, _ in watched]
        async_delete_load_issues(hass, over=over, obeying=())

    check()
    return end


def _unique_ids(meter: Meter, relay: Relay) -> set[str]:
    """Return the unique ids of a relay, here and in ESPHome's integration.

    That one changed its own; aioesphomeapi's `build_unique_id` has both forms.
    """
    mac, name = meter.description.mac.casefold(), relay.name.casefold()
    return {f"{mac}_{relay.id}", f"{mac}-switch-{relay.id}", f"{mac}/0/switch/{name}"}


def _meters(hass: HomeAssistant) -> Iterator[Meter]:
    entries: list[NrjConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state in RUNNING:
            data = getattr(entry, "runtime_data", None)
            if isinstance(data, NrjData):
                yield data.meter
