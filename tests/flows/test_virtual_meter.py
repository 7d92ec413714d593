"""What the dialogue of a meter without a device of its own says was found."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS, Phase
from custom_components.nrj_monitor.flows.virtual_meter import (
    describe,
    found_and_missing,
)

POWER, COUNTER = CHANNELS["active_power_l1"], CHANNELS["import_energy"]


@pytest.mark.usefixtures("integration")
async def test_a_counter_that_has_not_come_yet_has_no_value(
    hass: HomeAssistant,
) -> None:
    """It is named, a total beside a value is derived, and declared phases are missed."""
    one = describe("id", "House", "MQTT", [POWER, COUNTER])
    words = await found_and_missing(hass, one, {POWER: 512.4})
    assert words["found"] == ("- Active power: L1 512 W, Σ 512 W\n- Import energy: Σ")
    three = describe("id", "House", "MQTT", [POWER, COUNTER], tuple(Phase))
    words = await found_and_missing(hass, three, {POWER: 512.4})
    assert words["found"] == "- Active power: L1 512 W\n- Import energy: Σ"
    assert "- Active power: L2, L3" in words["missing"]
