"""The rules a custom integration's translations and icons are checked by when published.

See `publishing` for where they come from.
"""

from collections.abc import Mapping
import re
import string
from typing import Any

from homeassistant.helpers import config_validation as cv
import probatio as vol

KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
URL = re.compile(
    r"(?:(?:ftps?|https?|mqtts?|socks5|scp|socket)://|www\.)\w", re.IGNORECASE
)
PLACEHOLDER_IN_QUOTES = re.compile(r"'{\w+}'")


def key(value: Any) -> str:
    """Take a translation key."""
    if not KEY.fullmatch(str(value)):
        raise vol.Invalid(f"{value} is no translation key")
    return str(value)


def text(value: Any) -> str:
    """Accept a text for people."""
    if not isinstance(value, str) or not value or value != value.strip():
        raise vol.Invalid(f"{value!r} is no text, or has spaces around it")
    cv.string_with_no_html(value)
    if URL.search(value):
        raise vol.Invalid(f"an address in: {value}")
    if PLACEHOLDER_IN_QUOTES.search(value):
        raise vol.Invalid(f"a placeholder in single quotes in: {value}")
    for _, name, _, _ in string.Formatter().parse(value):
        if name is not None and not name.isidentifier():
            raise vol.Invalid(f"placeholder {name!r} in: {value}")
    return value


def icon(value: Any) -> str:
    """Take the name of an icon."""
    if not re.fullmatch(r"mdi:[a-z0-9]+(-[a-z0-9]+)*", str(value)):
        raise vol.Invalid(f"{value} is no icon of Material Design Icons")
    return str(value)


def slugs(values: Any) -> vol.Schema:
    """Return the schema of texts or tables by slugs."""
    return vol.Schema({cv.slug: values})


def keys(values: Any) -> vol.Schema:
    """Return the schema of texts or tables by translation keys."""
    return vol.Schema({key: values})


_STEP: dict[Any, Any] = {
    vol.Optional("title"): text,
    vol.Optional("description"): text,
    vol.Optional("data"): {str: text},
    vol.Optional("data_description"): {str: text},
    vol.Optional("menu_options"): {str: text},
    vol.Optional("menu_option_descriptions"): {str: text},
    vol.Optional("submit"): text,
    vol.Optional("sections"): {
        str: {
            vol.Optional("name"): text,
            vol.Optional("description"): text,
            vol.Optional("data"): {str: text},
            vol.Optional("data_description"): {str: text},
        }
    },
}


def _described_fields_exist(flow: Any) -> Any:
    for name, step in flow.get("step", {}).items():
        if missing := set(step.get("data_description", {})) - set(step.get("data", {})):
            raise vol.Invalid(
                f"{missing} described in step {name}, but not in its data"
            )
    return flow


def _flow(more: Mapping[Any, Any] | None = None) -> Any:
    """Return the schema of a dialogue's texts."""
    schema: dict[Any, Any] = {
        vol.Optional("flow_title"): text,
        vol.Required("step"): {str: _STEP},
        vol.Optional("error"): {str: text},
        vol.Optional("abort"): {str: text},
        vol.Optional("progress"): {str: text},
        vol.Optional("create_entry"): {str: text},
    }
    return vol.All(vol.Schema(schema | dict(more or {})), _described_fields_exist)


_NAMED: dict[Any, Any] = {vol.Required("name"): text, vol.Required("description"): text}
_FIELDS: dict[Any, Any] = {**_NAMED, vol.Optional("example"): text}
_CALLED: dict[Any, Any] = {
    **_NAMED,
    vol.Optional("fields"): slugs(_FIELDS),
    vol.Optional("sections"): slugs(
        {vol.Required("name"): text, vol.Optional("description"): text}
    ),
}

TRANSLATIONS = vol.Schema(
    {
        vol.Optional("title"): text,
        vol.Optional("config"): _flow(),
        vol.Optional("config_subentries"): slugs(
            _flow(
                {
                    vol.Required("entry_type"): text,
                    vol.Required("initiate_flow"): {
                        vol.Required("user"): text,
                        str: text,
                    },
                }
            )
        ),
        vol.Optional("options"): _flow(),
        vol.Optional("selector"): slugs(
            {
                vol.Optional("options"): keys(text),
                vol.Optional("choices"): keys(text),
                vol.Optional("unit_of_measurement"): keys(text),
                vol.Optional("fields"): keys(_NAMED),
            }
        ),
        vol.Optional("device_automation"): {str: {str: text}},
        vol.Optional("system_health"): {vol.Optional("info"): keys(text)},
        vol.Optional("device"): keys({vol.Optional("name"): text}),
        vol.Optional("entity"): slugs(
            keys(
                {
                    vol.Optional("name"): text,
                    vol.Optional("state"): keys(text),
                    vol.Optional("unit_of_measurement"): text,
                    vol.Optional("state_attributes"): keys(
                        {vol.Optional("name"): text, vol.Optional("state"): keys(text)}
                    ),
                }
            )
        ),
        vol.Optional("exceptions"): slugs({vol.Required("message"): text}),
        vol.Optional("issues"): {
            str: vol.All(
                cv.has_at_least_one_key("description", "fix_flow"),
                {
                    vol.Required("title"): text,
                    vol.Exclusive("description", "fixable"): text,
                    vol.Exclusive("fix_flow", "fixable"): _flow(),
                },
            )
        },
        vol.Optional("services"): slugs(_CALLED),
        vol.Optional("triggers"): slugs(_CALLED),
        vol.Optional("conditions"): slugs(_CALLED),
    }
)

_DEFAULT: dict[Any, Any] = {
    vol.Optional("default"): icon,
    vol.Optional("state"): keys(icon),
    vol.Optional("range"): {vol.Coerce(float): icon},
}

ICONS = vol.Schema(
    {
        vol.Optional("entity"): slugs(
            keys({**_DEFAULT, vol.Optional("state_attributes"): keys(_DEFAULT)})
        ),
        vol.Optional("services"): slugs(
            {vol.Required("service"): icon, vol.Optional("sections"): slugs(icon)}
        ),
        vol.Optional("triggers"): slugs({vol.Required("trigger"): icon}),
        vol.Optional("conditions"): slugs({vol.Required("condition"): icon}),
    }
)
