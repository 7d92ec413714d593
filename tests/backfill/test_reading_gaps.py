"""Gaps in which the meter could not be read are recorded."""

from custom_components.nrj_monitor.backfill.reading_gaps import ReadingGaps


def test_gap_lasts_from_loss_to_return_of_the_link() -> None:
    """A gap is open until the link returns, and closed from then on."""
    gaps = ReadingGaps()
    gaps.update(connected=False, now=100.0)
    gaps.update(connected=False, now=150.0)
    assert gaps.contains(100.0)
    assert gaps.contains(1e9)
    assert not gaps.contains(99.0)
    gaps.update(connected=True, now=200.0)
    gaps.update(connected=True, now=300.0)
    gaps.update(connected=False, now=400.0)
    assert [gaps.contains(time) for time in (199.0, 200.0, 399.0, 400.0)] == [
        True,
        False,
        False,
        True,
    ]
    gaps.discard_before(200.0)
    assert not gaps.contains(150.0)
    assert gaps.contains(400.0)
