"""House fixture for the arbiter."""

import pytest

from tests.control.house import House
from tests.control.winter_house import ALL, monitors


@pytest.fixture
def house() -> House:
    """Return a house in winter, with heater, freezer and router on."""
    house = House.of(ALL, on=("heater", "freezer", "router"), monitors=monitors())
    house.run(400)
    assert not house.switched
    return house
