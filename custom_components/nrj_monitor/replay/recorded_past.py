"""A meter's past in Home Assistant's recorder, as a recording to be played.

Everything here reads the database, and runs in the recorder's executor.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain, pairwise
from math import isfinite, nan
from operator import itemgetter
from statistics import median
from typing import Final, Literal

from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.const import UnitOfElectricPotential, UnitOfFrequency, UnitOfPower
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util

from ..control.supply import Supply
from .moments import Row
from .recording import USUAL_STEPS, Recording

HOUR: Final = 3600

LEAST_HOLD: Final = 150.0
"""Seconds for which a state holds until some sensor of the meter has another.

A sensor that moves has another each minute.
"""

STATES_DAYS: Final = 7
"""Days of which single states are read at most."""

UNITS: Final = {
    "frequency": UnitOfFrequency.HERTZ,
    "voltage": UnitOfElectricPotential.VOLT,
    "power": UnitOfPower.WATT,
}

NOMINAL: Final = 230.0

INSTANT: Final = 0.001
"""Seconds before an hour from which its changes are asked for: the recorder tells later ones."""

type Convert = Callable[[float], float]
type Change = tuple[float, str, float | None]
"""Time, s since 1970, entity and value; None is unavailable."""


class PastSource(StrEnum):
    """What a past is read from."""

    STATES = "states"
    FIVE_MINUTES = "five_minutes"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class PastSensors:
    """Entities of a meter: its frequency, voltages, and powers by part of the supply.

    `converters` make the catalog's unit of a state, where a person chose another.
    """

    frequency: str | None
    voltages: tuple[str, ...]
    powers: Mapping[Supply, str]
    converters: Mapping[str, Convert]

    @property
    def ids(self) -> tuple[str, ...]:
        """Return all entities."""
        frequency = () if self.frequency is None else (self.frequency,)
        return (*frequency, *self.voltages, *self.powers.values())

    def row(self, time_ms: int, values: Mapping[str, float | None]) -> Row:
        """Return the row of values by entity; what is missing is not measured.

        Where no voltage is kept at all, the nominal one is assumed.
        """
        voltages = self.voltages if values.keys() & set(self.voltages) else ()

        def value(id_: str | None) -> float:
            found = None if id_ is None else values.get(id_)
            return nan if found is None else found

        return Row(
            time_ms,
            value(self.frequency),
            tuple(map(value, voltages)) or (NOMINAL,),
            tuple(map(value, self.powers.values())),
        )


@dataclass(frozen=True, slots=True)
class Past:
    """A recording of the past, what it was read from, and its first time, s since 1970."""

    recording: Recording
    source: PastSource
    begin: float


def read_past(
    hass: HomeAssistant, sensors: PastSensors, begin: float, end: float
) -> Past | None:
    """Return the past from `begin` until `end`, s since 1970, as fine as it is kept.

    States are kept for days, five minutes as long, and hours for ever: the finest that
    reaches back to `begin` is read, or the one that reaches back the furthest.
    """
    best: Past | None = None
    for source in PastSource:
        if source is PastSource.STATES and end - begin > STATES_DAYS * 24 * HOUR:
            continue
        past = _past(hass, sensors, source, begin, end)
        if past is not None and (best is None or past.begin < best.begin - HOUR):
            best = past
    return best


def state_at(hass: HomeAssistant, entity_id: str, time: float) -> State | None:
    """Return the state of an entity at a time, s since 1970, as it was recorded."""
    at = dt_util.utc_from_timestamp(time)
    found = state_changes_during_period(hass, at, at, entity_id).get(entity_id)
    return found[0] if found else None


def _past(
    hass: HomeAssistant,
    sensors: PastSensors,
    source: PastSource,
    begin: float,
    end: float,
) -> Past | None:
    if source is PastSource.STATES:
        step, timed = 1.0, _states(hass, sensors, begin, end)
    elif source is PastSource.FIVE_MINUTES:
        step, timed = 300.0, _means(hass, sensors, "5minute", begin, end)
    else:
        step, timed = float(HOUR), _means(hass, sensors, "hour", begin, end)
    first = next(timed, None)
    if first is None:
        return None
    start = first[0]
    rows = (
        sensors.row(round((time - start) * 1000), values)
        for time, values in chain((first,), timed)
    )
    recording = Recording(tuple(sensors.powers), round(step * 1000), rows, start)
    return Past(recording, source, start)


type Timed = Iterator[tuple[float, Mapping[str, float | None]]]
"""Times, s since 1970, with the values by entity."""


def _states(
    hass: HomeAssistant, sensors: PastSensors, begin: float, end: float
) -> Timed:
    """Yield the values of each second, held from the states; none while all are away."""
    values: dict[str, float | None] = {}
    changed = -float("inf")
    hold = LEAST_HOLD
    for start in range(int(begin), int(end), HOUR):
        hour = range(start, min(start + HOUR, int(end)))
        changes = _changes(hass, sensors, hour, is_first=start == int(begin))
        times = sorted({time for time, _, _ in changes})
        if len(times) > 2:
            usual = median(later - time for time, later in pairwise(times))
            hold = max(LEAST_HOLD, USUAL_STEPS * usual)
        at = 0
        for second in hour:
            while at < len(changes) and changes[at][0] <= second:
                changed, id_, value = changes[at]
                values[id_] = value
                at += 1
            if second - changed <= hold and any(
                value is not None for value in values.values()
            ):
                yield second, values


def _changes(
    hass: HomeAssistant, sensors: PastSensors, hour: range, *, is_first: bool
) -> list[Change]:
    """Return the changes of all sensors in the seconds of an hour, in the order of time.

    The first hour begins with the states from before.
    """
    changes: list[Change] = []
    for id_ in sensors.ids:
        states = state_changes_during_period(
            hass,
            _utc(hour.start - INSTANT),
            _utc(hour.stop),
            id_,
            no_attributes=True,
            include_start_time_state=is_first,
        )
        convert = sensors.converters.get(id_, _same)
        changes += (
            (
                max(float(hour.start), state.last_updated_timestamp),
                id_,
                _value(state, convert),
            )
            for state in states.get(id_, ())
        )
    return sorted(changes, key=itemgetter(0))


def _value(state: State, convert: Convert) -> float | None:
    try:
        value = float(state.state)
    except ValueError:
        return None
    return convert(value) if isfinite(value) else None


def _same(value: float) -> float:
    return value


def _means(
    hass: HomeAssistant,
    sensors: PastSensors,
    period: Literal["5minute", "hour"],
    begin: float,
    end: float,
) -> Timed:
    """Yield the means of each period."""
    found = statistics_during_period(
        hass, _utc(begin), _utc(end), set(sensors.ids), period, dict(UNITS), {"mean"}
    )
    means: dict[float, dict[str, float | None]] = {}
    for id_, rows in found.items():
        for row in rows:
            means.setdefault(row["start"], {})[id_] = row.get("mean")
    yield from sorted(means.items())


def _utc(time: float) -> datetime:
    return dt_util.utc_from_timestamp(time)
