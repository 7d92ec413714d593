"""Subentry flow of a load: entity, type, permissions and limits."""

from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, UnitOfPower, UnitOfTime
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio as vol

from ..control.load import LoadClass, LoadError, WhenLost
from ..loads.relay_conflict import class_on_meter
from ..loads.settings import (
    ALL_PHASES,
    CONF_CLASS,
    CONF_ENTITY,
    CONF_LONGEST_OFF,
    CONF_MINIMUM_OFF,
    CONF_MINIMUM_ON,
    CONF_PHASE,
    CONF_POWER,
    CONF_POWER_SENSOR,
    CONF_PRIORITY,
    CONF_RECOVERY,
    CONF_SAFETY_ENTITY,
    CONF_SCRIPT_OFF,
    CONF_SCRIPT_ON,
    CONF_VALUE_LEAST,
    CONF_VALUE_OFF,
    CONF_VALUE_ON,
    CONF_VALUE_STEP,
    CONF_WHEN_LOST,
    DOMAINS,
    FIELDS,
    NUMBERS,
    PHASES,
    SAFETY_CLASSES,
    load_entries,
    load_of,
)


def _number(
    low: float, high: float, unit: str | None, step: float = 1
) -> NumberSelector:
    config = NumberSelectorConfig(
        min=low, max=high, step=step, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def _choice(options: list[str], key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options, mode=SelectSelectorMode.DROPDOWN, translation_key=key
        )
    )


def _entity(
    domain: str | list[str], device_class: str | list[str] | None = None
) -> EntitySelector:
    wanted = EntityWithDeviceFilterSelectorConfig(domain=domain)
    if device_class is not None:
        wanted["device_class"] = device_class
    return EntitySelector(EntitySelectorConfig(filter=[wanted]))


LIMITS: Final = {
    vol.Required(CONF_CLASS, default=LoadClass.NEVER_SHED.value): _choice(
        [kind.value for kind in LoadClass], "load_class"
    ),
    vol.Required(CONF_PRIORITY, default=50): _number(0, 100, None),
    vol.Required(CONF_PHASE, default=ALL_PHASES): _choice(list(PHASES), "load_phase"),
    vol.Required(CONF_POWER, default=1000): _number(0, 100_000, UnitOfPower.WATT),
    vol.Optional(CONF_POWER_SENSOR): _entity(domain="sensor", device_class="power"),
    vol.Required(CONF_MINIMUM_ON, default=60): _number(0, 86_400, UnitOfTime.SECONDS),
    vol.Required(CONF_MINIMUM_OFF, default=180): _number(0, 86_400, UnitOfTime.SECONDS),
    vol.Optional(CONF_LONGEST_OFF): _number(1, 1440, UnitOfTime.MINUTES),
    vol.Optional(CONF_RECOVERY, default=15): _number(1, 1440, UnitOfTime.MINUTES),
    vol.Required(CONF_WHEN_LOST, default=WhenLost.HOLD.value): _choice(
        [word.value for word in WhenLost], "when_lost"
    ),
    vol.Optional(CONF_SAFETY_ENTITY): _entity(
        domain="binary_sensor", device_class=list(SAFETY_CLASSES)
    ),
}

ENTITY_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_ENTITY): _entity(domain=list(DOMAINS)),
        vol.Optional(CONF_VALUE_ON): _number(-100_000, 100_000, None, 0.01),
        vol.Optional(CONF_VALUE_OFF): _number(-100_000, 100_000, None, 0.01),
        vol.Optional(CONF_VALUE_LEAST): _number(-100_000, 100_000, None, 0.01),
        vol.Optional(CONF_VALUE_STEP): _number(0.01, 100_000, None, 0.01),
        **LIMITS,
    }
)
SCRIPTS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_SCRIPT_ON): _entity(domain="script"),
        vol.Required(CONF_SCRIPT_OFF): _entity(domain="script"),
        **LIMITS,
    }
)


class LoadFlow(ConfigSubentryFlow):
    """Subentry flow to add or change a load."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the load's kind."""
        return self.async_show_menu(
            step_id="user", menu_options=["load_entity", "load_scripts"]
        )

    async def async_step_load_entity(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the entity of a load."""
        return self._step("load_entity", ENTITY_SCHEMA, user_input)

    async def async_step_load_scripts(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the pair of scripts of a load."""
        return self._step("load_scripts", SCRIPTS_SCHEMA, user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a load of its kind."""
        if CONF_ENTITY in self._get_reconfigure_subentry().data:
            return await self.async_step_load_entity()
        return await self.async_step_load_scripts()

    def _step(
        self, step: str, schema: vol.Schema, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        changes = self.source == SOURCE_RECONFIGURE
        errors: dict[str, str] = {}
        shown: dict[str, Any] = {}
        if user_input is not None:
            errors = self._errors(user_input)
            if not errors:
                data = dict(user_input)
                name = data.pop(CONF_NAME)
                if changes:
                    return self.async_update_and_abort(
                        self._get_entry(),
                        self._get_reconfigure_subentry(),
                        title=name,
                        data=data,
                    )
                return self.async_create_entry(title=name, data=data)
            shown = user_input
        elif changes:
            subentry = self._get_reconfigure_subentry()
            shown = {CONF_NAME: subentry.title, **subentry.data}
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
        )

    def _errors(self, data: dict[str, Any]) -> dict[str, str]:
        """Return error keys by form field."""
        entity = data.get(CONF_ENTITY)
        if entity is not None:
            is_number = entity.partition(".")[0] in NUMBERS
            values = [data.get(key) for key in (CONF_VALUE_ON, CONF_VALUE_OFF)]
            if is_number and (None in values or values[0] == values[1]):
                return {CONF_VALUE_ON: "values_missing"}
            own = (
                self._get_reconfigure_subentry().subentry_id
                if self.source == SOURCE_RECONFIGURE
                else None
            )
            if class_on_meter(self.hass, entity) is not None:
                return {CONF_ENTITY: "relay_of_the_meter"}
            for other in load_entries(self._get_entry()):
                if other.subentry_id != own and other.data.get(CONF_ENTITY) == entity:
                    return {CONF_ENTITY: "already_a_load"}
        is_never_shed = data[CONF_CLASS] == LoadClass.NEVER_SHED.value
        if is_never_shed and data.get(CONF_SAFETY_ENTITY) is not None:
            return {CONF_SAFETY_ENTITY: "never_shed_safety"}
        try:
            load_of("", data)
        except LoadError as error:
            return {FIELDS.get(error.field, "base"): error.key}
        if entity is not None and not self._has(entity):
            return {CONF_ENTITY: "no_such_entity"}
        return {}

    def _has(self, entity: str) -> bool:
        """Return whether an entity exists, even if unavailable."""
        registered = er.async_get(self.hass).async_get(entity)
        return registered is not None or self.hass.states.get(entity) is not None
