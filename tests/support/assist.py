"""Speaking to Home Assistant's own conversation agent."""

from homeassistant.components import conversation
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import intent
from homeassistant.setup import async_setup_component


async def async_set_up_assist(hass: HomeAssistant, language: str) -> None:
    """Start Home Assistant's own agent in a house speaking `language`."""
    hass.config.language = language
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})


async def say(
    hass: HomeAssistant, sentence: str, language: str | None = None
) -> intent.IntentResponse:
    """Say a sentence; return Assist's response."""
    result = await conversation.async_converse(
        hass, sentence, None, Context(), language=language
    )
    return result.response


async def answer(
    hass: HomeAssistant, question: str, language: str | None = None
) -> str:
    """Return Assist's answer to a question, with an assertion of success."""
    response = await say(hass, question, language)
    speech: str = response.speech["plain"]["speech"]
    assert response.error_code is None, f"{question}: {speech}"
    return speech


def expose(hass: HomeAssistant, *entity_ids: str) -> None:
    """Let Assist know entities, as a person does under *Voice assistants*."""
    for entity_id in entity_ids:
        async_expose_entity(hass, conversation.DOMAIN, entity_id, True)
