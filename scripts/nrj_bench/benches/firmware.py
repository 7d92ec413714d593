"""Cost of the driver: SPI traffic, time, memory."""

from collections.abc import Sequence
import json
from pathlib import Path
import shutil
from statistics import median
import subprocess
import sys
import tempfile
from typing import Any

from nrj_bench.probe import Harmonic, Phase, ProbeError, Scenario, Segment, ask
from nrj_tools.command_line import CommandLine
from nrj_tools.firmware import FirmwareError, build

REPETITIONS = 200
SPI_HERTZ = 5e6
FRAME_OVERHEAD = 20e-6
"""Assumed of a microcontroller around each frame, s."""
LONGEST_PASS = 5e-3
NOTE = (
    "A burst has no CRC, so each is read twice on purpose, and a third time where the"
    " two differ; energies are read in frames of their own, each with its CRC."
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


def print_table(passes: Sequence[dict[str, Any]], memory: dict[str, Any]) -> None:
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


def main(arguments: Sequence[str]) -> int:
    """Measure; return 1 for a pass above 5 ms, 2 for a failed build."""
    parser = CommandLine("scripts/bench firmware", __doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        passes, memory = traffic(), sizes()
    except (ProbeError, FirmwareError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"passes": passes, "memory": memory, "note": NOTE}, indent=2))
    else:
        print_table(passes, memory)
    # Reading register by register is what the driver does not do.
    late = any(
        entry["blocking_ms"] > 1e3 * LONGEST_PASS
        for entry in passes
        if "register by register" not in entry["name"]
    )
    return 1 if late else 0
