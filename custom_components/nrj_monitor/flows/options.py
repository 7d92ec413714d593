"""Options flow of a meter: a single form with usable defaults."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import UnitOfElectricCurrent, UnitOfPower
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio as vol

from ..const import (
    CONF_CONTRACT,
    CONF_CONTRACT_TOLERANCE,
    CONF_FOLLOWS_PEAK,
    CONF_GRID_PROFILE,
    CONF_MAIN_FUSE,
    CONF_PEAK_FLOOR,
    CONF_STATE_DETAIL,
    DEFAULT_STATE_DETAIL,
    MAIN_FUSE_RANGE,
    STATE_DETAILS,
)
from ..control.tolerances import TOLERANCES
from ..demand.options import interval_of
from ..frequency_guard.guard_profile import PROFILES

OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_STATE_DETAIL, default=DEFAULT_STATE_DETAIL): SelectSelector(
            SelectSelectorConfig(
                options=list(STATE_DETAILS),
                mode=SelectSelectorMode.LIST,
                translation_key=CONF_STATE_DETAIL,
            )
        ),
        vol.Optional(CONF_MAIN_FUSE): NumberSelector(
            NumberSelectorConfig(
                min=MAIN_FUSE_RANGE[0],
                max=MAIN_FUSE_RANGE[1],
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfElectricCurrent.AMPERE,
            )
        ),
        vol.Optional(CONF_CONTRACT): NumberSelector(
            NumberSelectorConfig(
                min=1,
                max=250,
                step=0.1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfPower.KILO_WATT,
            )
        ),
        vol.Optional(CONF_CONTRACT_TOLERANCE): SelectSelector(
            SelectSelectorConfig(
                options=list(TOLERANCES),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=CONF_CONTRACT_TOLERANCE,
            )
        ),
        vol.Optional(CONF_FOLLOWS_PEAK): BooleanSelector(),
        vol.Optional(CONF_PEAK_FLOOR): NumberSelector(
            NumberSelectorConfig(
                min=0.1,
                max=250,
                step=0.1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfPower.KILO_WATT,
            )
        ),
        vol.Optional(CONF_GRID_PROFILE): SelectSelector(
            SelectSelectorConfig(
                options=list(PROFILES),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=CONF_GRID_PROFILE,
            )
        ),
    }
)


class MeterOptionsFlow(OptionsFlowWithReload):
    """Options flow of a meter; the entry is reloaded with the new options."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the present options and store the new options."""
        errors: dict[str, str] = {}
        shown: Mapping[str, Any] = self.config_entry.options
        if user_input is not None:
            shown = user_input
            is_mean = interval_of(user_input) is not None
            if user_input.get(CONF_FOLLOWS_PEAK) and not is_mean:
                errors[CONF_FOLLOWS_PEAK] = "peak_of_no_mean"
            else:
                return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(OPTIONS_SCHEMA, shown),
            errors=errors,
        )
