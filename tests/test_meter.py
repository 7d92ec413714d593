"""The meter between its source and those who listen."""

import asyncio
from typing import Never, override

import pytest

from custom_components.nrj_monitor import meter as meter_module
from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.sources import (
    MeterDescription,
    Relay,
    Source,
    SourceListener,
)
from custom_components.nrj_monitor.sources.errors import (
    LinkDownError,
    NoAnswerError,
    RelayRefusedError,
    WrongKeyError,
)

L1 = CHANNELS["active_power_l1"]
L2 = CHANNELS["active_power_l2"]
TOTAL = CHANNELS["active_power"]

GATHERED = meter_module.SNAPSHOT_WINDOW + 0.05
"""Seconds after which a burst has become a snapshot."""

DESCRIPTION = MeterDescription(
    mac="02:4e:52:4a:00:01",
    name="NRJ Meter",
    manufacturer="NRJ Monitor",
    model="Meter",
    hardware="host",
    software="0.1.0",
    channels=(L1, L2, TOTAL),
    relays=(Relay("relay_1", "Relay 1"),),
)


class SilentSource(Source):
    """A source without readings, recording the received commands."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.commands: list[tuple[str, bool]] = []

    @override
    async def run(self, listener: SourceListener) -> Never:
        await asyncio.Future()
        raise AssertionError("unreachable")

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        self.commands.append((relay_id, is_on))


@pytest.fixture
async def source() -> SilentSource:
    """Return a source whose part the test plays."""
    return SilentSource()


@pytest.fixture
async def meter(source: SilentSource) -> Meter:
    """Return a meter with its link up."""
    meter = Meter(source, DESCRIPTION)
    meter.on_connected(DESCRIPTION)
    return meter


async def test_a_burst_in_pieces_is_a_single_snapshot(meter: Meter) -> None:
    """Read a sum together with the phases of the same burst."""
    seen: list[tuple[float | None, ...]] = []
    meter.async_add_reading_listener(
        TOTAL, lambda *_: seen.append(tuple(meter.snapshot[c] for c in (L1, L2, TOTAL)))
    )
    for total, l1, l2 in ((300.0, 100.0, 200.0), (70.0, -50.0, 120.0)):
        meter.on_reading(TOTAL, total)
        await asyncio.sleep(0.01)
        meter.on_reading(L1, l1)
        await asyncio.sleep(0.01)
        meter.on_reading(L2, l2)
        await asyncio.sleep(GATHERED)
    assert seen == [(100.0, 200.0, 300.0), (-50.0, 120.0, 70.0)]


async def test_two_bursts_close_together_stay_two_snapshots(meter: Meter) -> None:
    """Keep a delayed burst apart from the next burst."""
    seen: list[tuple[float | None, ...]] = []
    meter.async_add_reading_listener(
        TOTAL, lambda *_: seen.append(tuple(meter.snapshot[c] for c in (L1, L2, TOTAL)))
    )
    for l1, l2, total in ((100.0, 200.0, 300.0), (-50.0, 120.0, 70.0)):
        meter.on_reading(L1, l1)
        meter.on_reading(L2, l2)
        meter.on_reading(TOTAL, total)
    await asyncio.sleep(GATHERED)
    assert seen == [(100.0, 200.0, 300.0), (-50.0, 120.0, 70.0)]


async def test_a_lost_link_leaves_nothing_that_could_be_taken_for_current(
    meter: Meter,
) -> None:
    """Readings and relay states go with the link, a half-gathered burst too."""
    meter.on_reading(L1, 100.0)
    await asyncio.sleep(GATHERED)
    meter.on_relay_state("relay_1", True)
    meter.on_reading(L2, 200.0)
    meter.on_disconnected()
    await asyncio.sleep(GATHERED)
    assert not meter.connected
    assert meter.snapshot == {}
    assert meter.relays == {}


async def test_listeners_hear_only_their_channel_and_only_while_they_listen(
    meter: Meter,
) -> None:
    """Call a listener for its own channel only, and never after its removal."""
    heard: list[str] = []
    stop = meter.async_add_reading_listener(L1, lambda *_: heard.append("L1"))
    meter.on_reading(L2, 1.0)
    await asyncio.sleep(GATHERED)
    meter.on_reading(L1, 1.0)
    await asyncio.sleep(GATHERED)
    stop()
    meter.on_reading(L1, 2.0)
    await asyncio.sleep(GATHERED)
    assert heard == ["L1"]


async def test_a_failing_listener_does_not_stop_the_others(
    meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    """Call the other listeners after a listener failed."""
    heard: list[str] = []

    def fails(*_: object) -> None:
        raise ValueError("broken")

    meter.async_add_reading_listener(L1, fails)
    meter.async_add_reading_listener(L1, lambda *_: heard.append("L1"))
    meter.on_reading(L1, 1.0)
    await asyncio.sleep(GATHERED)
    assert heard == ["L1"]
    assert "broken" in caplog.text


async def test_switching_waits_for_the_device(
    meter: Meter, source: SilentSource
) -> None:
    """A relay has switched when the device says so, not before."""
    switching = asyncio.create_task(meter.switch_relay("relay_1", True))
    await asyncio.sleep(0)
    assert source.commands == [("relay_1", True)]
    meter.on_relay_state("relay_1", False)
    await asyncio.sleep(0)
    assert not switching.done()
    meter.on_relay_state("relay_1", True)
    await asyncio.wait_for(switching, 0.1)


async def test_a_command_to_an_unchanged_relay_does_not_wait(
    meter: Meter, source: SilentSource
) -> None:
    """Send the command without waiting for a report: the device reports no unchanged state."""
    meter.on_relay_state("relay_1", True)
    await asyncio.wait_for(meter.switch_relay("relay_1", True), 0.1)
    assert source.commands == [("relay_1", True)]


async def test_a_relay_that_does_not_switch_is_an_error(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence of the device is not taken for success."""
    monkeypatch.setattr(meter_module, "RELAY_TIMEOUT", 0.05)
    meter.on_relay_state("relay_1", False)
    with pytest.raises(RelayRefusedError):
        await meter.switch_relay("relay_1", True)
    assert meter.relays == {"relay_1": False}


