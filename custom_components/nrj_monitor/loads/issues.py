"""Repair issues of loads: futile shedding, unresponsive loads, doubly switched relays."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN

FUTILE = "futile"
NO_RELIEF = "no_relief"
TWO_MASTERS = "two_masters"
DISOBEYS = "disobeys"


def _id(key: str, of: str) -> str:
    return f"load_{key}_{of}"


@callback
def async_create_load_issue(hass: HomeAssistant, key: str, of: str, name: str) -> None:
    """Create an issue of a load, or of the loads of a meter, whose id is `of`."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id(key, of),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=f"load_{key}",
        translation_placeholders={"name": name},
    )


@callback
def async_delete_load_issues(
    hass: HomeAssistant, *, over: Iterable[tuple[str, str]], obeying: Iterable[str]
) -> None:
    """Delete issues: keys with their ids in `over`, and those of `obeying` loads."""
    for key, of in over:
        ir.async_delete_issue(hass, DOMAIN, _id(key, of))
    for load_id in obeying:
        ir.async_delete_issue(hass, DOMAIN, _id(DISOBEYS, load_id))
