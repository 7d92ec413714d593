"""Events of a guard in the logbook: each change once, and no hiccup of the frequency."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.nrj_monitor.frequency_guard.event import GuardEvent
from custom_components.nrj_monitor.frequency_guard.event_log import GuardEventLog

type Step = str | float
"""An event's kind, or seconds that pass."""


@pytest.mark.parametrize(
    ("steps", "passed_on"),
    [
        (["normal", "shed_1", "normal"], ["normal", "shed_1", "normal"]),
        (["normal", "invalid", 4.0, "normal"], ["normal"]),
        (
            ["normal", "invalid", 4.0, "invalid", 2.0, "normal"],
            ["normal", "invalid", "normal"],
        ),
        (["normal", "invalid", 6.0, "normal"], ["normal", "invalid", "normal"]),
        (["normal", "invalid", 1.0, "shed_1"], ["normal", "shed_1"]),
        (["shed_1", "invalid", "relay_off", 1.0, "shed_1"], ["shed_1", "relay_off"]),
        (["invalid", 1.0, "normal"], ["normal"]),
    ],
)
async def test_what_is_worth_a_line(
    hass: HomeAssistant, steps: list[Step], passed_on: list[str]
) -> None:
    """An invalid frequency is told once it has lasted for five seconds."""
    told: list[str] = []
    log = GuardEventLog(hass, lambda event: told.append(event.kind))
    now = dt_util.utcnow()
    for step in steps:
        if isinstance(step, float):
            now += timedelta(seconds=step)
            async_fire_time_changed(hass, now)
            await hass.async_block_till_done()
        else:
            state = "shed_1" if step.startswith("relay") else step
            log.add(
                GuardEvent(
                    kind=step, state=state, reason="start", frequency=50.0, relay=None
                )
            )
    assert told == passed_on
    log.cancel()
