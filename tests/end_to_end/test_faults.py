"""Links are cut, Home Assistant and the meter killed: every watt-hour arrives.

A handful of seeded schedules; scripts/bench faults runs hundreds, and seed 3 where
test_documented_commands.py runs that command.
"""

from pathlib import Path

from nrj_faults.schedule import run_schedule
import pytest


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=pytest.mark.xdist_group(f"seed {seed}"))
        for seed in (12, 13, 14)
    ],
)
async def test_no_energy_is_lost_nor_invented(
    seed: int, program: Path, tmp_path: Path
) -> None:
    """Give each metered hour its own energy, and the total the meter's."""
    outcome = await run_schedule(seed, program, tmp_path)
    assert not outcome.errors, (outcome.errors, outcome.faults)
    assert outcome.hours > 0
