"""Pack the integration for HACS: a zip with the content of its folder at the top."""

from pathlib import Path
import zipfile

FOLDER = "custom_components/nrj_monitor"

NAME = "nrj_monitor.zip"
"""What hacs.json calls `filename` where it has `zip_release`."""

# The oldest time that a zip can tell: the same files make the same zip whenever and wherever it is made.
_TIME = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16


def files(root: Path) -> list[Path]:
    """Return the integration's files relative to its folder, without leftovers of Python and editors."""
    folder = root / FOLDER
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and not any(
            part.startswith(".") or part == "__pycache__"
            for part in path.relative_to(folder).parts
        )
    )


def write(root: Path, output: Path) -> Path:
    """Write the zip into the folder `output` and return its path."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files(root):
            entry = zipfile.ZipInfo(file.as_posix(), _TIME)
            entry.external_attr = _REGULAR_FILE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (root / FOLDER / file).read_bytes())
    return path
