"""Home Assistants with nothing but the benchmark's meter, and their cost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any

import aiohttp

from nrj_bench.stream_firmware import CHANNELS
from nrj_tools.client import HomeAssistantClient
from nrj_tools.home_assistant import RunningHomeAssistant, seed, wait_until_set_up
from nrj_tools.login import Login
from nrj_tools.meter_entry import ensure_entry
from nrj_tools.ports import LOOPBACK, free_port

CONFIGURATION = "config:\nrecorder:\n"
"""Everything at its default."""

REGISTERED = 60.0
"""Seconds until an integration has made the entities of a meter that is there."""

type Introduce = Callable[[HomeAssistantClient, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Cost:
    """A process's use since its start: s of its main thread, s of all threads, MB resident."""

    event_loop: float
    process: float
    memory: float


@dataclass(frozen=True, slots=True)
class Home:
    """A running Home Assistant; `entity_ids` by the object id of the meter's sensor."""

    folder: Path
    process: RunningHomeAssistant
    client: HomeAssistantClient
    entity_ids: dict[str, str]

    def cost(self) -> Cost:
        """Return the process's use since its start."""
        pid = self.process.process.pid
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return Cost(
            event_loop=_cpu(Path(f"/proc/{pid}/task/{pid}")),
            process=sum(map(_cpu, Path(f"/proc/{pid}/task").iterdir())),
            memory=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        )


def _cpu(task: Path) -> float:
    """Return the CPU time of a thread, s, to the nanosecond (kernel: sched-stats)."""
    return int((task / "schedstat").read_text().split()[0]) / 1e9


async def into_nothing(client: HomeAssistantClient, port: int) -> None:
    """Let Home Assistant alone."""


async def into_esphome(client: HomeAssistantClient, port: int) -> None:
    """Add the meter to Home Assistant's own ESPHome integration."""
    form = await client.post("config/config_entries/flow", {"handler": "esphome"})
    await client.post(
        f"config/config_entries/flow/{form['flow_id']}",
        {"host": LOOPBACK, "port": port},
    )
    await _enable_entities(client, "esphome")


async def into_nrj_monitor(client: HomeAssistantClient, port: int) -> None:
    """Add the meter to NRJ Monitor, with every sensor enabled."""
    await ensure_entry(client, port)
    await _enable_entities(client, "nrj_monitor")


async def _enable_entities(client: HomeAssistantClient, domain: str) -> None:
    """Enable every entity of an integration, and load its entries anew where need be."""
    disabled = [
        entity["entity_id"]
        for entity in await _sensors_registered(client, domain)
        if entity["disabled_by"] is not None
    ]
    if not disabled:
        return
    for entity_id in disabled:
        await client.command(
            "config/entity_registry/update", entity_id=entity_id, disabled_by=None
        )
    for entry in await client.command("config_entries/get", domain=domain):
        await client.post(f"config/config_entries/entry/{entry['entry_id']}/reload", {})


async def _sensors_registered(
    client: HomeAssistantClient, domain: str
) -> list[Mapping[str, Any]]:
    """Return an integration's entities, once those of all quantities are there."""
    async with asyncio.timeout(REGISTERED):
        while True:
            entities = [
                entity
                for entity in await client.command("config/entity_registry/list")
                if entity["platform"] == domain
            ]
            if {*CHANNELS} <= {*map(_object_id, entities)}:
                return entities
            await asyncio.sleep(0.2)


@asynccontextmanager
async def running_home(
    folder: Path, introduce: Introduce, meter_port: int
) -> AsyncIterator[Home]:
    """Start a Home Assistant in `folder`, add the meter, stop Home Assistant at the end."""
    configuration = folder / "home-assistant"
    port = free_port()
    _prepare(configuration, port)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        process = RunningHomeAssistant(configuration, port, folder / "log")
        stack.push_async_callback(process.stop)
        await process.start(session)
        login = Login(session, process.base_url)
        await login.create_user()
        client = await stack.enter_async_context(
            HomeAssistantClient(session, process.base_url, login.access_token)
        )
        await wait_until_set_up(client)
        await introduce(client, meter_port)
        await asyncio.sleep(2)
        entities = await client.command("config/entity_registry/list")
        entity_ids = {
            _object_id(entity): entity["entity_id"]
            for entity in entities
            if entity["platform"] in ("esphome", "nrj_monitor")
            and entity["disabled_by"] is None
        }
        yield Home(configuration, process, client, entity_ids)


def _prepare(configuration: Path, port: int) -> None:
    seed(configuration, port)
    (configuration / "configuration.yaml").write_text(CONFIGURATION)


def _object_id(entity: Mapping[str, Any]) -> str:
    """Return the object id the sensor has in the firmware."""
    if entity["platform"] == "esphome":
        return str(entity["original_name"]).lower().replace(" ", "_")
    # The MAC address and the object id, with an underscore between.
    return str(entity["unique_id"]).partition("_")[2]
