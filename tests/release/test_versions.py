"""Keep a single version in several files, and publish nothing for a tag of another version."""

import json
from pathlib import Path
import re
import tomllib

from awesomeversion import AwesomeVersion
import pytest

from custom_components.nrj_monitor.const import EXPECTED_FIRMWARE, MINIMUM_FIRMWARE
from tests.release.conftest import ROOT, Release

VERSION: str = json.loads(
    (ROOT / "custom_components/nrj_monitor/manifest.json").read_text()
)["version"]

GITHUB = re.compile(r"github://nrj-monitor/nrj-monitor/?(\S*)@([^\s\"']+)")


def test_every_file_tells_the_version_of_the_manifest() -> None:
    """Give firmware, integration and project the manifest's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    device = (ROOT / "esphome/packages/device.yaml").read_text()
    assert project["version"] == VERSION
    assert f'name: ${{project}}\n    version: "{VERSION}"\n' in device
    assert EXPECTED_FIRMWARE == VERSION
    assert AwesomeVersion(MINIMUM_FIRMWARE) <= AwesomeVersion(VERSION)


def test_configurations_included_from_github_are_of_one_state() -> None:
    """Components and adoption follow the release, or main between releases; none names a branch of its own."""
    base = (ROOT / "esphome/packages/base.yaml").read_text()
    (followed,) = re.findall(r"^  release: (.+)$", base, re.MULTILINE)
    assert followed in ("main", f"v{VERSION}")
    found = [
        reference
        for path in (ROOT / "esphome").rglob("*.yaml")
        if ".esphome" not in path.parts
        for _, reference in GITHUB.findall(path.read_text())
    ]
    # Three configurations, each with its components and its adoption, and the comment that tells how.
    assert found == ["${release}"] * 7


def test_docs_include_a_single_release_or_main() -> None:
    """Include every file in the documents from the same release, or from main."""
    references = {
        reference.strip("`.,")
        for page in (ROOT / "docs").rglob("*.md")
        for path, reference in GITHUB.findall(page.read_text())
        if path
    }
    assert len(references) == 1
    assert references <= {"main", f"v{VERSION}"}


def test_a_release_is_prepared_checked_and_reopened(
    release: Release, checkout: Path
) -> None:
    """Write the new version to all files, accept only its tag, then follow main again."""
    prepared = release("prepare", "12.3.0")
    assert prepared.returncode == 0, prepared.stderr
    assert "git tag v12.3.0" in prepared.stdout
    changed = {
        "custom_components/nrj_monitor/manifest.json": '  "version": "12.3.0",\n',
        "custom_components/nrj_monitor/const.py": 'EXPECTED_FIRMWARE = "12.3.0"\n',
        "esphome/packages/device.yaml": '    version: "12.3.0"\n',
        "esphome/packages/base.yaml": "  release: v12.3.0\n",
        "pyproject.toml": 'version = "12.3.0"\n',
        "CHANGELOG.md": "## [Unreleased]\n\n## [12.3.0] - ",
        "docs/install.md": "/esphome/nrj-meter-factory.yaml@v12.3.0\n",
    }
    for path, line in changed.items():
        assert line in (checkout / path).read_text(), path
    # Nothing but these lines: the old files come back when they are undone.
    manifest = (checkout / "custom_components/nrj_monitor/manifest.json").read_text()
    assert (
        manifest.replace("12.3.0", VERSION)
        == (ROOT / "custom_components/nrj_monitor/manifest.json").read_text()
    )
    assert ".yaml@main" not in (checkout / "docs/install.md").read_text()

    assert release("check", "v12.3.0").stdout == "12.3.0\n"
    wrong = release("check", f"v{VERSION}")
    assert wrong.returncode == 1
    assert f"The tag v{VERSION} is not v12.3.0" in wrong.stderr

    assert release("reopen").returncode == 0
    base = (checkout / "esphome/packages/base.yaml").read_text()
    assert base == (ROOT / "esphome/packages/base.yaml").read_text().replace(
        f"release: v{VERSION}", "release: main"
    )
    followed = release("check", "v12.3.0")
    assert followed.returncode == 1
    assert "Not of v12.3.0: esphome/packages/base.yaml" in followed.stderr


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pyproject.toml", 'version = "12.3.0"', 'version = "12.3.1"'),
        ("esphome/packages/device.yaml", 'version: "12.3.0"', 'version: "12.2.0"'),
        (
            "custom_components/nrj_monitor/const.py",
            'FIRMWARE = "12.3.0"',
            'FIRMWARE = "1.0.0"',
        ),
        ("CHANGELOG.md", "## [12.3.0] - ", "## [12.4.0] - "),
    ],
)
def test_a_file_left_behind_fails_the_tag(
    path: str, old: str, new: str, release: Release, checkout: Path
) -> None:
    """Name the file with another version than the tag's."""
    release("prepare", "12.3.0")
    text = (checkout / path).read_text()
    assert old in text
    (checkout / path).write_text(text.replace(old, new))
    result = release("check", "v12.3.0")
    assert result.returncode == 1
    assert path in result.stderr


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "1.2.0-beta", "1.2.0b", "one"])
def test_a_malformed_version_is_refused_and_changes_nothing(
    version: str, release: Release, checkout: Path
) -> None:
    """Refuse a malformed version with the right form, and write no file."""
    result = release("prepare", version)
    assert result.returncode == 1
    assert f"'{version}' is no version: use three numbers" in result.stderr
    for path in ("pyproject.toml", "esphome/packages/base.yaml"):
        assert (checkout / path).read_text() == (ROOT / path).read_text()
    assert "## [Unreleased]\n\n### Fixed" in (checkout / "CHANGELOG.md").read_text()
