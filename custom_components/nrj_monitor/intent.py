"""Intents of Assist about the supply: grid, power use and load of the phases.

The sentences of these intents are files in docs/sentences, to be copied to the folder
custom_sentences of the configuration: an integration cannot bring sentences of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import intent

from .assist.load_intents import async_setup_load_intents
from .assist.queries import (
    HousePower,
    QueriedMeter,
    async_house_power,
    async_meters,
    everything_exposed,
    query_grid,
    query_phase_load,
    query_power,
)
from .assist.sentences import ResponseSentences


@dataclass(frozen=True, slots=True)
class QueryIntent:
    """Intent of a query, and the response of a connected meter."""

    intent_type: str
    description: str
    respond: Callable[[QueriedMeter, HousePower, ResponseSentences], str]


QUERY_INTENTS: Final = (
    QueryIntent(
        "NrjGridStability",
        "Tells whether grid frequency and voltage are normal",
        lambda meter, house, sentences: sentences.grid(query_grid(meter, house)),
    ),
    QueryIntent(
        "NrjPowerUse",
        "Tells how much power is drawn, on which phase and by which devices",
        lambda meter, house, sentences: sentences.power(query_power(meter, house)),
    ),
    QueryIntent(
        "NrjPhaseLoad",
        "Tells how close each phase is to the rating of the main fuse",
        lambda meter, house, sentences: sentences.phase_load(
            query_phase_load(meter, house)
        ),
    ),
)


async def async_setup_intents(hass: HomeAssistant) -> None:
    """Register the intents of the queries and of the loads."""
    async_setup_load_intents(hass)
    for query in QUERY_INTENTS:
        intent.async_register(hass, QueryIntentHandler(query))


class QueryIntentHandler(intent.IntentHandler):
    """Responds to a query for each meter."""

    def __init__(self, query: QueryIntent) -> None:
        """Initialize the handler of a query."""
        self.intent_type = query.intent_type
        self.description = query.description
        self._respond = query.respond

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Respond in the language of the sentence."""
        hass = intent_obj.hass
        sentences = ResponseSentences(intent_obj.language)
        house = await async_house_power(hass, everything_exposed)
        responses = [
            (
                meter.name,
                self._respond(meter, house, sentences)
                if meter.connected
                else sentences.offline(),
            )
            for meter in async_meters(hass, everything_exposed)
        ]
        response = intent_obj.create_response()
        response.response_type = intent.IntentResponseType.QUERY_ANSWER
        response.async_set_speech(sentences.meters(responses))
        return response
