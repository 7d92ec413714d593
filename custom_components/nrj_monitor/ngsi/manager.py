"""Ties forwarders to a meter: one for each broker its entry has."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
import logging
from pathlib import Path
import random
import sqlite3
import time
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry, NrjData
from ..meter import Meter
from ..power_quality.event import PowerQualityEvent
from .broker import V2Broker
from .forwarder import Environment, Forwarder, ForwarderStatus, needs_credentials
from .groups import Group, chosen
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
    twin_of,
)
from .spool import Limits, Spool
from .supply_events import OwnTimes, sample_of

_LOGGER = logging.getLogger(__name__)

DRAIN_RATE: Final = 100.0
"""Records a second while a backlog is sent: what a history behind a broker was seen to
keep up with. The broker alone takes many times that."""

LEARN_MORE: Final = (
    "https://github.com/nrj-monitor/nrj-monitor/blob/main/docs/fiware.md"
)

NEED_A_PERSON: Final = ("forbidden", "not_a_broker", "refused", "untrusted")
"""States in which waiting does not help; a wrong token has a dialogue of its own."""

SET_ASIDE: Final = "samples_set_aside"


def issue_id(key: str, subentry_id: str) -> str:
    """Return the id of an issue of a broker."""
    return f"{key}_{subentry_id}"


@dataclass(slots=True)
class BrokerLink:
    """One broker of a meter: what it is called, what forwards to it, what is sampled."""

    entry: NrjConfigEntry
    subentry: ConfigSubentry
    connection: Connection
    forwarder: Forwarder
    sampler: Sampler
    wanted: frozenset[str]
    forget_events: Callable[[], None]

    async def history(self, samples: Iterable[Sample]) -> int:
        """Take what the meter's journal brings; return how many were new."""
        return await self.forwarder.history(
            Sample(s.time, {k: v for k, v in s.values.items() if k in self.wanted})
            for s in samples
        )

    async def async_stop(self) -> None:
        """Stop within 2 s."""
        self.sampler.stop()
        self.forget_events()
        await self.forwarder.stop()

    @property
    def told(self) -> ForwarderStatus:
        """Return how the forwarder does."""
        return self.forwarder.told

    @property
    def v2(self) -> V2Broker | None:
        """Return the broker where it speaks NGSI-v2."""
        broker = self.connection.broker
        return broker if isinstance(broker, V2Broker) else None


def spool_path(hass: HomeAssistant, subentry_id: str) -> Path:
    """Return where the queue of a broker is."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.broker.{subentry_id}.sqlite"))


async def async_add_samples(data: NrjData, samples: Iterable[Sample]) -> None:
    """Add samples from the journal of a meter to the queues of all its brokers.

    Each keeps it on disk before this returns, and takes a time only once: it does no
    harm to hand over the same again. Raises OSError or sqlite3.Error where a disk takes
    nothing; hand it over again later then.
    """
    samples = tuple(samples)
    for link in tuple(data.brokers.values()):
        await link.history(samples)


async def async_start_brokers(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Start forwarding to the brokers of an entry, until `async_stop_brokers`."""
    data = entry.runtime_data
    for subentry in entry.get_subentries_of_type(SUBENTRY_BROKER):
        try:
            link = await _async_link(hass, entry, data.meter, subentry)
        except OSError as error:
            _LOGGER.error(
                "%s is not forwarded to: its file of certificates cannot be read: %s",
                subentry.title,
                error.strerror or type(error).__name__,
            )
            continue
        data.brokers[subentry.subentry_id] = link
        _watch(hass, link)
        link.forwarder.start()
        link.sampler.start()

    async def on_stop(_: Event) -> None:
        await async_stop_brokers(data)

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, on_stop))


async def async_stop_brokers(data: NrjData) -> None:
    """Stop forwarding to all brokers of a meter within 2 s; nothing is lost."""
    links = tuple(data.brokers.values())
    data.brokers.clear()
    await asyncio.gather(*(link.async_stop() for link in links))


async def async_remove_broker(hass: HomeAssistant, subentry_id: str) -> None:
    """Leave nothing of a broker that is removed."""
    for key in (SET_ASIDE, *NEED_A_PERSON):
        ir.async_delete_issue(hass, DOMAIN, issue_id(key, subentry_id))
    await hass.async_add_executor_job(_remove, spool_path(hass, subentry_id))


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.stem}*"):
        file.unlink(missing_ok=True)


async def _async_link(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    meter: Meter,
    subentry: ConfigSubentry,
) -> BrokerLink:
    data = subentry.data
    connection = await async_connect(hass, data)
    description = meter.description
    channels = chosen(description.channels, data[CONF_GROUPS])
    twin = twin_of(data, description.name, round(entry.created_at.timestamp() * 1000))
    forwarder = Forwarder(
        subentry.title,
        Spool(
            spool_path(hass, subentry.subentry_id),
            Limits(),
            lambda: round(time.time() * 1000),
            history=connection.history is not None,
        ),
        Mapper(twin, channels, Api(data[CONF_API])),
        connection.broker,
        Environment(
            executor=hass.async_add_executor_job,
            clock=hass.loop.time,
            random=random.random,
        ),
        history=connection.history,
        backlog=connection.backlog,
        rate=DRAIN_RATE,
    )
    offer = OwnTimes(forwarder.offer)

    def on_event(event: PowerQualityEvent) -> None:
        if Group.POWER_QUALITY in data[CONF_GROUPS] and twin.extras:
            offer(sample_of(event))

    return BrokerLink(
        entry=entry,
        subentry=subentry,
        connection=connection,
        forwarder=forwarder,
        sampler=Sampler(meter, channels, data[CONF_INTERVAL], offer),
        wanted=frozenset(channel.id for channel in channels),
        forget_events=meter.async_add_power_quality_listener(on_event),
    )


@callback
def _watch(hass: HomeAssistant, link: BrokerLink) -> None:
    """Keep the issues of a broker true, and ask for a new token when one is needed."""

    @callback
    def on_told() -> None:
        told, subentry = link.told, link.subentry
        if needs_credentials(told):
            link.entry.async_start_reauth(
                hass, data={SUBENTRY_BROKER: subentry.subentry_id}
            )
        for key in NEED_A_PERSON:
            _issue(hass, link, key, told.error == key, {})
        last = told.refused[-1].reason if told.refused else ""
        count = told.status.set_aside
        _issue(
            hass,
            link,
            SET_ASIDE,
            count > 0,
            {"count": str(count), "reason": last},
            fixable=True,
        )

    link.forwarder.listen(on_told)


@callback
def _issue(
    hass: HomeAssistant,
    link: BrokerLink,
    key: str,
    there: bool,
    placeholders: dict[str, str],
    *,
    fixable: bool = False,
) -> None:
    id_ = issue_id(key, link.subentry.subentry_id)
    if not there:
        ir.async_delete_issue(hass, DOMAIN, id_)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        id_,
        data={
            "entry_id": link.entry.entry_id,
            SUBENTRY_BROKER: link.subentry.subentry_id,
        },
        is_fixable=fixable,
        is_persistent=False,
        learn_more_url=LEARN_MORE,
        severity=ir.IssueSeverity.WARNING,
        translation_key=key if key == SET_ASIDE else f"broker_{key}",
        translation_placeholders={"name": link.subentry.title, **placeholders},
    )


DISK_ERRORS: Final = (OSError, sqlite3.Error)
"""What `async_add_samples` raises where a disk takes nothing."""
