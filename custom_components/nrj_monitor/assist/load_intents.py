"""Assist intents for loads: ask for the reason, shed, restore, release.

The sentences are in docs/sentences, with those of intent.py.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import entity_registry as er, intent
from homeassistant.helpers.translation import async_get_translations
import probatio as vol

from ..const import DOMAIN
from ..control.context import OVERRIDE_TIME
from ..control.load import LoadError
from ..loads.answer import answer_about
from ..loads.manager import LoadManager
from ..loads.services import loaded_managers
from ..permissions import async_require_control
from ..texts import text_of
from .queries import exposed_to
from .sentences import ResponseSentences

SLOT: Final = "load"
SHED_LOAD: Final = "NrjShedLoad"


@dataclass(frozen=True, slots=True)
class LoadIntent:
    """An intent for a load, and its function, None for a question."""

    intent_type: str
    description: str
    do: Callable[[LoadManager, str], object] | None


def _shed(manager: LoadManager, load_id: str) -> None:
    manager.arbiter.override(load_id, False, OVERRIDE_TIME, manager.now())


LOAD_INTENTS: Final = (
    LoadIntent("NrjLoadWhy", "Tells what a load does and why", None),
    LoadIntent(SHED_LOAD, "Switches a load off for half an hour", _shed),
    LoadIntent(
        "NrjRestoreLoad",
        "Gives a load back that was switched off",
        lambda manager, load_id: manager.arbiter.restore(load_id, manager.now()),
    ),
    LoadIntent(
        "NrjReleaseLoad",
        "Lets the arbiter decide over a load again",
        lambda manager, load_id: manager.arbiter.end_override(load_id, manager.now()),
    ),
)


def async_setup_load_intents(hass: HomeAssistant) -> None:
    """Register the intents."""
    for load_intent in LOAD_INTENTS:
        intent.async_register(hass, LoadIntentHandler(load_intent))


def loads_known_to(
    hass: HomeAssistant, assistant: str | None
) -> Iterator[tuple[LoadManager, str]]:
    """Yield the loads of which an assistant may know any entity."""
    may_know = exposed_to(hass, assistant or "conversation")
    registry = er.async_get(hass)
    for manager in loaded_managers(hass):
        for load_id, device in manager.devices.items():
            activity = registry.async_get_entity_id(
                "sensor", DOMAIN, f"{load_id}_activity"
            )
            if any(
                entity_id is not None and may_know(entity_id)
                for entity_id in (device.entity_id, activity)
            ):
                yield manager, load_id


class LoadIntentHandler(intent.IntentHandler):
    """Finds a load by name, runs the intent, and answers with the load's activity."""

    def __init__(self, load_intent: LoadIntent) -> None:
        """Handle `load_intent`."""
        self.intent_type = load_intent.intent_type
        self.description = load_intent.description
        self._do = load_intent.do

    @property
    @override
    def slot_schema(self) -> dict[vol.Marker, Any]:
        """Return the slots of a sentence: the load's name."""
        return {vol.Required(SLOT): intent.non_empty_string}

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Run the intent, and answer in the language of the sentence.

        Who may not control the load is told so.
        """
        hass = intent_obj.hass
        name = str(intent_obj.slots[SLOT]["value"]).strip().casefold()
        response = intent_obj.create_response()
        for manager, load_id in loads_known_to(hass, intent_obj.assistant):
            if manager.titles[load_id].casefold() != name:
                continue
            if self._do is not None:
                commanded = manager.devices[load_id].commanded
                try:
                    await async_require_control(hass, intent_obj.context, commanded)
                except Unauthorized:
                    sentences = ResponseSentences(intent_obj.language)
                    response.async_set_error(
                        intent.IntentResponseErrorCode.FAILED_TO_HANDLE,
                        sentences.may_not_control(manager.titles[load_id]),
                    )
                    return response
                # A never-shed load stays unchanged; the answer says so.
                with suppress(LoadError):
                    self._do(manager, load_id)
            manager.async_tick()
            await manager.async_wait_for_commands()
            texts: dict[str, str] = {}
            for category in ("entity", "selector"):
                texts |= await async_get_translations(
                    hass, intent_obj.language, category, {DOMAIN}
                )
            response.async_set_speech(
                answer_about(
                    manager,
                    load_id,
                    partial(text_of, texts),
                    shed=self.intent_type == SHED_LOAD,
                )
            )
            return response
        raise intent.MatchFailedError(
            intent.MatchTargetsResult(False, intent.MatchFailedReason.NAME),
            intent.MatchTargetsConstraints(name=name),
        )
