"""Keep compiled Python modules between the many processes of the tests."""

from collections.abc import MutableMapping
import os
from pathlib import Path
import shutil
import tempfile

from nrj_test.steps import ROOT

FOLDER = ROOT / ".build" / "pycache"


def keep(
    environment: MutableMapping[str, str] = os.environ, folder: Path = FOLDER
) -> None:
    """Keep bytecode in `folder` where the environment forbids bytecode beside the sources.

    Without any, each worker and each started Home Assistant compiles Home Assistant anew: two thirds of its start.
    """
    if not environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        return
    environment.setdefault("PYTHONPYCACHEPREFIX", str(folder))
    # Modules in the folders of earlier tests, which nobody imports again.
    temporary = Path(tempfile.gettempdir()).resolve()
    shutil.rmtree(folder / temporary.relative_to("/"), ignore_errors=True)
