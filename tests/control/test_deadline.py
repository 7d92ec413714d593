"""When what a load does ends, as a person who waits for it wants to know."""

import pytest

from custom_components.nrj_monitor.control.deadline import (
    Deadline,
    DeadlineKind,
    deadline_of,
)
from custom_components.nrj_monitor.control.decision import Activity
from custom_components.nrj_monitor.control.load import Load, LoadClass
from custom_components.nrj_monitor.control.load_state import LoadState, Override

NOW = 1000.0
HEATER = Load(
    id="heater",
    load_class=LoadClass.SHED_1,
    minimum_on=60.0,
    minimum_off=180.0,
    longest_off=1800.0,
)
TOUGH = Load(id="tough", load_class=LoadClass.SHED_1)


@pytest.mark.parametrize(
    ("load", "state", "deadline"),
    [
        (
            HEATER,
            LoadState(activity=Activity.OVERRIDDEN, override=Override(False, 1300.0)),
            Deadline(1300.0, DeadlineKind.UNTIL),
        ),
        (
            HEATER,
            LoadState(activity=Activity.SHED, off_since=900.0),
            Deadline(2700.0, DeadlineKind.LATEST),
        ),
        (
            HEATER,
            LoadState(activity=Activity.HELD, off_since=-5000.0),
            None,
        ),
        (TOUGH, LoadState(activity=Activity.SHED, off_since=900.0), None),
        (
            HEATER,
            LoadState(activity=Activity.RESTORING, off_since=900.0, restore_at=1200.0),
            Deadline(1200.0, DeadlineKind.ABOUT),
        ),
        (
            HEATER,
            LoadState(activity=Activity.RESTORING, off_since=-700.0, restore_at=1200.0),
            Deadline(1100.0, DeadlineKind.LATEST),
        ),
        (TOUGH, LoadState(activity=Activity.RESTORING), None),
        (
            HEATER,
            LoadState(activity=Activity.WAITING, observed_on=True, changed_at=990.0),
            Deadline(1050.0, DeadlineKind.UNTIL),
        ),
        (
            HEATER,
            LoadState(activity=Activity.WAITING, observed_on=False, changed_at=990.0),
            Deadline(1170.0, DeadlineKind.UNTIL),
        ),
        (HEATER, LoadState(activity=Activity.WAITING), None),
        (
            HEATER,
            LoadState(activity=Activity.COMFORT, comfort_until=1900.0),
            Deadline(1900.0, DeadlineKind.UNTIL),
        ),
        (HEATER, LoadState(activity=Activity.RUNNING), None),
    ],
)
def test_the_end_of_an_activity(
    load: Load, state: LoadState, deadline: Deadline | None
) -> None:
    """Each activity ends when its own timer does; what is over is not told."""
    assert deadline_of(load, state, NOW) == deadline
