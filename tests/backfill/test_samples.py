"""Brokers get the minutes of an outage as samples."""

import pytest

from custom_components.nrj_monitor.backfill.samples import samples_between
from tests.backfill.journal_pages import record
from tests.backfill.test_timeline import NOON, page_of, timeline_of


def test_record_becomes_a_sample_of_totals_and_means() -> None:
    """The sample has the time of the record's end, and the units of the channels."""
    timeline = timeline_of(
        page_of(
            [
                record(60),
                record(
                    60,
                    (0, 0, 0, 50_000, 0, 0, 0, 0),
                    powers=(None, None, None, (2000, 4000)),
                    voltages=((11500, 11400, 11600), None, None),
                ),
                record(60),
            ]
        )
    )
    [sample] = samples_between(timeline, NOON + 60, NOON + 120)
    assert sample.time == (NOON + 120) * 1000
    assert sample.values["import_energy"] == pytest.approx(0.05)
    assert sample.values["active_power"] == pytest.approx(3000)
    assert sample.values["voltage_l1"] == pytest.approx(230)
    assert "voltage_l2" not in sample.values
