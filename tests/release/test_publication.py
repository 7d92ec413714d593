"""Publish a tag from stand-in images, and read the files back byte by byte."""

import hashlib
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any
import zipfile

import pytest

from nrj_release import images, integration_zip
from tests.release.conftest import ROOT, Release, copy_checkout, run_release

VERSION: str = json.loads(
    (ROOT / "custom_components/nrj_monitor/manifest.json").read_text()
)["version"]

ESP_APPLICATION = b"\xe9application"
BUILT = {
    "nrj-meter": (
        "ESP32",
        {
            "firmware.factory.bin": b"\xff" * 0x1000 + b"\xe9bootloader",
            "firmware.ota.bin": ESP_APPLICATION,
        },
    ),
    "nrj-meter-esp8266": (
        "ESP8266",
        {
            "firmware.factory.bin": ESP_APPLICATION + b" of 8266",
            "firmware.ota.bin": ESP_APPLICATION + b" of 8266",
        },
    ),
    "nrj-plug": ("BK7231N", {"firmware.uf2": b"UF2\nWQ]\x9eplug"}),
}
"""What ESPHome builds for each image: the chip, and the beginnings of the files."""

RELEASE_URL = f"https://github.com/nrj-monitor/nrj-monitor/releases/tag/v{VERSION}"


def build(
    checkout: Path, image: str, version: str = VERSION, **files: bytes | None
) -> None:
    """Leave ESPHome's output for `image`, with `files` changed, None for missing."""
    family, contents = BUILT[image]
    data = checkout / "esphome/images/.esphome"
    folder = data / "build" / image
    binaries = folder / "output"
    defines = folder / "src/esphome/core/defines.h"
    for directory in (data / "storage", binaries, defines.parent):
        directory.mkdir(parents=True, exist_ok=True)
    facts = {
        "name": image,
        "friendly_name": "NRJ Plug" if image == "nrj-plug" else "NRJ Meter",
        "build_path": str(folder),
        "firmware_bin_path": str(binaries / "firmware.bin"),
    }
    (data / "storage" / f"{image}.yaml.json").write_text(json.dumps(facts))
    defines.write_text(
        "#pragma once\n"
        f'#define ESPHOME_PROJECT_VERSION "{version}"\n'
        f'#define ESPHOME_PROJECT_VERSION_30 "{version}"\n'
        f'#define ESPHOME_VARIANT "{family}"\n'
    )
    for name, usual in contents.items():
        content = files.get(name.replace(".", "_"), usual)
        if content is not None:
            (binaries / name).write_bytes(content)


