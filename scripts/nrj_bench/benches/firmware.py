"""Cost of the driver: SPI traffic, time, memory."""

from collections.abc import Sequence
import json
import os
from pathlib import Path
import shutil
from statistics import median
import subprocess
import sys
import tempfile
from typing import Any

from nrj_bench.probe import Harmonic, Phase, ProbeError, Scenario, Segment, ask
from nrj_tools.command_line import CommandLine
from nrj_tools.cross_compiler import (
    COMPILERS,
    ROOT,
    deepest_path,
    missing_sentence,
    stack_of,
)
from nrj_tools.firmware import FirmwareError, build, esphome_executable

REPETITIONS = 200
SPI_HERTZ = 5e6
FRAME_OVERHEAD = 20e-6
"""Assumed of a microcontroller around each frame, s."""
LONGEST_PASS = 5e-3
NOTE = (
    "Each register is read in a frame of its own, with a CRC, and the chip says in a"
    " second frame which register it has read; energies are read until two rounds agree."
)


def traffic() -> list[dict[str, Any]]:
    """Return the SPI traffic of each pass of the loop; the worst of many."""
    phase = Phase(
        voltage=230,
        current=10,
        lag=0.4,
        voltage_harmonics=[Harmonic(order=5, ratio=0.03)],
        current_harmonics=[Harmonic(order=3, ratio=0.2)],
    )
    scenario = Scenario(segments=[Segment(phases=[phase] * 3)], updates=REPETITIONS)
    (passes,) = ask(scenario.lines("cost"))
    for entry in passes:
        times = entry.pop("host_seconds")
        entry["host_microseconds"] = {
            "min": 1e6 * min(times),
            "median": 1e6 * median(times),
            "max": 1e6 * max(times),
        }
        wire = entry["bytes"] * 8 / SPI_HERTZ + entry["frames"] * FRAME_OVERHEAD
        entry["blocking_ms"] = 1e3 * wire
    return list(passes)


def sizes() -> dict[str, Any]:
    """Return the sizes of the component in the host's build of the firmware.

    Raises:
        FirmwareError: the firmware could not be built.
    """
    if shutil.which("size") is None or shutil.which("nm") is None:
        return {"missing": "needs 'size' and 'nm': install binutils"}
    program = build()
    objects = sorted(
        program.parent.rglob("esphome/components/ade9000/*.o"),
        key=lambda path: path.name,
    )
    if not objects:
        return {"missing": f"no object files of the component beside {program}"}
    listed = subprocess.run(
        ["size", *objects], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]
    sections = [tuple(map(int, line.split()[:3])) for line in listed]
    text, data, bss = (sum(column) for column in zip(*sections, strict=True))
    result: dict[str, Any] = {
        "processor": "this host's, as the simulated meter is compiled; not an ESP32's",
        "objects": len(objects),
        "text_bytes": text,
        "static_ram_bytes": data + bss,
    }
    source = next(
        (folder / "src" for folder in program.parents if (folder / "src").is_dir()),
        None,
    )
    if source is not None:
        result["sizeof"] = sizeof_component(source)
    return result


