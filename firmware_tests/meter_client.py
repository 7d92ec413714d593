"""Keep a meter's latest states in a native API client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aioesphomeapi import (
    ButtonInfo,
    EntityInfo,
    EntityState,
    NumberInfo,
    NumberState,
    SensorState,
    SwitchInfo,
    SwitchState,
)
from aioesphomeapi.client import APIClient

from tests.support.pace import patience


class MeterClient:
    """Keep the latest state of every entity by object id."""

    def __init__(self, port: int) -> None:
        """Prepare a client of the meter on a loopback port."""
        self.api = APIClient("127.0.0.1", port, None)
        self.entities: dict[str, EntityInfo] = {}
        self.states: dict[str, EntityState] = {}
        self.counts: dict[str, int] = {}
        self.on_state: Callable[[str], None] = lambda name: None
        self._names: dict[int, str] = {}
        self._changed = asyncio.Event()

    async def connect(self) -> None:
        """Connect and subscribe."""
        await self.api.connect(login=True)
        infos, _ = await self.api.list_entities_services()
        self.entities = {info.object_id: info for info in infos}
        self._names = {info.key: info.object_id for info in infos}
        self.api.subscribe_states(self._on_state)

    def _on_state(self, state: EntityState) -> None:
        name = self._names[state.key]
        self.states[name] = state
        self.counts[name] = self.counts.get(name, 0) + 1
        self.on_state(name)
        self._changed.set()

    def value(self, object_id: str) -> float:
        """Return a sensor's latest value; NaN for a missing state."""
        state = self.states.get(object_id)
        if not isinstance(state, SensorState) or state.missing_state:
            return float("nan")
        return state.state

    def value_of_number(self, object_id: str) -> float:
        """Return the latest value of a number of the simulation; NaN before the first."""
        state = self.states.get(object_id)
        return state.state if isinstance(state, NumberState) else float("nan")

    def is_on(self, object_id: str) -> bool:
        """Return the state the device reports for a relay."""
        state = self.states[object_id]
        assert isinstance(state, SwitchState)
        return state.state

    async def wait(self, condition: Callable[[], bool], timeout: float = 10) -> None:
        """Wait until the condition holds; fail after `timeout` s of the reference machine."""
        async with asyncio.timeout(patience(timeout)):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def new_values(
        self, *object_ids: str, count: int = 3, timeout: float = 10
    ) -> None:
        """Wait until each sensor has been published `count` more times."""
        before = {name: self.counts.get(name, 0) for name in object_ids}
        await self.wait(
            lambda: all(
                self.counts.get(name, 0) >= seen + count
                for name, seen in before.items()
            ),
            timeout,
        )

    def set_number(self, object_id: str, value: float) -> None:
        """Set a number of the simulation."""
        info = self.entities[object_id]
        assert isinstance(info, NumberInfo)
        self.api.number_command(info.key, value)

    def press(self, object_id: str) -> None:
        """Press a button of the simulation."""
        info = self.entities[object_id]
        assert isinstance(info, ButtonInfo)
        self.api.button_command(info.key)

    def set_switch(self, object_id: str, *, on: bool) -> None:
        """Switch a relay."""
        info = self.entities[object_id]
        assert isinstance(info, SwitchInfo)
        self.api.switch_command(info.key, on)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[MeterClient]:
    """Yield a connected client."""
    client = MeterClient(port)
    await client.connect()
    try:
        yield client
    finally:
        await client.api.disconnect()
