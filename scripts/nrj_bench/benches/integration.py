"""Home Assistant's cost of sixty quantities, five times a second.

The same meter feeds three Home Assistants at once: one with its own ESPHome integration,
one with NRJ Monitor, and none for one that runs by itself, whose cost is taken off.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from custom_components.nrj_monitor.catalog import CHANNELS
from nrj_bench import stream_firmware
from nrj_bench.homes import (
    Cost,
    Home,
    Introduce,
    into_esphome,
    into_nothing,
    into_nrj_monitor,
    running_home,
)
from nrj_bench.recorded import MINUTE, Recorded, minutes
from nrj_tools.command_line import CommandLine, number
from nrj_tools.errors import ScriptError
from nrj_tools.firmware import FirmwareError, RunningFirmware, build
from nrj_tools.ports import free_port

COMMIT = 8.0
"""Seconds until the recorder has surely written what it was told."""

HOMES: Mapping[str, Introduce] = {
    "alone": into_nothing,
    "esphome": into_esphome,
    "nrj_monitor": into_nrj_monitor,
}
METERS: Mapping[str, Callable[[], Path]] = {
    "stream": stream_firmware.build,
    "demo": build,
}
AIMS = {"event_loop_cpu": 0.45, "rows_per_minute": 0.1}
"""At most this part of what Home Assistant's own ESPHome integration costs."""


VERDICT_FROM = 60.0
"""Seconds of measuring below which the result holds no aim: the noise is greater."""


async def measure(
    program: Path, folder: Path, warm_up: float, seconds: float
) -> dict[str, Any]:
    """Run all homes for `warm_up` seconds, then measure their cost for `seconds`.

    The result is as JSON can store it.
    """
    port = free_port()
    firmware = RunningFirmware(program, folder / "meter", port)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, firmware.stop)
        await asyncio.to_thread(firmware.start)
        running = await asyncio.gather(
            *(
                stack.enter_async_context(running_home(folder / name, introduce, port))
                for name, introduce in HOMES.items()
            )
        )
        homes = dict(zip(HOMES, running, strict=True))
        await asyncio.sleep(warm_up)
        start, before = time.time(), {name: home.cost() for name, home in homes.items()}
        await asyncio.sleep(seconds)
        end, after = time.time(), {name: home.cost() for name, home in homes.items()}
        await asyncio.sleep(COMMIT)
    costs = {
        name: _cost(before[name], after[name], homes[name], start, end)
        for name in HOMES
    }
    net = {
        key: {
            name: costs[name][key] - costs["alone"][key]
            for name in ("esphome", "nrj_monitor")
        }
        for key in costs["alone"]
    }
    return {
        "quantities": len(stream_firmware.CHANNELS),
        "seconds": round(end - start),
        "cost": costs,
        "ratio": {
            key: both["nrj_monitor"] / both["esphome"] if both["esphome"] else None
            for key, both in net.items()
        },
        "minutes": compare(homes["esphome"], homes["nrj_monitor"], start, end),
    }


def _cost(
    before: Cost, after: Cost, home: Home, start: float, end: float
) -> dict[str, float]:
    rows = Recorded(home.folder / "home-assistant_v2.db").rows(start, end)
    return {
        "event_loop_cpu": (after.event_loop - before.event_loop) / (end - start),
        "process_cpu": (after.process - before.process) / (end - start),
        "rows_per_minute": rows / (end - start) * MINUTE,
        "memory": after.memory,
    }


def compare(esphome: Home, nrj: Home, start: float, end: float) -> dict[str, Any]:
    """Hold each minute's statistics against those of every reading.

    ESPHome's integration writes them all. Returned are distances in significant
    changes of the quantity, at the median, the 99th percentile and the worst, and where
    that was; nothing where there was no whole minute.
    """
    every = Recorded(esphome.folder / "home-assistant_v2.db")
    ours = Recorded(nrj.folder / "home-assistant_v2.db")
    found: dict[str, list[tuple[float, str]]] = {"mean": [], "low": [], "high": []}
    for object_id in stream_firmware.CHANNELS:
        truth = minutes(every.states(esphome.entity_ids[object_id]), start, end)
        told = minutes(ours.states(nrj.entity_ids[object_id]), start, end)
        for true, shown in zip(truth, told, strict=True):
            step = CHANNELS[object_id].quantity.change.step(true.mean)
            for key, distances in found.items():
                distance = abs(getattr(true, key) - getattr(shown, key)) / step
                distances.append((distance, object_id))
    return {
        key: {
            "median": sorted(distances)[len(distances) // 2][0],
            "p99": sorted(distances)[int(len(distances) * 0.99)][0],
            "worst": max(distances)[0],
            "where": max(distances)[1],
        }
        for key, distances in found.items()
        if distances
    }


def print_result(result: Mapping[str, Any]) -> None:
    """Print for a person."""
    print(
        f"{result['quantities']} quantities, 5 times a second, {result['seconds']} s\n"
    )
    units = {
        "event_loop_cpu": ("event loop, ms CPU a second", 1e3),
        "process_cpu": ("whole process, ms CPU a second", 1e3),
        "rows_per_minute": ("rows in the database a minute", 1.0),
        "memory": ("memory, MB", 1.0),
    }
    print(f"{'':34}{'alone':>10}{'ESPHome':>10}{'NRJ':>10}   NRJ of ESPHome, net")
    for key, (title, factor) in units.items():
        row = "".join(f"{result['cost'][name][key] * factor:10.1f}" for name in HOMES)
        ratio = result["ratio"][key]
        aim = f" (aim: below {AIMS[key]:.0%})" if key in AIMS else ""
        print(f"{title:34}{row}   {'-' if ratio is None else f'{ratio:.0%}'}{aim}")
    if not result["minutes"]:
        print("\nNo whole minute was measured: nothing to say of its statistics.")
        return
    print("\nEach minute's statistics, in significant changes away from the readings':")
    for key, distance in result["minutes"].items():
        print(
            f"  {key:5} median {distance['median']:.2f}, 99 % {distance['p99']:.2f},"
            f" worst {distance['worst']:.2f} ({distance['where']})"
        )


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; return 1 for a missed aim, 2 if the benchmark can not run."""
    parser = CommandLine("scripts/bench integration", __doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--seconds",
        type=number(1, 86400, "seconds"),
        default=180.0,
        help=f"how long to measure; below {VERDICT_FROM:.0f} no aim is held against it",
    )
    parser.add_argument(
        "--warm-up",
        type=number(0, 3600, "seconds"),
        default=20.0,
        help="how long to wait before",
    )
    parser.add_argument(
        "--meter",
        choices=METERS,
        default="stream",
        help="'stream' tells sixty quantities five times a second; 'demo' is the"
        " demo's meter, which is built already: to see whether all of this works",
    )
    options = parser.parse_args(arguments)
    try:
        program = METERS[options.meter]()
        with tempfile.TemporaryDirectory() as folder:
            result = asyncio.run(
                measure(program, Path(folder), options.warm_up, options.seconds)
            )
    except (ScriptError, FirmwareError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print_result(result)
    if options.seconds < VERDICT_FROM or options.meter != "stream":
        print(
            "No verdict: too short, or not the meter that the aims are for.",
            file=sys.stderr,
        )
        return 0
    return int(any((result["ratio"][key] or 0) > aim for key, aim in AIMS.items()))
