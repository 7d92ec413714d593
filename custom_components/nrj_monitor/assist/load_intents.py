"""What one can say to Assist about a load: ask why, shed it, give it back, let it go.

The sentences are in docs/sentences, with those of intent.py.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, intent
from homeassistant.helpers.translation import async_get_translations
import probatio as vol

from ..const import DOMAIN
from ..control.context import OVERRIDE_TIME
from ..control.load import LoadError
from ..loads.activity import word_of_state
from ..loads.manager import ROOMS, ControlRoom
from .queries import exposed_to

SLOT: Final = "load"


@dataclass(frozen=True, slots=True)
class Wish:
    """What can be said about a load, and what it does."""

    intent_type: str
    description: str
    do: Callable[[ControlRoom, str], object]


def _shed(room: ControlRoom, load_id: str) -> None:
    room.arbiter.override(load_id, False, OVERRIDE_TIME, room.now())


WISHES: Final = (
    Wish("NrjLoadWhy", "Tells what a load does and why", lambda room, load_id: None),
    Wish("NrjShedLoad", "Switches a load off for half an hour", _shed),
    Wish(
        "NrjRestoreLoad",
        "Gives a load back that was switched off",
        lambda room, load_id: room.arbiter.restore(load_id, room.now()),
    ),
    Wish(
        "NrjReleaseLoad",
        "Lets the arbiter decide over a load again",
        lambda room, load_id: room.arbiter.end_override(load_id, room.now()),
    ),
)


def async_setup_load_intents(hass: HomeAssistant) -> None:
    """Register the intents."""
    for wish in WISHES:
        intent.async_register(hass, LoadIntentHandler(wish))


def loads_known_to(
    hass: HomeAssistant, assistant: str | None
) -> Iterator[tuple[ControlRoom, str]]:
    """Yield the loads of which an assistant may know any entity."""
    may_know = exposed_to(hass, assistant or "conversation")
    registry = er.async_get(hass)
    for room in hass.data.get(ROOMS, {}).values():
        for load_id, plant in room.plants.items():
            activity = registry.async_get_entity_id(
                "sensor", DOMAIN, f"{load_id}_activity"
            )
            if any(
                entity_id is not None and may_know(entity_id)
                for entity_id in (plant.entity_id, activity)
            ):
                yield room, load_id


class LoadIntentHandler(intent.IntentHandler):
    """Finds a load by its name, does what is wished, and says what it does then."""

    def __init__(self, wish: Wish) -> None:
        """Handle `wish`."""
        self.intent_type = wish.intent_type
        self.description = wish.description
        self._do = wish.do

    @property
    @override
    def slot_schema(self) -> dict[vol.Marker, Any]:
        """Return what a sentence has to name."""
        return {vol.Required(SLOT): intent.non_empty_string}

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Do it and answer in the language of the sentence."""
        hass = intent_obj.hass
        name = str(intent_obj.slots[SLOT]["value"]).strip().casefold()
        response = intent_obj.create_response()
        for room, load_id in loads_known_to(hass, intent_obj.assistant):
            if room.titles[load_id].casefold() != name:
                continue
            # What is never shed stays as it is; the answer says so.
            with suppress(LoadError):
                self._do(room, load_id)
            room.async_tick()
            await room.async_switched()
            texts = await async_get_translations(
                hass, intent_obj.language, "entity", {DOMAIN}
            )
            word = word_of_state(room.arbiter.states[load_id])
            says = texts[f"component.{DOMAIN}.entity.sensor.load_activity.state.{word}"]
            response.async_set_speech(f"{room.titles[load_id]}: {says}")
            return response
        raise intent.MatchFailedError(
            intent.MatchTargetsResult(False, intent.MatchFailedReason.NAME),
            intent.MatchTargetsConstraints(name=name),
        )
