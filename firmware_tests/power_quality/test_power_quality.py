"""Report the supply's events from the real firmware to its clients."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from math import cos, hypot, pi, sin, sqrt
from pathlib import Path
from struct import iter_unpack
from time import time

from aioesphomeapi import HomeassistantServiceCall, TextSensorState
import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected

STEADY = """\
time,frequency,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3
0,50,230,230,230,2300,1150,-2300
864000,50,230,230,230,2300,1150,-2300
"""

CHANNELS = 7

SAVED_AFTER = 6.0
"""Seconds after an event in which it is written to flash."""

CLOCK_STEP = 2.5
"""Seconds: the device's clock has full ones, at the write and at the telling."""

POINTS_PER_CYCLE = 128


@pytest.fixture
def steady(tmp_path: Path) -> str:
    """Return a recording in which nothing happens by itself."""
    path = tmp_path / "steady.csv"
    path.write_text(STEADY)
    return str(path)


class EventClient:
    """Collects the events a meter fires, and calls its user actions."""

    def __init__(self, meter: MeterClient) -> None:
        """Listen on a connected meter."""
        self.meter = meter
        self.events: list[dict[str, str]] = []
        self.pages: list[dict[str, str]] = []
        self._changed = asyncio.Event()
        meter.api.subscribe_service_calls(self._on_call)

    def _on_call(self, call: HomeassistantServiceCall) -> None:
        kept = {
            "esphome.nrj_power_quality": self.events,
            "esphome.nrj_oscillogram": self.pages,
        }
        if call.is_event and call.service in kept:
            kept[call.service].append(dict(call.data))
            self._changed.set()

    def _has_pages(self, count: int) -> bool:
        return len(self.pages) == count

    async def call(self, action: str, **arguments: float | bool) -> None:
        """Run a user action of the meter."""
        _, actions = await self.meter.api.list_entities_services()
        service = next(item for item in actions if item.name == action)
        await self.meter.api.execute_service(service, dict(arguments))

    async def disturb(
        self,
        phases: int,
        seconds: float,
        *,
        voltage: float = 1.0,
        current: float = 1.0,
        wrong_sequence: bool = False,
    ) -> None:
        """Let something happen to the line from now on."""
        await self.call(
            "simulate_disturbance",
            phases=phases,
            voltage_factor=voltage,
            current_factor=current,
            wrong_sequence=wrong_sequence,
            seconds=seconds,
        )

    async def wait(self, condition: Callable[[], bool], timeout: float = 10) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def oscillogram(
        self, number: int
    ) -> tuple[list[tuple[int, ...]], dict[str, str]]:
        """Fetch all pages of an event's oscillogram: the samples, and the first page's fields."""
        self.pages.clear()
        samples: list[tuple[int, ...]] = []
        for page in range(8):
            received = partial(self._has_pages, page + 1)
            await self.call("power_quality_oscillogram", event=number, page=page)
            await self.wait(received)
            assert self.pages[page]["pages"] == "8"
            assert self.pages[page]["number"] == str(number)
            data = b64decode(self.pages[page]["data"])
            samples.extend(iter_unpack(f"<{CHANNELS}h", data))
        return samples, self.pages[0]


async def measuring(meter: MeterClient) -> EventClient:
    """Return a client of a settled meter."""
    client = EventClient(meter)
    await meter.new_values("voltage_l1", "frequency")
    return client


async def test_a_dip_is_reported_with_phase_depth_and_duration(
    run_meter: RunMeter, steady: str
) -> None:
    """A dip of L2 to 60 % for 300 ms arrives as such, once."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        await client.disturb(0b010, 0.3, voltage=0.6)
        await client.wait(lambda: len(client.events) == 1)
        event = client.events[0]
        assert event["kind"] == "dip"
        assert event["phase"] == "L2"
        assert float(event["extreme"]) == pytest.approx(138, abs=1)
        assert float(event["duration_ms"]) == pytest.approx(300, abs=60)
        assert event["ongoing"] == "0"
        await meter.new_values("voltage_l1")
        assert len(client.events) == 1
        text = meter.states["last_power_quality_event"]
        assert isinstance(text, TextSensorState)
        assert text.state.startswith("dip L2 138")


async def test_every_short_dip_is_reported(run_meter: RunMeter, steady: str) -> None:
    """Report twelve dips of 1.5 cycles in a row as twelve events."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        for i in range(12):
            await client.disturb(1 << (i % 3), 0.03, voltage=0.3)
            await asyncio.sleep(0.25)
        await client.wait(lambda: len(client.events) >= 12)
        assert [event["phase"] for event in client.events] == ["L1", "L2", "L3"] * 4
        assert {event["kind"] for event in client.events} == {"dip"}


