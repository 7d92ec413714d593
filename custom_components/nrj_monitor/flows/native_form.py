"""The forms of a meter reached over its native API, and where their errors stand."""

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio as vol

from ..const import CONF_ENCRYPTION_KEY, CONF_NEW_METER, CONF_TAKE_OVER, DEFAULT_PORT
from ..sources.errors import (
    ConnectionRefusedSourceError,
    CredentialError,
    HostUnknownError,
    SourceError,
)

KEY_FIELD = {
    vol.Optional(CONF_ENCRYPTION_KEY): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD)
    )
}

ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=1, max=65535, step=1, mode=NumberSelectorMode.BOX
                )
            ),
            vol.Coerce(int),
        ),
        **KEY_FIELD,
    }
)

RECONFIGURE_SCHEMA = ADDRESS_SCHEMA.extend(
    {vol.Optional(CONF_NEW_METER, default=False): bool}
)

TAKE_OVER_SCHEMA = vol.Schema({vol.Required(CONF_TAKE_OVER, default=False): bool})

KEY_SCHEMA = vol.Schema(KEY_FIELD)

NO_FIELDS = vol.Schema({})

FIELDS: tuple[tuple[type[SourceError], str], ...] = (
    (CredentialError, CONF_ENCRYPTION_KEY),
    (HostUnknownError, CONF_HOST),
    (ConnectionRefusedSourceError, CONF_PORT),
)
"""Beside which field an error is shown; the others stand above the form."""


def form_errors(error: SourceError | None, schema: vol.Schema) -> dict[str, str]:
    """Return the error by its form field, or as the form's own error."""
    if error is None:
        return {}
    fields = (field for kind, field in FIELDS if isinstance(error, kind))
    field = next((field for field in fields if field in schema.schema), "base")
    return {field: error.key}
