"""Config flow steps of a meter made of existing Home Assistant entities."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.sensor.const import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
)
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio as vol

from ..catalog import CHANNELS, Channel, Phase
from ..const import (
    CONF_METER,
    CONF_NEW_METER,
    CONF_PHASES,
    CONF_READINGS,
    CONF_SOURCE,
    DOMAIN,
    SOURCE_ENTITIES,
)
from ..sources.entities import EntityReading, UnitError, read, stored_readings
from .base import SetupFlow
from .virtual_meter import (
    NEW_METER,
    async_replacement_data,
    describe,
    found_and_missing,
    new_id,
)

CONF_INVERTED: Final = "inverted"
RETURNED: Final = "active_power_returned"
"""Field for an entity that tells power returned apart, positive; it is taken off."""

FIELDS: Final[Mapping[str, SensorDeviceClass]] = {
    "voltage": SensorDeviceClass.VOLTAGE,
    "current": SensorDeviceClass.CURRENT,
    "active_power": SensorDeviceClass.POWER,
    RETURNED: SensorDeviceClass.POWER,
    "reactive_power": SensorDeviceClass.REACTIVE_POWER,
    "apparent_power": SensorDeviceClass.APPARENT_POWER,
    "power_factor": SensorDeviceClass.POWER_FACTOR,
    "frequency": SensorDeviceClass.FREQUENCY,
    "import_energy": SensorDeviceClass.ENERGY,
    "export_energy": SensorDeviceClass.ENERGY,
}
"""What can be picked, and the device class of the sensors offered."""

SUMMED: Final = frozenset({"import_energy", "export_energy"})
"""What takes several entities, as a counter of each tariff, and is their sum."""

START_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_PHASES, default="3"): SelectSelector(
            SelectSelectorConfig(
                options=["1", "2", "3"],
                mode=SelectSelectorMode.LIST,
                translation_key=CONF_PHASES,
            )
        ),
    }
)

RECONFIGURE_SCHEMA = START_SCHEMA.extend(NEW_METER)


def fields_schema(phase: Phase | None) -> vol.Schema:
    """Return the form for a phase, or for the totals."""
    offered = [
        field
        for field in FIELDS
        if field == RETURNED
        or (f"{field}_{phase.lower()}" if phase else field) in CHANNELS
    ]
    fields: dict[Any, Any] = {
        vol.Optional(field): EntitySelector(
            EntitySelectorConfig(
                domain=SENSOR_DOMAIN,
                device_class=FIELDS[field].value,
                multiple=field in SUMMED,
            )
        )
        for field in offered
    }
    fields[vol.Required(CONF_INVERTED, default=False)] = BooleanSelector()
    return vol.Schema(fields)


def readings_of(
    answers: Mapping[str, Any], phase: Phase | None
) -> dict[str, EntityReading]:
    """Return the readings a filled-in form asks for, by channel id."""
    suffix = f"_{phase.lower()}" if phase else ""
    readings: dict[str, EntityReading] = {}
    for field in FIELDS:
        if field == RETURNED or not (chosen := answers.get(field)):
            continue
        is_power = field == "active_power"
        returned = answers.get(RETURNED)
        readings[field + suffix] = EntityReading(
            entity_ids=tuple(chosen) if field in SUMMED else (chosen,),
            subtracted=(returned,) if is_power and returned else (),
            inverted=is_power and answers[CONF_INVERTED],
        )
    return readings


def answers_of(readings: Mapping[str, Any], phase: Phase | None) -> dict[str, Any]:
    """Return the form's values from stored readings."""
    suffix = f"_{phase.lower()}" if phase else ""
    answers: dict[str, Any] = {
        field: entity_ids if field in SUMMED else entity_ids[0]
        for field in FIELDS
        if (entity_ids := readings.get(field + suffix, {}).get("entity_ids"))
    }
    power = readings.get(f"active_power{suffix}", {})
    if power.get("subtracted"):
        (answers[RETURNED],) = power["subtracted"]
    answers[CONF_INVERTED] = power.get("inverted", False)
    return answers


