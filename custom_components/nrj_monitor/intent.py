"""Questions to Assist that its own intents have no answer to.

The sentences that lead here are files in docs/sentences, to be copied to the folder
custom_sentences of the configuration: an integration cannot bring its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import intent

from .assist.load_intents import async_setup_load_intents
from .assist.queries import (
    AskedMeter,
    House,
    anything,
    ask_grid,
    ask_load,
    ask_power,
    async_house,
    async_meters,
)
from .assist.sentences import Wording


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and how a meter that can be reached answers it."""

    intent_type: str
    description: str
    say: Callable[[AskedMeter, House, Wording], str]


QUESTIONS: Final = (
    Question(
        "NrjGridStability",
        "Tells whether grid frequency and voltage are normal",
        lambda meter, house, wording: wording.grid(ask_grid(meter, house)),
    ),
    Question(
        "NrjPowerUse",
        "Tells how much power is drawn, on which phase and by which devices",
        lambda meter, house, wording: wording.power(ask_power(meter, house)),
    ),
    Question(
        "NrjPhaseLoad",
        "Tells how close each phase is to the rating of the main fuse",
        lambda meter, house, wording: wording.load(ask_load(meter, house)),
    ),
)


async def async_setup_intents(hass: HomeAssistant) -> None:
    """Register the intents."""
    async_setup_load_intents(hass)
    for question in QUESTIONS:
        intent.async_register(hass, MeterIntentHandler(question))


class MeterIntentHandler(intent.IntentHandler):
    """Has each meter answer a question."""

    def __init__(self, question: Question) -> None:
        """Handle `question`."""
        self.intent_type = question.intent_type
        self.description = question.description
        self._say = question.say

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Answer in the language of the question."""
        hass = intent_obj.hass
        wording = Wording(intent_obj.language)
        house = await async_house(hass, anything)
        answers = [
            (
                meter.name,
                self._say(meter, house, wording)
                if meter.connected
                else wording.offline(),
            )
            for meter in async_meters(hass, anything)
        ]
        response = intent_obj.create_response()
        response.response_type = intent.IntentResponseType.QUERY_ANSWER
        response.async_set_speech(wording.of_meters(answers))
        return response
