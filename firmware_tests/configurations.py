"""Run ESPHome on the configurations, and read the resolved result."""

from functools import cache
import json
import os
from pathlib import Path
import subprocess
from threading import Lock
from typing import Any

import yaml

from nrj_tools import ROOT
from nrj_tools.firmware import esphome_executable
from tests.support.pace import patience

FOLDER = ROOT / "esphome"
COMPONENTS = FOLDER / "components"
OWN_COMPONENTS = ("-s", "components", str(COMPONENTS))
"""Takes the components of this copy of the repository, not those on GitHub."""


LONGEST_COMMAND = 120.0
"""Seconds after which a command of ESPHome is given up."""


def esphome(*arguments: str | Path, data: Path) -> subprocess.CompletedProcess[str]:
    """Run ESPHome with its files in a folder of its own."""
    words = [str(argument) for argument in arguments]
    environment = {"ESPHOME_DATA_DIR": str(data)}
    if "compile" not in words or "--only-generate" in words:
        return _server().run(words, environment)
    return subprocess.run(
        [esphome_executable(), *words],
        env={**os.environ, **environment},
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=patience(LONGEST_COMMAND),
        check=False,
    )


class _Server:
    """An ESPHome that stays imported between commands; ends with this process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [
                esphome_executable().with_name("python"),
                Path(__file__).with_name("esphome_server.py"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = Lock()

    def run(
        self, arguments: list[str], environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that only reads and writes files, and return its outcome."""
        command = {
            "arguments": arguments,
            "environment": environment,
            "folder": str(FOLDER),
            "timeout": round(patience(LONGEST_COMMAND)),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            print(json.dumps(command), file=self._process.stdin, flush=True)
            outcome = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(arguments, **outcome)


@cache
def _server() -> _Server:
    """Start the server for this process, once."""
    return _Server()


class _Loader(yaml.SafeLoader):
    """Reads ESPHome's own tags as text."""


_Loader.add_multi_constructor(
    "!", lambda loader, _suffix, node: loader.construct_scalar(node)
)


def resolved(name: str | Path, data: Path, *arguments: str) -> dict[str, Any]:
    """Return a configuration with its packages merged."""
    result = esphome(*arguments, "config", name, data=data)
    assert result.returncode == 0, result.stdout + result.stderr
    configuration: dict[str, Any] = yaml.load(result.stdout, _Loader)
    return configuration