async def test_a_link_lost_while_switching_is_an_error_at_once(meter: Meter) -> None:
    """Stop waiting for a device once the link is lost."""
    switching = asyncio.create_task(meter.switch_relay("relay_1", True))
    await asyncio.sleep(0)
    meter.on_disconnected()
    with pytest.raises(LinkDownError):
        await asyncio.wait_for(switching, 0.1)


async def test_unavailability_is_logged_once(
    source: SilentSource, caplog: pytest.LogCaptureFixture
) -> None:
    """Log a single line for each cause of unavailability, and a line at its end."""
    caplog.set_level("INFO")
    meter = Meter(source, DESCRIPTION)
    meter.on_connected(DESCRIPTION)
    meter.on_disconnected()
    for _ in range(3):
        meter.on_connect_error(NoAnswerError("Nothing answers at the address"))
    for _ in range(3):
        meter.on_connect_error(WrongKeyError("The device has another key"))
    meter.on_connected(DESCRIPTION)
    assert [record.getMessage() for record in caplog.records] == [
        "NRJ Meter is unavailable: Nothing answers at the address",
        "NRJ Meter is unavailable: The device has another key",
        "NRJ Meter is back",
    ]


def test_a_stored_description_is_read_back() -> None:
    """Read the stored description back, without unknown channels."""
    stored = DESCRIPTION.as_dict()
    assert MeterDescription.from_dict(stored) == DESCRIPTION
    stored["channels"].append("loudness_l1")
    assert MeterDescription.from_dict(stored) == DESCRIPTION
