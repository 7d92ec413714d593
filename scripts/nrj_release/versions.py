"""Read, write and check the project's version in all its places."""

from dataclasses import dataclass
from pathlib import Path
import re

from .errors import ReleaseError

VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:b|rc)\d+)?")
"""A version: three numbers, and b1 or rc1 behind them for one to try out."""

MAIN = "main"
"""The branch that configurations included from GitHub follow between releases."""


@dataclass(frozen=True)
class Place:
    """A file with the version, and the version's line in the file."""

    path: str
    line: str
    """Pattern of the whole line; its one group is the value."""

    def read(self, root: Path) -> str:
        """Return the value in the checkout at `root`."""
        return self._found(root, (root / self.path).read_text())[1]

    def write(self, root: Path, value: str) -> None:
        """Put `value` into the file in the checkout at `root`."""
        text = (root / self.path).read_text()
        found = self._found(root, text)
        (root / self.path).write_text(
            text[: found.start(1)] + value + text[found.end(1) :]
        )

    def _found(self, root: Path, text: str) -> re.Match[str]:
        found = list(re.finditer(f"^{self.line}$", text, re.MULTILINE))
        if len(found) != 1:
            raise ReleaseError(
                f"{root / self.path} has {len(found)} lines like '{self.line}':"
                " it must have one."
            )
        return found[0]


MANIFEST = Place(
    "custom_components/nrj_monitor/manifest.json", r'  "version": "(.+)",?'
)
"""The place that decides; the others say the same."""

COPIES = (
    Place("custom_components/nrj_monitor/const.py", r'EXPECTED_FIRMWARE = "(.+)"'),
    Place("esphome/packages/device.yaml", r'    version: "(.+)"'),
    Place("pyproject.toml", r'version = "(.+)"'),
)

SOURCE = Place("esphome/packages/base.yaml", r"  release: (.+)")
"""The branch or tag that configurations included from GitHub take their components from."""

INCLUDES = re.compile(r"(github://nrj-monitor/nrj-monitor/\S+\.yaml@)([\w.]+)")
"""An address of a configuration on GitHub as the docs write it, and its branch or tag."""

DOCS = "docs"


def read(root: Path) -> str:
    """Return the version of the checkout at `root`."""
    return MANIFEST.read(root)


def tag_of(version: str) -> str:
    """Return the tag of the release `version`."""
    return f"v{version}"


def check_form(version: str) -> None:
    """Raise ReleaseError unless `version` has the form of a version."""
    if VERSION.fullmatch(version) is None:
        raise ReleaseError(
            f"'{version}' is no version: use three numbers such as 1.2.0, or 1.2.0b1."
        )


def write(root: Path, version: str) -> None:
    """Write `version` everywhere in the checkout at `root`, and its tag where configurations are included from."""
    check_form(version)
    for place in (MANIFEST, *COPIES, SOURCE):
        # All or none: what can not be written has no such line.
        place.read(root)
    for place in (MANIFEST, *COPIES):
        place.write(root, version)
    SOURCE.write(root, tag_of(version))
    for page in sorted((root / DOCS).rglob("*.md")):
        text = page.read_text()
        new = INCLUDES.sub(rf"\g<1>{tag_of(version)}", text)
        if new != text:
            page.write_text(new)


def follow_main(root: Path) -> None:
    """Let configurations included from GitHub take their components from main again; the docs stay at the release."""
    SOURCE.write(root, MAIN)


def check(root: Path, tag: str) -> str:
    """Return the version of the checkout at `root`; raise ReleaseError unless every place has the release `tag`."""
    version = read(root)
    if VERSION.fullmatch(version) is None or tag != tag_of(version):
        raise ReleaseError(
            f"The tag {tag} is not {tag_of(version)}, which is what {MANIFEST.path} says:"
            " run 'scripts/release prepare VERSION', commit, and set the tag anew."
        )
    wrong = [place.path for place in COPIES if place.read(root) != version]
    if SOURCE.read(root) != tag:
        wrong.append(SOURCE.path)
    if wrong:
        raise ReleaseError(
            f"Not of {tag}: {', '.join(wrong)}. Run 'scripts/release prepare {version}'."
        )
    return version
