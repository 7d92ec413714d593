"""Read the journal of a real firmware in Home Assistant's way."""

import asyncio
from collections.abc import Callable
import time

from aioesphomeapi import HomeassistantServiceCall

from custom_components.nrj_monitor.backfill.journal import (
    COUNTERS,
    Flag,
    JournalPage,
    JournalRecord,
)
from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected
from firmware_tests.user_actions import call

CLIENT = "0000beef"


class JournalReader:
    """Read the journal as a client, and acknowledge the pages a test chooses."""

    def __init__(self, meter: MeterClient, client: str = CLIENT) -> None:
        """Read from a connected meter."""
        self.meter = meter
        self.client = client
        self.pages: list[JournalPage] = []
        self.received = 0
        self.acknowledges: Callable[[JournalPage], bool] = lambda page: True
        self._came = asyncio.Event()
        self._acknowledging: set[asyncio.Task[None]] = set()

    async def open(self, journal: str = "", after: int = 0) -> None:
        """Request the records after the record number `after`."""
        self.received = after
        await self._act(
            "journal_open", client=self.client, journal=journal, after=after
        )

    async def _act(self, action: str, **arguments: int | str) -> None:
        _, actions = await self.meter.api.list_entities_services()
        service = next(item for item in actions if item.name == action)
        await self.meter.api.execute_service(service, dict(arguments))

    def on_event(self, event: HomeassistantServiceCall) -> None:
        """Take an event of the meter."""
        if (
            event.service != "esphome.nrj_journal"
            or event.data["client"] != self.client
        ):
            return
        page = JournalPage.from_device(dict(event.data))
        self.pages.append(page)
        self._came.set()
        if self.acknowledges(page):
            self.received = max(self.received, page.last)
            task = asyncio.ensure_future(
                self._act(
                    "journal_acknowledge",
                    client=self.client,
                    sequence=self.received,
                    done=self.received,
                )
            )
            # The event loop alone would not keep it.
            self._acknowledging.add(task)
            task.add_done_callback(self._acknowledging.discard)

    async def wait(self, condition: Callable[[], bool], timeout: float = 15) -> None:
        """Wait until the pages fulfil a condition."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._came.clear()
                await self._came.wait()

    async def read_all(self) -> None:
        """Wait until the newest record has come."""
        await self.wait(
            lambda: bool(self.pages) and self.pages[-1].last == self.pages[-1].newest
        )

    @property
    def records(self) -> list[JournalRecord]:
        """Return the records of all pages, each page once."""
        pages = {page.after: page for page in self.pages}
        return [record for after in sorted(pages) for record in pages[after].records]

    @property
    def totals(self) -> tuple[int, ...]:
        """Return the totals at the end of the last page, mWh."""
        page = max(self.pages, key=lambda page: page.last)
        return tuple(
            total + sum(record.energy[index] for record in page.records)
            for index, total in enumerate(page.counters)
        )


def listen(meter: MeterClient, *readers: JournalReader) -> None:
    """Hand the meter's events to readers."""

    def on_call(event: HomeassistantServiceCall) -> None:
        for reader in readers:
            reader.on_event(event)

    meter.api.subscribe_service_calls(on_call)


async def let_pass(meter: MeterClient, hours: float) -> None:
    """Let simulated time pass."""
    await call(meter, "simulate_time_passing", seconds=hours * 3600)


async def test_minutes_of_hours_arrive_with_every_milliwatthour(
    run_meter: RunMeter,
) -> None:
    """Read from the journal the counters' gain, minute by minute."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        await meter.new_values("import_energy", count=1)
        reader = JournalReader(meter)
        listen(meter, reader)
        await let_pass(meter, 3)
        await reader.open()
        await reader.read_all()
        assert sum(record.span for record in reader.records) >= 3 * 3600 - 60
        minutes = [record.span for record in reader.records[1:]]
        assert min(minutes) >= 55
        assert max(minutes) <= 65
        # One may still have been on its way while the last record was made.
        await meter.new_values("import_energy", count=2)
        shown = meter.value("import_energy")
        counted = reader.totals[COUNTERS.index("import_energy")] / 1e6
        assert 0 <= shown - counted < 0.3
        assert counted > 0
        now = time.time()
        first = reader.pages[0]
        assert first.boot_time is not None
        assert abs(first.boot_time + first.uptime - 3 * 3600 - now) < 10


async def test_records_hold_the_energy_of_the_signal(run_meter: RunMeter) -> None:
    """Voltage and frequency of a record lie around those of the live sensors."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        reader = JournalReader(meter)
        listen(meter, reader)
        await let_pass(meter, 0.25)
        await reader.open()
        await reader.read_all()
        for record in reader.records[1:]:
            assert not record.flags
            for phase in ("l1", "l2", "l3"):
                voltage = record.measured[f"voltage_{phase}"]
                assert voltage.mean is not None
                assert 215 < voltage.minimum <= voltage.mean <= voltage.maximum < 245
            frequency = record.measured["frequency"]
            assert 49.8 < frequency.minimum <= frequency.maximum < 50.2


