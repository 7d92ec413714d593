"""A plug's firmware for this computer: the guard over test-driven sensors, and the updates over the network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import re
import shutil

import yaml

from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port

from .configurations import COMPONENTS, FOLDER, esphome

NAME = "guarded"
PASSWORDS = ("", "correct horse")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedPlugs:
    """Programs by the password of their updates, with their ports."""

    programs: Mapping[str, Path]
    port: int
    update_port: int

    @contextmanager
    def running(self, password: str, folder: Path) -> Iterator[int]:
        """Run the plug with this password for updates; yield the port of its API."""
        with RunningFirmware(self.programs[password], folder, self.port):
            yield self.port


def build(folder: Path) -> GuardedPlugs:
    """Build the plug in `folder`, once without and once with a password for updates.

    The second needs little more than its own main.cpp compiled.
    """
    port, update_port = free_port(), free_port()
    path = folder / f"{NAME}.yaml"
    text = yaml.safe_dump(_configuration(port, update_port), width=1000)
    path.write_text(re.sub(r"'(![^']*)'", r"\1", text))
    programs: dict[str, Path] = {}
    for number, password in enumerate(PASSWORDS):
        given = ("-s", "ota_password", password)
        result = esphome(*given, "compile", path, data=folder / "data")
        assert result.returncode == 0, result.stdout + result.stderr
        (program,) = [
            found
            for found in (folder / "data/build" / NAME).rglob("program")
            if found.is_file()
        ]
        programs[password] = folder / f"program-{number}"
        shutil.copy2(program, programs[password])
    return GuardedPlugs(programs=programs, port=port, update_port=update_port)


def _configuration(port: int, update_port: int) -> dict[str, object]:
    return {
        "packages": {
            "base": f"!include {FOLDER}/packages/base.yaml",
            "guard": f"!include {FOLDER}/packages/frequency-guard-plug.yaml",
            "updates": f"!include {FOLDER}/packages/updates.yaml",
        },
        "substitutions": {"name": NAME, "components": str(COMPONENTS)},
        "host": {"mac_address": "02:4e:52:4a:00:03"},
        "loopback_only": {},
        "api": {"port": port},
        "ota": [{"platform": "esphome", "id": "!extend updates", "port": update_port}],
        "number": [
            _entered("given_hertz", "Hertz", 40, 70, 50),
            _entered("given_volts", "Volts", 0, 400, 230),
        ],
        "sensor": [
            _measured("voltage", "Voltage L1", "given_volts"),
            _measured("frequency", "Frequency L1", "given_hertz"),
        ],
        "switch": [_switch("relay_1", "Relay 1"), _switch("silent", "Silent")],
        "frequency_guard": {"start_delay": "1s"},
    }


def _measured(kind: str, name: str, state: str) -> dict[str, object]:
    """Return a sensor with the value of a number, ten times a second."""
    return {
        "platform": "template",
        "id": f"{kind}_l1",
        "name": name,
        "update_interval": "100ms",
        "accuracy_decimals": 3,
        "lambda": f"!lambda if (id(silent).state) return {{}}; return id({state}).state;",
    }


def _entered(
    identifier: str, name: str, low: float, high: float, initial: float
) -> dict[str, object]:
    """Return a number for a test to set."""
    return {
        "platform": "template",
        "id": identifier,
        "name": name,
        "optimistic": True,
        "min_value": low,
        "max_value": high,
        "step": 0.001,
        "initial_value": initial,
    }


def _switch(identifier: str, name: str) -> dict[str, object]:
    """Return a switch that switches nothing."""
    return {
        "platform": "template",
        "id": identifier,
        "name": name,
        "optimistic": True,
    }
