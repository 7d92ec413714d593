"""Turn ESPHome's built firmware into image files with a web-flash manifest.

The manifest is that of ESP Web Tools, with the part that ESPHome's `update: platform: http_request` reads besides.
"""

from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import re
from typing import Any

from .changelog import PROJECT
from .errors import ReleaseError

FOLDER = "esphome/images"
"""The configurations of the images, one file an image."""

MANIFEST_SUFFIX = ".manifest.json"


@dataclass(frozen=True)
class Binary:
    """A file built by ESPHome, and the marks to recognise the file."""

    built: str
    """Name among what ESPHome has built."""
    suffix: str
    """What the published file's name ends in."""
    magic: bytes
    """What the file holds at `magic_at`; another board's file, or half a file, does not."""
    magic_at: int = 0


@dataclass(frozen=True)
class Chip:
    """The files to flash a chip with."""

    update: Binary
    """What goes in over the network."""
    whole: Binary | None
    """What a browser writes over the cable from offset 0; None where ESP Web Tools does not know the chip."""


# 0xE9 begins an application or a bootloader (Espressif, Application image structures); an ESP32's bootloader lies at
# 0x1000 of its flash. UF2 files begin with the first magic number of Microsoft's UF2 specification.
_ESP_UPDATE = Binary("firmware.ota.bin", ".ota.bin", b"\xe9")

CHIPS = {
    "ESP32": Chip(
        _ESP_UPDATE, Binary("firmware.factory.bin", ".factory.bin", b"\xe9", 0x1000)
    ),
    "ESP8266": Chip(
        _ESP_UPDATE, Binary("firmware.factory.bin", ".factory.bin", b"\xe9")
    ),
    "BK7231N": Chip(Binary("firmware.uf2", ".uf2", b"UF2\n"), None),
}
"""By chip family, as ESP Web Tools and ESPHome's ESPHOME_VARIANT write it."""


def images(root: Path) -> list[str]:
    """Return the names of a release's images."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))


def configurations(root: Path) -> list[str]:
    """Return the paths of all ESPHome configurations to compile."""
    folder = root / "esphome"
    paths = [
        *folder.glob("*.yaml"),
        *(folder / "adopt").glob("*.yaml"),
        *(root / FOLDER).glob("*.yaml"),
    ]
    return sorted(
        str(path.relative_to(root)) for path in paths if path.name != "secrets.yaml"
    )


def collect(
    root: Path, image: str, version: str, output: Path, data: Path | None = None
) -> Path:
    """Copy ESPHome's build of `image` into `output`, with a manifest beside the files; return the manifest's path.

    `data` is ESPHome's own folder, by default the one beside the configuration.
    """
    facts_path = (data or root / FOLDER / ".esphome") / "storage" / f"{image}.yaml.json"
    if not facts_path.is_file():
        raise ReleaseError(
            f"{image} is not built: run 'esphome compile {FOLDER}/{image}.yaml' first."
        )
    facts = json.loads(facts_path.read_text())
    defines = (
        Path(facts["build_path"]) / "src" / "esphome" / "core" / "defines.h"
    ).read_text()
    if _defined(defines, "ESPHOME_PROJECT_VERSION") != version:
        raise ReleaseError(f"{image} was built of another version: compile it anew.")
    family = _defined(defines, "ESPHOME_VARIANT")
    if family not in CHIPS:
        raise ReleaseError(
            f"{image} is for {family}, which nrj_release/images.py does not know:"
            " add the chip there."
        )
    chip, built = CHIPS[family], Path(facts["firmware_bin_path"]).parent
    output.mkdir(parents=True, exist_ok=True)
    update = _published(chip.update, built, image, version, output)
    update["release_url"] = f"{PROJECT}/releases/tag/v{version}"
    parts = []
    if chip.whole is not None:
        whole = _published(chip.whole, built, image, version, output)
        parts.append({"path": whole.pop("path"), "offset": 0} | whole)
    manifest = {
        "name": facts["friendly_name"],
        "version": version,
        "home_assistant_domain": "nrj_monitor",
        # A meter flashed before may keep its totals, its key and its Wi-Fi.
        "new_install_prompt_erase": True,
        "builds": [{"chipFamily": family, "parts": parts, "ota": update}],
    }
    path = output / f"{image}{MANIFEST_SUFFIX}"
    path.write_text(json.dumps(manifest, indent=2) + "\n")
    return path


def _published(
    binary: Binary, built: Path, image: str, version: str, output: Path
) -> dict[str, Any]:
    """Copy a built file under its published name; return name and checksums."""
    source = built / binary.built
    if not source.is_file():
        raise ReleaseError(f"{image}: ESPHome has not built {source}.")
    content = source.read_bytes()
    if not content[binary.magic_at :].startswith(binary.magic):
        raise ReleaseError(f"{image}: {source} is no firmware of this chip.")
    name = f"{image}-{version}{binary.suffix}"
    (output / name).write_bytes(content)
    return {
        "path": name,
        # ESPHome checks this one after an update.
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _defined(defines: str, name: str) -> str:
    """Return the text of the preprocessor symbol `name`."""
    found = re.search(rf'^#define {name} "(.*)"$', defines, re.MULTILINE)
    if found is None:
        raise ReleaseError(f"ESPHome's defines.h does not say {name}.")
    return found[1]
