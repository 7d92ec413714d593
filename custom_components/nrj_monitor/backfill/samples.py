"""Samples of an outage for the brokers, from a meter's energy timeline: pure rules."""

from collections.abc import Iterator

from ..ngsi.sample import Sample
from .journal import COUNTERS, MILLIWATTHOURS, POWERS
from .timeline import EnergyTimeline, mean_power


def samples_between(
    timeline: EnergyTimeline, begin: float, end: float
) -> Iterator[Sample]:
    """Yield a sample for each record ending after `begin`, up to `end`.

    Times are in seconds since 1970. Totals are those at the record's end, measurements
    the means of its time.
    """
    for interval in timeline.intervals:
        if not begin < interval.end <= end:
            continue
        values = {
            channel: measured.mean
            if measured.mean is not None
            else mean_power(interval, channel)
            for channel, measured in interval.measured.items()
            if measured.mean is not None or channel in POWERS
        }
        counters = timeline.counters_at(interval.end) or ()
        values |= {
            channel: total / MILLIWATTHOURS
            for channel, total in zip(COUNTERS, counters, strict=False)
        }
        yield Sample.of(interval.end, values)
