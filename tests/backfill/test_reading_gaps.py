"""It is known when the meter could not be read."""

from custom_components.nrj_monitor.backfill.reading_gaps import ReadingGaps


def test_when_the_meter_could_not_be_read_is_known() -> None:
    """From the loss of the link to its return, and until it returns."""
    absences = ReadingGaps()
    absences.take(connected=False, now=100.0)
    absences.take(connected=False, now=150.0)
    assert absences.cover(100.0)
    assert absences.cover(1e9)
    assert not absences.cover(99.0)
    absences.take(connected=True, now=200.0)
    absences.take(connected=True, now=300.0)
    absences.take(connected=False, now=400.0)
    assert [absences.cover(time) for time in (199.0, 200.0, 399.0, 400.0)] == [
        True,
        False,
        False,
        True,
    ]
    absences.forget_before(200.0)
    assert not absences.cover(150.0)
    assert absences.cover(400.0)
