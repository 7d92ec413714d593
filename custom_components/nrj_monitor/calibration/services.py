"""Actions to calibrate a meter; the meter decides, and its answer is translated."""

from typing import Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)
import probatio as vol

from ..const import DOMAIN
from ..device_messages.kinds import CALIBRATION_REFUSALS
from ..device_messages.message import DeviceMessage, parse_answer
from ..device_messages.sentences import async_say
from ..entry_data import NrjConfigEntry
from ..sources import Feature
from ..sources.errors import LinkDownError
from ..sources.native_api.client import ActionAnswer
from ..sources.native_api.session import NativeApiSource

CALIBRATE: Final = "calibrate"
NULL_RESIDUAL_CURRENT: Final = "null_residual_current"
UNDO_CALIBRATION: Final = "undo_calibration"
RESET_CALIBRATION: Final = "reset_calibration"

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_QUANTITY: Final = "quantity"
ATTR_PHASE: Final = "phase"
ATTR_INPUT: Final = "input"
ATTR_VALUE: Final = "value"

QUANTITIES: Final = {
    "voltage": ("calibrate_voltage", "volts"),
    "current": ("calibrate_current", "amperes"),
    "power_factor": ("calibrate_power_factor", "power_factor"),
}
"""Action of the firmware by the quantity that a person measured, and its argument."""

INPUTS: Final = {"l1": 1, "l2": 2, "l3": 3, "neutral": 4}
"""Numbers of the firmware for the current inputs."""

METER_SCHEMA: Final = vol.Schema({vol.Optional(ATTR_CONFIG_ENTRY_ID): str})
CALIBRATE_SCHEMA: Final = METER_SCHEMA.extend(
    {
        vol.Required(ATTR_QUANTITY): vol.In(QUANTITIES),
        vol.Required(ATTR_PHASE): vol.All(vol.Coerce(int), vol.Range(min=1, max=3)),
        vol.Required(ATTR_VALUE): vol.All(
            vol.Coerce(float), vol.Range(min=0, max=10000, min_included=False)
        ),
    }
)

SCHEMAS: Final = {
    CALIBRATE: CALIBRATE_SCHEMA,
    NULL_RESIDUAL_CURRENT: METER_SCHEMA.extend(
        {vol.Required(ATTR_INPUT): vol.In(INPUTS)}
    ),
    UNDO_CALIBRATION: METER_SCHEMA,
    RESET_CALIBRATION: METER_SCHEMA,
}
"""Fields of each action."""


@callback
def async_setup_calibration_services(hass: HomeAssistant) -> None:
    """Register the actions of calibration, for administrators."""
    for action, schema in SCHEMAS.items():
        async_register_admin_service(
            hass, DOMAIN, action, _async_act, schema, SupportsResponse.OPTIONAL
        )


async def _async_act(call: ServiceCall) -> ServiceResponse:
    """Run a step of calibration on the meter; raise what the meter refuses."""
    entry: NrjConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    answer = await _async_ask(call, entry)
    sentence, messages = parse_answer(answer.text)
    message = messages[0] if messages else None
    if not answer.success:
        raise _refusal(entry, sentence, message)
    if not call.return_response:
        return None
    return {
        "message": (async_say(call.hass, messages) if messages else None) or sentence,
        "code": message.code if message else None,
        "values": dict(message.values) if message else {},
    }


async def _async_ask(call: ServiceCall, entry: NrjConfigEntry) -> ActionAnswer:
    """Run the firmware's action of a call; raises where the meter has none, or no link."""
    meter = entry.runtime_data.meter
    source = meter.source
    if (
        not isinstance(source, NativeApiSource)
        or Feature.CALIBRATION not in meter.description.features
    ):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_calibration",
            translation_placeholders={"name": entry.title},
        )
    try:
        if call.service == NULL_RESIDUAL_CURRENT:
            number = INPUTS[call.data[ATTR_INPUT]]
            return await source.run_action(call.service, input=number)
        if call.service != CALIBRATE:
            return await source.run_action(call.service)
        action, argument = QUANTITIES[call.data[ATTR_QUANTITY]]
        values = {argument: call.data[ATTR_VALUE], "phase": call.data[ATTR_PHASE]}
        return await source.run_action(action, **values)
    except LinkDownError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="calibration_link_down",
            translation_placeholders={"name": entry.title},
        ) from error


def _refusal(
    entry: NrjConfigEntry, sentence: str, message: DeviceMessage | None
) -> HomeAssistantError:
    """Return the exception of a refusal: by its code, or as the meter words it."""
    if message is None or message.code not in CALIBRATION_REFUSALS:
        return ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="calibration_refused",
            translation_placeholders={"name": entry.title, "message": sentence},
        )
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=message.code,
        translation_placeholders=dict(message.values),
    )