def sizeof_component(source: Path) -> int | str:
    """Return sizeof(Ade9000), or the compiler's error."""
    with tempfile.TemporaryDirectory() as folder:
        code, made = Path(folder, "size.cpp"), Path(folder, "size.o")
        code.write_text(
            '#include "esphome/components/ade9000/ade9000.h"\n'
            "char size_of_component[sizeof(esphome::ade9000::Ade9000)];\n"
        )
        compiled = subprocess.run(
            [
                *("g++", "-std=gnu++20", "-DUSE_HOST", f"-I{source}"),
                *("-c", str(code), "-o", str(made)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if compiled.returncode != 0:
            return f"unknown: {compiled.stderr.splitlines()[0]}"
        symbols = subprocess.run(
            ["nm", "-S", made], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    line = next(line for line in symbols if line.endswith(" size_of_component"))
    return int(line.split()[1], 16)


def cross_sizes() -> dict[str, Any]:
    """Return flash, static RAM and deepest stack of an update of the component, by processor.

    Raises:
        FirmwareError: the sources of an ESP32's firmware could not be generated.
    """
    if (sentence := missing_sentence()) is not None:
        return {"missing": sentence}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = generate_esp32(folder)
        sources = sorted((tree / "esphome/components/ade9000").glob("*.cpp"))
        result: dict[str, Any] = {}
        for processor, compiler in COMPILERS.items():
            made = folder / processor
            made.mkdir()
            for source in sources:
                target = made / f"{source.stem}.o"
                failure = compiler.compile(tree, source, target, "-fcallgraph-info=su")
                if failure:
                    raise FirmwareError(failure)
            flash, ram = compiler.section_sizes(made.glob("*.o"))
            path = deepest_path(made.glob("*.ci"), "7Ade90006updateEv")
            result[processor] = {
                "flash_bytes": flash,
                "static_ram_bytes": ram,
                "deepest_stack_of_an_update_bytes": stack_of(path),
                "deepest_calls": [
                    f"{demangled(called)} {size}" for called, size in path
                ],
            }
    return result


def demangled(name: str) -> str:
    """Return a function's name as people write it, without its arguments."""
    # Functions of one file have the file's name before theirs.
    result = subprocess.run(
        ["c++filt", "-p", name.rpartition(":")[2]],
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip().removeprefix("esphome::ade9000::")


def generate_esp32(folder: Path) -> Path:
    """Generate the sources of the ESP32 meter's firmware in `folder`; return their folder."""
    configuration = folder / "meter.yaml"
    # Its encryption is a library that PlatformIO would fetch.
    configuration.write_text(
        f"packages:\n  meter: !include {ROOT}/esphome/nrj-meter.yaml\n"
        f"external_components:\n  - source: {ROOT}/esphome/components\n"
        "api:\n  encryption: !remove\n"
    )
    result = subprocess.run(
        [
            *(esphome_executable(), "-s", "components", ROOT / "esphome/components"),
            *("compile", "--only-generate", configuration),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "ESPHOME_DATA_DIR": str(folder / "data")},
        check=False,
    )
    if result.returncode != 0:
        raise FirmwareError(result.stdout + result.stderr)
    return folder / "data/build/nrj-meter/src"


def print_table(
    passes: Sequence[dict[str, Any]],
    memory: dict[str, Any],
    processors: dict[str, Any],
) -> None:
    """Print the result as a table."""
    print(
        f"{'pass of the loop':40} {'frames':>7} {'bytes':>7} {'at 5 MHz':>10}"
        f"   driver on this host, us (min/median/max)"
    )
    for entry in passes:
        times = entry["host_microseconds"]
        print(
            f"{entry['name']:40} {entry['frames']:7} {entry['bytes']:7}"
            f" {entry['blocking_ms']:7.2f} ms   {times['min']:.1f} /"
            f" {times['median']:.1f} / {times['max']:.1f}"
            + ("   LONGER THAN 5 ms" if entry["blocking_ms"] > 5 else "")
        )
    print(f"\n{NOTE}")
    print(
        "Times at 5 MHz are estimates: bits on the wire and"
        f" {1e6 * FRAME_OVERHEAD:.0f} us a frame. Frames and bytes are the worst of"
        f" {REPETITIONS}.\n"
    )
    print("Memory of the component:")
    for name, value in memory.items():
        print(f"  {name.replace('_', ' ')}: {value}")
    print(
        "\nThe component as the compilers of its processors make it (-Os, not linked; the stack by direct calls, without"
        " what libraries and callbacks need):"
    )
    for processor, sizes_ in processors.items():
        if not isinstance(sizes_, dict):
            print(f"  {processor}: {sizes_}")
            continue
        print(f"  {processor}:")
        for name, value in sizes_.items():
            shown = " > ".join(value) if isinstance(value, list) else value
            print(f"    {name.replace('_', ' ')}: {shown}")


def main(arguments: Sequence[str]) -> int:
    """Measure; return 1 for a pass above 5 ms, 2 for a failed build."""
    parser = CommandLine("scripts/bench firmware", __doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        passes, memory, processors = traffic(), sizes(), cross_sizes()
    except (ProbeError, FirmwareError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        result = {
            "passes": passes,
            "memory": memory,
            "processors": processors,
            "note": NOTE,
        }
        print(json.dumps(result, indent=2))
    else:
        print_table(passes, memory, processors)
    late = any(entry["blocking_ms"] > 1e3 * LONGEST_PASS for entry in passes)
    return 1 if late else 0
