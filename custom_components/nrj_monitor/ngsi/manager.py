"""Brokers of a meter: a sampler, forwarder and spool a broker."""

import asyncio
from collections.abc import Callable, Iterable
import logging
from pathlib import Path
import random
import time
from typing import Final, Self

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry, NrjData
from ..power_quality.event import PowerQualityEvent
from .broker import QuantumLeap, V2Broker
from .environment import Environment
from .forwarder import Forwarder, ForwarderStatus
from .groups import Group, select_channels
from .history_check import HistoryCheck
from .issues import async_delete_issues, async_update_issues
from .mapping import Api, Mapper
from .sample import Sample
from .sampler import Sampler
from .settings import (
    CONF_API,
    CONF_GROUPS,
    CONF_INTERVAL,
    SUBENTRY_BROKER,
    Connection,
    async_connect,
    create_ngsi_entity,
)
from .spool import Limits, Spool
from .supply_events import UniqueTimes, event_sample

_LOGGER = logging.getLogger(__name__)

DRAIN_RATE: Final = 100.0
"""Records a second while a backlog is sent: the rate at which a history server behind a
broker was measured to keep up. The broker alone takes many times that."""


class BrokerManager:
    """Manager of a broker: sampler, forwarder, issues and reauthentication."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: NrjConfigEntry,
        subentry: ConfigSubentry,
        connection: Connection,
    ) -> None:
        """Prepare the broker of `subentry`; `start` begins to forward."""
        data, meter = subentry.data, entry.runtime_data.meter
        channels = select_channels(meter.description.channels, data[CONF_GROUPS])
        entity = create_ngsi_entity(
            data, meter.description, round(entry.created_at.timestamp() * 1000)
        )
        self._hass = hass
        self._entry = entry
        self._meter = meter
        self._channel_ids = frozenset(channel.id for channel in channels)
        self._forwards_events = (
            Group.POWER_QUALITY in data[CONF_GROUPS] and entity.extras
        )
        self._remove_listener: Callable[[], None] | None = None
        self.subentry = subentry
        self.connection = connection
        history = connection.history
        confirms = isinstance(history, QuantumLeap)
        spool = Spool(
            spool_path(hass, subentry.subentry_id),
            Limits(),
            _now,
            history=history is not None,
            confirms=confirms,
        )
        environment = Environment(
            executor=hass.async_add_executor_job,
            clock=hass.loop.time,
            random=random.random,
        )
        check = None
        if isinstance(connection.broker, V2Broker):
            check = HistoryCheck(
                subentry.title,
                connection.broker,
                history if isinstance(history, QuantumLeap) else None,
                spool,
                entity=entity,
                environment=environment,
                now=_now,
            )
        self.forwarder = Forwarder(
            subentry.title,
            spool,
            Mapper(entity, channels, Api(data[CONF_API])),
            connection.broker,
            environment,
            history=history,
            check=check,
            backlog=connection.backlog,
            rate=DRAIN_RATE,
        )
        self._add_sample = UniqueTimes(self.forwarder.add_sample)
        self._sampler = Sampler(meter, channels, data[CONF_INTERVAL], self._add_sample)
        self.forwarder.async_add_listener(self._on_status)

    @classmethod
    async def async_create(
        cls, hass: HomeAssistant, entry: NrjConfigEntry, subentry: ConfigSubentry
    ) -> Self:
        """Return the manager of a subentry; raises OSError for a bad certificate file."""
        return cls(hass, entry, subentry, await async_connect(hass, subentry.data))

    @property
    def status(self) -> ForwarderStatus:
        """Return the status of the forwarder."""
        return self.forwarder.status

    @property
    def v2_broker(self) -> V2Broker | None:
        """Return the client of an NGSI-v2 broker, None for NGSI-LD."""
        broker = self.connection.broker
        return broker if isinstance(broker, V2Broker) else None

    def start(self) -> None:
        """Start to sample the meter and to forward."""
        self._remove_listener = self._meter.async_add_power_quality_listener(
            self._on_event
        )
        self.forwarder.start()
        self._sampler.start()

    async def async_stop(self) -> None:
        """Stop within 2 s; unsent samples stay in the spool."""
        self._sampler.stop()
        if self._remove_listener is not None:
            self._remove_listener()
            self._remove_listener = None
        await self.forwarder.stop()

    async def async_add_history(self, samples: Iterable[Sample]) -> int:
        """Add the journal's samples in the chosen quantities; return how many are new."""
        chosen = self._channel_ids
        return await self.forwarder.add_history(
            Sample(s.time, {k: v for k, v in s.values.items() if k in chosen})
            for s in samples
        )

    @callback
    def _on_event(self, event: PowerQualityEvent) -> None:
        if self._forwards_events:
            self._add_sample(event_sample(event))

    @callback
    def _on_status(self) -> None:
        if self.status.needs_credentials:
            self._entry.async_start_reauth(
                self._hass, data={SUBENTRY_BROKER: self.subentry.subentry_id}
            )
        async_update_issues(self._hass, self._entry, self.subentry, self.status)


def _now() -> int:
    """Return the time in milliseconds since 1970."""
    return round(time.time() * 1000)


def spool_path(hass: HomeAssistant, subentry_id: str) -> Path:
    """Return the path of the spool of a broker."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.broker.{subentry_id}.sqlite"))


async def async_add_samples(data: NrjData, samples: Iterable[Sample]) -> None:
    """Add samples from the journal of a meter to the spools of all its brokers.

    The samples are on disk when this returns. A time that was added before is skipped.
    Raises one of DISK_ERRORS where a disk fails: add the same samples again later.
    """
    samples = tuple(samples)
    for broker in tuple(data.brokers.values()):
        await broker.async_add_history(samples)


async def async_start_brokers(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Start forwarding to the brokers of an entry, until `async_stop_brokers`."""
    data = entry.runtime_data
    for subentry in entry.get_subentries_of_type(SUBENTRY_BROKER):
        try:
            broker = await BrokerManager.async_create(hass, entry, subentry)
        except OSError as error:
            _LOGGER.error(
                "%s is not forwarded to: its file of certificates cannot be read: %s",
                subentry.title,
                error.strerror or type(error).__name__,
            )
            continue
        data.brokers[subentry.subentry_id] = broker
        broker.start()

    async def on_stop(_: Event) -> None:
        await async_stop_brokers(data)

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, on_stop))


async def async_stop_brokers(data: NrjData) -> None:
    """Stop forwarding to all brokers of a meter within 2 s; unsent samples are kept."""
    brokers = tuple(data.brokers.values())
    data.brokers.clear()
    await asyncio.gather(*(broker.async_stop() for broker in brokers))


async def async_remove_broker(hass: HomeAssistant, subentry_id: str) -> None:
    """Delete the issues and the spool of a removed broker."""
    async_delete_issues(hass, subentry_id)
    await hass.async_add_executor_job(
        _delete_spool_files, spool_path(hass, subentry_id)
    )


def _delete_spool_files(path: Path) -> None:
    for file in path.parent.glob(f"{path.stem}*"):
        file.unlink(missing_ok=True)
