"""House of the demo: a simulated meter and a Home Assistant with its entry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from nrj_tools.client import HomeAssistantClient
from nrj_tools.errors import ScriptError
from nrj_tools.firmware import FirmwareError, RunningFirmware
from nrj_tools.home_assistant import RunningHomeAssistant, seed, wait_until_set_up
from nrj_tools.login import Login
from nrj_tools.meter_entry import (
    MeterInHomeAssistant,
    ensure_entry,
    find_meter,
    wait_for_values,
)

from .folder import DemoFolder
from .options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Running programs of the demo and their clients, since `started_at`."""

    firmware: RunningFirmware
    home: RunningHomeAssistant
    session: aiohttp.ClientSession
    login: Login
    client: HomeAssistantClient
    meter: MeterInHomeAssistant
    started_at: datetime


@asynccontextmanager
async def running_house(
    folder: DemoFolder, program: Path, options: Options
) -> AsyncIterator[House]:
    """Start meter and Home Assistant in `folder`, add the entry; stop both.

    Raises:
        ScriptError: one of them does not start; the other is stopped.
    """
    seed(folder.configuration, options.port)
    async with AsyncExitStack() as stack:
        firmware = RunningFirmware(
            program,
            folder.firmware,
            options.meter_port,
            options.playback.environment(),
        )
        stack.push_async_callback(asyncio.to_thread, firmware.stop)
        started_at = datetime.now(UTC)
        await _start_firmware(firmware)

        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        home = RunningHomeAssistant(
            folder.configuration, options.port, folder.home_assistant_log
        )
        stack.push_async_callback(home.stop)
        await home.start(session)

        login = Login(session, home.base_url)
        if await login.user_exists():
            await login.log_in()
        else:
            await login.create_user()
        client = await stack.enter_async_context(
            HomeAssistantClient(session, home.base_url, login.access_token)
        )
        await wait_until_set_up(client)
        await ensure_entry(client, options.meter_port)
        meter = await find_meter(client)
        await wait_for_values(client, meter.entity_ids["voltage_l1"])
        yield House(
            firmware=firmware,
            home=home,
            session=session,
            login=login,
            client=client,
            meter=meter,
            started_at=started_at,
        )


async def _start_firmware(firmware: RunningFirmware) -> None:
    """Start the meter.

    Cancelled meanwhile it waits for the outcome all the same, so that whoever stops
    the meter finds it either started or not.
    """
    starting = asyncio.create_task(asyncio.to_thread(firmware.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait((starting,))
        raise
    except FirmwareError as error:
        raise ScriptError(str(error)) from error