async def test_records_of_what_is_beyond_the_range_are_marked(
    run_meter: RunMeter,
) -> None:
    """What was measured while a current was cut off is too low, and says so."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        reader = JournalReader(meter)
        listen(meter, reader)
        await let_pass(meter, 0.1)
        await call(
            meter,
            "simulate_disturbance",
            phases=0b001,
            voltage_factor=1.0,
            current_factor=1000.0,
            wrong_sequence=False,
            seconds=130,
        )
        await let_pass(meter, 0.1)
        await reader.open()
        await reader.read_all()
        marked = [Flag.OVER_RANGE in record.flags for record in reader.records]
        assert not any(marked[:5])
        assert any(marked[5:])


async def test_pages_come_again_until_they_are_acknowledged(
    run_meter: RunMeter,
) -> None:
    """A lost acknowledgement costs a page sent twice, and nothing else."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        reader = JournalReader(meter)
        listen(meter, reader)
        refused: list[int] = []

        def every_other(page: JournalPage) -> bool:
            if page.after in refused:
                return True
            refused.append(page.after)
            return False

        reader.acknowledges = every_other
        await let_pass(meter, 2)
        await reader.open()
        await reader.wait(
            lambda: reader.received > 0 and reader.received == reader.pages[-1].newest,
            timeout=30,
        )
        assert len(reader.pages) >= 2 * len(refused)
        assert sum(record.span for record in reader.records) >= 2 * 3600 - 60


async def test_two_clients_each_get_everything(run_meter: RunMeter) -> None:
    """Keep every record for each client, whatever the other acknowledges."""
    firmware = run_meter()
    async with connected(firmware.port) as one, connected(firmware.port) as other:
        first, second = JournalReader(one), JournalReader(other, "0000cafe")
        listen(one, first)
        listen(other, second)
        await let_pass(one, 4)
        await first.open()
        await first.read_all()
        await let_pass(one, 1)
        await second.open()
        await second.read_all()
        await first.read_all()
        assert sum(record.span for record in second.records) >= 5 * 3600 - 60
        assert second.totals >= first.totals


async def test_a_client_that_never_acknowledges_stops_nothing(
    run_meter: RunMeter,
) -> None:
    """The journal grows coarser and keeps its energy; others read on."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        silent, reader = JournalReader(meter, "00000001"), JournalReader(meter)
        silent.acknowledges = lambda page: False
        listen(meter, silent, reader)
        await silent.open()
        for _ in range(3):
            await let_pass(meter, 4)
        await reader.open()
        await reader.read_all()
        assert sum(record.span for record in reader.records) >= 12 * 3600 - 60
        await meter.new_values("import_energy", count=1)
        counted = reader.totals[COUNTERS.index("import_energy")] / 1e6
        assert abs(meter.value("import_energy") - counted) < 0.5


async def test_live_readings_flow_during_a_drain(run_meter: RunMeter) -> None:
    """Power is told several times a second while a day of records is sent."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        reader = JournalReader(meter)
        listen(meter, reader)
        await let_pass(meter, 6)
        # Six hours at once keep the simulated meter busy for some seconds.
        await meter.new_values("active_power", count=3, timeout=60)
        before = meter.counts["active_power"]
        started = time.monotonic()
        await reader.open()
        await reader.read_all()
        await meter.new_values("active_power", count=5)
        seconds = time.monotonic() - started
        assert meter.counts["active_power"] - before >= 3 * seconds


async def test_a_power_cut_loses_time_resolution_only(run_meter: RunMeter) -> None:
    """Merge the records since the last write into a gap, with every milliwatt-hour."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        await let_pass(meter, 1)
        await call(meter, "simulate_flash_write", with_journal=True)
        await let_pass(meter, 0.5)
        await call(meter, "simulate_flash_write", with_journal=False)
        reader = JournalReader(meter)
        listen(meter, reader)
        await reader.open()
        await reader.read_all()
        before = reader.totals
        minutes = [record.energy for record in reader.records][:50]
    firmware.kill()
    firmware.start()
    async with connected(firmware.port) as meter:
        reader = JournalReader(meter)
        listen(meter, reader)
        await let_pass(meter, 0.1)
        await reader.open()
        await reader.read_all()
        assert [record.energy for record in reader.records][:50] == minutes
        gaps = [record for record in reader.records if Flag.GAP in record.flags]
        assert len(gaps) == 1
        after = tuple(
            total + sum(record.energy[index] for record in reader.records)
            for index, total in enumerate(reader.pages[0].counters)
        )
        assert all(now >= then for now, then in zip(after, before, strict=True))
        assert (
            gaps[0].energy[COUNTERS.index("import_energy")]
            + gaps[0].energy[COUNTERS.index("export_energy")]
            > 0
        )


async def test_pages_stay_below_four_kilobytes(run_meter: RunMeter) -> None:
    """A page fits into the device's buffers, whatever there is to send."""
    firmware = run_meter()
    async with connected(firmware.port) as meter:
        sizes: list[int] = []
        reader = JournalReader(meter)

        def on_call(event: HomeassistantServiceCall) -> None:
            if event.service == "esphome.nrj_journal":
                sizes.append(len(event.data["data"]))
            reader.on_event(event)

        meter.api.subscribe_service_calls(on_call)
        await let_pass(meter, 6)
        await reader.open()
        await reader.read_all()
        assert len(sizes) > 5
        assert max(sizes) <= 4000
