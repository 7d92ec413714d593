"""The form for the entities of a meter: its fields, and the readings they stand for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.sensor.const import DOMAIN as SENSOR_DOMAIN
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio as vol

from ..catalog import CHANNELS, Channel, Phase
from ..sources.entities import EntityReading
from .device_entities import ENERGIES, RETURNED

CONF_INVERTED: Final = "inverted"
"""Field for the powers that are negative on import, as phases or TOTAL."""

TOTAL: Final = "total"
POWER: Final = "active_power"

RETURNED_SECTION: Final = "returned"
OTHER_SECTION: Final = "other"


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the form: of each phase, as a total where there are several, or both.

    `section` is None for what most people choose; the other sections are folded up.
    """

    section: str | None
    field: str
    per_phase: bool
    total: bool


ROWS: Final = (
    Row(None, "voltage", per_phase=True, total=False),
    Row(None, "current", per_phase=True, total=False),
    Row(None, POWER, per_phase=True, total=True),
    Row(None, "import_energy", per_phase=False, total=True),
    Row(None, "export_energy", per_phase=False, total=True),
    Row(RETURNED_SECTION, RETURNED, per_phase=True, total=True),
    Row("energy_of_phases", "import_energy", per_phase=True, total=False),
    Row("energy_of_phases", "export_energy", per_phase=True, total=False),
    Row(OTHER_SECTION, "frequency", per_phase=False, total=True),
    Row(OTHER_SECTION, "power_factor", per_phase=True, total=True),
    Row(OTHER_SECTION, "reactive_power", per_phase=True, total=True),
    Row(OTHER_SECTION, "apparent_power", per_phase=True, total=True),
)


def channel_of(field: str) -> Channel:
    """Return the channel of a field; power fed is part of the active power."""
    return CHANNELS[field.replace(RETURNED, POWER)]


def sections_of(
    phases: Sequence[Phase], known: Collection[str] = ()
) -> dict[str | None, list[str]]:
    """Return the fields of a meter of `phases` by section.

    Fields that are `known`, as earlier versions had them, are asked for too.
    """
    fields: dict[str | None, list[str]] = {}
    for row in ROWS:
        if row.section == "energy_of_phases" and len(phases) == 1:
            continue
        of_row = fields.setdefault(row.section, [])
        if row.per_phase:
            of_row += [f"{row.field}_{phase.lower()}" for phase in phases]
        if row.total and (len(phases) > 1 or not row.per_phase):
            of_row.append(row.field)
    shown = {field for of_section in fields.values() for field in of_section}
    without = {f"_{phase.lower()}" for phase in Phase if phase not in phases}
    fields[OTHER_SECTION] += [
        field
        for field in known
        if field not in shown | {CONF_INVERTED} and not field.endswith(tuple(without))
    ]
    return fields


def form(
    phases: Sequence[Phase], known: Mapping[str, Any], wrong: Collection[str] = ()
) -> vol.Schema:
    """Return the form for a meter of `phases`, with the `known` answers in it.

    A section that has answers is open. Fields that are `wrong` stand outside, because
    Home Assistant shows errors there only.
    """
    top: dict[Any, Any] = {}
    for name, of_section in sections_of(phases, known).items():
        outside = of_section if name is None else [f for f in of_section if f in wrong]
        top |= dict(_fields(outside, known))
        inside = dict(_fields([f for f in of_section if f not in outside], known))
        if name == RETURNED_SECTION:
            inside |= _sign(phases, known)
        if inside and name is not None:
            is_open = any(
                "suggested_value" in (key.description or {}) for key in inside
            )
            top[vol.Required(name, default={})] = section(
                vol.Schema(inside), {"collapsed": not is_open}
            )
    return vol.Schema(top)


def _fields(
    fields: Sequence[str], known: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """Yield the marker and the selector of each field."""
    for field in fields:
        device_class = channel_of(field).quantity.device_class
        assert device_class is not None
        yield (
            _marker(field, known),
            EntitySelector(
                EntitySelectorConfig(
                    domain=SENSOR_DOMAIN,
                    device_class=device_class.value,
                    multiple=_is_summed(field),
                )
            ),
        )


def _sign(phases: Sequence[Phase], known: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the field for the powers that are negative on import."""
    options = [phase.lower() for phase in phases]
    options += [TOTAL] if len(phases) > 1 or POWER in known else []
    selector = SelectSelector(
        SelectSelectorConfig(
            options=options,
            multiple=True,
            mode=SelectSelectorMode.LIST,
            translation_key=CONF_INVERTED,
        )
    )
    suggested = [which for which in known.get(CONF_INVERTED, ()) if which in options]
    return {_marker(CONF_INVERTED, {CONF_INVERTED: suggested}): selector}


def _marker(field: str, known: Mapping[str, Any]) -> vol.Optional:
    value = known.get(field)
    return vol.Optional(
        field, description={"suggested_value": value} if value else None
    )


def _is_summed(field: str) -> bool:
    return channel_of(field).quantity.key in ENERGIES


def flat(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a form, of its sections too, without empty ones."""
    answers: dict[str, Any] = {}
    for key, value in user_input.items():
        answers |= value if isinstance(value, dict) else {key: value}
    return {key: value for key, value in answers.items() if value}


def entity_ids(answer: str | list[str]) -> tuple[str, ...]:
    """Return the entities of an answer, which is a list where several may be chosen."""
    return (answer,) if isinstance(answer, str) else tuple(answer)


def readings_of(answers: Mapping[str, Any]) -> dict[str, EntityReading]:
    """Return the readings that answers ask for, by channel id."""
    inverted = answers.get(CONF_INVERTED, ())
    return {
        channel.id: EntityReading(
            entity_ids=entity_ids(answer),
            subtracted=entity_ids(answers.get(channel.id.replace(POWER, RETURNED), ()))
            if channel.quantity.key == POWER
            else (),
            inverted=channel.quantity.key == POWER
            and (channel.phase or TOTAL).lower() in inverted,
        )
        for channel in CHANNELS.values()
        if (answer := answers.get(channel.id))
    }


def answers_of(readings: Mapping[Channel, EntityReading]) -> dict[str, Any]:
    """Return the answers that ask for `readings`."""
    answers: dict[str, Any] = {}
    for channel, reading in readings.items():
        answers |= as_answers({channel.id: reading.entity_ids})
        if reading.subtracted:
            returned = channel.id.replace(POWER, RETURNED)
            answers |= as_answers({returned: reading.subtracted})
        if reading.inverted:
            which = (channel.phase or TOTAL).lower()
            answers.setdefault(CONF_INVERTED, []).append(which)
    return answers


def as_answers(entities: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return entities by field as answers: lists where several may be chosen."""
    return {
        field: list(ids) if _is_summed(field) else ids[0]
        for field, ids in entities.items()
    }
