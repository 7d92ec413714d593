"""Aliases by which people call the meter's entities when they speak to Assist.

Assist has only the full name of an entity, "NRJ Meter Relay 1", which nobody says. Each
entity that people may ask for gets aliases once: a change made afterwards under *Voice
assistants* stays.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from ..sources import MeterDescription

ALIASES_ASSIGNED: Final = "spoken_names"
"""Option of an entity whose aliases were assigned; from then on they are the person's."""

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
"""Patterns of a quantity on a phase; `number` is a digit or a word."""

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


def relay_aliases(relay_id: str, name: str, language: str) -> Iterator[str]:
    """Yield the aliases of a relay; a relay named in the firmware has its name only."""
    number = relay_id.removeprefix("relay_")
    if not number.isdecimal():
        yield name
        return
    for spoken in _spoken_numbers(int(number), language):
        yield RELAY[language].format(number=spoken)


def channel_aliases(channel_id: str, language: str) -> Iterator[str]:
    """Yield the aliases of a channel, if people ask for such a channel."""
    yield from TOTALS[language].get(channel_id, ())
    key, _, phase = channel_id.rpartition("_l")
    quantity = QUANTITIES[language].get(key)
    if quantity is None:
        return
    for pattern in PHASE[language]:
        yield from dict.fromkeys(
            pattern.format(quantity=quantity, phase=f"L{phase}", number=number)
            for number in _spoken_numbers(int(phase), language)
        )


@callback
def async_assign_aliases(
    hass: HomeAssistant, entry: NrjConfigEntry, meter: MeterDescription
) -> None:
    """Assign aliases to the entities of a meter without any.

    An alias that another entity of the house has already is not assigned.
    """
    language = hass.config.language.partition("-")[0]
    language = language if language in RELAY else ENGLISH
    aliases: dict[tuple[str, str], list[str]] = {}
    for relay in meter.relays:
        aliases[Platform.SWITCH, f"{meter.mac}_{relay.id}"] = list(
            relay_aliases(relay.id, relay.name, language)
        )
    for channel in meter.channels:
        aliases[Platform.SENSOR, f"{meter.mac}_{channel.id}"] = list(
            channel_aliases(channel.id, language)
        )
    registry = er.async_get(hass)
    new = [
        entity
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        if aliases.get((entity.domain, entity.unique_id))
        and ALIASES_ASSIGNED not in entity.options.get(DOMAIN, {})
    ]
    if not new:
        return
    taken = {
        name.casefold()
        for entity in registry.entities.values()
        for name in er.async_get_entity_aliases(hass, entity)
    }
    for entity in new:
        registry.async_update_entity_options(
            entity.entity_id, DOMAIN, {ALIASES_ASSIGNED: True}
        )
        if entity.aliases != [er.COMPUTED_NAME]:
            continue
        free = [
            name
            for name in aliases[entity.domain, entity.unique_id]
            if name.casefold() not in taken
        ]
        taken.update(name.casefold() for name in free)
        registry.async_update_entity(
            entity.entity_id, aliases=[er.COMPUTED_NAME, *free]
        )


def _spoken_numbers(number: int, language: str) -> Iterator[str]:
    """Yield a number as a digit, and as a word where the table has words."""
    yield str(number)
    words = NUMBERS[language]
    if 1 <= number <= len(words):
        yield words[number - 1]
