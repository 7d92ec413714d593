"""The actions on a broker: send now, empty the set-aside, create the subscription."""

from typing import Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
import probatio as vol

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from .errors import DeliveryError
from .manager import BrokerLink
from .names import is_text
from .settings import CONF_HISTORY_URL, CONF_MODEL
from .subscription import ensure

SEND_NOW: Final = "send_now"
EMPTY_SET_ASIDE: Final = "empty_set_aside"
CREATE_SUBSCRIPTION: Final = "create_subscription"

ATTR_NOTIFY_URL: Final = "notify_url"

BROKER_SCHEMA: Final = vol.Schema({vol.Optional(ATTR_DEVICE_ID): str})
SUBSCRIPTION_SCHEMA: Final = vol.Schema(
    {vol.Optional(ATTR_DEVICE_ID): str, vol.Optional(ATTR_NOTIFY_URL): str}
)


@callback
def async_setup_broker_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, action, schema in (
        (SEND_NOW, _async_send_now, BROKER_SCHEMA),
        (EMPTY_SET_ASIDE, _async_empty, BROKER_SCHEMA),
        (CREATE_SUBSCRIPTION, _async_subscribe, SUBSCRIPTION_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN, name, action, schema, SupportsResponse.OPTIONAL
        )


async def _async_send_now(call: ServiceCall) -> ServiceResponse:
    """Send what waits without waiting for the end of a pause."""
    link = _link(call)
    link.forwarder.send_now()
    return _response(call, waiting=link.told.status.waiting)


async def _async_empty(call: ServiceCall) -> ServiceResponse:
    """Throw away what the broker refused."""
    return _response(call, emptied=await _link(call).forwarder.empty_set_aside())


async def _async_subscribe(call: ServiceCall) -> ServiceResponse:
    """Have the broker tell QuantumLeap of every change, once."""
    link = _link(call)
    data = link.subentry.data
    if link.v2 is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_subscriptions",
            translation_placeholders={"name": link.subentry.title},
        )
    url = call.data.get(ATTR_NOTIFY_URL)
    if url is None and (base := data.get(CONF_HISTORY_URL)):
        url = f"{base.rstrip('/')}/v2/notify"
    if url is None or not is_text(url):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_notify_url",
            translation_placeholders={"name": link.subentry.title},
        )
    try:
        id_, created = await ensure(link.v2, data[CONF_MODEL], url)
    except DeliveryError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_subscribed",
            translation_placeholders={
                "name": link.subentry.title,
                "reason": str(error),
            },
        ) from error
    return _response(call, subscription=id_, created=created)


def _link(call: ServiceCall) -> BrokerLink:
    """Return the broker a call is about; with only one it need not be named."""
    entries: list[NrjConfigEntry] = call.hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    links = {
        subentry_id: link
        for entry in entries
        for subentry_id, link in entry.runtime_data.brokers.items()
    }
    if (device_id := call.data.get(ATTR_DEVICE_ID)) is not None:
        device = dr.async_get(call.hass).async_get(device_id)
        ids = {id_ for _, id_ in device.identifiers} if device is not None else set()
        links = {id_: link for id_, link in links.items() if id_ in ids}
    if len(links) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="which_broker"
        )
    return next(iter(links.values()))


def _response(call: ServiceCall, **told: str | int | bool) -> ServiceResponse:
    """Say what was done, where that was asked."""
    return dict(told) if call.return_response else None
