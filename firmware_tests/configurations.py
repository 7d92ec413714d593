"""Run ESPHome on the configurations, and read the resolved result."""

import os
from pathlib import Path
import subprocess
from typing import Any

import yaml

from nrj_tools import ROOT
from nrj_tools.firmware import esphome_executable
from tests.support.pace import patience

FOLDER = ROOT / "esphome"
COMPONENTS = FOLDER / "components"
OWN_COMPONENTS = ("-s", "components", str(COMPONENTS))
"""Takes the components of this copy of the repository, not those on GitHub."""


def esphome(*arguments: str | Path, data: Path) -> subprocess.CompletedProcess[str]:
    """Run ESPHome with its files in a folder of its own."""
    return subprocess.run(
        [esphome_executable(), *arguments],
        env={**os.environ, "ESPHOME_DATA_DIR": str(data)},
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=patience(120),
        check=False,
    )


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
