"""Select of a load's class."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory
from homeassistant.exceptions import ServiceValidationError

from ..const import DOMAIN
from ..control.load import LoadClass
from ..permissions import async_require_admin
from .entity import LoadEntity
from .manager import LoadManager
from .settings import CONF_CLASS, contradiction_of


def load_selects(manager: LoadManager | None) -> Iterator[tuple[str, SelectEntity]]:
    """Yield the select of each load of a meter."""
    if manager is not None:
        for load_id in manager.devices:
            yield load_id, LoadClassSelect(manager, load_id)


class LoadClassSelect(LoadEntity, SelectEntity):
    """Class of a load, as in the form of its settings."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, manager: LoadManager, load_id: str) -> None:
        """Show the class of a load."""
        super().__init__(manager, load_id, "class")
        self._attr_options = [kind.value for kind in LoadClass]

    @property
    @override
    def current_option(self) -> str:
        """Return the class."""
        return self._manager.arbiter.loads[self._load_id].load_class.value

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the class in the settings, which start to apply at once.

        Raises:
            ServiceValidationError: the class contradicts the other settings.
            Unauthorized: the user is no administrator.
        """
        await async_require_admin(self.hass, self._context)
        entry = self._manager.entry
        subentry = entry.subentries[self._load_id]
        data = {**subentry.data, CONF_CLASS: option}
        if contradiction_of(data) is not None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="class_contradicts",
                translation_placeholders={"name": subentry.title},
            )
        self.hass.config_entries.async_update_subentry(entry, subentry, data=data)
