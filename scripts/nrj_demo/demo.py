"""Run of the demo: check, build, start, set up, watch, stop."""

import asyncio
import signal

from nrj_tools.errors import ScriptError
from nrj_tools.home_assistant import RESTART_STATUS, require_not_running
from nrj_tools.login import PASSWORD, USERNAME
from nrj_tools.ports import require_free
from nrj_tools.processes import wait_for_end

from .energy_dashboard import ensure_energy_dashboard
from .folder import DemoFolder
from .history import fill_history
from .house import House, running_house
from .options import Options
from .overview import URL_PATH, ensure_overview
from .programs import build_firmware, build_signal_tool
from .say import say
from .signal_tool import check_recording

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_demo(options: Options) -> None:
    """Run the demo until a stop signal.

    Raises:
        ScriptError: it cannot start, or one of its programs ended by itself.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    running = asyncio.create_task(_run(options))
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        say("\nStopping …")
        running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        say("Everything the demo started has stopped.")


async def _run(options: Options) -> None:
    """Run the demo until cancelled, and stop all its programs."""
    folder = DemoFolder(options.folder)
    with folder.locked():
        require_not_running(folder.configuration)
        require_free(options.port, "Home Assistant", "--port")
        require_free(options.meter_port, "the simulated meter", "--meter-port")
        say("Building the simulated meter …")
        program = await build_firmware()
        signal_tool = await build_signal_tool(program)
        if options.playback.recording is not None:
            say(await check_recording(signal_tool, options.playback))
        if options.check:
            say("All that was given can be used; nothing was started.")
            return
        if options.fresh:
            folder.wipe()
        if folder.is_empty:
            folder.history_pending = options.playback.recording is None
        say("Starting the meter and Home Assistant …")
        async with running_house(folder, program, options) as house:
            await ensure_energy_dashboard(house.client, house.meter)
            await ensure_overview(house.client, house.meter)
            if folder.history_pending:
                say(await fill_history(house, signal_tool))
                folder.history_pending = False
            await house.client.close()
            say(_welcome(house))
            await _watch(house)


def _welcome(house: House) -> str:
    return "\n".join(
        (
            "",
            f"  Home Assistant   {house.home.base_url}",
            f"  Log in           user '{USERNAME}', password '{PASSWORD}'",
            f"  The meter        {house.home.base_url}/{URL_PATH}",
            f"  Energy           {house.home.base_url}/energy",
            f"  Logs             {house.home.log}",
            f"                   {house.firmware.log}",
            "",
            "Ctrl-C stops it; the next start goes on from there, with --fresh from zero.",
        )
    )


async def _watch(house: House) -> None:
    """Wait until a program ends by itself; raise an error with its name.

    Home Assistant is started again when it asks for it (its "restart" button).
    """
    assert house.firmware.process is not None
    meter_ends = asyncio.create_task(wait_for_end(house.firmware.process))
    try:
        while True:
            home_ends = asyncio.create_task(house.home.process.wait())
            try:
                await asyncio.wait(
                    (meter_ends, home_ends), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                home_ends.cancel()
            if meter_ends.done():
                raise ScriptError(
                    f"The simulated meter stopped by itself: see {house.firmware.log}."
                )
            if (status := home_ends.result()) != RESTART_STATUS:
                raise ScriptError(
                    f"Home Assistant stopped by itself (exit status {status}):"
                    f" see {house.home.log}."
                )
            await house.home.start(house.session)
    finally:
        meter_ends.cancel()
