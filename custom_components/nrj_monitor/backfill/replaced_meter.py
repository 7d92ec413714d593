"""What an entry knows of the meter whose place its meter took."""

from collections.abc import Callable
from functools import partial

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..catalog import Channel
from ..const import CONF_REPLACED, CONF_REPLACED_AT
from ..entry_data import NrjConfigEntry
from ..meter import Meter
from ..sources import Feature
from .journal import COUNTERS
from .replacement import Replacement


def replacement_of(entry: NrjConfigEntry) -> Replacement | None:
    """Return the replacement of an entry's meter, None where there was none."""
    if (stored := entry.data.get(CONF_REPLACED)) is not None:
        return Replacement.from_dict(stored)
    if (time := entry.data.get(CONF_REPLACED_AT)) is not None:
        return Replacement(time=time, begin=time)
    return None


@callback
def async_store_replacement(
    hass: HomeAssistant, entry: NrjConfigEntry, replacement: Replacement
) -> None:
    """Keep what became known of a replacement."""
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_REPLACED: replacement.as_dict()}
    )


@callback
def async_watch_first_readings(
    hass: HomeAssistant, entry: NrjConfigEntry, meter: Meter
) -> None:
    """Note the first totals of a meter in another one's place.

    Where a journal has them, it knows better.
    """
    if CONF_REPLACED not in entry.data:
        return
    replacement = replacement_of(entry)
    assert replacement is not None
    has_journal = Feature.JOURNAL in meter.description.features
    unsubscribes: dict[Channel, Callable[[], None]] = {}

    @callback
    def on_reading(channel: Channel, value: float | None, _: float) -> None:
        known = replacement_of(entry)
        if value is None or known is None:
            return
        if known.since is None:
            known = known.read_at(dt_util.utcnow().timestamp())
        if not (has_journal and channel.id in COUNTERS):
            begin = known.begin if has_journal else known.since
            known = known.with_first(begin, {channel.id: value})
        async_store_replacement(hass, entry, known)
        unsubscribes.pop(channel)()

    for channel in meter.description.channels:
        if channel.quantity.limits.rate is not None and (
            channel.id not in replacement.first or replacement.since is None
        ):
            unsubscribe = meter.async_add_reading_listener(
                channel, partial(on_reading, channel)
            )
            unsubscribes[channel] = unsubscribe

    @callback
    def stop() -> None:
        for unsubscribe in unsubscribes.values():
            unsubscribe()

    entry.async_on_unload(stop)
