"""Run the demo from its first start to its last, as a new user sees the project."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
import fcntl
from itertools import chain, pairwise
import os
from pathlib import Path
import re
import signal
import socket
from typing import Any

import pytest
import pytest_asyncio

from nrj_tools.client import HomeAssistantClient
from nrj_tools.firmware import RunningFirmware
from nrj_tools.meter_entry import find_meter
from nrj_tools.ports import free_port
from tests.end_to_end.demo_process import (
    DemoProcess,
    children_of,
    command_of,
    is_running,
)
from tests.support.listening import beyond_loopback, listening_addresses
from tests.support.pace import patience

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENING = "72600"
"""Ten past eight, seconds since midnight: the house uses a few Wh a minute on every
phase. When sun and use cancel out on a phase, its energy stands still for minutes."""

ENERGY_RESOLUTION = 1e-6
"""Energy below which two sums are the same, kWh: the recorder adds floating-point numbers."""

WITHIN_A_MINUTE = 62.0
"""Seconds: a minute, and the two in which the meter tells and this test looks."""


@pytest_asyncio.fixture(loop_scope="module")
async def demo(tmp_path: Path, program: Path) -> AsyncGenerator[DemoProcess]:
    """Return a demo in a folder of its own, not started yet."""
    process = DemoProcess(tmp_path / "demo")
    yield process
    await process.end()


@pytest.mark.timeout(300)
async def test_a_whole_life(demo: DemoProcess, program: Path, tmp_path: Path) -> None:
    """Start, watch, stop, go on, stay the only one, lose the meter, start clean, lose Home Assistant."""
    with RunningFirmware(program, tmp_path / "bystander", free_port()) as bystander:
        await demo.start("--start", EVENING)
        assert "user 'demo', password 'demo'" in demo.output
        assert f"http://127.0.0.1:{demo.port}" in demo.output
        assert "Filled in the past 7 days" in demo.output
        started = [*demo.children, *chain(*map(children_of, demo.children))]
        ports = set(chain(*map(listening_addresses, started)))
        assert {demo.port, demo.meter_port} <= ports
        assert beyond_loopback(started) == set()
        async with demo.client() as client:
            first_life = await _identity(client)
            await _assert_moves(client)
            await _assert_energy_dashboard(client)
            counted = await _imported(client)
        kept = _secrets(demo.folder)
        children = demo.children
        assert len(children) == 2
        assert await demo.press_ctrl_c() == 0
        assert "Everything the demo started has stopped" in demo.output
        assert not any(is_running(child) for child in children)
        assert bystander.process is not None
        assert bystander.process.poll() is None

    await demo.start()
    assert "Filled in" not in demo.output
    async with demo.client() as client:
        assert await _identity(client) == first_life
        assert await _imported(client) >= counted
        await _assert_energy_dashboard(client)
        await _assert_second_is_refused(demo)
        assert (await client.get("config"))["state"] == "RUNNING"
    assert _secrets(demo.folder) == kept
    children = demo.children
    os.kill(_child(children, "program"), signal.SIGKILL)
    assert await demo.wait() == 1
    assert "The simulated meter stopped by itself" in demo.errors
    assert str(demo.folder / "firmware" / "firmware.log") in demo.errors
    assert not any(is_running(child) for child in children)

    await demo.start("--fresh")
    assert "Filled in the past 7 days" in demo.output
    async with demo.client() as client:
        assert await _identity(client) != first_life
        assert await _imported(client) < counted
    children = demo.children
    os.kill(_child(children, "hass"), signal.SIGKILL)
    assert await demo.wait() == 1
    assert "Home Assistant stopped by itself" in demo.errors
    assert str(demo.folder / "home-assistant.log") in demo.errors
    assert not any(is_running(child) for child in children)


@pytest.mark.parametrize(
    ("which", "option"), [("port", "--port"), ("meter_port", "--meter-port")]
)
async def test_taken_port(demo: DemoProcess, which: str, option: str) -> None:
    """Name the taken port, its owner and a remedy in a single sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", getattr(demo, which)))
        taken.listen()
        assert await demo.run() == 1
    port = getattr(demo, which)
    assert re.fullmatch(
        rf"Port {port} for .* is already taken by '.*' \(process {os.getpid()}\):"
        rf" stop that, or choose another with '{option} \d+'\.\n",
        demo.errors,
    )
    assert _nothing_started(demo)


