"""Collect the published files: the files of the release, its notes, and the browser's flashing page."""

import hashlib
from pathlib import Path
import shutil
from string import Template

from . import changelog, images, integration_zip
from .errors import ReleaseError

CHECKSUMS = "SHA256SUMS"

_TEMPLATE = Path(__file__).parent / "site" / "index.html"


def assemble(
    root: Path, version: str, built: Path, esp_web_tools: Path, output: Path
) -> None:
    """Put a release together in the empty folder `output`.

    `built` holds what `images.collect` made of every image, `esp_web_tools` the ESP Web Tools as built for a page.
    `output` gets `files/` for the release's page, `notes.md` for its text and `site/` for the project's pages.
    """
    _check_images(root, version, built)
    if not (esp_web_tools / "install-button.js").is_file():
        raise ReleaseError(
            f"{esp_web_tools} has no install-button.js of ESP Web Tools."
        )
    files, firmware = output / "files", output / "site" / "firmware"
    shutil.copytree(built, files)
    shutil.copytree(built, firmware)
    integration_zip.write(root, files)
    (files / CHECKSUMS).write_text(checksums(files))
    (output / "notes.md").write_text(
        changelog.notes((root / "CHANGELOG.md").read_text(), version)
    )
    shutil.copytree(esp_web_tools, output / "site" / "esp-web-tools")
    page = Template(_TEMPLATE.read_text()).substitute(version=version)
    (output / "site" / "index.html").write_text(page)


def checksums(folder: Path) -> str:
    """Return a line for each file in `folder`, in the form of `sha256sum --check`."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
    )


def _check_images(root: Path, version: str, built: Path) -> None:
    """Raise ReleaseError unless `built` has a manifest of every image, and nothing of another version."""
    wanted = {f"{image}{images.MANIFEST_SUFFIX}" for image in images.images(root)}
    there = {path.name for path in built.glob(f"*{images.MANIFEST_SUFFIX}")}
    if wanted != there:
        raise ReleaseError(
            f"{built} has {sorted(there)}, and should have {sorted(wanted)}."
        )
    for path in built.iterdir():
        if path.name not in wanted and f"-{version}." not in path.name:
            raise ReleaseError(f"{path} is not of {version}: take it away.")
