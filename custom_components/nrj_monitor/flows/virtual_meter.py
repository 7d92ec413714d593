"""What the dialogues of meters that are no device of their own have in common."""

from collections.abc import Iterable
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.ulid import ulid_now

from ..catalog import CHANNELS, Channel, Phase
from ..const import DOMAIN
from ..sources import MeterDescription
from ..sources.derived_totals import DerivedTotals

WORTH_HAVING: Final = (
    "voltage",
    "current",
    "active_power",
    "frequency",
    "import_energy",
    "export_energy",
)
"""Quantities a person is told the lack of."""


def new_id(source: str) -> str:
    """Return an id for a meter without a MAC address; it stays with its entry."""
    return f"{source}-{ulid_now().lower()}"


def describe(
    id_: str, name: str, model: str, told: Iterable[Channel]
) -> MeterDescription:
    """Return the description of a meter that tells these channels."""
    told = set(told)
    known = told | set(DerivedTotals(told).channels)
    return MeterDescription(
        mac=id_,
        name=name,
        manufacturer="NRJ Monitor",
        model=model,
        hardware="",
        software="",
        channels=tuple(channel for channel in CHANNELS.values() if channel in known),
        relays=(),
    )


async def found_and_missing(
    hass: HomeAssistant, description: MeterDescription
) -> dict[str, str]:
    """Return in words which quantities a meter has and which of the usual it lacks."""
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])

    def name(quantity: str) -> str:
        key = f"component.{DOMAIN}.entity.sensor.{quantity}.name"
        per_phase = f"component.{DOMAIN}.entity.sensor.{quantity}_phase.name"
        text = texts.get(key) or texts.get(per_phase, quantity)
        return text.replace("{phase}", "").strip()

    phases: dict[str, list[str]] = {}
    for channel in description.channels:
        phases.setdefault(channel.quantity.key, []).append(channel.phase or "Σ")
    found = [
        f"- {name(quantity)}: {', '.join(which)}" for quantity, which in phases.items()
    ]
    used = {
        channel.phase for channel in description.channels if channel.phase is not None
    }
    missing = [
        f"- {name(quantity)}"
        + ("" if quantity not in phases or not lacking else f": {', '.join(lacking)}")
        for quantity in WORTH_HAVING
        if (lacking := _lacking(quantity, phases.get(quantity, []), used))
        or quantity not in phases
    ]
    return {"found": "\n".join(found) or "-", "missing": "\n".join(missing) or "-"}


def _lacking(quantity: str, has: list[str], used: set[Phase]) -> list[str]:
    """Return on which of the phases in use a quantity is missing; a total is enough."""
    if "Σ" in has:
        return []
    return [phase for phase in sorted(used) if phase not in has]
