"""Forwarding through random faults: complete, in order, none twice, exact counts.

A handful of seeds here; `scripts/bench ngsi --trials 200` runs as many as one likes.
"""

from pathlib import Path

from aiohttp import ClientSession
import pytest

from custom_components.nrj_monitor.ngsi.spool import Limits
from tests.support.ngsi.faults import Trial


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_is_lost_doubled_or_out_of_order(
    tmp_path: Path, session: ClientSession, seed: int
) -> None:
    """Deliver every sample once where the spool has room for all."""
    trial = Trial(seed, tmp_path, session, Limits())
    outcome = await trial.run(40)
    assert outcome.complaints(trial.bad, bounded=False) == []
    assert len(outcome.measured) > 100
    assert sum(outcome.faults.values()) == 40


@pytest.mark.parametrize("seed", range(100, 104))
async def test_samples_given_up_by_a_full_spool_are_counted_exactly(
    tmp_path: Path, session: ClientSession, seed: int
) -> None:
    """Deliver the newest samples beyond the limits, and count all others."""
    trial = Trial(seed, tmp_path, session, Limits(rows=15))
    outcome = await trial.run(40)
    assert outcome.complaints(trial.bad, bounded=True) == []
