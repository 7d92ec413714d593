"""The driver's ESP32 side passes a compiler, against ESPHome's ESP32 headers, as 32-bit code.

ESP-IDF and its compilers can not be had everywhere. Zig's C++ compiler (PyPI: ziglang) comes with what a RISC-V target
needs, and `esp32_headers/` declares what ESPHome names of ESP-IDF. This proves types, sizes and formats on a 32-bit
little-endian processor such as the ESP32-C3's; it does not link, run, or speak for Xtensa.
"""

import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

from firmware_tests.configurations import COMPONENTS, esphome
from nrj_tools import ROOT
from tests.support.pace import patience

HEADERS = Path(__file__).parents[1] / "esp32_headers"
FOLDERS = ("ade9000", "meter_calibration", "power_quality", "wiring_check")
"""Components that speak to the chip."""

NEEDS_NETWORK = {"power_quality/power_quality_component.cpp"}
"""Includes the native API's sockets, which `esp32_headers/` does not declare."""

SOURCES = sorted(
    {
        f"{folder}/{path.name}"
        for folder in FOLDERS
        for path in (COMPONENTS / folder).glob("*.cpp")
    }
    - NEEDS_NETWORK
)
TRANSPORT = "spi_transport"
FLAGS = [
    *("-target", "riscv32-linux-musl"),
    "-std=gnu++20",
    # A component's log tag is unused where its messages are below the level of the log.
    *("-Wall", "-Werror", "-Wno-unused-const-variable"),
    *("-DUSE_ESP32", "-DUSE_ESP_IDF", "-DUSE_ESP32_FRAMEWORK_ESP_IDF"),
]


def compiler() -> list[str]:
    """Return Zig's C++ compiler, or skip."""
    if (zig := shutil.which("zig")) is not None:
        return [zig, "c++"]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "c++"]
    pytest.skip("needs Zig: put it on PATH, or 'pip install ziglang' (400 MB)")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the ESP32's firmware and return its source folder."""
    compiler()
    data = tmp_path_factory.mktemp("esp32")
    result = esphome("compile", "--only-generate", "nrj-meter.yaml", data=data)
    assert result.returncode == 0, result.stdout + result.stderr
    source = data / "build/nrj-meter/src"
    # The transport is a header: a source file that makes one has all of it compiled.
    (source / f"{TRANSPORT}.cpp").write_text(
        '#include "esphome/components/ade9000/ade9000_spi.h"\n'
        "esphome::ade9000::Ade9000Transport *make_transport() {\n"
        "  return new esphome::ade9000::Ade9000SpiTransport();\n"
        "}\n"
    )
    return source


@pytest.mark.parametrize("name", [*SOURCES, f"{TRANSPORT}.cpp"])
def test_compiles_for_the_esp32(name: str, tree: Path, tmp_path: Path) -> None:
    """Each source of the driver, and the SPI transport, becomes 32-bit RISC-V code."""
    source = tree / name
    if not source.exists():
        source = tree / "esphome/components" / name
    compiled = tmp_path / "compiled.o"
    result = subprocess.run(
        [
            *(*compiler(), *FLAGS, f"-I{tree}", f"-I{HEADERS}"),
            *("-c", str(source), "-o", str(compiled)),
        ],
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(ROOT / ".build/zig")},
        capture_output=True,
        text=True,
        timeout=patience(300),
        check=False,
    )
    assert result.returncode == 0, result.stderr
    header = compiled.read_bytes()[:20]
    # ELF, 32 bits, little-endian, machine 243: RISC-V (ELF specification, e_ident and e_machine).
    assert header[:6] == b"\x7fELF\x01\x01"
    assert int.from_bytes(header[18:20], "little") == 243
    if TRANSPORT in name:
        assert b"Ade9000SpiTransport" in compiled.read_bytes()
