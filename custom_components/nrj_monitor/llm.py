"""Tools of Assist's language models: queries about the supply.

Tools return the results of the voice queries as data. Home Assistant offers the tools only
while an entity of a meter is exposed to the assistant; results have exposed devices only.
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
    HousePower,
    QueriedMeter,
    async_house_power,
    async_meters,
    exposed_to,
    query_grid,
    query_phase_load,
    query_power,
)
from .const import DOMAIN

type Query = Callable[[QueriedMeter, HousePower], dict[str, Any]]


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tools, None where no meter is exposed to the assistant."""
    if api_id != LLM_API_ASSIST or not llm_context.assistant:
        return None
    if not async_meters(hass, exposed_to(hass, llm_context.assistant)):
        return None
    return LLMTools(tools=list(TOOLS))


class MeterTool(Tool):
    """Tool to query each meter."""

    integration = DOMAIN
    annotations = ToolAnnotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )

    def __init__(
        self, name: str, *, title: str, description: str, query: Query
    ) -> None:
        """Initialize the tool; `query` runs for each connected meter."""
        self.name = f"{DOMAIN}__{name}"
        self.title = title
        self.description = description
        self._query = query

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Return the result of each meter by name."""
        is_exposed = exposed_to(hass, llm_context.assistant)
        house = await async_house_power(hass, is_exposed)
        meters: dict[str, Any] = {
            meter.name: (
                self._query(meter, house)
                if meter.connected
                else {"error": "The meter cannot be reached"}
            )
            for meter in async_meters(hass, is_exposed)
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
        query=lambda meter, house: query_grid(meter, house).as_dict(),
    ),
    MeterTool(
        "power_use",
        title="Power use",
        description=(
            "Tells what uses electric power now: power drawn from the grid (negative "
            "while feeding it), by phase, by device, and what no device accounts for."
        ),
        query=lambda meter, house: query_power(meter, house).as_dict(),
    ),
    MeterTool(
        "phase_load",
        title="Phase load",
        description=(
            "Tells the current of each phase and which are overloaded. Where "
            "main_fuse_known is false nobody has entered the rating of the main fuse: "
            "do not guess it."
        ),
        query=lambda meter, house: query_phase_load(meter, house).as_dict(),
    ),
)
