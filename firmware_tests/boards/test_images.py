"""Check the released images: their configurations, their manifests, and their way back to the release."""

import json
from pathlib import Path
from typing import Any

import pytest

from firmware_tests.configurations import FOLDER, esphome, resolved
from firmware_tests.esphome_python import ask
from nrj_release import images, versions
from nrj_tools import ROOT

PAGES = "https://nrj-monitor.github.io/nrj-monitor/firmware"
ADOPTED = {
    "nrj-meter": "adopt/nrj-meter.yaml",
    "nrj-meter-esp8266": "adopt/nrj-meter-esp8266.yaml",
    "nrj-plug": "adopt/nrj-plug.yaml",
}
"""What the ESPHome dashboard makes of a meter with the image: a configuration of one's own, without the release's updates."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for ESPHome's files."""
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def boards(data: Path) -> dict[str, dict[str, Any]]:
    """Return every image's configuration as ESPHome resolves the file."""
    return {
        image: resolved(f"images/{image}.yaml", data) for image in images.images(ROOT)
    }


def test_every_image_is_known_here(boards: dict[str, dict[str, Any]]) -> None:
    """Notice an image added without tests."""
    assert set(boards) == set(ADOPTED)


@pytest.mark.parametrize("image", ADOPTED)
def test_image_is_built_of_this_checkout(
    image: str, boards: dict[str, dict[str, Any]]
) -> None:
    """Build the image of the components beside the image, with the project's version and no network or key."""
    board = boards[image]
    (source,) = board["external_components"]
    assert Path(source["source"]["path"]).resolve() == FOLDER / "components"
    assert board["esphome"]["project"]["version"] == versions.read(ROOT)
    assert not board["wifi"].get("networks")
    assert "key" not in board["api"]["encryption"]


@pytest.mark.parametrize("image", ADOPTED)
def test_adoption_leads_to_the_release(
    image: str, boards: dict[str, dict[str, Any]]
) -> None:
    """Announce the address of the branch or tag from which the components come."""
    url = boards[image]["dashboard_import"]["package_import_url"]
    followed = versions.SOURCE.read(ROOT)
    assert url == (
        f"github://nrj-monitor/nrj-monitor/esphome/{ADOPTED[image]}@{followed}"
    )
    assert (FOLDER / ADOPTED[image]).is_file()


def test_esp32_offers_new_releases(boards: dict[str, dict[str, Any]]) -> None:
    """Read the manifest at scripts/release's address, with the certificate checked."""
    board = boards["nrj-meter"]
    (update,) = board["update"]
    assert update["platform"] == "http_request"
    assert update["source"] == f"{PAGES}/nrj-meter{images.MANIFEST_SUFFIX}"
    assert board["http_request"]["verify_ssl"] is True
    assert [way["platform"] for way in board["ota"]].count("http_request") == 1


@pytest.mark.parametrize("image", ["nrj-meter-esp8266", "nrj-plug"])
def test_no_firmware_over_an_unchecked_link(
    image: str, boards: dict[str, dict[str, Any]]
) -> None:
    """An ESP8266 can not check a certificate, a BK7231N has no client: neither fetches firmware by itself."""
    board = boards[image]
    assert "http_request" not in board
    assert "update" not in board
    assert {way["platform"] for way in board["ota"]} == {"esphome", "web_server"}


@pytest.mark.parametrize("name", sorted(ADOPTED.values()))
def test_own_configurations_are_never_offered_an_image(name: str, data: Path) -> None:
    """Offer no image to a person's own configuration: an image resets pins and ratios."""
    board = resolved(name, data, "-s", "components", str(FOLDER / "components"))
    assert "update" not in board


def test_image_and_manifest_are_made_of_esphomes_output(
    data: Path, tmp_path: Path
) -> None:
    """Make image and manifest of ESPHome's real output, with a stand-in for the toolchain's alone."""
    result = esphome("compile", "--only-generate", "images/nrj-plug.yaml", data=data)
    assert result.returncode == 0, result.stdout + result.stderr
    facts = json.loads((data / "storage/nrj-plug.yaml.json").read_text())
    built = Path(facts["firmware_bin_path"])
    built.parent.mkdir(parents=True)
    built.write_bytes(b"UF2\nWQ]\x9e")
    version = versions.read(ROOT)
    path = images.collect(ROOT, "nrj-plug", version, tmp_path, data)
    manifest = json.loads(path.read_text())
    assert manifest["name"] == "NRJ Plug"
    assert manifest["builds"][0]["chipFamily"] == "BK7231N"
    assert (tmp_path / f"nrj-plug-{version}.uf2").read_bytes() == built.read_bytes()


def test_esphome_calls_the_chips_as_the_manifest_does() -> None:
    """ESPHome compares its own word for the chip with the manifest's, letter by letter."""
    esp32, libretiny, esp8266 = ask(
        """
        import inspect, re
        from esphome.components.esp32.const import VARIANT_ESP32, VARIANT_FRIENDLY
        from esphome.components.libretiny.const import FAMILY_BK7231N, FAMILY_FRIENDLY
        from esphome.components import esp8266
        said = re.findall('"ESPHOME_VARIANT", "(.+?)"', inspect.getsource(esp8266))
        answer = [VARIANT_FRIENDLY[VARIANT_ESP32], FAMILY_FRIENDLY[FAMILY_BK7231N], said]
        """
    )
    assert [[esp32], [libretiny], esp8266] == [["ESP32"], ["BK7231N"], ["ESP8266"]]
    assert set(images.CHIPS) == {"ESP32", "ESP8266", "BK7231N"}
