"""Ask the components' Python directly, in ESPHome's own environment."""

import json
import subprocess
from textwrap import dedent
from typing import Any

from nrj_tools.firmware import esphome_executable
from tests.support.pace import patience

from .configurations import COMPONENTS

PRELUDE = f"""
import json
from pathlib import Path
from esphome import loader
loader.install_meta_finder(Path({str(COMPONENTS)!r}))
import esphome.config_validation as cv
from esphome.components import ade9000
from esphome.components.ade9000 import front_end, sensor, text_sensor, wiring
"""


def ask(code: str) -> Any:
    """Run code, and return the JSON value left in its variable `answer`."""
    result = subprocess.run(
        [
            esphome_executable().with_name("python"),
            "-c",
            f"{PRELUDE}\n{dedent(code)}\nprint(json.dumps(answer))",
        ],
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
