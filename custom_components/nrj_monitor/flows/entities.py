"""Config flow steps of a meter made of existing Home Assistant entities."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.sensor.const import DOMAIN as SENSOR_DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, CONF_DEVICE_ID, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    DeviceSelector,
    DeviceSelectorConfig,
    EntityFilterSelectorConfig,
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
from ..entity_links.origin import async_origin
from ..sources.entities import (
    EntityReading,
    UnitError,
    all_entity_ids,
    read,
    stored_readings,
    value_of,
)
from .base import SetupFlow
from .device_entities import FIELDS, RETURNED, filled_in
from .device_listing import async_list_entities
from .entities_form import (
    CONF_INVERTED,
    POWER,
    answers_of,
    as_answers,
    channel_of,
    entity_ids,
    flat,
    form,
    readings_of,
)
from .virtual_meter import (
    NEW_METER,
    async_replacement_data,
    describe,
    found_and_missing,
    new_id,
)

START_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Optional(CONF_DEVICE_ID): DeviceSelector(
            DeviceSelectorConfig(
                entity=[
                    EntityFilterSelectorConfig(
                        domain=SENSOR_DOMAIN, device_class=list(FIELDS.values())
                    )
                ]
            )
        ),
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


@callback
def unusable(hass: HomeAssistant, field: str, entity_id: str) -> str | None:
    """Return the error of an entity for a field, None of one that can be used."""
    try:
        value = value_of(hass, hass.states.get(entity_id), channel_of(field))
    except UnitError:
        return "wrong_unit"
    return "no_value" if value is None else None


@callback
def told(hass: HomeAssistant, entity_id: str) -> str:
    """Return what an entity tells now, with its unit."""
    if (state := hass.states.get(entity_id)) is None:
        return "?"
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT, "")
    return f"{state.state} {unit}".strip()


class EntitiesFlowMixin(SetupFlow):
    """Config flow steps of a meter made of entities, set up once each has a value."""

    _chosen: dict[str, EntityReading]
    _known: dict[str, Any]
    _phases: list[Phase]
    _values: dict[Channel, float]
    _name: str
    _is_new_meter: bool

    async def async_step_entities(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a name, a device and how many phases there are."""
        if user_input is None:
            return self.async_show_form(step_id="entities", data_schema=START_SCHEMA)
        return await self._async_start(user_input)

    async def async_step_reconfigure_entities(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the same again for a known meter; another device brings its entities."""
        entry = self._get_reconfigure_entry()
        readings = stored_readings(entry.data[CONF_READINGS])
        device = async_origin(self.hass, all_entity_ids(readings)).device
        device_id = None if device is None else device.id
        if user_input is None:
            known = {
                CONF_NAME: entry.title,
                CONF_DEVICE_ID: device_id,
                CONF_PHASES: str(entry.data[CONF_PHASES]),
            }
            return self.async_show_form(
                step_id="reconfigure_entities",
                data_schema=self.add_suggested_values_to_schema(
                    RECONFIGURE_SCHEMA, known
                ),
            )
        if user_input.get(CONF_DEVICE_ID) in (None, device_id):
            return await self._async_start(user_input, answers_of(readings))
        return await self._async_start(user_input)

    async def _async_start(
        self, user_input: Mapping[str, Any], known: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the entities: those `known`, or else those of the chosen device."""
        self._is_new_meter = user_input.get(CONF_NEW_METER, False)
        self._name = user_input[CONF_NAME]
        self._phases = list(Phase)[: int(user_input[CONF_PHASES])]
        self._known = known or {}
        device_id = user_input.get(CONF_DEVICE_ID)
        if known is None and device_id is not None:
            listed = async_list_entities(self.hass, device_id)
            self._known = as_answers(filled_in(listed, self._phases))
        return await self.async_step_entities_of()

    async def async_step_entities_of(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the entities of the phases and of the totals."""
        errors: dict[str, str] = {}
        problems: list[str] = []
        known = self._known
        if user_input is not None:
            known = flat(user_input)
            for field, answer in known.items():
                for entity_id in () if field == CONF_INVERTED else entity_ids(answer):
                    if (error := unusable(self.hass, field, entity_id)) is not None:
                        errors[field] = error
                        problems.append(f"- {entity_id}: {told(self.hass, entity_id)}")
            for field in known:
                power = field.replace(RETURNED, POWER)
                if power not in known:
                    errors[power] = "power_missing"
            if not errors:
                self._chosen = readings_of(known)
                self._values = {
                    channel: value
                    for id_, reading in self._chosen.items()
                    if (value := read(self.hass, (channel := CHANNELS[id_]), reading))
                    is not None
                }
                return await self.async_step_entities_confirm()
        return self.async_show_form(
            step_id="entities_of",
            data_schema=form(self._phases, known, errors),
            errors=errors,
            description_placeholders={
                "name": self._name,
                "problems": "\n".join(problems),
            },
        )

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
            tuple(self._phases),
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
            CONF_PHASES: len(self._phases),
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
