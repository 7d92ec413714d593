"""Tools by which language models answer questions about the supply.

They get the same answers as voice does, as data. They are offered only while an entity
of a meter is exposed to the assistant, and tell of exposed devices only.
"""

from collections.abc import Callable
from typing import Any, Final, override

from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.llm import (
    LLM_API_ASSIST,
    LLMContext,
    Tool,
    ToolAnnotations,
    ToolInput,
    ToolResult,
)

from .assist.queries import (
    AskedMeter,
    House,
    ask_grid,
    ask_load,
    ask_power,
    async_house,
    async_meters,
    exposed_to,
)
from .const import DOMAIN

type Answer = Callable[[AskedMeter, House], dict[str, Any]]


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tools where the assistant may know a meter."""
    if api_id != LLM_API_ASSIST or not llm_context.assistant:
        return None
    if not async_meters(hass, exposed_to(hass, llm_context.assistant)):
        return None
    return LLMTools(tools=list(TOOLS))


class MeterTool(Tool):
    """A question that each meter answers."""

    integration = DOMAIN
    annotations = ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )

    def __init__(
        self, question: str, *, title: str, description: str, answer: Answer
    ) -> None:
        """Offer `question`; `answer` is how a meter that can be reached answers it."""
        self.name = f"{DOMAIN}__{question}"
        self.title = title
        self.description = description
        self._answer = answer

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Answer for each meter by its name."""
        may_know = exposed_to(hass, llm_context.assistant)
        house = await async_house(hass, may_know)
        meters: dict[str, Any] = {
            meter.name: (
                self._answer(meter, house)
                if meter.connected
                else {"error": "The meter cannot be reached"}
            )
            for meter in async_meters(hass, may_know)
        }
        return ToolResult(data={"meters": meters})


TOOLS: Final = (
    MeterTool(
        "grid_stability",
        title="Grid stability",
        description=(
            "Tells whether the electricity grid is stable now: frequency, voltage of "
            "each phase, which limits of EN 50160 are broken, and the last disturbance "
            "within an hour."
        ),
        answer=lambda meter, house: ask_grid(meter, house).as_dict(),
    ),
    MeterTool(
        "power_use",
        title="Power use",
        description=(
            "Tells what uses electric power now: power drawn from the grid (negative "
            "while feeding it), by phase, by device, and what no device accounts for."
        ),
        answer=lambda meter, house: ask_power(meter, house).as_dict(),
    ),
    MeterTool(
        "phase_load",
        title="Phase load",
        description=(
            "Tells the current of each phase and which are overloaded. Where "
            "main_fuse_known is false nobody has entered the rating of the main fuse: "
            "do not guess it."
        ),
        answer=lambda meter, house: ask_load(meter, house).as_dict(),
    ),
)
