"""Builds of the demo's programs: the meter's firmware and the signal tool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import fcntl
from pathlib import Path
import shutil
import sys

from nrj_tools import ROOT
from nrj_tools.errors import ScriptError
from nrj_tools.firmware import FirmwareError, archive_components
from nrj_tools.processes import run

BUILD_FOLDER = ROOT / ".build"
SIGNAL_TOOL_SOURCE = ROOT / "scripts" / "cpp" / "signal_model.cpp"
MAINS_SIGNAL = ROOT / "esphome" / "components" / "mains_signal"


@asynccontextmanager
async def _build_lock() -> AsyncIterator[None]:
    """Lock the build of the signal tool against a second build."""
    BUILD_FOLDER.mkdir(exist_ok=True)
    with (BUILD_FOLDER / "signal_model.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.2)
        yield


async def build_firmware() -> Path:
    """Build the meter's firmware for this machine and return its program.

    Raises:
        ScriptError: with one sentence that names the log.
    """
    built = await run(
        [sys.executable, "-m", "nrj_tools.firmware"],
        {"PYTHONPATH": str(ROOT / "scripts")},
    )
    if built.status != 0:
        raise ScriptError(built.errors.strip() or "The firmware could not be built.")
    return Path(built.output.strip().splitlines()[-1])


async def build_signal_tool(firmware: Path) -> Path:
    """Build the signal tool, of the sources compiled for the firmware's program; return its program.

    Raises:
        ScriptError: no compiler, or it failed; names the log.
    """
    program = BUILD_FOLDER / "signal_model"
    sources = [
        SIGNAL_TOOL_SOURCE,
        *MAINS_SIGNAL.glob("*.cpp"),
        *MAINS_SIGNAL.glob("*.h"),
    ]
    compiler = shutil.which("g++")
    if compiler is None:
        raise ScriptError(
            "No C++ compiler was found: install one"
            " (Debian, Ubuntu: 'sudo apt-get install g++') and run this again."
        )
    async with _build_lock():
        newest = max(path.stat().st_mtime for path in sources)
        if program.exists() and program.stat().st_mtime > newest:
            return program
        fresh = program.with_suffix(".new")
        archive = program.with_suffix(".a")
        try:
            archive_components(firmware, ["mains_signal"], archive)
        except FirmwareError as error:
            raise ScriptError(str(error)) from error
        built = await run(
            [
                *(compiler, "-std=gnu++20", "-O1", "-I", ROOT),
                *("-o", fresh, SIGNAL_TOOL_SOURCE, archive),
            ]
        )
        if built.status != 0:
            log = BUILD_FOLDER / "signal_model.log"
            log.write_text(built.errors)
            raise ScriptError(f"The signal tool could not be built: see {log}.")
        fresh.replace(program)
    return program
