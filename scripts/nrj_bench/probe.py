"""Probe: the driver and the simulated chip as a program, run on described signals.

A description is lines of words, answered by a line of JSON at each `run` or `cost`:

    scenario DIVIDER SENSITIVITY LINE_FREQUENCY NOMINAL_VOLTAGE   begins anew
    segment START FREQUENCY SLOPE                 from START (s) on; Hz, Hz/s
    phase I VOLTAGE ANGLE CURRENT LAG VOLTAGE_SLOPE CURRENT_SLOPE
                                                  V, rad, A, rad, V/s, A/s; fundamental
    voltage_harmonic I ORDER RATIO ANGLE          of phase I; ANGLE in rad of the
    current_harmonic I ORDER RATIO ANGLE          harmonic where the voltage rises
    brown_out AT SECONDS                          the chip loses its supply
    flip FRAME BIT                                a bit of a reply arrives wrong
    run UPDATES                                   updates of the driver, every 0.2 s
    cost REPETITIONS                              what passes of the loop cost
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
import fcntl
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import Any

from nrj_tools import ROOT, firmware
from nrj_tools.firmware import FirmwareError, archive_components

COMPONENTS = ROOT / "esphome" / "components"
FOLDER = ROOT / ".build" / "probe"
SOURCE = ROOT / "scripts" / "cpp" / "meter_probe.cpp"
LINKED = ("ade9000", "ade9000_simulator", "mains_signal")
FLAGS = ["-std=gnu++20", "-O1"]
"""As the firmware's own sources are compiled, which the probe is linked with."""


class ProbeError(Exception):
    """Failed build or run of the probe; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Harmonic:
    """Harmonic: order, rms per rms of the fundamental, angle in rad."""

    order: int
    ratio: float
    angle: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Phase: V, rad from the healthy angle, A, rad of lag; slopes per second."""

    voltage: float
    current: float
    lag: float = 0.0
    angle: float = 0.0
    voltage_slope: float = 0.0
    current_slope: float = 0.0
    voltage_harmonics: Sequence[Harmonic] = ()
    current_harmonics: Sequence[Harmonic] = ()


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Signal of the grid from `start` (s) on."""

    phases: Sequence[Phase]
    start: float = 0.0
    frequency: float = 50.0
    slope: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Signal, the front end before the chip, and the faults."""

    segments: Sequence[Segment]
    updates: int
    divider: float = 1000.4
    sensitivity: float = 0.0066965
    line_frequency: int = 50
    nominal_voltage: float = 230.0
    brown_outs: Sequence[tuple[float, float]] = ()
    flips: Sequence[tuple[int, int]] = field(default=())

    def lines(self, command: str = "run") -> list[str]:
        """Return the description of the scenario, up to the command."""
        lines = [
            (
                f"scenario {self.divider!r} {self.sensitivity!r} {self.line_frequency}"
                f" {self.nominal_voltage!r}"
            )
        ]
        for segment in self.segments:
            lines.append(
                f"segment {segment.start!r} {segment.frequency!r} {segment.slope!r}"
            )
            for index, phase in enumerate(segment.phases):
                lines.append(
                    f"phase {index} {phase.voltage!r} {phase.angle!r}"
                    f" {phase.current!r} {phase.lag!r}"
                    f" {phase.voltage_slope!r} {phase.current_slope!r}"
                )
                for kind, harmonics in (
                    ("voltage", phase.voltage_harmonics),
                    ("current", phase.current_harmonics),
                ):
                    lines += [
                        f"{kind}_harmonic {index} {harmonic.order}"
                        f" {harmonic.ratio!r} {harmonic.angle!r}"
                        for harmonic in harmonics
                    ]
        lines += [f"brown_out {at!r} {seconds!r}" for at, seconds in self.brown_outs]
        lines += [f"flip {frame} {bit}" for frame, bit in self.flips]
        return [*lines, f"{command} {self.updates}"]


type Update = dict[str, Any]
"""One update: time, event, measured, frames, rejected, readings, totals in nWh."""


def build(meter: Path | None = None) -> Path:
    """Build the probe, of the sources compiled for the meter's program, which is built unless given; return its program.

    Raises:
        ProbeError: no compiler, or the build failed; says what the compiler said.
    """
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise ProbeError("No C++ compiler: install g++ (Debian: apt install g++).")
    sources = [
        path
        for name in LINKED
        for pattern in ("*.cpp", "*.h")
        for path in (COMPONENTS / name).glob(pattern)
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    program = FOLDER / "meter_probe"
    with (FOLDER / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_stale(program, [SOURCE, Path(__file__), *sources]):
            archive = FOLDER / "components.a"
            try:
                archive_components(meter or firmware.build(), LINKED, archive)
            except FirmwareError as error:
                raise ProbeError(str(error)) from error
            command = [compiler, *FLAGS, f"-I{ROOT}", str(SOURCE), str(archive)]
            _run([*command, "-o", str(program)])
    return program


def _is_stale(made: Path, sources: Sequence[Path]) -> bool:
    if not made.exists():
        return True
    age = made.stat().st_mtime
    return any(not path.exists() or path.stat().st_mtime > age for path in sources)


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ProbeError(f"The probe could not be built:\n{result.stderr}")


def ask(lines: Sequence[str]) -> list[Any]:
    """Return the probe's answers to a description.

    Raises:
        ProbeError: it could not be built, or did not understand.
    """
    result = subprocess.run(
        [build()],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ProbeError(result.stderr)
    return [json.loads(line) for line in result.stdout.splitlines()]


def run(scenarios: Sequence[Scenario]) -> list[list[Update]]:
    """Return the updates of each scenario."""
    return ask([line for scenario in scenarios for line in scenario.lines()])
