"""What a person calls the meter's entities when speaking to Assist.

Assist knows an entity by its whole name only, "NRJ Meter Relay 1", which nobody says.
Each entity one asks for is given the names people say, once: what is changed afterwards
under *Voice assistants* stays as it was changed.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from ..sources import MeterDescription

NAMED: Final = "spoken_names"
"""Entity option: the names were given; whatever they are now is a person's choice."""

ENGLISH: Final = "en"

NUMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("one", "two", "three", "four", "five", "six", "seven", "eight"),
    "fr": ("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit"),
}

RELAY: Final[Mapping[str, str]] = {"en": "Relay {number}", "fr": "Relais {number}"}

PHASE: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "{quantity} {phase}",
        "{quantity} on {phase}",
        "{quantity} on phase {number}",
        "{quantity} of phase {number}",
    ),
    "fr": (
        "{quantity} {phase}",
        "{quantity} sur {phase}",
        "{quantity} sur la phase {number}",
        "{quantity} de la phase {number}",
    ),
}
"""How one names a quantity on a phase; `number` is said as a digit and as a word."""

TOTALS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "active_power": ("Grid power", "Active power"),
        "frequency": ("Grid frequency", "Frequency"),
        "import_energy": ("Energy from the grid", "Import energy"),
        "export_energy": ("Energy to the grid", "Export energy"),
        "power_factor": ("Power factor",),
    },
    "fr": {
        "active_power": ("Puissance du réseau", "Puissance active"),
        "frequency": ("Fréquence du réseau", "Fréquence"),
        "import_energy": ("Énergie du réseau", "Énergie soutirée"),
        "export_energy": ("Énergie injectée",),
        "power_factor": ("Facteur de puissance",),
    },
}

QUANTITIES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"active_power": "Power", "voltage": "Voltage", "current": "Current"},
    "fr": {"active_power": "Puissance", "voltage": "Tension", "current": "Courant"},
}


def names_of_relay(relay_id: str, name: str, language: str) -> Iterator[str]:
    """Yield what a relay is called; one the firmware names is called that."""
    number = relay_id.removeprefix("relay_")
    if not number.isdecimal():
        yield name
        return
    for said in _said(int(number), language):
        yield RELAY[language].format(number=said)


def names_of_channel(channel_id: str, language: str) -> Iterator[str]:
    """Yield what a reading is called; nothing for what nobody asks for."""
    yield from TOTALS[language].get(channel_id, ())
    key, _, phase = channel_id.rpartition("_l")
    quantity = QUANTITIES[language].get(key)
    if quantity is None:
        return
    for pattern in PHASE[language]:
        yield from dict.fromkeys(
            pattern.format(quantity=quantity, phase=f"L{phase}", number=number)
            for number in _said(int(phase), language)
        )


@callback
def async_give_spoken_names(
    hass: HomeAssistant, entry: NrjConfigEntry, meter: MeterDescription
) -> None:
    """Give the entities of a meter their names, those that never got any.

    A name that something in the house answers to already is left to it.
    """
    language = hass.config.language.partition("-")[0]
    language = language if language in RELAY else ENGLISH
    names: dict[tuple[str, str], list[str]] = {}
    for relay in meter.relays:
        names[Platform.SWITCH, f"{meter.mac}_{relay.id}"] = list(
            names_of_relay(relay.id, relay.name, language)
        )
    for channel in meter.channels:
        names[Platform.SENSOR, f"{meter.mac}_{channel.id}"] = list(
            names_of_channel(channel.id, language)
        )
    registry = er.async_get(hass)
    new = [
        entity
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        if names.get((entity.domain, entity.unique_id))
        and NAMED not in entity.options.get(DOMAIN, {})
    ]
    if not new:
        return
    taken = {
        name.casefold()
        for entity in registry.entities.values()
        for name in er.async_get_entity_aliases(hass, entity)
    }
    for entity in new:
        registry.async_update_entity_options(entity.entity_id, DOMAIN, {NAMED: True})
        if entity.aliases != [er.COMPUTED_NAME]:
            continue
        free = [
            name
            for name in names[entity.domain, entity.unique_id]
            if name.casefold() not in taken
        ]
        taken.update(name.casefold() for name in free)
        registry.async_update_entity(
            entity.entity_id, aliases=[er.COMPUTED_NAME, *free]
        )


def _said(number: int, language: str) -> Iterator[str]:
    """Yield how a number is said: as a digit, and as a word where there is one."""
    yield str(number)
    words = NUMBERS[language]
    if 1 <= number <= len(words):
        yield words[number - 1]
