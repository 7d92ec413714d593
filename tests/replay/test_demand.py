"""A contract that bills the mean of a quarter hour, in a replay."""

import csv
from pathlib import Path

import pytest

from custom_components.nrj_monitor.control.load import Load, LoadClass
from custom_components.nrj_monitor.control.supply import Supply
from custom_components.nrj_monitor.control.tolerances import limit_monitor
from custom_components.nrj_monitor.replay.house import House
from tests.control.recordings import DATA
from tests.replay.played import play, row
from tests.support.skips import skip_for_good

HEATER = Load(
    id="heater",
    load_class=LoadClass.SHED_1,
    phase=Supply.L1,
    nominal_power=1500.0,
)


def house(tolerance: str, power: float = 2500.0) -> House:
    """Return a house with a contract and its heater on."""
    monitors = {Supply.TOTAL: limit_monitor(power, tolerance)}
    return House((HEATER,), frozenset({"heater"}), monitors)


def test_a_heater_goes_off_between_two_rows_of_a_slow_recording() -> None:
    """The moment at which a shed still suffices waits for no row."""
    rows = [row(300.0 * number, 50.0, 2500.0, 0.0, 0.0) for number in range(4)]
    lines = play(rows, house("quarter_hour", 2200.0), step=300.0)
    shed = [line for line in lines[:-1] if line["action"] == "shed"]
    assert len(shed) == 1
    assert shed[0]["switched"]
    assert 300 < shed[0]["t"] < 600


def test_a_kettle_switches_nothing() -> None:
    """The recording of a report: strict sheds the heater, the mean does not need it."""
    path = Path(DATA / "cases" / "messages" / "c10_quarter_hour.csv")
    if not path.exists():
        skip_for_good(f"the recording {path.name} is not in ../shared/data")
    with path.open(newline="") as file:
        rows = [
            row(
                float(line["time_s"]),
                float(line["frequency_hz"]),
                *(float(line[f"power_l{phase}"]) for phase in (1, 2, 3)),
            )
            for line in csv.DictReader(file)
        ]
    assert play(rows, house("strict"))[-1]["summary"]["actions"] > 0
    assert play(rows, house("quarter_hour"))[-1]["summary"]["actions"] == 0


@pytest.mark.parametrize("tolerance", ["half_hour", "hour"])
def test_other_intervals_shed_later(tolerance: str) -> None:
    """The longer the interval, the longer a load may be waited with."""
    rows = [row(float(number), 50.0, 2500.0, 0.0, 0.0) for number in range(3600)]
    lines = play(rows, house(tolerance, 2000.0))
    shed = next(line for line in lines if line.get("action") == "shed")
    assert shed["t"] > 900 * 0.6