def stand_in_of_esp_web_tools(folder: Path) -> Path:
    """Make a stand-in for ESP Web Tools in `folder`, and return the folder."""
    folder.mkdir()
    (folder / "install-button.js").write_text("// the button\n")
    (folder / "other.js").write_text("// what it loads\n")
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a release of stand-in images and return its folder, for reading."""
    folder = tmp_path_factory.mktemp("publication")
    checkout = copy_checkout(folder / "checkout")
    path = checkout / "CHANGELOG.md"
    text = path.read_text()
    if f"## [{VERSION}]" not in text:
        path.write_text(
            text.replace("## [Unreleased]", f"## [{VERSION}] - 2026-12-01", 1)
        )
    for image in BUILT:
        build(checkout, image)
        collected = run_release(checkout, "collect", image, folder / "images")
        assert collected.returncode == 0, collected.stderr
    assembled = run_release(
        checkout,
        "assemble",
        folder / "images",
        stand_in_of_esp_web_tools(folder / "esp-web-tools"),
        folder / "release",
    )
    assert assembled.returncode == 0, assembled.stderr
    return folder / "release"


def sums(content: bytes) -> dict[str, str]:
    """Return the checksums of `content` in a manifest's form."""
    return {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_every_image_of_the_repository_has_a_stand_in() -> None:
    """An image added without tests is noticed."""
    assert images.images(ROOT) == sorted(BUILT)


def test_the_files_of_a_release_are_all_there(published: Path) -> None:
    """Publish exactly the files of a release, each with its checksum."""
    files = published / "files"
    assert sorted(path.name for path in files.iterdir()) == [
        "SHA256SUMS",
        f"nrj-meter-{VERSION}.factory.bin",
        f"nrj-meter-{VERSION}.ota.bin",
        f"nrj-meter-esp8266-{VERSION}.factory.bin",
        f"nrj-meter-esp8266-{VERSION}.ota.bin",
        "nrj-meter-esp8266.manifest.json",
        "nrj-meter.manifest.json",
        f"nrj-plug-{VERSION}.uf2",
        "nrj-plug.manifest.json",
        "nrj_monitor.zip",
    ]
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(checked.stdout.splitlines()) == 9


def test_images_are_the_built_files(published: Path) -> None:
    """Publish the built images byte by byte, under their published names."""
    for image, (_, contents) in BUILT.items():
        for name, content in contents.items():
            published_name = name.replace("firmware", f"{image}-{VERSION}", 1)
            assert (published / "files" / published_name).read_bytes() == content


@pytest.mark.parametrize("image", ["nrj-meter", "nrj-meter-esp8266"])
def test_a_browser_and_the_meter_itself_understand_the_manifest(
    image: str, published: Path
) -> None:
    """Write ESP Web Tools' form, with `ota` for ESPHome and the files' checksums."""
    family, contents = BUILT[image]
    manifest = json.loads((published / f"files/{image}.manifest.json").read_text())
    assert manifest == {
        "name": "NRJ Meter",
        "version": VERSION,
        "home_assistant_domain": "nrj_monitor",
        "new_install_prompt_erase": True,
        "builds": [
            {
                "chipFamily": family,
                "parts": [
                    {
                        "path": f"{image}-{VERSION}.factory.bin",
                        "offset": 0,
                        **sums(contents["firmware.factory.bin"]),
                    }
                ],
                "ota": {
                    "path": f"{image}-{VERSION}.ota.bin",
                    **sums(contents["firmware.ota.bin"]),
                    "release_url": RELEASE_URL,
                },
            }
        ],
    }


def test_the_plug_has_a_manifest_without_parts_for_a_browser(published: Path) -> None:
    """ESP Web Tools does not know the chip; its file and checksums are told all the same."""
    manifest = json.loads((published / "files/nrj-plug.manifest.json").read_text())
    (built,) = manifest["builds"]
    assert built == {
        "chipFamily": "BK7231N",
        "parts": [],
        "ota": {
            "path": f"nrj-plug-{VERSION}.uf2",
            **sums(BUILT["nrj-plug"][1]["firmware.uf2"]),
            "release_url": RELEASE_URL,
        },
    }


def test_the_zip_is_the_integration(published: Path) -> None:
    """Zip the integration's files byte for byte, without a folder above, for HACS to unpack."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=ROOT / integration_zip.FOLDER,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    wanted = sorted(
        name for name in listed if (ROOT / integration_zip.FOLDER / name).is_file()
    )
    with zipfile.ZipFile(published / "files/nrj_monitor.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == wanted
        assert "manifest.json" in archive.namelist()
        for name in wanted:
            content = (ROOT / integration_zip.FOLDER / name).read_bytes()
            assert archive.read(name) == content, name


def test_the_zip_is_the_same_each_time(tmp_path: Path) -> None:
    """Give the same checksum to every build of a tag's zip."""
    zips = [
        integration_zip.write(ROOT, tmp_path / folder).read_bytes()
        for folder in ("first", "second")
    ]
    assert zips[0] == zips[1]
    names = zipfile.ZipFile(tmp_path / "first" / "nrj_monitor.zip").namelist()
    assert "brand/icon.png" in names
    assert not [name for name in names if "__pycache__" in name]


def test_hacs_installs_from_the_default_branch_or_from_the_zip() -> None:
    """With `zip_release` HACS looks for the zip even of a branch, which has none: then the branch must be hidden."""
    hacs = json.loads((ROOT / "hacs.json").read_text())
    if hacs.get("zip_release"):
        assert hacs["filename"] == integration_zip.NAME
        assert hacs["hide_default_branch"] is True
    else:
        assert "filename" not in hacs
        assert not hacs.get("hide_default_branch")


def test_the_notes_are_the_changelogs(published: Path) -> None:
    """The section of the version and nothing else."""
    notes = (published / "notes.md").read_text()
    assert notes.startswith("### ")
    assert "## [" not in notes
    assert "\n[" not in notes
    changelog = (published.parent / "checkout/CHANGELOG.md").read_text()
    assert f"## [{VERSION}]" in changelog
    assert notes.strip() in changelog


def test_the_page_flashes_the_released_files(published: Path) -> None:
    """Find every manifest and file linked by the page beside the page."""
    site = published / "site"
    page = (site / "index.html").read_text()
    assert f"Firmware {VERSION}." in page
    assert "$" not in page
    assert (site / "esp-web-tools/install-button.js").is_file()
    assert (site / "esp-web-tools/other.js").is_file()
    for image, (family, _) in BUILT.items():
        manifest: dict[str, Any] = json.loads(
            (site / f"firmware/{image}.manifest.json").read_text()
        )
        (built,) = manifest["builds"]
        for part in [*built["parts"], built["ota"]]:
            content = (site / "firmware" / part["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == part["sha256"]
        button = f'manifest="firmware/{image}.manifest.json"'
        assert (button in page) == family.startswith("ESP")
        assert (f"firmware/{image}-{VERSION}.uf2" in page) == (family == "BK7231N")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"firmware_ota_bin": None}, "ESPHome has not built"),
        ({"firmware_ota_bin": b""}, "is no firmware of this chip"),
        (
            {"firmware_factory_bin": b"\xe9" + b"\xff" * 0x1000},
            "is no firmware of this chip",
        ),
        ({"version": "0.0.1"}, "was built of another version"),
    ],
)
def test_a_wrong_image_is_not_published(
    files: dict[str, Any], sentence: str, release: Release, checkout: Path
) -> None:
    """Stop the release at half a build, another board's or an old build."""
    build(checkout, "nrj-meter", **files)
    result = release("collect", "nrj-meter", checkout / "images")
    assert result.returncode == 1
    assert sentence in result.stderr
    assert not list(checkout.glob("images/*.json"))


def test_a_release_without_an_image_is_refused(
    release: Release, checkout: Path
) -> None:
    """Refuse a release after a failed build."""
    assert release("collect", "nrj-meter", checkout / "images").returncode == 1
    build(checkout, "nrj-meter")
    assert release("collect", "nrj-meter", checkout / "images").returncode == 0
    result = release(
        "assemble",
        checkout / "images",
        stand_in_of_esp_web_tools(checkout / "esp-web-tools"),
        checkout / "release",
    )
    assert result.returncode == 1
    assert "nrj-plug.manifest.json" in result.stderr
    assert not (checkout / "release").exists()


def test_the_command_runs() -> None:
    """Find the script's Python and modules from any folder."""
    environment = os.environ | {
        "NRJ_VENVS": str(Path(sys.prefix).parent),
        "PATH": f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}",
    }
    result = subprocess.run(
        [ROOT / "scripts/release", "images"],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == sorted(BUILT)
