"""Limits of a house from the options of its meter."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.const import (
    CONF_CONTRACT,
    CONF_CONTRACT_TOLERANCE,
    CONF_MAIN_FUSE,
)
from custom_components.nrj_monitor.control.demand import INTERVALS
from custom_components.nrj_monitor.control.demand_limit import DemandMonitor
from custom_components.nrj_monitor.control.overload import OverloadMonitor
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.loads.limits import main_fuse_of, overload_monitors


def test_a_fuse_limits_each_phase_and_a_contract_the_whole() -> None:
    """A contract that bills a mean has a monitor of its own kind."""
    assert overload_monitors({}) == {}
    options = {CONF_MAIN_FUSE: 25, CONF_CONTRACT: 6}
    monitors = overload_monitors(options)
    assert set(monitors) == {*PHASES, Supply.TOTAL}
    assert isinstance(monitors[Supply.TOTAL], OverloadMonitor)
    for tolerance in INTERVALS:
        monitors = overload_monitors(options | {CONF_CONTRACT_TOLERANCE: tolerance})
        assert isinstance(monitors[Supply.TOTAL], DemandMonitor)


def test_only_a_meter_of_ours_has_a_main_fuse(hass: HomeAssistant) -> None:
    """An entity nobody knows, or of another integration, has none."""
    assert main_fuse_of(hass, "sensor.unknown") is None
    other = MockConfigEntry(domain="other", options={CONF_MAIN_FUSE: 16})
    other.add_to_hass(hass)
    registry = er.async_get(hass)
    lonely = registry.async_get_or_create("sensor", "other", "1")
    theirs = registry.async_get_or_create("sensor", "other", "2", config_entry=other)
    assert main_fuse_of(hass, lonely.entity_id) is None
    assert main_fuse_of(hass, theirs.entity_id) is None