BAD_RECORDINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "nothing to play": ("time,temperature\n0,20\n1,21\n", ("temperature",)),
    "no time": ("frequency,voltage_l1\n50,230\n50,231\n", ("time",)),
    "text in a number": (
        "time,voltage_l1\n0,230\n1,high\n2,231\n",
        ("line 3", "voltage_l1", "high"),
    ),
    "time going backwards": (
        "time,voltage_l1\n0,230\n5,231\n4,232\n",
        ("line 4",),
    ),
    "empty": ("", ()),
}
"""What a bad recording holds, and what the sentence about it has to name."""


@pytest.mark.parametrize("what", BAD_RECORDINGS)
async def test_bad_recording(demo: DemoProcess, tmp_path: Path, what: str) -> None:
    """Name the error in the recording and its place, before anything starts."""
    text, named = BAD_RECORDINGS[what]
    recording = tmp_path / "recording.csv"
    recording.write_text(text)
    assert await demo.run("--recording", recording) == 2
    sentence = demo.errors.rstrip("\n")
    assert sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert all(word in sentence for word in ("recording.csv", *named)), sentence
    assert _nothing_started(demo)


async def test_missing_recording(demo: DemoProcess, tmp_path: Path) -> None:
    """Name a missing file."""
    assert await demo.run("--recording", tmp_path / "nowhere.csv") == 2
    assert "nowhere.csv" in demo.errors
    assert demo.errors.count("\n") == 1
    assert _nothing_started(demo)


async def test_folder_of_something_else(demo: DemoProcess) -> None:
    """Never touch a foreign folder, not even with --fresh."""
    demo.folder.mkdir()
    precious = demo.folder / "thesis.txt"
    precious.write_text("years of work")
    assert await demo.run("--fresh") == 2
    assert str(demo.folder) in demo.errors
    assert "--folder" in demo.errors
    assert [*demo.folder.iterdir()] == [precious]


async def test_home_assistant_left_behind(demo: DemoProcess) -> None:
    """Name a Home Assistant left running by an earlier demo."""
    configuration = demo.folder / "home-assistant"
    configuration.mkdir(parents=True)
    (demo.folder / ".nrj-demo").touch()
    with (configuration / ".ha_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write('{"pid": 4711}')
        lock.flush()
        assert await demo.run("--fresh") == 1
    assert "kill 4711" in demo.errors
    assert configuration.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "http"), "http"),
        (("--port", "70000"), "70000"),
        (("--speed", "fast"), "fast"),
        (("--speed", "-1"), "-1"),
        (("--start", "nan"), "nan"),
        (("--scale", "voltage=2"), "--recording"),
        (("--colour",), "--colour"),
    ],
)
async def test_bad_option(
    demo: DemoProcess, options: tuple[str, ...], words: str
) -> None:
    """Name the wrong option or value in a single sentence."""
    assert await demo.run(*options) == 2
    assert words in demo.errors
    assert demo.errors.count("\n") == 1
    assert _nothing_started(demo)


async def _assert_second_is_refused(demo: DemoProcess) -> None:
    """Refuse a second demo in the same folder, with the first demo named."""
    second = DemoProcess(demo.folder)
    assert await second.run("--fresh") == 2
    assert re.fullmatch(
        rf"Another demo is running in {re.escape(str(demo.folder))} \(process \d+\):.*\n",
        second.errors,
    )


