"""The notes of a release are cut from CHANGELOG.md."""

from datetime import date

import pytest

from nrj_release import changelog
from nrj_release.errors import ReleaseError
from tests.release.conftest import ROOT

BEFORE = """# Changelog

Words.

## [Unreleased]

### Added

- A thing.

## [1.0.0] - 2026-01-31

### Fixed

- Another.

[Unreleased]: https://github.com/nrj-monitor/nrj-monitor/compare/v1.0.0...main
[1.0.0]: https://github.com/nrj-monitor/nrj-monitor/releases/tag/v1.0.0
"""

AFTER = """# Changelog

Words.

## [Unreleased]

## [1.1.0] - 2026-02-28

### Added

- A thing.

## [1.0.0] - 2026-01-31

### Fixed

- Another.

[Unreleased]: https://github.com/nrj-monitor/nrj-monitor/compare/v1.1.0...main
[1.1.0]: https://github.com/nrj-monitor/nrj-monitor/releases/tag/v1.1.0
[1.0.0]: https://github.com/nrj-monitor/nrj-monitor/releases/tag/v1.0.0
"""


def test_unreleased_notes_get_version_and_date() -> None:
    """Put a fresh heading above the dated notes, and renew the links at the end."""
    assert changelog.released(BEFORE, "1.1.0", date(2026, 2, 28)) == AFTER


def test_notes_are_a_single_section() -> None:
    """Return a section without heading, neighbours and links."""
    assert changelog.notes(AFTER, "1.1.0") == "### Added\n\n- A thing.\n"
    assert changelog.notes(AFTER, "1.0.0") == "### Fixed\n\n- Another.\n"


@pytest.mark.parametrize("name", ["Unreleased", "2.0.0", "1.1"])
def test_a_release_without_notes_is_refused(name: str) -> None:
    """Refuse a release without notes of its changes."""
    with pytest.raises(ReleaseError, match=f"tells nothing of {name}"):
        changelog.notes(AFTER, name)


def test_a_version_is_released_once() -> None:
    """Refuse to release a version again."""
    with pytest.raises(ReleaseError, match=r"has 1\.0\.0 already"):
        changelog.released(BEFORE, "1.0.0", date(2026, 2, 28))


def test_the_changelog_of_the_project_can_be_released() -> None:
    """Find in the project's changelog the headings and links a release cuts."""
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[0] == "## [Unreleased]"
    assert "\n[Unreleased]: https://" in text
    for section in text.split("\n### ")[1:]:
        kind = section.partition("\n")[0]
        assert kind in (
            "Added",
            "Changed",
            "Deprecated",
            "Removed",
            "Fixed",
            "Security",
        )
