"""A meter and a Home Assistant that knows it, running together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from .client import HomeAssistantClient
from .errors import DemoError
from .firmware import FirmwareError, RunningFirmware
from .folder import DemoFolder
from .home_assistant import RunningHomeAssistant, seed, wait_until_set_up
from .login import Login
from .meter_entry import MeterInHomeAssistant, ensure_entry, find_meter, wait_for_values
from .options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What runs, and how to talk to it. `started_at` is when the meter started."""

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
    """Start both in `folder`, introduce them to each other, and stop both at the end.

    Raises:
        DemoError: one of them does not start; the other is stopped.
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
        raise DemoError(str(error)) from error
