"""The house that the arbiter is tried in."""

import pytest

from tests.control.house import House
from tests.control.winter_house import ALL, monitors


@pytest.fixture
def house() -> House:
    """Return a house in which it is winter: heater, freezer and router are on."""
    house = House.of(ALL, on=("heater", "freezer", "router"), monitors=monitors())
    house.run(400)
    assert not house.switched
    return house
