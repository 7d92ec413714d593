"""Reader of the thresholds of the profile `custom`, laid out as in the firmware."""

from pathlib import Path

import yaml

from custom_components.nrj_monitor.replay.errors import ReplayError

STAGES = (
    "inhibit",
    "shed_1",
    "shed_2",
    "shed_3",
    "restore",
    "absorb_1",
    "absorb_2",
    "release",
)


def read(path: Path) -> str:
    """Return the thresholds in the form of the replay program.

    Raises:
        ReplayError: the file is missing, no YAML, or lacks something.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReplayError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReplayError(f"{path} is no YAML: {error}") from error
    try:
        numbers = [float(content["nominal"])]
        for stage in STAGES:
            threshold = content[stage]
            numbers += [
                float(threshold["frequency"]),
                round(float(threshold["delay"]) * 1000),
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise ReplayError(
            f"{path} needs 'nominal:' (Hz) and, each with 'frequency:' (Hz) and"
            f" 'delay:' (s), {', '.join(STAGES)}: {error!r}."
        ) from error
    return ",".join(map(repr, numbers))
