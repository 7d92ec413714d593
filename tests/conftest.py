"""Fixtures shared by the tests of the integration."""

import asyncio
from asyncio import constants
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
import itertools
import logging
from pathlib import Path
import random
import traceback

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.util import ulid as ulid_util
import pytest

from custom_components.nrj_monitor.backfill import clock_trust
from custom_components.nrj_monitor.const import (
    CONF_ADD_TO_ENERGY,
    CONF_ENCRYPTION_KEY,
    DOMAIN,
)
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.quiet_log import QuietLog, Repetitions
from custom_components.nrj_monitor.sources.native_api import session
from nrj_tools.firmware import FirmwareError, RunningFirmware, build, esphome_executable
from nrj_tools.ports import free_port
from tests.support.deprecations import deprecations_of
from tests.support.device import Device, DeviceServer

# Asyncio's debug mode keeps the stack of each callback, future and task, aiohttp that of each request: whole stacks, read
# and formatted, were a third of a test's time. One frame each; the checks of the debug mode stay.
constants.DEBUG_STACK_DEPTH = 1  # type: ignore[misc]
traceback.extract_stack.__defaults__ = (None, 1)

CHATTY = (
    "asyncio",
    "homeassistant.components.recorder",
    "homeassistant.core",
    "sqlalchemy.engine",
)
"""Loggers of each event of the bus, each statement of the recorder and each use of its connections.

A sixth of a test's time, and most of what a failed test prints; at their finest only where a test asks for that.
"""
for name in CHATTY:
    logging.getLogger(name).setLevel(logging.WARNING)

HOST = "127.0.0.1"

type Ask = Callable[..., Awaitable[ConfigFlowResult]]
type AddMeter = Callable[..., Awaitable[NrjConfigEntry]]


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed random numbers and ids, and so their delays, with the test's own name."""
    random.seed(request.node.nodeid)
    numbers = itertools.count(1)
    monkeypatch.setattr(ulid_util, "ulid_now", lambda: f"01SEEDED{next(numbers):018d}")


@pytest.fixture(autouse=True)
def settled_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock count as set, however lately Home Assistant was started."""
    monkeypatch.setattr(clock_trust, "BOOT_SETTLES", 0.0)


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be news to the log, whatever tests before have said."""
    monkeypatch.setattr(QuietLog, "repetitions", Repetitions())


@pytest.fixture(autouse=True)
def nothing_deprecated(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Fail a test in which Home Assistant logs the integration's use of deprecated code."""
    yield
    told = [
        message
        for when in ("setup", "call", "teardown")
        for message in deprecations_of(DOMAIN, caplog.get_records(when))
    ]
    assert not told


@pytest.fixture
def integration(
    enable_custom_integrations: None, mock_async_zeroconf: object, socket_enabled: None
) -> None:
    """Load the integration from the repository with loopback sockets allowed."""


@pytest.fixture
async def unloaded(hass: HomeAssistant, integration: None) -> AsyncGenerator[None]:
    """Unload the test's entries, so leftovers are found."""
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            assert await hass.config_entries.async_unload(entry.entry_id)
    # aioesphomeapi looks up the time zone in a thread, which no end of a connection ends.
    while looking := [
        task
        for task in asyncio.all_tasks()
        if getattr(task.get_coro(), "__name__", "") == "get_timezone"
    ]:
        await asyncio.wait(looking)


@pytest.fixture
async def server(socket_enabled: None) -> AsyncGenerator[DeviceServer]:
    """Return a scriptable meter on a loopback port."""
    device = Device(
        sensors={
            "Voltage L1": 230.0,
            "Active power L1": 1500.0,
            "Active power": 1500.0,
            "Import energy": 12.5,
            "Rejected frames": 0.0,
            "Frequency L1": 50.0,
        },
        relays={"Relay 1": False, "Relay 2": True},
    )
    async with DeviceServer(device) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for an absent meter ten times a second, where the pause is not the point."""
    monkeypatch.setattr(session, "RETRY_PAUSE", 0.1)


async def decline_the_offer(
    hass: HomeAssistant, result: ConfigFlowResult
) -> ConfigFlowResult:
    """Answer the set-up's last question, if any, with no."""
    if result.get("step_id") != "finish":
        return result
    return await hass.config_entries.flow.async_configure(
        result["flow_id"], {CONF_ADD_TO_ENERGY: False}
    )


@pytest.fixture
def ask(hass: HomeAssistant, unloaded: None) -> Ask:
    """Return a function to fill in the forms of a new meter.

    It declines the last offer, the energy dashboard.
    """

    async def fill_in(
        port: int, key: str | None = None, host: str = HOST
    ) -> ConfigFlowResult:
        menu = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )
        form = await hass.config_entries.flow.async_configure(
            menu["flow_id"], {"next_step_id": "native"}
        )
        answers = {CONF_HOST: host, CONF_PORT: port}
        if key is not None:
            answers[CONF_ENCRYPTION_KEY] = key
        result = await hass.config_entries.flow.async_configure(
            form["flow_id"], answers
        )
        return await decline_the_offer(hass, result)

    return fill_in


@pytest.fixture
def add_meter(hass: HomeAssistant, ask: Ask) -> AddMeter:
    """Return a function to add a meter in a person's way."""

    async def add(port: int, key: str | None = None) -> NrjConfigEntry:
        result = await ask(port, key)
        entry: NrjConfigEntry = result["result"]
        await hass.async_block_till_done()
        return entry

    return add


@pytest.fixture(scope="session")
def firmware_program() -> Path:
    """Build the real firmware with its simulated chip, once."""
    try:
        esphome_executable()
    except FirmwareError as error:
        pytest.skip(str(error))
    return build()


@pytest.fixture
def firmware(
    firmware_program: Path, tmp_path: Path, socket_enabled: None
) -> Generator[RunningFirmware]:
    """Run the real firmware on a loopback port, playing the built-in house."""
    # At eight in the evening, when it draws: what a test finds is not the time of its run.
    environment = {"NRJ_START": "72000"}
    with RunningFirmware(
        firmware_program, tmp_path, free_port(), environment
    ) as running:
        yield running
