"""Actions on a broker: send now, delete dead letters, create the subscription."""

import asyncio
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
from homeassistant.helpers.service import async_register_admin_service
import probatio as vol

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from .errors import DeliveryError
from .manager import BrokerManager
from .names import is_text
from .settings import CONF_HISTORY_URL, CONF_MODEL
from .subscription import ensure, outcome

SEND_NOW: Final = "send_now"
EMPTY_SET_ASIDE: Final = "empty_set_aside"
CREATE_SUBSCRIPTION: Final = "create_subscription"

ATTR_NOTIFY_URL: Final = "notify_url"

LOOK_INTERVAL: Final = 0.5
LOOKS: Final = 24
"""Looks for the first notification: with the usual interval of ten seconds one is sent."""

BROKER_SCHEMA: Final = vol.Schema({vol.Optional(ATTR_DEVICE_ID): str})
SUBSCRIPTION_SCHEMA: Final = vol.Schema(
    {vol.Optional(ATTR_DEVICE_ID): str, vol.Optional(ATTR_NOTIFY_URL): str}
)


@callback
def async_setup_broker_services(hass: HomeAssistant) -> None:
    """Register the actions of brokers, for administrators."""
    for name, action, schema in (
        (SEND_NOW, _async_send_now, BROKER_SCHEMA),
        (EMPTY_SET_ASIDE, _async_clear_dead_letters, BROKER_SCHEMA),
        (CREATE_SUBSCRIPTION, _async_subscribe, SUBSCRIPTION_SCHEMA),
    ):
        async_register_admin_service(
            hass, DOMAIN, name, action, schema, SupportsResponse.OPTIONAL
        )


async def _async_send_now(call: ServiceCall) -> ServiceResponse:
    """Send waiting samples at once, without the rest of a pause."""
    broker = _get_broker(call)
    broker.forwarder.send_now()
    return _response(call, waiting=broker.status.spool.waiting)


async def _async_clear_dead_letters(call: ServiceCall) -> ServiceResponse:
    """Delete the samples the broker refused."""
    deleted = await _get_broker(call).forwarder.clear_dead_letters()
    return _response(call, emptied=deleted)


async def _async_subscribe(call: ServiceCall) -> ServiceResponse:
    """Create the subscription of QuantumLeap, unless the broker has one; see that it notifies."""
    broker = _get_broker(call)
    data = broker.subentry.data
    if broker.v2_broker is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_subscriptions",
            translation_placeholders={"name": broker.subentry.title},
        )
    url = call.data.get(ATTR_NOTIFY_URL)
    if url is None and (base := data.get(CONF_HISTORY_URL)):
        url = f"{base.rstrip('/')}/v2/notify"
    if url is None or not is_text(url):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_notify_url",
            translation_placeholders={"name": broker.subentry.title},
        )
    try:
        id_, created = await ensure(broker.v2_broker, data[CONF_MODEL], url)
    except DeliveryError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_subscribed",
            translation_placeholders={
                "name": broker.subentry.title,
                "reason": str(error),
            },
        ) from error
    arrived, reason = await _async_first_notification(broker, id_)
    if arrived is False:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_notified",
            translation_placeholders={"name": broker.subentry.title, "reason": reason},
        )
    return _response(call, subscription=id_, created=created, arrived=bool(arrived))


async def _async_first_notification(
    broker: BrokerManager, id_: str
) -> tuple[bool | None, str]:
    """Return whether a notification arrived, None where none was sent, and why not."""
    client = broker.v2_broker
    assert client is not None
    broker.forwarder.send_now()
    for _ in range(LOOKS):
        try:
            known = await client.subscriptions()
        except DeliveryError:
            break
        mine = next((s for s in known if str(s.get("id", "")) == id_), {})
        arrived, reason = outcome(mine)
        if arrived is not None:
            return arrived, reason
        await asyncio.sleep(LOOK_INTERVAL)
    return None, ""


def _get_broker(call: ServiceCall) -> BrokerManager:
    """Return the broker of the call's device; without a device, the only broker."""
    entries: list[NrjConfigEntry] = call.hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    brokers = {
        subentry_id: broker
        for entry in entries
        for subentry_id, broker in entry.runtime_data.brokers.items()
    }
    if (device_id := call.data.get(ATTR_DEVICE_ID)) is not None:
        device = dr.async_get(call.hass).async_get(device_id)
        ids = {id_ for _, id_ in device.identifiers} if device is not None else set()
        brokers = {id_: broker for id_, broker in brokers.items() if id_ in ids}
    if len(brokers) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="which_broker"
        )
    return next(iter(brokers.values()))


def _response(call: ServiceCall, **response: str | int | bool) -> ServiceResponse:
    """Return the response to a call, None unless requested."""
    return dict(response) if call.return_response else None
