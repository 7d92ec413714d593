"""Config entry, device and entities of the meter in Home Assistant."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from .client import HomeAssistantClient
from .errors import ScriptError
from .ports import LOOPBACK

DOMAIN = "nrj_monitor"

VALUES_TIMEOUT = 120.0
"""Seconds until the meter's values are there; 2 s are usual."""


@dataclass(frozen=True, slots=True)
class MeterInHomeAssistant:
    """Ids of the meter's entry, device and entities.

    `entity_ids` holds the enabled entities by the key of their channel or relay
    ("voltage_l1", "import_energy", "relay_1"), in the order of the registry.
    """

    device_id: str
    entity_ids: Mapping[str, str]


async def ensure_entry(client: HomeAssistantClient, port: int) -> None:
    """Set up the meter on `port` through its config flow, as a person does.

    A meter that is known already only gets its new address.
    """
    menu = await client.post("config/config_entries/flow", {"handler": DOMAIN})
    flow = f"config/config_entries/flow/{menu['flow_id']}"
    await client.post(flow, {"next_step_id": "native"})
    answer = await client.post(flow, {"host": LOOPBACK, "port": port})
    if answer.get("step_id") == "finish":
        answer = await client.post(flow, {"add_to_energy_dashboard": False})
    if answer["type"] == "create_entry":
        return
    if answer["type"] == "abort" and answer["reason"] == "already_configured":
        return
    problem = answer.get("reason") or ", ".join(answer.get("errors", {}).values())
    raise ScriptError(
        f"Home Assistant could not set up the meter on port {port} ({problem})."
    )


async def find_meter(client: HomeAssistantClient) -> MeterInHomeAssistant:
    """Look the meter's device and entities up by their unique ids."""
    entries = [
        entry
        for entry in await client.command("config/entity_registry/list")
        if entry["platform"] == DOMAIN and entry["disabled_by"] is None
    ]
    if not entries:
        raise ScriptError("Home Assistant has no entity of the meter.")
    return MeterInHomeAssistant(
        device_id=entries[0]["device_id"],
        # A unique id is the device's MAC address and the key, with an underscore between.
        entity_ids={
            entry["unique_id"].partition("_")[2]: entry["entity_id"]
            for entry in entries
        },
    )


async def wait_for_values(client: HomeAssistantClient, entity_id: str) -> None:
    """Wait until Home Assistant shows a number for `entity_id`.

    Raises:
        ScriptError: after VALUES_TIMEOUT seconds.
    """
    try:
        async with asyncio.timeout(VALUES_TIMEOUT):
            while not is_number((await client.get(f"states/{entity_id}"))["state"]):
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        raise ScriptError(f"The meter sends no value for {entity_id}.") from error


def is_number(state: str) -> bool:
    """Return whether a state is a value, neither unknown nor unavailable."""
    try:
        float(state)
    except ValueError:
        return False
    return True
