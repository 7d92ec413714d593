"""Actions on loads: shed, restore, absorb, release, override."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
import probatio as vol

from ..const import DOMAIN
from ..control.context import LONGEST_OVERRIDE, OVERRIDE_TIME
from ..control.load import LoadClass
from ..entry_data import NrjConfigEntry
from ..permissions import async_require_control
from ..texts import template_of
from .activity import current_activity
from .answer import answer_about, end_of
from .manager import LoadManager

SHED: Final = "shed"
RESTORE: Final = "restore"
ABSORB: Final = "absorb"
RELEASE: Final = "release"
OVERRIDE: Final = "override"

ATTR_LOAD: Final = "load"
ATTR_DURATION: Final = "duration"
ATTR_ON: Final = "on"


def _duration(value: Any) -> timedelta:
    """Return the duration of an override; raises Invalid if out of range."""
    duration: timedelta = cv.positive_time_period(value)
    longest = timedelta(seconds=LONGEST_OVERRIDE)
    if not timedelta(0) < duration <= longest:
        raise vol.Invalid(
            f"the duration must be more than nothing, and {longest.days} days at most"
        )
    return duration


_LOAD: Final = {vol.Required(ATTR_LOAD): cv.entity_ids}
_FOR: Final = {
    vol.Optional(
        ATTR_DURATION, default=lambda: timedelta(seconds=OVERRIDE_TIME)
    ): _duration
}

SCHEMAS: Final[Mapping[str, vol.Schema]] = {
    SHED: vol.Schema(_LOAD | _FOR),
    RESTORE: vol.Schema(_LOAD),
    ABSORB: vol.Schema(_LOAD | _FOR),
    RELEASE: vol.Schema(_LOAD),
    OVERRIDE: vol.Schema(_LOAD | _FOR | {vol.Required(ATTR_ON): cv.boolean}),
}
"""The fields of each action."""


@callback
def async_setup_load_services(hass: HomeAssistant) -> None:
    """Register the actions on loads."""
    for action, schema in SCHEMAS.items():
        hass.services.async_register(
            DOMAIN, action, _async_act, schema, SupportsResponse.OPTIONAL
        )


def loaded_managers(hass: HomeAssistant) -> Iterator[LoadManager]:
    """Yield the load manager of each loaded meter with loads."""
    entries: list[NrjConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        if (manager := entry.runtime_data.loads) is not None:
            yield manager


def load_manager_of(
    hass: HomeAssistant, entity_id: str
) -> tuple[LoadManager, str] | None:
    """Return the load manager and the id of the load of an entity.

    `entity_id` is the controlled entity, or any entity of the load's device.
    """
    entity = er.async_get(hass).async_get(entity_id)
    subentry_id = entity.config_subentry_id if entity is not None else None
    for manager in loaded_managers(hass):
        for load_id, device in manager.devices.items():
            if load_id == subentry_id or device.entity_id == entity_id:
                return manager, load_id
    return None


def _loads(call: ServiceCall) -> Iterator[tuple[str, LoadManager, str]]:
    """Yield the loads a call names; raises ServiceValidationError for another."""
    for entity_id in call.data[ATTR_LOAD]:
        found = load_manager_of(call.hass, entity_id)
        if found is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="not_a_load",
                translation_placeholders={"entity_id": entity_id},
            )
        yield entity_id, *found


async def _async_act(call: ServiceCall) -> ServiceResponse:
    """Run an action on all loads of a call, or on none if a load refuses.

    Raises Unauthorized where the user may not control a load's own entity.
    """
    loads = list(_loads(call))
    for _, manager, load_id in loads:
        commanded = manager.devices[load_id].commanded
        await async_require_control(call.hass, call.context, commanded)
    wanted_on = {SHED: False, ABSORB: True, OVERRIDE: call.data.get(ATTR_ON)}
    on = wanted_on.get(call.service)
    for entity_id, manager, load_id in loads:
        load_class = manager.arbiter.loads[load_id].load_class
        _check(call.service, on, load_class, {"entity_id": entity_id})
    for _, manager, load_id in loads:
        _ACTS[call.service](manager, load_id, on, call.data)
    for manager in {id(manager): manager for _, manager, _ in loads}.values():
        manager.async_tick()
        await manager.async_wait_for_commands()
    if not call.return_response:
        return None
    return {
        "loads": {
            entity_id: _outcome(manager, load_id)
            for entity_id, manager, load_id in loads
        }
    }


def _check(
    action: str, on: bool | None, load_class: LoadClass, which: dict[str, str]
) -> None:
    """Raise ServiceValidationError for an action that a load's class forbids."""
    if on is False and load_class is LoadClass.NEVER_SHED:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="never_shed",
            translation_placeholders=which,
        )
    if action == ABSORB and not load_class.stores:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="stores_nothing",
            translation_placeholders=which,
        )


def _override(
    manager: LoadManager, load_id: str, on: bool | None, data: Mapping[str, Any]
) -> None:
    seconds = data[ATTR_DURATION].total_seconds()
    manager.arbiter.override(load_id, bool(on), seconds, manager.now())


def _restore(
    manager: LoadManager, load_id: str, on: bool | None, data: Mapping[str, Any]
) -> None:
    manager.arbiter.restore(load_id, manager.now())


def _release(
    manager: LoadManager, load_id: str, on: bool | None, data: Mapping[str, Any]
) -> None:
    manager.arbiter.end_override(load_id, manager.now())


_ACTS: Final[
    Mapping[str, Callable[[LoadManager, str, bool | None, Mapping[str, Any]], None]]
] = {
    SHED: _override,
    ABSORB: _override,
    OVERRIDE: _override,
    RESTORE: _restore,
    RELEASE: _release,
}


def _outcome(manager: LoadManager, load_id: str) -> dict[str, Any]:
    """Return the response of an action: the present state of a load."""
    state = manager.arbiter.states[load_id]
    end = end_of(manager, load_id)
    return {
        "name": manager.titles[load_id],
        "on": manager.is_load_on(load_id),
        "activity": current_activity(state),
        "reason": state.reason.word,
        "until": None if end is None else end.isoformat(timespec="seconds"),
        "says": answer_about(manager, load_id, partial(template_of, manager.hass)),
        "dry_run": manager.dry_run,
    }
