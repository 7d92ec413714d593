"""Store of a file beside the config entries: a file of no use is set aside, and costs only what it holds."""

from collections.abc import Callable
from contextlib import suppress
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, UnsupportedStorageVersionError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .quiet_log import QuietLog

_LOG = QuietLog(logging.getLogger(__name__), "")

SET_ASIDE: Final = ".set_aside"
"""Ending of a file that was set aside; a later one takes the place of an earlier one."""

UNUSABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""Exceptions raised on stored data of an unexpected form; NotImplementedError is Home
Assistant's for an old version without a migration."""

type StoredData = dict[str, Any]


class CheckedStore(Store[StoredData]):
    """Store whose content is checked as it is restored.

    Versions: a new minor version can be read by the version before. A new major version
    can not, and comes with a migration of the old one in `_async_migrate_func`.
    """

    async def async_restore(self, restore: Callable[[StoredData], None]) -> None:
        """Load the file, and have `restore` take over its content.

        `restore` raises one of `UNUSABLE` for a content of no use and leaves everything as
        it was. The file is then set aside and an issue raised: nothing is lost to a
        person who puts it back, and the next save does not write over it.
        """
        try:
            stored = await self.async_load()
            if stored is not None:
                restore(stored)
        except UnsupportedStorageVersionError as error:
            await self._async_set_aside("stored_by_newer_version", error)
        except (HomeAssistantError, *UNUSABLE) as error:
            await self._async_set_aside("stored_data_unusable", error)

    async def async_try_save(self, data: StoredData | Callable[[], StoredData]) -> bool:
        """Save `data`, or what it returns; return whether it is saved.

        An error is logged: neither a full disk nor a value that can not be stored keeps
        a meter from working, or its entry from unloading.
        """
        try:
            await self.async_save(data() if callable(data) else data)
        except (HomeAssistantError, OSError, *UNUSABLE) as error:
            _LOG.error("%s was not saved: %s", self.path, _text(error), about=self.path)
            return False
        return True

    async def async_remove(self) -> None:
        """Remove the file, what was set aside of it, and the issue about that."""
        await super().async_remove()
        await self.hass.async_add_executor_job(
            lambda: self._set_aside_path.unlink(missing_ok=True)
        )
        ir.async_delete_issue(self.hass, DOMAIN, self._issue_id)

    @property
    def _set_aside_path(self) -> Path:
        return Path(f"{self.path}{SET_ASIDE}")

    @property
    def _issue_id(self) -> str:
        return f"stored_data_{self.key}"

    async def _async_set_aside(self, issue: str, error: Exception) -> None:
        """Rename the file, and tell its name once in the log and in an issue."""

        def rename() -> None:
            with suppress(OSError):
                Path(self.path).replace(self._set_aside_path)

        await self.hass.async_add_executor_job(rename)
        _LOG.error(
            "%s can not be used and was set aside as %s: %s",
            self.path,
            self._set_aside_path.name,
            _text(error),
            about=self.path,
        )
        self._async_create_issue(issue, error)

    @callback
    def _async_create_issue(self, issue: str, error: Exception) -> None:
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue,
            translation_placeholders={
                "file": self._set_aside_path.name,
                "error": _text(error),
            },
        )


def _text(error: Exception) -> str:
    """Return an error with its type: the text of a KeyError is a mere name."""
    return f"{type(error).__name__}: {error}"[:200]
