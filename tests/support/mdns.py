"""Announce a meter over mDNS to Home Assistant's own discovery.

The text record is the one ESPHome 2026.10 builds (components/mdns/mdns_component.cpp).
Home Assistant's matching and its making of a discovery are its own code; only the
multicast between them is left out.
"""

import asyncio

from homeassistant.components.zeroconf import async_get_instance
from homeassistant.components.zeroconf.discovery import ZeroconfDiscovery
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_zeroconf
from zeroconf.asyncio import AsyncServiceInfo

from custom_components.nrj_monitor.const import DOMAIN

SERVICE = "_esphomelib._tcp.local."
NOISE = "Noise_NNpsk0_25519_ChaChaPoly_SHA256"

NO_KEY = {"api_encryption_supported": NOISE, "api_provisioning": "zero-psk"}
WITH_KEY = {"api_encryption": NOISE}


async def announce(
    hass: HomeAssistant,
    port: int,
    *,
    address: str = "127.0.0.1",
    **changed: str | None,
) -> None:
    """Announce a meter at `address` and `port`, as if by its own record.

    `changed` are entries of the text record to replace, or with None to leave out.
    """
    record = {
        "friendly_name": "NRJ Meter",
        "version": "2026.10.0",
        "config_hash": "5f1c2a90",
        "mac": "024e524a0001",
        "platform": "ESP32",
        "board": "esp32dev",
        "network": "wifi",
        "project_name": "nrj-monitor.meter",
        "project_version": "0.1.0",
    } | changed
    info = AsyncServiceInfo(
        SERVICE,
        f"nrj-meter.{SERVICE}",
        port=port,
        properties={key: value for key, value in record.items() if value is not None},
        server="nrj-meter.local.",
        parsed_addresses=[address],
    )
    matchers = [
        matcher
        for matcher in (await async_get_zeroconf(hass)).get(SERVICE, [])
        if matcher["domain"] == DOMAIN
    ]
    discovery = ZeroconfDiscovery(
        hass,
        await async_get_instance(hass),
        {SERVICE: matchers},
        {},
        {},
        info,
    )
    discovery._async_process_service_update(info, SERVICE, info.name)
    await asyncio.gather(
        *(
            task
            for task in asyncio.all_tasks()
            if task.get_name().startswith(f"discovery flow {DOMAIN}")
        )
    )
    await hass.async_block_till_done()
