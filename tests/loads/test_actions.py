"""Actions on loads: shed, restore, absorb, release, override."""

from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
import probatio as vol
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.loads.answer import clock_time
from tests.loads.conftest import AddLoad, Pass
from tests.support.texts import use_language

HEATER = "input_boolean.heater"
BOILER = "input_boolean.boiler"
ROUTER = "input_boolean.router"


def moment(text: str) -> datetime:
    """Return a time of a response."""
    return datetime.fromisoformat(text)


async def act(
    hass: HomeAssistant, action: str, *loads: str, **fields: Any
) -> dict[str, Any]:
    """Run an action and return its response for the first load."""
    response: Any = await hass.services.async_call(
        DOMAIN,
        action,
        {"load": list(loads), **fields},
        blocking=True,
        return_response=True,
    )
    outcome: dict[str, Any] = response["loads"][loads[0]]
    return outcome


async def test_shed_and_restore(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass
) -> None:
    """A load is off for a duration, and returns on request or afterwards."""
    await add_load("heater", minimum_off=30)
    outcome = await act(hass, "shed", HEATER, duration={"minutes": 5})
    assert hass.states.is_state(HEATER, "off")
    until = outcome.pop("until")
    assert outcome == {
        "name": "Heater",
        "on": False,
        "activity": "overridden_off",
        "reason": "override",
        "says": f"Heater: Off: somebody wants it so, until {clock_time(moment(until))}",
        "dry_run": False,
    }
    left = (moment(until) - dt_util.utcnow()).total_seconds()
    assert 270 < left <= 300
    await let_pass(40)
    outcome = await act(hass, "restore", "sensor.heater_activity")
    assert hass.states.is_state(HEATER, "on")
    assert outcome["on"] is True
    await let_pass(100)
    await hass.services.async_call(DOMAIN, "shed", {"load": HEATER}, blocking=True)
    await let_pass(1700, 10.0)
    assert hass.states.is_state(HEATER, "off")
    await let_pass(200, 10.0)
    assert hass.states.is_state(HEATER, "on")


async def test_absorb_and_release(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass
) -> None:
    """A load is on for a duration, and released before the end."""
    await add_load("boiler", **{"class": "absorb"})
    outcome = await act(hass, "absorb", BOILER, duration="01:00:00")
    assert hass.states.is_state(BOILER, "on")
    assert outcome["activity"] == "overridden_on"
    await let_pass(70)
    assert (await act(hass, "release", BOILER))["until"] is None
    await let_pass(3)
    assert hass.states.is_state(BOILER, "off")


async def test_release_says_until_when_a_minimum_time_runs(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass
) -> None:
    """A load that is let go stays on for the rest of its minimum time on."""
    await add_load("boiler", minimum_on=600, **{"class": "absorb"})
    await act(hass, "absorb", BOILER)
    await let_pass(60)
    outcome = await act(hass, "release", BOILER)
    assert outcome["on"] is True
    assert outcome["activity"] == "waiting"
    assert 500 < (moment(outcome["until"]) - dt_util.utcnow()).total_seconds() <= 541
    at = clock_time(moment(outcome["until"]))
    assert outcome["says"] == f"Boiler: Waits for its minimum time, until {at}"


async def test_absorbing_is_refused_by_what_stores_nothing(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """A load that stores no energy is not switched on to absorb, and the reason is said."""
    await add_load("boiler")
    with pytest.raises(ServiceValidationError, match="does not store energy"):
        await act(hass, "absorb", BOILER)
    assert hass.states.is_state(BOILER, "off")


async def test_override(hass: HomeAssistant, add_load: AddLoad, let_pass: Pass) -> None:
    """Several loads are overridden off, then on; they start apart."""
    await add_load("heater")
    await add_load("boiler")
    await act(hass, "override", HEATER, BOILER, on=False)
    assert hass.states.is_state(HEATER, "off")
    await let_pass(200, 5.0)
    await act(hass, "override", HEATER, BOILER, on=True, duration={"hours": 2})
    await let_pass(20)
    assert hass.states.is_state(HEATER, "on")
    assert hass.states.is_state(BOILER, "on")


async def test_what_cannot_be_is_refused_for_all(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """A wrong or never-shed load refuses the action for all loads."""
    await add_load("heater")
    await add_load("router", **{"class": "never_shed"})
    with pytest.raises(ServiceValidationError, match="is no load"):
        await act(hass, "shed", HEATER, "input_boolean.boiler")
    with pytest.raises(ServiceValidationError, match="never shed"):
        await act(hass, "shed", HEATER, ROUTER)
    with pytest.raises(ServiceValidationError, match="never shed"):
        await act(hass, "override", HEATER, ROUTER, on=False)
    for duration in ("00:00:00", {"days": 8}, "soon", {"minutes": -5}):
        with pytest.raises(vol.Invalid):
            await act(hass, "shed", HEATER, duration=duration)
    with pytest.raises(vol.Invalid):
        await act(hass, "override", HEATER)
    assert hass.states.is_state(HEATER, "on")
    assert (await act(hass, "override", ROUTER, on=True))["on"] is True


async def test_a_response_is_in_the_language_of_home_assistant(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """A French household reads the state of its load in French."""
    await add_load("heater")
    await use_language(hass, "fr")
    outcome = await act(hass, "shed", HEATER)
    at = clock_time(moment(outcome["until"]))
    assert outcome["says"] == f"Heater : Éteint : quelqu’un le veut ainsi, jusqu’à {at}"
