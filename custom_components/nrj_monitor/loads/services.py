"""The actions on loads: shed, restore, absorb, release, override."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
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
from ..control.load import LoadClass
from .activity import SENTENCES, word_of_state
from .manager import ROOMS, ControlRoom

SHED: Final = "shed"
RESTORE: Final = "restore"
ABSORB: Final = "absorb"
RELEASE: Final = "release"
OVERRIDE: Final = "override"

ATTR_LOAD: Final = "load"
ATTR_DURATION: Final = "duration"
ATTR_ON: Final = "on"

LONGEST: Final = timedelta(days=7)


def _duration(value: Any) -> timedelta:
    """Validate a time to override for."""
    duration: timedelta = cv.positive_time_period(value)
    if not timedelta(0) < duration <= LONGEST:
        raise vol.Invalid("the duration must be more than nothing, and 7 days at most")
    return duration


_LOAD: Final = {vol.Required(ATTR_LOAD): cv.entity_ids}
_FOR: Final = {
    vol.Optional(ATTR_DURATION, default=lambda: timedelta(minutes=30)): _duration
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


def rooms_of(hass: HomeAssistant, entity_id: str) -> tuple[ControlRoom, str] | None:
    """Return the control room and the id of the load an entity belongs to.

    It may be the entity that is the load itself, or any that tells of it.
    """
    entity = er.async_get(hass).async_get(entity_id)
    subentry_id = entity.config_subentry_id if entity is not None else None
    for room in hass.data.get(ROOMS, {}).values():
        for load_id, plant in room.plants.items():
            if load_id == subentry_id or plant.entity_id == entity_id:
                return room, load_id
    return None


def _loads(call: ServiceCall) -> Iterator[tuple[str, ControlRoom, str]]:
    """Yield the loads a call names; raises ServiceValidationError for another."""
    for entity_id in call.data[ATTR_LOAD]:
        found = rooms_of(call.hass, entity_id)
        if found is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="not_a_load",
                translation_placeholders={"entity_id": entity_id},
            )
        yield entity_id, *found


async def _async_act(call: ServiceCall) -> ServiceResponse:
    """Do what is asked of every load, or of none where one cannot."""
    loads = list(_loads(call))
    wanted_on = {SHED: False, ABSORB: True, OVERRIDE: call.data.get(ATTR_ON)}
    on = wanted_on.get(call.service)
    if on is False:
        for entity_id, room, load_id in loads:
            if room.arbiter.loads[load_id].load_class is LoadClass.NEVER_SHED:
                raise ServiceValidationError(
                    translation_domain=DOMAIN,
                    translation_key="never_shed",
                    translation_placeholders={"entity_id": entity_id},
                )
    for _, room, load_id in loads:
        _ACTS[call.service](room, load_id, on, call.data)
    for room in {id(room): room for _, room, _ in loads}.values():
        room.async_tick()
        await room.async_switched()
    if not call.return_response:
        return None
    return {
        "loads": {
            entity_id: _outcome(room, load_id) for entity_id, room, load_id in loads
        }
    }


def _override(
    room: ControlRoom, load_id: str, on: bool | None, data: Mapping[str, Any]
) -> None:
    seconds = data[ATTR_DURATION].total_seconds()
    room.arbiter.override(load_id, bool(on), seconds, room.now())


def _restore(
    room: ControlRoom, load_id: str, on: bool | None, data: Mapping[str, Any]
) -> None:
    room.arbiter.restore(load_id, room.now())


def _release(
    room: ControlRoom, load_id: str, on: bool | None, data: Mapping[str, Any]
) -> None:
    room.arbiter.end_override(load_id, room.now())


_ACTS: Final[
    Mapping[str, Callable[[ControlRoom, str, bool | None, Mapping[str, Any]], None]]
] = {
    SHED: _override,
    ABSORB: _override,
    OVERRIDE: _override,
    RESTORE: _restore,
    RELEASE: _release,
}


def _outcome(room: ControlRoom, load_id: str) -> dict[str, Any]:
    """Return what a load does now, as the response of an action."""
    state = room.arbiter.states[load_id]
    word = word_of_state(state)
    return {
        "name": room.titles[load_id],
        "on": room.sees_on(load_id),
        "activity": word,
        "reason": state.reason.word,
        "says": f"{room.titles[load_id]} {SENTENCES[word]}",
        "dry_run": room.dry_run,
    }
