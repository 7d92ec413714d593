"""Settings of a device: selects, numbers and switches."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
import re
from typing import Any, Final, Self

KNOWN: Final = re.compile(
    r"guard|guard_profile|relay_\d+_class"
    r"|guard_(?:inhibit|shed_[123]|restore|absorb_[12]|release)_(?:frequency|delay)"
)
"""Ids of the settings that mean something here; others are the ESPHome integration's."""

type SettingValue = str | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of the device, by its stable id.

    `kind` is "select" (of `options`), "number" (from `minimum` to `maximum` in `step`s
    of `unit`) or "switch".
    """

    id: str
    name: str
    kind: str
    options: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    step: float = 0.0
    unit: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the setting as JSON-compatible data."""
        return asdict(self) | {"options": list(self.options)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read a setting stored by `as_dict`."""
        return cls(**{**stored, "options": tuple(stored["options"])})
