"""What a journal tells of an outage, as those who forward readings take it: pure."""

from collections.abc import Iterator

from ..ngsi.sample import Sample
from .journal import COUNTERS, POWERS
from .timeline import MILLIWATTHOURS, EnergyTimeline, mean_power


def samples_between(
    curve: EnergyTimeline, begin: float, end: float
) -> Iterator[Sample]:
    """Yield one sample for each record that ends after `begin` and not after `end`.

    Times are in seconds since 1970. Totals are those at the record's end, measurements
    the means of its time.
    """
    for stretch in curve.stretches:
        if not begin < stretch.end <= end:
            continue
        values = {
            channel: measured.mean
            if measured.mean is not None
            else mean_power(stretch, channel)
            for channel, measured in stretch.measured.items()
            if measured.mean is not None or channel in POWERS
        }
        counters = curve.counters_at(stretch.end) or ()
        values |= {
            channel: total / MILLIWATTHOURS
            for channel, total in zip(COUNTERS, counters, strict=False)
        }
        yield Sample.of(stretch.end, values)