class EntitiesFlowMixin(SetupFlow):
    """Config flow steps of a meter made of entities, set up once each has a value."""

    _chosen: dict[str, EntityReading]
    _values: dict[Channel, float]
    _phases: int
    _asked_phases: list[Phase | None]
    _name: str
    _is_new_meter: bool

    async def async_step_entities(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a name and how many phases there are."""
        return await self._async_start("entities", user_input, {})

    async def async_step_reconfigure_entities(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the same again for a known meter."""
        entry = self._get_reconfigure_entry()
        known = {CONF_NAME: entry.title, CONF_PHASES: str(entry.data[CONF_PHASES])}
        return await self._async_start("reconfigure_entities", user_input, known)

    async def _async_start(
        self, step_id: str, user_input: dict[str, Any] | None, known: dict[str, Any]
    ) -> ConfigFlowResult:
        if user_input is None:
            schema = RECONFIGURE_SCHEMA if known else START_SCHEMA
            return self.async_show_form(
                step_id=step_id,
                data_schema=self.add_suggested_values_to_schema(schema, known),
            )
        self._is_new_meter = user_input.get(CONF_NEW_METER, False)
        self._name = user_input[CONF_NAME]
        self._chosen = {}
        self._values = {}
        self._phases = int(user_input[CONF_PHASES])
        self._asked_phases = [*list(Phase)[: self._phases], None]
        return await self.async_step_entities_of()

    async def async_step_entities_of(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the entities of each phase, then of the totals."""
        phase = self._asked_phases[0]
        errors: dict[str, str] = {}
        placeholders = {"entity": "", "problem": ""}
        if user_input is not None:
            chosen = readings_of(user_input, phase)
            if RETURNED in user_input and "active_power" not in user_input:
                errors["active_power"] = "power_missing"
            for id_, reading in chosen.items():
                problem = self._problem(id_, reading)
                if problem is not None:
                    field = CHANNELS[id_].quantity.key
                    errors[field], placeholders = problem
            if not errors:
                self._chosen |= chosen
                self._asked_phases = self._asked_phases[1:]
                if not self._asked_phases:
                    return await self.async_step_entities_confirm()
                return await self.async_step_entities_of()
        known = (
            answers_of(self._get_reconfigure_entry().data[CONF_READINGS], phase)
            if self.source == SOURCE_RECONFIGURE
            else None
        )
        return self.async_show_form(
            step_id="entities_of",
            data_schema=self.add_suggested_values_to_schema(
                fields_schema(phase), user_input or known
            ),
            errors=errors,
            description_placeholders=placeholders
            | {"phase": phase or "Σ", "name": self._name},
        )

    def _problem(
        self, id_: str, reading: EntityReading
    ) -> tuple[str, dict[str, str]] | None:
        """Return error key and placeholders for an unusable entity, or None."""
        entities = ", ".join(reading.all_entity_ids)
        try:
            value = read(self.hass, CHANNELS[id_], reading)
        except UnitError as error:
            return "wrong_unit", {"entity": entities, "problem": str(error)}
        if value is None:
            return "no_value", {"entity": entities, "problem": ""}
        self._values[CHANNELS[id_]] = value
        return None

    async def async_step_entities_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show found and missing quantities, then add the meter."""
        if not self._chosen:
            return self.async_abort(reason="nothing_chosen")
        known = (
            self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        )
        stored = {id_: reading.as_dict() for id_, reading in self._chosen.items()}
        if known is None and any(
            entry.data.get(CONF_READINGS) == stored
            for entry in self.hass.config_entries.async_entries(DOMAIN)
        ):
            return self.async_abort(reason="already_configured")
        id_ = (
            new_id(SOURCE_ENTITIES) if known is None else known.data[CONF_METER]["mac"]
        )
        meter = describe(
            id_,
            self._name,
            "",
            stored_readings(stored),
            tuple(Phase)[: self._phases],
        )
        if user_input is None:
            return self.async_show_form(
                step_id="entities_confirm",
                data_schema=vol.Schema({}),
                description_placeholders=await found_and_missing(
                    self.hass, meter, self._values
                ),
            )
        data = {
            CONF_SOURCE: SOURCE_ENTITIES,
            CONF_PHASES: self._phases,
            CONF_READINGS: stored,
            CONF_METER: meter.as_dict(),
        }
        if known is not None:
            kept = await async_replacement_data(
                self.hass, known, is_new_meter=self._is_new_meter
            )
            return self.async_update_reload_and_abort(
                known, title=meter.name, data=data | kept
            )
        await self.async_set_unique_id(id_)
        return await self.async_finish(meter.name, data)
