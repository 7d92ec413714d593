"""Real Home Assistant in a folder of its own, on the loopback address."""

import asyncio
import fcntl
import json
import os
from pathlib import Path
import sys
from typing import Any

import aiohttp

from . import ROOT
from .client import HomeAssistantClient
from .errors import ScriptError
from .ports import LOOPBACK
from .processes import ManagedProcess

INTEGRATION = ROOT / "custom_components" / "nrj_monitor"

SENTENCES = ROOT / "docs" / "sentences"

CONFIGURATION = """\
# Written by scripts/demo. Only what the meter, its dashboards and Assist need.
assist_pipeline:
config:
conversation:
energy:
history:
logbook:
mobile_app:
my:
recorder:
  commit_interval: 1
"""

START_TIMEOUT = 300.0
"""Seconds until it is up; 5 s are usual, a cold disk takes longer."""

STOP_PATIENCE = 45.0
"""Seconds to write the states and the database before it is killed."""

LOCK_FILE = ".ha_run.lock"
"""Kept locked by a running Home Assistant (homeassistant.runner.LOCK_FILE_NAME)."""

RESTART_STATUS = 100
"""Exit status by which Home Assistant asks to be started again
(homeassistant.const.RESTART_EXIT_CODE)."""


def executable() -> Path:
    """Return the `hass` of this Python."""
    path = Path(sys.executable).parent / "hass"
    if not path.exists():
        raise ScriptError("Home Assistant is not installed: run scripts/setup first.")
    return path


def require_not_running(folder: Path) -> None:
    """Raise ScriptError if a Home Assistant of a killed demo runs over `folder`."""
    lock = folder / LOCK_FILE
    if not lock.exists():
        return
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = json.loads(held.read() or "{}").get("pid", "unknown")
            raise ScriptError(
                f"A Home Assistant still runs in {folder} (process {owner}):"
                f" end it with 'kill {owner}', or choose another folder with"
                " '--folder'."
            ) from error


def seed(folder: Path, port: int) -> None:
    """Prepare a configuration folder for a Home Assistant on `port` of the loopback.

    What exists already is kept, apart from the port and the integration's place.
    """
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "custom_components").mkdir(exist_ok=True)
    _link(folder / "custom_components" / INTEGRATION.name, INTEGRATION)
    _link(folder / "custom_sentences", SENTENCES)
    _write_new(folder / "configuration.yaml", CONFIGURATION)
    # Everything but the user: the onboarding step that asks for the location would
    # also set up integrations that need the internet.
    _store_new(
        storage,
        "onboarding",
        4,
        1,
        {"done": ["core_config", "analytics", "integration"]},
    )
    _store_new(storage, "core.config", 1, 4, _core_config())
    # Home Assistant takes a web server's YAML for a trial of five minutes only, so
    # its settings go where it keeps them.
    _store(storage, "http", 2, 2, _http_config(port))


def _link(link: Path, target: Path) -> None:
    """Link to files of the repository, unless something else is there."""
    if link.is_symlink() or not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(target, target_is_directory=True)


def _core_config() -> dict[str, Any]:
    return {
        "latitude": 52.3731339,
        "longitude": 4.8903147,
        "elevation": 0,
        "unit_system_v2": "metric",
        "location_name": "Home",
        "time_zone": local_time_zone(),
        "external_url": None,
        "internal_url": None,
        "currency": "EUR",
        "country": "NL",
        "language": "en",
        "radius": 100,
    }


def _http_config(port: int) -> dict[str, Any]:
    stable = {
        "server_port": port,
        "server_host": [LOOPBACK],
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    return {"stable": stable, "pending": None, "yaml_migration_done": True}


def local_time_zone() -> str:
    """Return the IANA name of this machine's time zone, UTC without a name.

    The simulated house lives by the same clock.
    """
    candidates = (
        Path("/usr/share/zoneinfo") / os.environ.get("TZ", "").removeprefix(":"),
        Path("/etc/localtime").resolve(),
    )
    for candidate in candidates:
        _, found, name = str(candidate).partition("zoneinfo/")
        if found and name and candidate.is_file():
            return name.removeprefix("posix/").removeprefix("Etc/")
    return "UTC"


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text)


def _store_new(
    storage: Path, key: str, version: int, minor: int, data: dict[str, Any]
) -> None:
    if not (storage / key).exists():
        _store(storage, key, version, minor, data)


def _store(
    storage: Path, key: str, version: int, minor: int, data: dict[str, Any]
) -> None:
    """Write a file of Home Assistant's storage, readable by its owner alone."""
    content = {"version": version, "minor_version": minor, "key": key, "data": data}
    path = storage / key
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2))


async def wait_until_set_up(client: HomeAssistantClient) -> None:
    """Wait until Home Assistant has set up everything.

    Raises:
        ScriptError: after START_TIMEOUT seconds.
    """
    try:
        async with asyncio.timeout(START_TIMEOUT):
            while (await client.command("get_config"))["state"] != "RUNNING":
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise ScriptError("Home Assistant does not finish its start.") from error


class RunningHomeAssistant:
    """Home Assistant over a seeded folder."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        """Prepare; `folder` is the seeded configuration folder."""
        self.base_url = f"http://{LOOPBACK}:{port}"
        self.log = log
        self.process = ManagedProcess(
            [executable(), "-c", folder, "--skip-pip", "--ignore-os-check"], log
        )

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Start Home Assistant and wait for its web server, before its set-up ends.

        Raises:
            ScriptError: it stopped, or did not answer in time; names the log.
        """
        self.process.start()
        answering = asyncio.create_task(self._wait_until_up(session))
        ending = asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait(
                (answering, ending),
                timeout=START_TIMEOUT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ending.done():
                raise ScriptError(f"Home Assistant stopped at once: see {self.log}.")
            if not answering.done():
                raise ScriptError(f"Home Assistant does not answer: see {self.log}.")
        finally:
            answering.cancel()
            ending.cancel()

    async def stop(self) -> None:
        """Stop Home Assistant after its states are written."""
        await self.process.stop(STOP_PATIENCE)

    async def _wait_until_up(self, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with session.get(f"{self.base_url}/manifest.json") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError, TimeoutError:
                pass
            await asyncio.sleep(0.2)
