"""The meter in a program of its own, steered past the faulty link."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from aioesphomeapi import (
    EntityState,
    HomeassistantServiceCall,
    SensorState,
    UserService,
)
from aioesphomeapi.client import APIClient

from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port

SETTLED = 1.0
"""Seconds after its first reading in which a meter's chip has settled."""

STARTED = 120.0
"""Seconds in which a meter has its first reading."""


class MeterProcess:
    """The firmware, playing a recording."""

    def __init__(self, program: Path, folder: Path, recording: Path) -> None:
        """Keep the flash and the log in `folder`."""
        self._folder = folder
        self._firmware = RunningFirmware(
            program,
            folder,
            free_port(),
            {"NRJ_RECORDING": str(recording), "NRJ_START": "0"},
        )
        self._client: APIClient | None = None
        self._services: dict[str, UserService] = {}
        self._keys: dict[str, int] = {}
        # The latest value of each sensor, by key.
        self._latest: dict[int, float] = {}
        self._clock_base = 0
        # A permit for each reading since they were last waited for.
        self._readings = asyncio.Semaphore(0)

    @property
    def port(self) -> int:
        """Return where its native API is."""
        return self._firmware.port

    @property
    def is_running(self) -> bool:
        """Return whether the meter runs with its client connected."""
        return self._client is not None

    def keys(self, ids: Iterable[str]) -> frozenset[int]:
        """Return the keys of sensors."""
        return frozenset(self._keys[id_] for id_ in ids)

    def erase_flash(self) -> None:
        """Erase totals, journal and calibration of a meter without power."""
        assert not self.is_running
        for file in self._folder.glob("*.prefs"):
            file.unlink()

    def latest(self, id_: str) -> float:
        """Return a sensor's latest value, NaN without a value."""
        return self._latest.get(self._keys[id_], float("nan"))

    async def start(self, clock_offset: int, on_page: Callable[[str], None]) -> None:
        """Start the meter with its clock `clock_offset` s ahead of the machine's.

        `on_page` is called with the name of this start of its whenever it has sent a
        page of its journal.
        """
        await asyncio.to_thread(self._firmware.start)
        self._client = APIClient("127.0.0.1", self._firmware.port, None)
        await self._client.connect(login=True)
        infos, services = await self._client.list_entities_services()
        self._services = {one.name: one for one in services}
        self._keys = {one.object_id: one.key for one in infos}
        # A new process begins with the machine's own clock.
        self._clock_base = clock_offset
        await self.set_clock(0)
        await self._wait_metering()

        def on_event(event: HomeassistantServiceCall) -> None:
            if boot := event.data.get("boot"):
                on_page(boot)

        self._client.subscribe_service_calls(on_event)

    async def _wait_metering(self) -> None:
        """Wait until the chip counts, so the start costs no energy."""
        assert self._client is not None
        counting = asyncio.Event()
        self._latest = {}

        def on_state(state: EntityState) -> None:
            if isinstance(state, SensorState) and not state.missing_state:
                self._latest[state.key] = state.state
                if state.key == self._keys["import_energy"]:
                    counting.set()
                    self._readings.release()

        self._client.subscribe_states(on_state)
        async with asyncio.timeout(STARTED):
            await counting.wait()
        await asyncio.sleep(SETTLED)

    async def wait_reading(self, count: int) -> None:
        """Wait for so many readings from now on."""
        self._readings = asyncio.Semaphore(0)
        async with asyncio.timeout(STARTED):
            for _ in range(count):
                await self._readings.acquire()

    async def act(self, name: str, **arguments: float) -> None:
        """Run a user action to its end."""
        assert self._client is not None
        await self._client.execute_service(self._services[name], {**arguments})
        # Answered after what came before.
        await self._client.device_info()

    async def set_number(self, id_: str, value: float) -> None:
        """Set a number, and wait until the meter has the value."""
        assert self._client is not None
        self._client.number_command(self._keys[id_], value)
        await self._client.device_info()

    async def set_clock(self, error: int) -> None:
        """Make its clock wrong by so many seconds."""
        await self.act("simulate_clock_error", seconds=self._clock_base + error)

    async def kill(self) -> None:
        """Cut its power."""
        if self._client is not None:
            await self._client.disconnect(force=True)
            self._client = None
        self._firmware.kill()
