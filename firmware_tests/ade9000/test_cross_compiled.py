"""Compile the components for the processors they run on, against ESPHome's headers as its next release has them.

Debian's cross compilers (gcc-xtensa-lx106 for the ESP8266, gcc-riscv64-unknown-elf for an ESP32-C3 or C6) compile what
ESPHome generates for an ESP32; `esp32_headers/` declares what ESPHome names of ESP-IDF. Nothing is linked or run.
"""

from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
import re

import pytest

from firmware_tests.configurations import COMPONENTS, FOLDER, OWN_COMPONENTS, esphome
from nrj_tools.cross_compiler import COMPILERS, missing_sentence
from tests.support.pace import patience

COMPUTER_ONLY = {"ade9000_simulator", "loopback_only", "mains_signal"}
COMPONENT_FOLDERS = sorted(
    path.name
    for path in COMPONENTS.iterdir()
    if path.name not in COMPUTER_ONLY and next(path.glob("*.cpp"), None)
)
RE_EXPORT = '#include "esphome/core/alloc_helpers.h"\n'
MOVED_TEMPLATE = re.compile(
    r"^template<[^;{]*?std::string format_(?:hex|hex_pretty|bin)\([^;{]*\{.*?^\}\n",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the ESP32's firmware, take away what ESPHome announced to remove, and return the source folder."""
    folder = tmp_path_factory.mktemp("esp32")
    path = folder / "meter.yaml"
    # Its encryption is a library that PlatformIO would fetch.
    path.write_text(
        f"packages:\n  meter: !include {FOLDER}/nrj-meter.yaml\n"
        "api:\n  encryption: !remove\n"
    )
    result = esphome(
        *OWN_COMPONENTS, "compile", "--only-generate", path, data=folder / "data"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    source = folder / "data/build/nrj-meter/src"
    helpers = source / "esphome/core/helpers.h"
    text = helpers.read_text()
    # From 2026.11.0 on they are gone; then these lines go as well.
    assert RE_EXPORT in text
    text, removed = MOVED_TEMPLATE.subn("", text.replace(RE_EXPORT, ""))
    assert removed == 4
    helpers.write_text(text)
    # The transport is a header: a source file that makes one has all of it compiled.
    (source / "esphome/components/ade9000/spi_transport.cpp").write_text(
        '#include "esphome/components/ade9000/ade9000_spi.h"\n'
        "esphome::ade9000::Ade9000Transport *make_transport() {\n"
        "  return new esphome::ade9000::Ade9000SpiTransport();\n"
        "}\n"
    )
    return source


COMMON = """
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>
#include "esphome/core/automation.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"
"""
"""Headers read once for all sources, which takes half the time."""
NAMES_ITS_OWN = "ESP8266"
"""Processor for which each source is compiled with nothing but the headers that it includes."""


@pytest.mark.parametrize("compiler", COMPILERS)
def test_components_compile_for_their_processors(
    compiler: str, tree: Path, tmp_path: Path
) -> None:
    """Every source of every component becomes 32-bit code."""
    cross_compiler = COMPILERS[compiler]
    if not cross_compiler.is_installed:
        sentence = missing_sentence() or ""
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)

    common: tuple[str, ...] = ()
    if compiler != NAMES_ITS_OWN:
        header = tmp_path / "common.h"
        header.write_text(COMMON)
        read = header.with_suffix(".h.gch")
        assert cross_compiler.compile(tree, header, read, "-x", "c++-header") == ""
        common = ("-include", str(header), "-Winvalid-pch")

    def compiled(source: Path) -> str:
        made = tmp_path / f"{source.parent.name}-{source.stem}.o"
        failure = cross_compiler.compile(
            tree, source, made, *common, timeout=patience(60)
        )
        if failure:
            return failure
        # ELF, 32 bits, little-endian, machine (ELF specification, e_ident and e_machine).
        head = made.read_bytes()[:20]
        assert head[:6] == b"\x7fELF\x01\x01"
        assert int.from_bytes(head[18:20], "little") == cross_compiler.machine
        return ""

    sources = [
        source
        for folder in COMPONENT_FOLDERS
        for source in sorted((tree / "esphome/components" / folder).glob("*.cpp"))
    ]
    assert {source.parent.name for source in sources} == set(COMPONENT_FOLDERS)
    with ThreadPoolExecutor(2) as pool:
        assert "".join(pool.map(compiled, sources)) == ""
