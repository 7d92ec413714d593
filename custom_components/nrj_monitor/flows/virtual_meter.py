"""Virtual meters: meters made of topics or entities rather than a device."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.ulid import ulid_now
import probatio as vol

from ..catalog import CHANNELS, Channel, Phase
from ..const import CONF_NEW_METER, CONF_REPLACED, DOMAIN
from ..entry_data import NrjConfigEntry
from ..meter_replacement import async_begin_anew
from ..sources import MeterDescription
from ..sources.derived_totals import DerivedTotals

USUAL_QUANTITIES: Final = (
    "voltage",
    "current",
    "active_power",
    "frequency",
    "import_energy",
    "export_energy",
)
"""Quantities whose absence is shown in the dialogue."""


NEW_METER: Final = {vol.Optional(CONF_NEW_METER, default=False): bool}
"""Field of a known meter's form: whether another one took its place."""


async def async_replacement_data(
    hass: HomeAssistant, entry: NrjConfigEntry, *, is_new_meter: bool
) -> dict[str, Any]:
    """Return what the data of a meter keeps of the one before, which ends with the call.

    Where it is no new meter, that is what was kept of an earlier one.
    """
    if is_new_meter:
        replacement = await async_begin_anew(hass, entry)
        return {CONF_REPLACED: replacement.as_dict()}
    return {key: entry.data[key] for key in (CONF_REPLACED,) if key in entry.data}


def new_id(source: str) -> str:
    """Return a new id for a meter without a MAC address, kept in its entry."""
    return f"{source}-{ulid_now().lower()}"


def describe(
    id_: str,
    name: str,
    model: str,
    measured: Iterable[Channel],
    declared: Iterable[Phase] = (),
) -> MeterDescription:
    """Return the description of a virtual meter with the `measured` channels.

    `declared` are the phases it has, measured or not.
    """
    phases = frozenset(declared)
    known = set(measured)
    known |= set(DerivedTotals(known, phases).channels)
    return MeterDescription(
        mac=id_,
        name=name,
        manufacturer="NRJ Monitor",
        model=model,
        hardware="",
        software="",
        channels=tuple(channel for channel in CHANNELS.values() if channel in known),
        relays=(),
        declared=phases,
    )


async def found_and_missing(
    hass: HomeAssistant,
    description: MeterDescription,
    values: Mapping[Channel, float],
) -> dict[str, str]:
    """Return the found and the missing usual quantities as translated lists.

    What was read in `values`, in the channels' units, is shown beside its name.
    """
    derived = DerivedTotals(values, description.phases).update(values)
    read = {**derived, **values}
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])

    def name(quantity: str) -> str:
        key = f"component.{DOMAIN}.entity.sensor.{quantity}.name"
        per_phase = f"component.{DOMAIN}.entity.sensor.{quantity}_phase.name"
        text = texts.get(key) or texts.get(per_phase, quantity)
        return text.replace("{phase}", "").strip()

    phases: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    for channel in description.channels:
        phases.setdefault(channel.quantity.key, []).append(channel.phase or "Σ")
        shown.setdefault(channel.quantity.key, []).append(
            f"{channel.phase or 'Σ'}{_value(channel, read.get(channel))}"
        )
    found = [
        f"- {name(quantity)}: {', '.join(which)}" for quantity, which in shown.items()
    ]
    used = set(description.phases)
    missing = [
        f"- {name(quantity)}"
        + ("" if quantity not in phases or not lacking else f": {', '.join(lacking)}")
        for quantity in USUAL_QUANTITIES
        if (lacking := _lacking(quantity, phases.get(quantity, []), used))
        or quantity not in phases
    ]
    return {"found": "\n".join(found) or "-", "missing": "\n".join(missing) or "-"}


def _value(channel: Channel, value: float | None) -> str:
    """Return a value with its unit after a blank, nothing where none was read."""
    if value is None:
        return ""
    text = f" {value:.{channel.quantity.display_precision}f}"
    return text if (unit := channel.quantity.unit) is None else f"{text} {unit}"


def _lacking(quantity: str, has: list[str], used: set[Phase]) -> list[str]:
    """Return the phases in use without a quantity, none if there is a total."""
    if "Σ" in has:
        return []
    return [phase for phase in sorted(used) if phase not in has]