async def _assert_moves(client: HomeAssistantClient) -> None:
    """Within a minute every phase's voltage, current, power and energy moves."""
    meter = await find_meter(client)
    watched = [
        f"{quantity}_l{phase}"
        for quantity in ("voltage", "current", "active_power", "energy")
        for phase in (1, 2, 3)
    ]
    seen: dict[str, set[tuple[str, ...]]] = {key: set() for key in watched}
    async with asyncio.timeout(patience(WITHIN_A_MINUTE)):
        while any(len(values) < 2 for values in seen.values()):
            states = {s["entity_id"]: s["state"] for s in await client.get("states")}
            for key, values in seen.items():
                # Energy moves one way or the other, as the sun has it.
                names = (
                    (f"import_{key}", f"export_{key}") if "energy" in key else (key,)
                )
                values.add(tuple(states[meter.entity_ids[name]] for name in names))
            await asyncio.sleep(0.5)


async def _assert_energy_dashboard(client: HomeAssistantClient) -> None:
    """The dashboard is valid, and seven days are there without a jump."""
    meter = await find_meter(client)
    preferences = await client.command("energy/get_prefs")
    (grid,) = preferences["energy_sources"]
    ids = meter.entity_ids
    assert (grid["stat_energy_from"], grid["stat_energy_to"], grid["stat_rate"]) == (
        ids["import_energy"],
        ids["export_energy"],
        ids["active_power"],
    )
    problems = await client.command("energy/validate")
    assert problems["energy_sources"] == [[]]

    wanted = [ids[key] for key in ("import_energy", "export_energy", "active_power")]
    now = datetime.now(UTC)
    rows = await client.command(
        "recorder/statistics_during_period",
        start_time=(now - timedelta(days=8)).isoformat(),
        statistic_ids=wanted,
        period="hour",
    )
    used, fed, power = (rows[id_] for id_ in wanted)
    assert len(used) == len(fed) == len(power) >= 7 * 24
    hours = [datetime.fromtimestamp(row["start"] / 1000, UTC) for row in used]
    assert {b - a for a, b in pairwise(hours)} == {timedelta(hours=1)}
    assert now - hours[-1] < timedelta(hours=2, minutes=1)
    for counter in (used, fed):
        sums = [row["sum"] for row in counter]
        steps = [b - a for a, b in pairwise(sums)]
        assert min(steps) >= -ENERGY_RESOLUTION
        assert max(steps) < 15  # kWh in an hour: a house, not a factory
        # Home Assistant's own count begins at 0: it must go on from here, upwards,
        # by no more than a part of an hour.
        assert -15 < sums[-1] <= 0.5
    # The mean power says the same as the energies do.
    for hour in range(1, 7 * 24):
        energy = sum(
            sign * (counter[hour]["sum"] - counter[hour - 1]["sum"])
            for sign, counter in ((1, used), (-1, fed))
        )
        assert energy == pytest.approx(power[hour]["mean"] / 1000, abs=0.01)


async def _identity(client: HomeAssistantClient) -> Mapping[str, Any]:
    """Return this Home Assistant's identity: its user and its entry."""
    user = await client.command("auth/current_user")
    entries = await client.command("config_entries/get", domain="nrj_monitor")
    assert len(entries) == 1
    return {"user": user["id"], "entry": entries[0]["entry_id"]}


async def _imported(client: HomeAssistantClient) -> float:
    """Return the meter's count of imported and exported energy together, kWh."""
    meter = await find_meter(client)
    counters = ("import_energy", "export_energy")
    states = [
        await client.get(f"states/{meter.entity_ids[counter]}") for counter in counters
    ]
    return sum(float(state["state"]) for state in states)


def _secrets(folder: Path) -> Mapping[str, bool]:
    """Return which files of Home Assistant's storage others could read."""
    storage = folder / "home-assistant" / ".storage"
    modes = {
        path.name: bool(path.stat().st_mode & 0o077)
        for path in storage.iterdir()
        if path.name.startswith("auth")
    }
    assert modes
    assert not any(modes.values())
    return modes


def _child(children: list[int], name: str) -> int:
    """Return the demo's child running a program."""
    (child,) = (pid for pid in children if name in command_of(pid))
    return child


def _nothing_started(demo: DemoProcess) -> bool:
    """Return whether nothing was set up in the demo's folder, nor listens."""
    left = {path.name for path in demo.folder.glob("*")} - {".nrj-demo"}
    return not left
