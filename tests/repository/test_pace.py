"""Time limits follow the speed of the machine."""

from itertools import accumulate

import pytest

from tests.support import pace


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        (pace.REFERENCE_SECONDS / 2, 1.0),
        (pace.REFERENCE_SECONDS, 1.0),
        (3 * pace.REFERENCE_SECONDS, 3.0),
        (1000 * pace.REFERENCE_SECONDS, pace.MOST),
    ],
)
def test_a_slow_machine_has_more_time(took: float, expected: float) -> None:
    """Three times slower is three times the patience; a fast machine keeps the limits."""
    looks = (0.0, took / 2, 0.1, took, 0.1, took / 3)
    times = accumulate(looks)
    assert pace.measured_pace(lambda: None, lambda: next(times)) == pytest.approx(
        expected
    )


def test_patience_is_stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The factor comes from the environment, within its bounds."""
    monkeypatch.setenv(pace.VARIABLE, "2.5")
    assert pace.patience(4.0) == pytest.approx(10.0)
    monkeypatch.setenv(pace.VARIABLE, "0.1")
    assert pace.patience(4.0) == pytest.approx(4.0)
