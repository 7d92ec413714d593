"""Cross compilers of the device's processors, and what they tell of a program's size and stack.

Debian's gcc-xtensa-lx106 (ESP8266) and gcc-riscv64-unknown-elf (ESP32-C3 or C6) compile the sources that ESPHome
generates for an ESP32; `firmware_tests/esp32_headers` declares what ESPHome names of ESP-IDF. Nothing is linked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import re
import shutil
import subprocess

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "firmware_tests" / "esp32_headers"
NEWLIB = Path("/usr/include/newlib")

FLAGS = (
    *("-std=gnu++20", "-Os", "-fno-exceptions", "-fno-rtti", "-Wall", "-Werror"),
    # GCC 12 takes a sort of three values for one of more; what only messages below the level of the log use is unused.
    *("-Wno-array-bounds", "-Wno-unused-const-variable"),
    *("-Wno-unused-variable", "-D_GNU_SOURCE", "-DUSE_LWIP_FAST_SELECT"),
    *("-DUSE_ESP32", "-DUSE_ESP_IDF", "-DUSE_ESP32_FRAMEWORK_ESP_IDF"),
)

_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


@dataclass(frozen=True, slots=True)
class CrossCompiler:
    """Compiler for one kind of processor."""

    program: str
    options: tuple[str, ...]
    machine: int
    """Machine of its objects (ELF specification, e_machine)."""

    @property
    def is_installed(self) -> bool:
        """Return whether the compiler and the headers of its library are there."""
        return shutil.which(self.program) is not None and NEWLIB.is_dir()

    def compile(
        self, tree: Path, source: Path, made: Path, *extra: str, timeout: float = 300
    ) -> str:
        """Compile a source of an ESP32's tree into `made`; return the messages of a failure, "" after success."""
        library = max(NEWLIB.glob("c++/*"))
        # The library's settings for a processor without instructions for floating point, as these.
        system = (library, library / "arm-none-eabi/thumb/v6-m/nofp", NEWLIB)
        result = subprocess.run(
            [
                *(self.program, *self.options, *FLAGS, *extra, "-nostdinc++"),
                *(word for folder in system for word in ("-isystem", str(folder))),
                *(f"-I{tree}", f"-I{HEADERS}", "-c", str(source), "-o", str(made)),
            ],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return result.stderr if result.returncode != 0 else ""

    def section_sizes(self, objects: Iterable[Path]) -> tuple[int, int]:
        """Return the bytes of flash and of static RAM of objects, not linked."""
        size = self.program.removesuffix("g++") + "size"
        lines = subprocess.run(
            [size, *map(str, objects)], capture_output=True, text=True, check=True
        ).stdout.splitlines()[1:]
        rows = [tuple(map(int, line.split()[:3])) for line in lines]
        return (
            sum(text + data for text, data, _ in rows),
            sum(data + bss for _, data, bss in rows),
        )


COMPILERS = {
    "ESP8266": CrossCompiler("xtensa-lx106-elf-g++", (), 94),
    "ESP32-C3": CrossCompiler(
        "riscv64-unknown-elf-g++", ("-march=rv32imc", "-mabi=ilp32"), 243
    ),
}


def deepest_path(files: Iterable[Path], start: str) -> list[tuple[str, int]]:
    """Return the deepest chain of direct calls from the functions whose name contains `start`.

    Args:
        files: call graphs with stack use (GCC's -fcallgraph-info=su).
        start: part of a mangled name.

    Returns:
        Mangled names with the bytes of their frames, the outermost first. Calls through pointers and into libraries
        are not known, and are left out.
    """
    frames: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for file in files:
        text = file.read_text()
        for name, size in _NODE.findall(text):
            frames[name] = max(frames.get(name, 0), int(size))
        for caller, callee in _EDGE.findall(text):
            calls.setdefault(caller, set()).add(callee)
    known: dict[str, list[tuple[str, int]]] = {}

    def deepest(name: str, above: Sequence[str]) -> list[tuple[str, int]]:
        if name in known or name in above or name not in frames:
            return known.get(name, [])
        below = [deepest(callee, (*above, name)) for callee in calls.get(name, ())]
        known[name] = [
            (name, frames[name]),
            *max(below, key=stack_of, default=[]),
        ]
        return known[name]

    return max((deepest(name, ()) for name in frames if start in name), key=stack_of)


def stack_of(path: Sequence[tuple[str, int]]) -> int:
    """Return the bytes of all frames of a chain of calls."""
    return sum(size for _, size in path)


def missing_sentence(compilers: Mapping[str, CrossCompiler] = COMPILERS) -> str | None:
    """Return what to install for the compilers, None where all are there."""
    missing = [c.program for c in compilers.values() if not c.is_installed]
    return f"needs {' and '.join(missing)}: run scripts/setup test" if missing else None
