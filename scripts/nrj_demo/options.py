"""Options of the demo, explained in scripts/demo."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NoReturn, override

from nrj_tools import ROOT
from nrj_tools.errors import UsageError

DEFAULT_FOLDER = ROOT / ".demo"
DEFAULT_PORT = 8123
DEFAULT_METER_PORT = 6053
MAXIMUM_SPEED = 1000.0
"""Simulated seconds per second the simulated chip accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """Signal of the simulated chip: a recording, or the built-in house.

    `speed` is in simulated seconds per second, `start` in seconds into the
    recording, or since the midnight of the built-in house's first day.
    """

    recording: Path | None = None
    columns: str | None = None
    scale: str | None = None
    speed: float | None = None
    start: float | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment variables of the firmware."""
        told = {
            "NRJ_RECORDING": self.recording,
            "NRJ_RECORDING_COLUMNS": self.columns,
            "NRJ_RECORDING_SCALE": self.scale,
            "NRJ_SPEED": self.speed,
            "NRJ_START": self.start,
        }
        return {name: str(value) for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a start of the demo."""

    folder: Path = DEFAULT_FOLDER
    port: int = DEFAULT_PORT
    meter_port: int = DEFAULT_METER_PORT
    fresh: bool = False
    check: bool = False
    playback: Playback = Playback()


class _Parser(argparse.ArgumentParser):
    """Parser with exceptions in place of prints and exits."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"scripts/demo: {message}; 'scripts/demo --help' lists the options."
        )


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line.

    Raises:
        UsageError: with a sentence that names the option and the value.
    """
    parser = _Parser(prog="scripts/demo", add_help=False, allow_abbrev=False)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT)
    parser.add_argument("--meter-port", type=_port, default=DEFAULT_METER_PORT)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--columns")
    parser.add_argument("--scale")
    parser.add_argument("--speed", type=_speed)
    parser.add_argument("--start", type=_seconds)
    said = parser.parse_args(arguments)
    if said.recording is None and (said.columns or said.scale):
        parser.error("--columns and --scale need a --recording")
    if said.port == said.meter_port:
        parser.error(
            f"--port and --meter-port are both {said.port}, they need two ports"
        )
    return Options(
        folder=said.folder.absolute(),
        port=said.port,
        meter_port=said.meter_port,
        fresh=said.fresh,
        check=said.check,
        playback=Playback(
            recording=None if said.recording is None else said.recording.absolute(),
            columns=said.columns,
            scale=said.scale,
            speed=said.speed,
            start=said.start,
        ),
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port, 1 to 65535")
    return int(text)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _speed(text: str) -> float:
    value = _number(text)
    if value is None or not 0 <= value <= MAXIMUM_SPEED:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a speed, 0 (hold) to {MAXIMUM_SPEED:.0f} times real time"
        )
    return value


def _seconds(text: str) -> float:
    value = _number(text)
    if value is None or value < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds")
    return value
