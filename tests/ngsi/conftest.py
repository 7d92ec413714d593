"""Servers and forwarders for the tests of forwarding."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
import random
import time
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.ngsi.auth import Auth, StaticAuth
from custom_components.nrj_monitor.ngsi.broker import (
    QuantumLeap,
    Temporal,
    V2Broker,
    make_broker,
)
from custom_components.nrj_monitor.ngsi.environment import Environment
from custom_components.nrj_monitor.ngsi.forwarder import Forwarder
from custom_components.nrj_monitor.ngsi.history_check import HistoryCheck
from custom_components.nrj_monitor.ngsi.http import Server
from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Limits, Spool
from tests.support.ngsi import (
    Hostile,
    Keyrock,
    Loopback,
    NgsiLd,
    NgsiV2,
    QuantumLeapServer,
)

ID = "urn:ngsi-ld:ThreePhaseAcMeasurement:m1"
TYPE = "ThreePhaseAcMeasurement"
BEGIN = 1_790_000_000_000
HEADERS = {
    Api.V2: {"Fiware-Service": "nrj", "Fiware-ServicePath": "/house"},
    Api.LD: {},
}


def sample(n: int, **values: float) -> Sample:
    """Return the n-th sample, ten seconds after its predecessor."""
    return Sample(BEGIN + 10_000 * n, {"active_power": float(n), **values})


def times(*numbers: int) -> list[int]:
    """Return the times (ms) of samples by their numbers."""
    return [BEGIN + 10_000 * n for n in numbers]


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[ClientSession]:
    """Return a client session."""
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
async def orion(socket_enabled: None) -> AsyncGenerator[NgsiV2]:
    """Return a running NGSI-v2 broker."""
    async with NgsiV2() as running:
        yield running


@pytest.fixture
async def ld(socket_enabled: None) -> AsyncGenerator[NgsiLd]:
    """Return a running NGSI-LD broker."""
    async with NgsiLd() as running:
        yield running


@pytest.fixture
async def quantumleap(socket_enabled: None) -> AsyncGenerator[QuantumLeapServer]:
    """Return a running QuantumLeap."""
    async with QuantumLeapServer() as running:
        yield running


@pytest.fixture
async def keyrock(socket_enabled: None) -> AsyncGenerator[Keyrock]:
    """Return a running OAuth2 server."""
    async with Keyrock() as running:
        yield running


@pytest.fixture
async def hostile(socket_enabled: None) -> AsyncGenerator[Hostile]:
    """Return a running server that answers what it is told to."""
    async with Hostile() as running:
        yield running


async def in_thread[*Ts, T](function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """Run a blocking function in a thread, as Home Assistant does."""
    return await asyncio.to_thread(function, *arguments)


class SkippingClock:
    """Clock of monotonic seconds with skips of pauses on demand."""

    def __init__(self) -> None:
        """Prepare a clock without skips."""
        self.skipped = 0.0

    def __call__(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic() + self.skipped


class Forwarding:
    """Factory of forwarders on a spool file, and waits with skipped pauses."""

    def __init__(self, folder: Path, session: ClientSession) -> None:
        """Prepare a factory with its spool in `folder`."""
        self.folder = folder
        self.session = session
        self.clock = SkippingClock()
        self.now = BEGIN + 3_600_000
        self.stack = AsyncExitStack()
        self.running: list[Forwarder] = []
        self.spools: list[Spool] = []

    def make(
        self,
        server: Loopback,
        api: Api = Api.V2,
        *,
        history: Loopback | None = None,
        limits: Limits | None = None,
        auth: Auth | None = None,
        rate: float | None = None,
        temporal: bool = False,
        check: bool = False,
        start: bool = True,
    ) -> Forwarder:
        """Return a forwarder to `server`, started by default."""
        auth = auth or StaticAuth()
        ngsi_entity = NgsiEntity(id=ID)
        mapper = Mapper(ngsi_entity, CHANNELS.values(), api)
        at = Server(self.session, server.url, auth, headers=HEADERS[api])
        target: Any = None
        if history is not None:
            target = QuantumLeap(
                Server(self.session, history.url, auth, headers=HEADERS[api])
            )
        elif temporal:
            target = Temporal(at)
        spool = Spool(
            self.folder / "queue.sqlite",
            limits or Limits(),
            lambda: self.now,
            history=target is not None,
            confirms=check and history is not None,
        )
        environment = Environment(
            executor=in_thread,
            clock=self.clock,
            random=random.Random(1).random,
        )
        broker = make_broker(api, at)
        checking = None
        if check:
            assert isinstance(broker, V2Broker)
            checking = HistoryCheck(
                "Broker of the test",
                broker,
                target,
                spool,
                entity=ngsi_entity,
                environment=environment,
                now=lambda: self.now,
            )
        forwarder = Forwarder(
            "Broker of the test",
            spool,
            mapper,
            broker,
            environment,
            history=target,
            check=checking,
            backlog=target if temporal else None,
            rate=rate,
        )
        self.running.append(forwarder)
        self.spools.append(spool)
        if start:
            forwarder.start()
        return forwarder

    async def until(
        self, holds: Callable[[], bool], within: float = 10.0, hurry: bool = True
    ) -> None:
        """Wait until `holds` returns True, skipping pauses with `hurry`."""
        end = time.monotonic() + within
        while not holds():
            assert time.monotonic() < end, [f.status for f in self.running]
            await asyncio.sleep(0.01)
            if hurry:
                self.clock.skipped += 60.0
                for forwarder in self.running:
                    forwarder._to_check.set()
                    forwarder._wake.set()

    async def stop(self) -> None:
        """Stop all forwarders."""
        for forwarder in self.running:
            await forwarder.stop()


@pytest.fixture
async def forwarding(
    tmp_path: Path, session: ClientSession
) -> AsyncGenerator[Forwarding]:
    """Return a factory of forwarders."""
    made = Forwarding(tmp_path, session)
    yield made
    await made.stop()
