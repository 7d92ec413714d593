"""Program behind scripts/replay: prints decisions as JSON, an object a line."""

from argparse import Namespace
from collections.abc import Sequence
import json
from pathlib import Path
import sys

from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from nrj_tools.command_line import CommandLine

from . import house_file, recording, thresholds_file
from .errors import ReplayError
from .replay import Replay


def _prepare(chosen: Namespace) -> Replay:
    """Read all files named on the command line."""
    if not 0 < chosen.nominal_voltage < 1e6:
        raise ReplayError(f"{chosen.nominal_voltage:g} V is no nominal voltage.")
    if (chosen.profile == "custom") is not (chosen.thresholds is not None):
        raise ReplayError("The profile 'custom' and --thresholds go together.")
    played = recording.read(chosen.recording, chosen.nominal_voltage)
    house = (
        house_file.read(chosen.loads)
        if chosen.loads is not None
        else house_file.default_house()
    )
    profile = (
        ["--profile", chosen.profile]
        if chosen.thresholds is None
        else ["--custom", thresholds_file.read(chosen.thresholds)]
    )
    voltage = ["--nominal-voltage", repr(chosen.nominal_voltage)]
    return Replay(played, house, [*profile, *voltage])


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
    chosen = parser.parse_args(arguments)
    try:
        replay = _prepare(chosen)
        for line in replay.lines():
            print(json.dumps(line))
        print(json.dumps(replay.summary()))
    except ReplayError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
