"""Samples of a meter, and their merge into a mean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from math import atan2, cos, degrees, isfinite, radians, sin
from typing import Final, Self

from homeassistant.components.sensor import SensorStateClass

from ..catalog import CHANNELS

LIMIT: Final = 1e15
"""Magnitude beyond which a number is no measurement, in any unit."""

LAST_TIME: Final = 253_402_300_799_999
"""Last millisecond of the year 9999, beyond which there is no date."""

EVENT: Final = "supply_event_"
"""Prefix of the keys of a power-quality event."""

EVENT_KIND: Final = f"{EVENT}kind"


@dataclass(frozen=True, slots=True)
class Sample:
    """Readings by channel id at `time`, milliseconds since 1970 in UTC.

    `count` is the number of measurements in the sample, more than one after
    downsampling. Only finite numbers are in `values`: unknown readings are absent.
    """

    time: int
    values: Mapping[str, float]
    count: int = 1

    @classmethod
    def of(cls, time: datetime | float, values: Mapping[str, float | None]) -> Self:
        """Return a sample of the known readings in `values` at `time` (s since 1970)."""
        seconds = time.timestamp() if isinstance(time, datetime) else time
        known = {
            key: float(value)
            for key, value in values.items()
            if value is not None and isfinite(value) and abs(value) < LIMIT
        }
        return cls(round(seconds * 1000), known)

    def body(self) -> bytes:
        """Return the values encoded for the spool."""
        return json.dumps(
            dict(self.values), separators=(",", ":"), allow_nan=False
        ).encode()

    @classmethod
    def from_stored(cls, time: int, body: bytes, count: int = 1) -> Self:
        """Return the sample of a record of the spool, with the values `body` encoded.

        Raises ValueError for what no sample was stored as: the file is damaged.
        """
        if not _is_whole(time, 0, LAST_TIME) or not _is_whole(count, 1, LIMIT):
            raise ValueError("the time is none")
        try:
            values = json.loads(body)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError("the readings are no JSON") from error
        if not isinstance(values, dict) or not all(map(_is_reading, values.values())):
            raise ValueError("the readings are none")
        return cls(time, values, count)


def _is_whole(number: object, low: float, high: float) -> bool:
    return type(number) is int and low <= number <= high


def _is_reading(number: object) -> bool:
    # Compared, not converted: an integer may have any number of digits.
    return (
        isinstance(number, (int, float))
        and not isinstance(number, bool)
        and -LIMIT < number < LIMIT
    )


def iso(time: int) -> str:
    """Return `time` (ms since 1970) as brokers write times: UTC, three decimals, Z."""
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1000:03d}Z"


def from_iso(text: str) -> int:
    """Return a broker's time in milliseconds since 1970.

    Raises ValueError where `text` is no time. A time without a zone is in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def merged(samples: Sequence[Sample]) -> Sample:
    """Return the mean of several samples, given in the order of their times.

    A counter keeps its last value, an angle its circular mean, every other quantity its
    mean weighted by the counts. The time is that of the last sample, so that counters
    stay exact. Of power-quality events only the last is kept.
    """
    keys = {
        key: None
        for sample in samples
        for key in sample.values
        if not key.startswith(EVENT)
    }
    values = {
        key: _merged(
            key, [(s.values[key], s.count) for s in samples if key in s.values]
        )
        for key in keys
    }
    for sample in reversed(samples):
        if EVENT_KIND in sample.values:
            event = {k: v for k, v in sample.values.items() if k.startswith(EVENT)}
            values.update(event)
            break
    return Sample(samples[-1].time, values, sum(sample.count for sample in samples))


def _merged(key: str, weighted: Sequence[tuple[float, int]]) -> float:
    channel = CHANNELS.get(key)
    state_class = channel.quantity.state_class if channel else None
    if state_class is SensorStateClass.TOTAL_INCREASING:
        return weighted[-1][0]
    if state_class is SensorStateClass.MEASUREMENT_ANGLE:
        return _circular_mean(weighted)
    total = sum(count for _, count in weighted)
    return sum(value * count for value, count in weighted) / total


def _circular_mean(weighted: Iterable[tuple[float, int]]) -> float:
    """Return the mean of angles in degrees, from -180 to 180."""
    x = y = 0.0
    for value, count in weighted:
        x += count * cos(radians(value))
        y += count * sin(radians(value))
    return degrees(atan2(y, x))
