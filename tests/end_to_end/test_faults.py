"""Links are cut, Home Assistant and the meter killed: every watt-hour arrives.

One seeded schedule, with each common kind of fault; scripts/bench faults runs hundreds,
with the rare ones.
"""

from pathlib import Path

from nrj_faults.schedule import run_schedule
import pytest

SEED = 12
STEPS = 40
"""Of the eighty-odd that the seed has, which take eight minutes."""


@pytest.mark.timeout(600)
async def test_no_energy_is_lost_nor_invented(program: Path, tmp_path: Path) -> None:
    """Give each metered hour its own energy, and the total the meter's."""
    outcome = await run_schedule(SEED, program, tmp_path, STEPS, has_rare_faults=False)
    assert not outcome.errors, (outcome.errors, outcome.faults)
    assert outcome.hours > 0
