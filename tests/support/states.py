"""Waiting for states, as a person waits in front of the page."""

import asyncio
from collections.abc import Callable
from math import nan

from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from tests.support.pace import patience


def number_of(state: State) -> float:
    """Return the number of a state, NaN for any other state."""
    try:
        return float(state.state)
    except ValueError:
        return nan


async def state_where(
    hass: HomeAssistant,
    entity_id: str,
    holds: Callable[[State], bool],
    within: float = 5.0,
) -> State:
    """Return an entity's state as soon as `holds` is true of the state.

    Fails with the last state seen after `within` seconds of the reference machine.
    """
    changed = asyncio.Event()

    @callback
    def on_change(_: Event[EventStateChangedData]) -> None:
        changed.set()

    unsubscribe = async_track_state_change_event(hass, entity_id, on_change)
    state = hass.states.get(entity_id)
    try:
        async with asyncio.timeout(patience(within)):
            while state is None or not holds(state):
                await changed.wait()
                changed.clear()
                state = hass.states.get(entity_id)
    except TimeoutError:
        raise AssertionError(
            f"{entity_id} was {state and state.state!r} after {patience(within)} s"
        ) from None
    finally:
        unsubscribe()
    return state


async def state_is(
    hass: HomeAssistant, entity_id: str, expected: str, within: float = 5.0
) -> State:
    """Return an entity's state as soon as the state is `expected`."""
    return await state_where(
        hass, entity_id, lambda state: state.state == expected, within
    )
