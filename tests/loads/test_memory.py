"""What is remembered of loads has an age, and a person's later act wins."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.loads.memory import EntityChange, recall
from tests.loads.conftest import AddLoad, Guard, Pass

HEATER = "input_boolean.heater"
DAY = 86400.0


@pytest.fixture
async def shed(
    hass: HomeAssistant, add_load: AddLoad, guard: Guard, let_pass: Pass
) -> str:
    """Return the id of a heater that is shed for the grid."""
    load_id = await add_load("heater")
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert hass.states.is_state(HEATER, "off")
    return load_id


type Away = Callable[[float], Awaitable[None]]


@pytest.fixture
def away(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: NrjConfigEntry
) -> Away:
    """Return a function to let the meter be away for some seconds, in which nobody switches."""

    async def run(seconds: float) -> None:
        assert await hass.config_entries.async_unload(entry.entry_id)
        stored = hass_storage[f"{DOMAIN}.loads.{entry.entry_id}"]["data"]
        stored["saved"] -= seconds
        # The state is as old as the file: only so can it be told from a later act.
        state = hass.states.get(HEATER)
        assert state is not None
        hass.states.async_remove(HEATER)
        hass.states.async_set(HEATER, state.state, timestamp=stored["saved"] - 1)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

    return run


async def test_an_hour_away_the_load_comes_back(
    hass: HomeAssistant,
    shed: str,
    away: Away,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """A load that was shed an hour ago is restored once the grid is normal."""
    await away(3600)
    guard.state = GuardState.NORMAL
    await let_pass(400, 5.0)
    assert hass.states.is_state(HEATER, "on")


@pytest.mark.usefixtures("shed")
async def test_a_person_who_switched_off_meanwhile_is_obeyed(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: NrjConfigEntry,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """A heater that a person switched on and off during the pause stays off."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[f"{DOMAIN}.loads.{entry.entry_id}"]["data"]["saved"] -= 3600
    for action in ("turn_on", "turn_off"):
        await hass.services.async_call(
            "input_boolean", action, {"entity_id": HEATER}, blocking=True
        )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    guard.state = GuardState.NORMAL
    await let_pass(900, 5.0)
    assert hass.states.is_state(HEATER, "off")


async def test_after_a_week_a_load_is_left_as_it_is(
    hass: HomeAssistant,
    shed: str,
    away: Away,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """A load that was shed a week ago is not switched on."""
    await away(7 * DAY)
    guard.state = GuardState.NORMAL
    await let_pass(900, 5.0)
    assert hass.states.is_state(HEATER, "off")


@pytest.mark.usefixtures("guard")
@pytest.mark.parametrize(("days", "state"), [(0.5, "off"), (2.0, "on")])
async def test_an_override_ends_when_it_was_to_end(
    hass: HomeAssistant,
    add_load: AddLoad,
    away: Away,
    let_pass: Pass,
    *,
    days: float,
    state: str,
) -> None:
    """An override of a day holds through half a day without the meter, not for two."""
    await add_load("heater")
    await let_pass(2)
    await hass.services.async_call(
        DOMAIN,
        "shed",
        {"load": "sensor.heater_activity", "duration": {"days": 1}},
        blocking=True,
    )
    await let_pass(70)
    assert hass.states.is_state(HEATER, "off")
    await away(days * DAY)
    await let_pass(900, 5.0)
    activity = hass.states.get("sensor.heater_activity")
    assert activity is not None
    assert (activity.state == "overridden_off") is (state == "off")


async def test_a_disabled_meter_gives_back_what_it_had_shed(
    hass: HomeAssistant, entry: NrjConfigEntry, shed: str
) -> None:
    """Loads are given back before a meter is disabled."""
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    await asyncio.sleep(0)
    assert hass.states.is_state(HEATER, "on")


async def test_a_removed_meter_gives_back_what_it_had_shed(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: NrjConfigEntry, shed: str
) -> None:
    """Loads are given back when a meter is removed."""
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.is_state(HEATER, "on")


@pytest.mark.parametrize(
    ("context", "remembered"), [("a person's", False), ("ours", True)]
)
def test_the_last_change_says_whose_act_it_was(
    context: str, *, remembered: bool
) -> None:
    """A later change by anybody else wins; one by our own late command does not."""
    stored = {
        "heater": {"asked": True, "to_restore": True, "override": None, "mine": False}
    }
    recalled = recall(
        stored,
        saved=1000.0,
        now=2000.0,
        changes={"heater": EntityChange(at=1500.0, context_id=context)},
        our_contexts=("ours",),
    )
    assert ("heater" in recalled) is remembered


def test_an_override_of_a_week_outlives_what_else_is_remembered() -> None:
    """After two days only what a person demanded for longer still counts."""
    stored = {
        "heater": {
            "asked": True,
            "to_restore": True,
            "override": [False, 7 * DAY],
            "mine": False,
        }
    }
    recalled = recall(
        stored, saved=1000.0, now=1000.0 + 2 * DAY, changes={}, our_contexts=()
    )
    assert recalled["heater"]["override"] == [False, 5 * DAY]
    assert not recalled["heater"]["to_restore"]


@pytest.mark.parametrize(
    ("saved", "left"), [(float("nan"), 60.0), (1000.0, float("inf"))]
)
def test_a_time_that_is_none_makes_what_is_remembered_useless(
    saved: float, left: float
) -> None:
    """No load acts on a moment or a duration that can not be."""
    stored = {"heater": {"asked": True, "override": [False, left]}}
    with pytest.raises(ValueError, match="no time"):
        recall(stored, saved=saved, now=1010.0, changes={}, our_contexts=())
