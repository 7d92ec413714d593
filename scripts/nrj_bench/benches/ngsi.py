"""Benchmark of forwarding: rate and cost of draining a backlog, and its completeness.

The broker is the strict one of the tests, in a process of its own. Beside it the naive
way is measured: one request for each value. With --trials the seeded fault test is run
as many times instead.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
import gc
import itertools
import json
import logging
from math import inf, sin
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
import random
import sys
import tempfile
import time
from typing import Any

from aiohttp import ClientSession
import psutil

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.ngsi.auth import StaticAuth
from custom_components.nrj_monitor.ngsi.broker import V2Broker, dump
from custom_components.nrj_monitor.ngsi.environment import Environment
from custom_components.nrj_monitor.ngsi.forwarder import Forwarder
from custom_components.nrj_monitor.ngsi.groups import DEFAULT_GROUPS, select_channels
from custom_components.nrj_monitor.ngsi.http import Server
from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Limits, Spool
from nrj_tools.command_line import CommandLine, number
from tests.support.ngsi import NgsiV2
from tests.support.ngsi.faults import Trial

BEGIN = 1_790_000_000_000
ID = "urn:ngsi-ld:ThreePhaseAcMeasurement:bench"
AIM_RATE = 1000.0
AIM_LAG = 20.0
"""Records a second at least, and milliseconds of event-loop lag that one look in a
thousand may exceed: the worst is also that of whatever else the machine does."""

_ALL = tuple(
    channel.id for channel in select_channels(CHANNELS.values(), DEFAULT_GROUPS)
)
SIZES = {
    "power": (("active_power", *(f"active_power_l{n}" for n in (1, 2, 3))), False),
    "model": (_ALL, False),
    "everything": (_ALL, True),
}
"""Channels of a measurement, and whether extra attributes are sent: what a chart of the
power needs, all attributes of the data model, and all there is."""

AIMED = ("power", "model")
"""What the aim for the rate is for. Everything is some 10 kB a measurement, of which a
tenth as many are drained."""


def _serve(pipe: Connection) -> None:
    """Run the broker until a None arrives; answer every request for its counts."""

    async def serve() -> None:
        async with NgsiV2() as broker:
            broker.remembers = False
            pipe.send(broker.url)
            loop = asyncio.get_running_loop()
            while True:
                asked = await loop.run_in_executor(None, pipe.recv)
                if asked is None:
                    return
                times = broker.times
                in_order = all(a < b for a, b in itertools.pairwise(times))
                pipe.send((len(times), in_order, len(broker.requests)))
                broker.applied.clear()

    asyncio.run(serve())


class Lag:
    """Lag of the event loop."""

    def __init__(self) -> None:
        """Prepare without measurements."""
        self.seen: list[float] = []

    async def watch(self) -> None:
        """Measure the lag every 5 ms until cancelled."""
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            self.seen.append((time.perf_counter() - begun - 0.005) * 1000)

    def percentiles(self) -> dict[str, float]:
        """Return the worst lag and two percentiles, milliseconds."""
        seen = sorted(self.seen) or [0.0]
        return {
            "worst": round(seen[-1], 1),
            "p99.9": round(seen[int(len(seen) * 0.999)], 1),
            "p99": round(seen[int(len(seen) * 0.99)], 1),
        }


def sample(n: int, ids: Sequence[str]) -> Sample:
    """Return the n-th sample, with a value for each channel."""
    values = {id_: round(1000 * sin(n / 50 + k), 2) for k, id_ in enumerate(ids)}
    return Sample(BEGIN + 1000 * n, values)


async def in_thread[*Ts, T](function: Callable[[*Ts], T], /, *arguments: *Ts) -> T:
    """Run a blocking function in a thread, as Home Assistant does."""
    return await asyncio.to_thread(function, *arguments)


async def drain(
    folder: Path, url: str, count: int, ids: Sequence[str], extras: bool
) -> dict[str, Any]:
    """Drain `count` samples; return the rate, the lag and the memory."""
    limits = Limits(rows=10 * count, size=1 << 40, age=1 << 60)

    def make() -> Spool:
        return Spool(folder / f"{len(ids)}.sqlite", limits, lambda: BEGIN)

    spool = make()
    spool.open()
    spool.push(sample(n, ids) for n in range(count))
    spool.close()
    gc.collect()
    process, lag = psutil.Process(), Lag()
    async with ClientSession() as session:
        forwarder = Forwarder(
            "bench",
            make(),
            Mapper(
                NgsiEntity(id=ID, extras=extras), [CHANNELS[id_] for id_ in ids], Api.V2
            ),
            V2Broker(Server(session, url, StaticAuth())),
            Environment(executor=in_thread, clock=time.monotonic, random=random.random),
            rate=None,
        )
        before = process.memory_info().rss
        cpu = sum(process.cpu_times()[:2])
        highest = before
        watching = asyncio.create_task(lag.watch())
        begun = time.monotonic()
        forwarder.start()
        early = None
        while forwarder.status.spool.counts.sent < count:
            await asyncio.sleep(0.1)
            highest = max(highest, process.memory_info().rss)
            if early is None and forwarder.status.spool.counts.sent > count / 10:
                early = process.memory_info().rss
        seconds = time.monotonic() - begun
        cpu = sum(process.cpu_times()[:2]) - cpu
        late = process.memory_info().rss
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await forwarder.stop()
    return {
        "channels": len(ids),
        "records": count,
        "records_per_second": round(count / seconds),
        "cpu_percent": round(100 * cpu / seconds),
        "lag_ms": lag.percentiles(),
        "memory_mb": {
            "growth_at_most": round((highest - before) / 2**20, 1),
            "growth_after_a_tenth": round((late - (early or late)) / 2**20, 1),
        },
    }


async def naive(url: str, count: int) -> dict[str, Any]:
    """Send a value a request in sequence, as automations do."""
    async with ClientSession() as session:
        begun = time.monotonic()
        for n in range(count):
            entity = {
                "id": ID,
                "type": "T",
                "totalActivePower": {"type": "Number", "value": n},
            }
            body = dump({"actionType": "append", "entities": [entity]})
            async with session.post(
                f"{url}/v2/op/update",
                data=body,
                headers={"Content-Type": "application/json"},
            ) as response:
                await response.read()
        seconds = time.monotonic() - begun
    per_second = count / seconds
    return {
        "values_per_second": round(per_second),
        "measurements_per_second": {
            name: round(per_second / len(ids), 1) for name, (ids, _) in SIZES.items()
        },
    }


async def trials(count: int, first: int) -> list[str]:
    """Run seeded fault trials; return their complaints."""
    found = []
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            async with ClientSession() as session:
                bounded = seed % 2 == 1
                limits = Limits(rows=15) if bounded else Limits()
                trial = Trial(seed, Path(folder), session, limits)
                outcome = await trial.run(60)
        found += [
            f"seed {seed}: {complaint}"
            for complaint in outcome.complaints(trial.bad, bounded)
        ]
    return found


def measure(count: int) -> dict[str, Any]:
    """Run the benchmark; return its result for JSON."""
    context = get_context("spawn")
    mine, its = context.Pipe()
    broker = context.Process(target=_serve, args=(its,), daemon=True)
    broker.start()
    try:
        url = mine.recv()
        result: dict[str, Any] = {"drain": {}}
        for name, (ids, extras) in SIZES.items():
            part = count if name in AIMED else count // 10
            with tempfile.TemporaryDirectory() as folder:
                outcome = asyncio.run(drain(Path(folder), url, part, ids, extras))
            mine.send("count")
            received, in_order, requests = mine.recv()
            outcome["complete_and_in_order"] = received == part and in_order
            outcome["requests"] = requests
            result["drain"][name] = outcome
        result["naive"] = asyncio.run(naive(url, min(count, 2000)))
        mine.send(None)
    finally:
        broker.terminate()
        broker.join()
    return result


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark, print its result; return 1 where an aim is missed."""
    parser = CommandLine("scripts/bench ngsi", __doc__)
    parser.add_argument(
        "--records",
        type=number(100, 1e7, "measurements", whole=True),
        default=100_000,
        help="measurements in the backlog",
    )
    parser.add_argument(
        "--trials",
        type=number(1, 1e6, "trials", whole=True),
        help="run so many seeded fault trials instead",
    )
    parser.add_argument(
        "--first-seed",
        type=number(0, 1e9, "a seed", whole=True),
        default=0,
        help="seed of the first trial",
    )
    options = parser.parse_args(arguments)
    if options.trials:
        logging.disable(logging.CRITICAL)
        found = asyncio.run(trials(options.trials, options.first_seed))
        for complaint in found:
            print(complaint, file=sys.stderr)
        print(f"{options.trials} trials, {len(found)} complaints")
        return 1 if found else 0
    result = measure(options.records)
    print(json.dumps(result, indent=2))
    drained = result["drain"].values()
    slowest = min(result["drain"][name]["records_per_second"] for name in AIMED)
    lag = max((outcome["lag_ms"]["p99.9"] for outcome in drained), default=inf)
    complete = all(outcome["complete_and_in_order"] for outcome in drained)
    return 0 if slowest >= AIM_RATE and lag <= AIM_LAG and complete else 1
