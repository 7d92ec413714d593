"""Subentry flow of a load: its form, the errors, and what a new load should know."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.select import ATTR_OPTIONS
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..control.load import LoadClass
from ..entry_data import NrjConfigEntry
from ..loads.relay_conflict import class_on_meter
from ..loads.settings import (
    CHOICES,
    CONF_CLASS,
    CONF_ENTITY,
    CONF_OPTION_OFF,
    CONF_OPTION_ON,
    CONF_POWER_SENSOR,
    CONF_SAFETY_ENTITY,
    CONF_SCRIPT_OFF,
    CONF_SCRIPT_ON,
    CONF_VALUE_OFF,
    CONF_VALUE_ON,
    NUMBERS,
    contradiction_of,
    load_entries,
)
from .load_form import SECTION_OF, flattened, in_sections, schema_of

NO_SUCH_ENTITY: Final[Mapping[str, str]] = {
    CONF_ENTITY: "no_such_entity",
    CONF_SCRIPT_ON: "no_such_entity",
    CONF_SCRIPT_OFF: "no_such_entity",
    CONF_POWER_SENSOR: "no_such_entity",
    CONF_SAFETY_ENTITY: "no_such_safety_entity",
}
"""Error of each field whose entity does not exist."""

OPTIONS: Final = (CONF_OPTION_ON, CONF_OPTION_OFF)


class LoadFlow(ConfigSubentryFlow):
    """Subentry flow to add or change a load."""

    def __init__(self) -> None:
        """Begin without answers."""
        self._answers: dict[str, Any] = {}

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
        return await self._async_step("load_entity", user_input)

    async def async_step_load_scripts(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the pair of scripts of a load."""
        return await self._async_step("load_scripts", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a load of its kind."""
        if CONF_ENTITY in self._get_reconfigure_subentry().data:
            return await self.async_step_load_entity()
        return await self.async_step_load_scripts()

    async def async_step_does_nothing(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say that a load that is never shed does nothing yet, before it is added."""
        is_entity = CONF_ENTITY in self._answers
        return self.async_show_menu(
            step_id="does_nothing",
            menu_options=["load_entity" if is_entity else "load_scripts", "keep"],
            description_placeholders={"name": self._answers[CONF_NAME]},
        )

    async def async_step_keep(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a load that is never shed."""
        data = dict(self._answers)
        return self.async_create_entry(title=data.pop(CONF_NAME), data=data)

    async def _async_step(
        self, step: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form until its answers are without errors, and store them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            answers = self._completed(flattened(user_input))
            errors = self._errors(answers)
            if not errors:
                return await self._async_store(answers)
            shown: Mapping[str, Any] = answers
        elif self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            shown = {CONF_NAME: subentry.title, **subentry.data}
        else:
            shown = self._answers
        is_open = frozenset(SECTION_OF[key] for key in errors if key in SECTION_OF)
        schema = schema_of(scripts=step == "load_scripts", opened=is_open)
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, in_sections(shown)),
            errors={SECTION_OF.get(field, field): key for field, key in errors.items()},
        )

    async def _async_store(self, answers: dict[str, Any]) -> SubentryFlowResult:
        """Change the load, or add it; a new one that does nothing is asked about."""
        data = dict(answers)
        name = data.pop(CONF_NAME)
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=name,
                data=data,
            )
        if data[CONF_CLASS] == LoadClass.NEVER_SHED.value:
            self._answers = answers
            return await self.async_step_does_nothing()
        return self.async_create_entry(title=name, data=data)

    def _completed(self, answers: dict[str, Any]) -> dict[str, Any]:
        """Return the answers with the entity's name, and the other of two options."""
        entity_id = answers.get(CONF_ENTITY, answers.get(CONF_SCRIPT_ON, ""))
        name = answers.get(CONF_NAME, "").strip() or _name_of(self.hass, entity_id)
        completed = answers | {CONF_NAME: name}
        options = _options_of(self.hass, entity_id)
        if len(options) == 2:
            for key, other in (OPTIONS, OPTIONS[::-1]):
                if key not in answers and answers.get(other) in options:
                    completed[key] = options[1 - options.index(answers[other])]
        return completed

    def _errors(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return error keys by form field."""
        for errors in (
            self._name_errors(data),
            self._entity_errors(data),
            _value_errors(data),
            _option_errors(data, _options_of(self.hass, data.get(CONF_ENTITY, ""))),
            dict([found] if (found := contradiction_of(data)) else []),
            self._missing(data),
        ):
            if errors:
                return errors
        return {}

    def _others(self, entry: NrjConfigEntry) -> list[ConfigSubentry]:
        """Return the loads of a meter, without the one that is changed."""
        own = (
            self._get_reconfigure_subentry().subentry_id
            if self.source == SOURCE_RECONFIGURE
            else None
        )
        return [load for load in load_entries(entry) if load.subentry_id != own]

    def _name_errors(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the error of a name that another load has, of whichever meter."""
        name = data[CONF_NAME].casefold()
        if not name:
            return {CONF_NAME: "name_missing"}
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if any(load.title.casefold() == name for load in self._others(entry)):
                return {CONF_NAME: "name_taken"}
        return {}

    def _entity_errors(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the error of an entity that is a load, or a relay the meter sheds."""
        if (entity := data.get(CONF_ENTITY)) is None:
            return {}
        if class_on_meter(self.hass, entity) is not None:
            return {CONF_ENTITY: "relay_of_the_meter"}
        others = self._others(self._get_entry())
        if any(load.data.get(CONF_ENTITY) == entity for load in others):
            return {CONF_ENTITY: "already_a_load"}
        return {}

    def _missing(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the error of the first field whose entity does not exist."""
        for field, key in NO_SUCH_ENTITY.items():
            if field in data and not _exists(self.hass, data[field]):
                return {field: key}
        return {}


def _domain_of(data: Mapping[str, Any]) -> str:
    domain: str = data.get(CONF_ENTITY, "").partition(".")[0]
    return domain


def _value_errors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the error of a number without two different values."""
    values = {data.get(key) for key in (CONF_VALUE_ON, CONF_VALUE_OFF)} - {None}
    if _domain_of(data) in NUMBERS and len(values) < 2:
        return {CONF_VALUE_ON: "values_missing"}
    return {}


def _option_errors(data: Mapping[str, Any], offered: list[str]) -> dict[str, str]:
    """Return the error of a choice without two different options of those `offered`."""
    if _domain_of(data) not in CHOICES:
        return {}
    chosen = {data.get(key) for key in OPTIONS} - {None}
    if len(chosen) < 2 or (offered and not chosen <= set(offered)):
        return {CONF_OPTION_ON: "options_missing"}
    return {}


def _exists(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity exists, even if unavailable."""
    registered = er.async_get(hass).async_get(entity_id)
    return registered is not None or hass.states.get(entity_id) is not None


def _name_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return the name a person knows an entity by, "" where it has none."""
    state = hass.states.get(entity_id)
    return "" if state is None else state.name


def _options_of(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return the options an entity offers at present."""
    state = hass.states.get(entity_id)
    return [] if state is None else list(state.attributes.get(ATTR_OPTIONS, ()))
