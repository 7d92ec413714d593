"""Rights of the user behind an action.

Settings, history, the dashboard and brokers are for administrators, a load is for who may
control its entity. What no user has asked for (an automation, the start of Home Assistant)
is allowed, as in Home Assistant's own actions.
"""

from collections.abc import Iterable

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser


async def async_require_admin(hass: HomeAssistant, context: Context | None) -> None:
    """Require that the user of a context is an administrator.

    Raises:
        Unauthorized: the user is none; UnknownUser where the user is gone.
    """
    user = await _async_user(hass, context)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=context)


async def async_require_control(
    hass: HomeAssistant, context: Context | None, entity_ids: Iterable[str]
) -> None:
    """Require that the user of a context may control all of these entities.

    Raises:
        Unauthorized: one may not be controlled; UnknownUser where the user is gone.
    """
    user = await _async_user(hass, context)
    if user is None:
        return
    for entity_id in entity_ids:
        if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
            raise Unauthorized(
                context=context, entity_id=entity_id, permission=POLICY_CONTROL
            )


async def _async_user(hass: HomeAssistant, context: Context | None) -> User | None:
    """Return the user of a context, None without one; raises UnknownUser."""
    if context is None or context.user_id is None:
        return None
    user = await hass.auth.async_get_user(context.user_id)
    if user is None:
        raise UnknownUser(context=context)
    return user