async def test_a_lost_phase_is_reported_at_once(
    run_meter: RunMeter, steady: str
) -> None:
    """Report a lost phase before the phase returns."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        await client.disturb(0b100, 2.5, voltage=0.0)
        await client.wait(lambda: len(client.events) == 2)
        going_on, over = client.events
        assert (going_on["kind"], going_on["phase"]) == ("phase_loss", "L3")
        assert (going_on["ongoing"], over["ongoing"]) == ("1", "0")
        assert going_on["number"] == over["number"]
        assert float(over["duration_ms"]) == pytest.approx(2500, abs=80)


async def test_an_interruption_a_swell_and_a_wrong_sequence(
    run_meter: RunMeter, steady: str
) -> None:
    """Report interruption, swell and wrong sequence each by its own kind."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        await client.disturb(0b111, 0.4, voltage=0.0)
        await client.wait(lambda: len(client.events) == 3)
        assert {event["kind"] for event in client.events} == {"interruption"}
        assert {event["phase"] for event in client.events} == {"L1", "L2", "L3"}
        await client.disturb(0b001, 0.2, voltage=1.2)
        await client.wait(lambda: len(client.events) == 4)
        assert client.events[3]["kind"] == "swell"
        assert float(client.events[3]["extreme"]) == pytest.approx(276, abs=1)
        await client.disturb(0, 0.8, wrong_sequence=True)
        await client.wait(lambda: len(client.events) == 5)
        assert client.events[4]["kind"] == "wrong_sequence"
        assert client.events[4]["phase"] == ""


async def test_a_late_client_asks_for_missed_events(
    run_meter: RunMeter, steady: str
) -> None:
    """Keep events for clients connected later."""
    port = run_meter(NRJ_RECORDING=steady).port
    async with connected(port) as meter:
        client = await measuring(meter)
        for _ in range(3):
            await client.disturb(0b001, 0.05, voltage=0.5)
            await asyncio.sleep(0.3)
        await client.wait(lambda: len(client.events) == 3)
    async with connected(port) as meter:
        late = EventClient(meter)
        await asyncio.sleep(0.2)
        await late.call("power_quality_events", after=1)
        await late.wait(lambda: len(late.events) == 2)
        assert [event["number"] for event in late.events] == ["2", "3"]
        assert late.events[0]["boot"] == client.events[0]["boot"]


async def test_an_event_that_goes_on_at_a_restart_ends(
    run_meter: RunMeter, steady: str
) -> None:
    """Report the end of an announced event after a power cut, with its number and start."""
    firmware = run_meter(NRJ_RECORDING=steady)
    async with connected(firmware.port) as meter:
        client = await measuring(meter)
        await client.disturb(0b010, 60, voltage=0.5)
        await client.wait(lambda: len(client.events) == 1)
        told = client.events[0]
        assert told["ongoing"] == "1"
        await asyncio.sleep(SAVED_AFTER)
    firmware.kill()
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        later = await measuring(meter)
        await later.call("power_quality_events", after=0)
        await later.wait(lambda: len(later.events) == 1)
        end = later.events[0]
        assert (end["boot"], end["number"]) == (told["boot"], told["number"])
        assert end["ongoing"] == "0"
        assert end["estimated"] == "1"
        assert end["restored"] == "1"
        assert float(end["duration_ms"]) >= 1000


