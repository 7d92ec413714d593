"""Simulated meter with sixty quantities, each sent five times a second."""

import fcntl
import os
from pathlib import Path
import shutil
import subprocess

import yaml

from nrj_tools import ROOT
from nrj_tools.firmware import FirmwareError, esphome_executable

FOLDER = ROOT / ".build" / "bench"
PACKAGES = ROOT / "esphome" / "packages"
NAME = "nrj-bench"
INTERVAL = "200ms"

PHASES = ("l1", "l2", "l3")

PHASE_QUANTITIES = (
    "voltage",
    "current",
    "active_power",
    "reactive_power",
    "apparent_power",
    "power_factor",
    "frequency",
    "import_energy",
    "export_energy",
    "fundamental_active_power",
    "fundamental_reactive_power",
    "voltage_half_cycle",
    "current_half_cycle",
    "voltage_10_12_cycles",
    "current_10_12_cycles",
    "voltage_thd",
    "current_thd",
)
TOTALS = (
    "active_power",
    "reactive_power",
    "apparent_power",
    "power_factor",
    "frequency",
    "import_energy",
    "export_energy",
    "voltage_unbalance",
    "neutral_current",
)
CHANNELS = (
    *(f"{key}_{phase}" for phase in PHASES for key in PHASE_QUANTITIES),
    *TOTALS,
)
"""What is told, by object id: sixty."""


def configuration() -> str:
    """Return the firmware's YAML: the project's own packages, faster and shorter."""
    text = (PACKAGES / "measurements.yaml").read_text()
    names = yaml.safe_load(text)["sensor"][0]
    wanted = dict.fromkeys(PHASES, PHASE_QUANTITIES) | {"total": TOTALS}
    sensors = {
        group: {key: names[group][key] for key in keys}
        for group, keys in wanted.items()
    }
    own = yaml.safe_dump(
        {
            "substitutions": {
                "name": NAME,
                "standalone": "true",
                "components": str(ROOT / "esphome" / "components"),
            },
            "host": {"mac_address": "02:4e:52:4a:00:60"},
            "ade9000": {
                "id": "meter",
                "simulator_id": "chip",
                "voltage_divider": "${voltage_divider}",
                "current_sensitivity": "${current_sensitivity}",
                "nominal_voltage": "${nominal_voltage}",
                "line_frequency": "${line_frequency}",
                "update_interval": INTERVAL,
                # Below the above, so that every update is told whatever its jitter.
                "publish_interval": "100ms",
            },
            "sensor": [{"platform": "ade9000", "ade9000_id": "meter", **sensors}],
        },
        sort_keys=False,
    )
    packages = "".join(
        f"  {name}: !include {PACKAGES / name}.yaml\n"
        for name in ("base", "inputs", "journal", "simulation")
    )
    return f"packages:\n{packages}{own}"


def build() -> Path:
    """Build the firmware, incrementally; return its program.

    Raises:
        FirmwareError: the build failed; names the log.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    file, log = FOLDER / f"{NAME}.yaml", FOLDER / "firmware.log"
    with (FOLDER / "firmware.lock").open("a") as lock, log.open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file.write_text(configuration())
        built = subprocess.run(
            [esphome_executable(), "compile", file],
            env={**os.environ, "ESPHOME_DATA_DIR": str(FOLDER / "esphome")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    programs = list((FOLDER / "esphome" / "build" / NAME).rglob("program"))
    if built.returncode != 0 or shutil.which("g++") is None or not programs:
        raise FirmwareError(f"The benchmark's meter could not be built: see {log}.")
    return max(programs, key=lambda path: path.stat().st_mtime)
