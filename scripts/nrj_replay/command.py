"""Command line of scripts/replay: prints decisions as JSON, an object a line."""

from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
import json
from pathlib import Path
import sys

from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from custom_components.nrj_monitor.replay import recording
from custom_components.nrj_monitor.replay.errors import ReplayError
from custom_components.nrj_monitor.replay.house import default_house
from custom_components.nrj_monitor.replay.replay import Replay
from nrj_tools.command_line import CommandLine, number

from . import house_file, thresholds_file
from .firmware_guard import FirmwareGuard

MAXIMUM_SPREAD = 0.02
"""Hz, by which a device moves its thresholds outwards at most."""


def _profile(chosen: Namespace) -> list[str]:
    """Return the thresholds, as options of the guard's program."""
    if (chosen.profile == "custom") is not (chosen.thresholds is not None):
        raise ReplayError("The profile 'custom' and --thresholds go together.")
    if chosen.thresholds is None:
        return ["--profile", chosen.profile]
    return ["--custom", thresholds_file.read(chosen.thresholds)]


def _play(chosen: Namespace) -> None:
    """Play the chosen recording, and print what happens."""
    if not 0 < chosen.nominal_voltage < 1e6:
        raise ReplayError(f"{chosen.nominal_voltage:g} V is no nominal voltage.")
    profile = _profile(chosen)
    played = recording.read(chosen.recording, chosen.nominal_voltage)
    house = default_house() if chosen.loads is None else house_file.read(chosen.loads)
    options = [
        *profile,
        *("--nominal-voltage", repr(chosen.nominal_voltage)),
        *("--silence", str(played.silence_ms)),
        *("--spread", repr(chosen.spread)),
    ]
    with closing(FirmwareGuard(options)) as guard:
        replay = Replay(played, house, guard)
        if unseen := replay.unseen_limits:
            print(
                f"{chosen.recording} has no powers, so the limits of {chosen.loads} are"
                f" never reached ({', '.join(unseen)}): add the columns power_l1 to"
                " power_l3, W, import positive.",
                file=sys.stderr,
            )
        for line in replay.lines():
            print(json.dumps(line))
        print(json.dumps(replay.summary()))


def main(arguments: Sequence[str]) -> int:
    """Replay a recording; return 2 for unusable input."""
    parser = CommandLine("scripts/replay", __doc__)
    parser.add_argument(
        "recording",
        type=Path,
        help="CSV with time_s (seconds) or time, frequency_hz, and if there are any"
        " voltage_l1 to voltage_l3 (V) and power_l1 to power_l3 (W, import"
        " positive)",
    )
    parser.add_argument(
        "--profile",
        required=True,
        choices=[*sorted(PROFILES), "custom"],
        help="thresholds of the guard; 'custom' takes them from --thresholds",
    )
    parser.add_argument(
        "--thresholds", type=Path, help="YAML, for the profile 'custom'"
    )
    parser.add_argument(
        "--loads", type=Path, help="YAML; without it one load of each class"
    )
    parser.add_argument(
        "--nominal-voltage", type=float, default=230.0, help="V, 230 by default"
    )
    parser.add_argument(
        "--spread",
        type=number(0.0, MAXIMUM_SPREAD, "Hz"),
        default=0.0,
        help="Hz by which the device moves its thresholds outwards",
    )
    try:
        _play(parser.parse_args(arguments))
    except ReplayError as error:
        sys.stdout.flush()
        print(error, file=sys.stderr)
        return 2
    return 0
