"""Read a release's notes from CHANGELOG.md (https://keepachangelog.com), and date the unreleased notes."""

from datetime import date
import re

from .errors import ReleaseError

PROJECT = "https://github.com/nrj-monitor/nrj-monitor"

UNRELEASED = "Unreleased"

_HEADING = re.compile(r"^## \[(?P<name>[^]]+)\].*\n", re.MULTILINE)
_LINKS = re.compile(r"^\[[^]]+\]: .*\n?", re.MULTILINE)
_UNRELEASED_LINK = re.compile(rf"^\[{UNRELEASED}\]: .*$", re.MULTILINE)


def notes(changelog: str, name: str) -> str:
    """Return the text under the heading `name`, a version or UNRELEASED; raise ReleaseError without any."""
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["name"] == name:
            end = following.start() if following else len(changelog)
            text = _LINKS.sub("", changelog[heading.end() : end]).strip()
            if text:
                return text + "\n"
    raise ReleaseError(f"CHANGELOG.md tells nothing of {name}: write what has changed.")


def released(changelog: str, version: str, on: date) -> str:
    """Return `changelog` with the unreleased notes under `version`, and a link to its tag."""
    notes(changelog, UNRELEASED)
    if f"## [{version}]" in changelog:
        raise ReleaseError(f"CHANGELOG.md has {version} already: take another version.")
    if len(_UNRELEASED_LINK.findall(changelog)) != 1:
        raise ReleaseError(
            f"CHANGELOG.md has no link '[{UNRELEASED}]: …' at its end: add one."
        )
    dated = changelog.replace(
        f"## [{UNRELEASED}]\n",
        f"## [{UNRELEASED}]\n\n## [{version}] - {on.isoformat()}\n",
        1,
    )
    return _UNRELEASED_LINK.sub(
        f"[{UNRELEASED}]: {PROJECT}/compare/v{version}...main\n"
        f"[{version}]: {PROJECT}/releases/tag/v{version}",
        dated,
    )
