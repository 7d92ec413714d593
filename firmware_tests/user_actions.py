"""Call a meter's user actions, and read their answers."""

import re
from typing import Final, NamedTuple

from aioesphomeapi import TextSensorState

from .meter_client import MeterClient

_ANSWER: Final = re.compile(
    r"(?P<sentence>.*?)(?: \[(?P<codes>[^\[\]]+)\])?", re.DOTALL
)


class Answer(NamedTuple):
    """A user action's answer: success, sentences, and the codes behind them."""

    success: bool
    message: str
    codes: str


async def call(meter: MeterClient, action: str, **arguments: float) -> None:
    """Run a user action without an answer."""
    _, actions = await meter.api.list_entities_services()
    service = next(item for item in actions if item.name == action)
    await meter.api.execute_service(service, dict(arguments))


async def ask(meter: MeterClient, action: str, **arguments: float) -> Answer:
    """Run a user action and wait for its answer, as Home Assistant does."""
    _, actions = await meter.api.list_entities_services()
    service = next(item for item in actions if item.name == action)
    response = await meter.api.execute_service(
        service, dict(arguments), return_response=False
    )
    assert response is not None
    match = _ANSWER.fullmatch(response.error_message)
    assert match is not None
    return Answer(response.success, match["sentence"], match["codes"] or "")


def text(meter: MeterClient, object_id: str) -> str:
    """Return the latest state of a text sensor; empty before the first."""
    state = meter.states.get(object_id)
    return state.state if isinstance(state, TextSensorState) else ""