async def test_events_outlive_a_power_cut(run_meter: RunMeter, steady: str) -> None:
    """Keep an event in the flash some seconds later, and report the same event after a power cut."""
    firmware = run_meter(NRJ_RECORDING=steady)
    async with connected(firmware.port) as meter:
        client = await measuring(meter)
        await client.disturb(0b001, 0.2, voltage=0.5)
        await client.wait(lambda: len(client.events) == 1)
        told = client.events[0]
        started = time() - int(told["started_ms_ago"]) / 1000
        await asyncio.sleep(SAVED_AFTER)
    firmware.kill()
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        later = await measuring(meter)
        await later.call("power_quality_events", after=0)
        await later.wait(lambda: len(later.events) == 1)
        again = later.events[0]
        assert again["restored"] == "1"
        assert time() - int(again["started_ms_ago"]) / 1000 == pytest.approx(
            started, abs=CLOCK_STEP
        )
        same = ("boot", "number", "kind", "phase", "duration_ms", "extreme")
        assert {key: again[key] for key in same} == {key: told[key] for key in same}


async def test_the_oscillogram_of_a_dip_is_its_waveform(
    run_meter: RunMeter, steady: str
) -> None:
    """Record four cycles of 128 points from the dip's start, the current by Ohm's law."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        await client.disturb(0b001, 0.5, voltage=0.5)
        await client.wait(lambda: len(client.events) == 1)
        number = int(client.events[0]["number"])
        samples, page = await client.oscillogram(number)
    assert len(samples) == 4 * POINTS_PER_CYCLE
    volts, amperes = float(page["volts_per_code"]), float(page["amperes_per_code"])

    def rms(channel: int, cycle: int, scale: float) -> float:
        points = samples[cycle * POINTS_PER_CYCLE :][:POINTS_PER_CYCLE]
        return sqrt(sum(p[channel] ** 2 for p in points) / POINTS_PER_CYCLE) * scale

    # The three voltages of a healthy line add up to nothing, so L2 and L3 tell what L1 would be.
    healthy = [-(sample[3] + sample[5]) for sample in samples]
    tolerance = 0.01 * 230 * sqrt(2) / volts
    start = next(
        n
        for n, (sample, whole) in enumerate(zip(samples, healthy, strict=True))
        if abs(sample[1] - whole) > tolerance
    )
    assert [sample[1] for sample in samples] == [
        pytest.approx(whole * (1 if n < start else 0.5), abs=tolerance)
        for n, whole in enumerate(healthy)
    ]
    for cycle in range(4):
        assert rms(3, cycle, volts) == pytest.approx(230, rel=0.002)
        assert rms(5, cycle, volts) == pytest.approx(230, rel=0.002)
        assert rms(2, cycle, amperes) == pytest.approx(5, rel=0.005)
        assert rms(4, cycle, amperes) == pytest.approx(10, rel=0.005)
    # L2 and L3 are healthy: a third of a turn apart.
    angles = []
    for channel in (3, 5):
        first = samples[:POINTS_PER_CYCLE]
        re = sum(p[channel] * cos(2 * pi * n / 128) for n, p in enumerate(first))
        im = sum(p[channel] * sin(2 * pi * n / 128) for n, p in enumerate(first))
        assert hypot(re, im) > 0
        angles.append((re / hypot(re, im), im / hypot(re, im)))
    apart = angles[0][0] * angles[1][0] + angles[0][1] * angles[1][1]
    assert apart == pytest.approx(cos(2 * pi / 3), abs=0.01)


async def test_an_event_without_an_oscillogram_is_answered_empty(
    run_meter: RunMeter, steady: str
) -> None:
    """Answer a request for a missing oscillogram with no pages, and go on measuring."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        for event, page in ((1, 0), (-5, 0), (0, 99), (2**31 - 1, -1)):
            client.pages.clear()
            await client.call("power_quality_oscillogram", event=event, page=page)
            await client.wait(lambda: len(client.pages) == 1)
            assert client.pages[0]["pages"] == "0"
            assert "data" not in client.pages[0]
        await meter.new_values("frequency")


async def test_a_reset_chip_is_watched_again_and_is_no_event(
    run_meter: RunMeter, steady: str
) -> None:
    """A brown-out of the chip is no interruption of the supply."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        client = await measuring(meter)
        meter.press("simulate_chip_brownout")
        await meter.wait(lambda: meter.value("chip_resets") == 1)
        await meter.new_values("voltage_l1", "frequency")
        assert client.events == []
        await client.disturb(0b001, 0.1, voltage=0.5)
        await client.wait(lambda: len(client.events) == 1)
        assert client.events[0]["kind"] == "dip"
