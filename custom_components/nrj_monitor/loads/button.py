"""Buttons of a load: shed, restore, release."""

from collections.abc import Iterator
from typing import Final, override

from homeassistant.components.button import ButtonEntity

from ..const import DOMAIN
from .entity import LoadEntity
from .manager import LoadManager
from .services import ATTR_LOAD, RELEASE, RESTORE, SHED

PRESSED: Final = (SHED, RESTORE, RELEASE)
"""Actions that have a button, in the order of the page."""


def load_buttons(
    manager: LoadManager | None,
) -> Iterator[tuple[str, list[ButtonEntity]]]:
    """Yield the buttons of each load of a meter."""
    if manager is not None:
        for load_id in manager.devices:
            yield load_id, [LoadButton(manager, load_id, action) for action in PRESSED]


class LoadButton(LoadEntity, ButtonEntity):
    """A button that runs an action on a load, with that action's rights and refusals."""

    def __init__(self, manager: LoadManager, load_id: str, action: str) -> None:
        """Run `action` on a load."""
        super().__init__(manager, load_id, action)
        self._action = action

    @override
    async def async_press(self) -> None:
        """Run the action; raises its errors."""
        await self.hass.services.async_call(
            DOMAIN,
            self._action,
            {ATTR_LOAD: self.entity_id},
            blocking=True,
            context=self._context,
        )
