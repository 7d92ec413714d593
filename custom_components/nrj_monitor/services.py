"""Actions of the integration, registered once, before any entry is set up."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)
import probatio as vol

from .const import DOMAIN
from .energy_dashboard.dashboard import (
    Change,
    MappedEntities,
    async_add_meter,
    async_remove_meter,
)
from .loads.services import async_setup_load_services
from .ngsi.services import async_setup_broker_services

ADD_TO_ENERGY_DASHBOARD: Final = "add_to_energy_dashboard"
REMOVE_FROM_ENERGY_DASHBOARD: Final = "remove_from_energy_dashboard"

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"

MAPPED_CLASSES: Final[Mapping[str, SensorDeviceClass]] = {
    "solar_production": SensorDeviceClass.ENERGY,
    "solar_power": SensorDeviceClass.POWER,
    "battery_discharge": SensorDeviceClass.ENERGY,
    "battery_charge": SensorDeviceClass.ENERGY,
    "battery_power": SensorDeviceClass.POWER,
    "battery_level": SensorDeviceClass.BATTERY,
}
"""Device class of the sensor in each field of `MappedEntities`."""

NEEDS: Final[Mapping[str, str]] = {
    "solar_power": "solar_production",
    "battery_discharge": "battery_charge",
    "battery_charge": "battery_discharge",
    "battery_power": "battery_discharge",
    "battery_level": "battery_discharge",
}
"""Field that each optional field depends on."""

METER_SCHEMA: Final = {vol.Optional(ATTR_CONFIG_ENTRY_ID): str}

ADD_SCHEMA: Final = vol.Schema(
    METER_SCHEMA
    | {
        vol.Optional(field.name): cv.entity_domain("sensor")
        for field in fields(MappedEntities)
    }
)
REMOVE_SCHEMA: Final = vol.Schema(METER_SCHEMA)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions of loads, brokers and the energy dashboard."""
    async_setup_load_services(hass)
    async_setup_broker_services(hass)
    async_register_admin_service(
        hass,
        DOMAIN,
        ADD_TO_ENERGY_DASHBOARD,
        _async_add,
        ADD_SCHEMA,
        SupportsResponse.OPTIONAL,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        REMOVE_FROM_ENERGY_DASHBOARD,
        _async_remove,
        REMOVE_SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_add(call: ServiceCall) -> ServiceResponse:
    """Add a meter to the energy dashboard."""
    entry = async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    mapped = _mapped(call)
    change = await async_add_meter(call.hass, entry, mapped)
    return _response(call, change, "added", "already_there")


async def _async_remove(call: ServiceCall) -> ServiceResponse:
    """Remove a meter from the energy dashboard."""
    entry = async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    change = await async_remove_meter(call.hass, entry)
    return _response(call, change, "removed", "left")


def _mapped(call: ServiceCall) -> MappedEntities:
    """Return the sensors of a call; raise ServiceValidationError for unsuitable ones."""
    mapped = MappedEntities(
        **{name: call.data[name] for name in MAPPED_CLASSES if name in call.data}
    )
    used = {name: value for name, value in asdict(mapped).items() if value is not None}
    for name, entity_id in used.items():
        if name in NEEDS and NEEDS[name] not in used:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="field_missing",
                translation_placeholders={"field": name, "missing": NEEDS[name]},
            )
        state = call.hass.states.get(entity_id)
        device_class = MAPPED_CLASSES[name]
        if state is None or state.attributes.get(ATTR_DEVICE_CLASS) != device_class:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unsuitable_sensor",
                translation_placeholders={
                    "entity_id": entity_id,
                    "field": name,
                    "device_class": device_class,
                },
            )
    return mapped


def _response(
    call: ServiceCall, change: Change, changed: str, unchanged: str
) -> ServiceResponse:
    """Return the change as a response, None if the caller wants no response."""
    if not call.return_response:
        return None
    response: dict[str, Any] = {changed: change.changed, unchanged: change.unchanged}
    return response
