"""What comes too fast is left out, and what comes at its pace is taken."""

from custom_components.nrj_monitor.allowance import Allowance


def test_a_burst_and_then_a_rate() -> None:
    """As many at once as allowed, then so many a second."""
    allowance = Allowance(rate=2.0, burst=5.0)
    assert sum(allowance.takes(100.0) for _ in range(9)) == 5
    assert sum(allowance.takes(101.0) for _ in range(9)) == 2
    assert sum(allowance.takes(200.0) for _ in range(9)) == 5


def test_amounts_count() -> None:
    """A large one does not fit where a small one does."""
    allowance = Allowance(rate=1.0, burst=10.0)
    assert not allowance.takes(100.0, 11.0)
    assert allowance.takes(100.0, 8.0)
    assert not allowance.takes(100.0, 3.0)
    assert allowance.takes(100.0, 2.0)
