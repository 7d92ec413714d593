"""Names shared by the modules of the integration."""

DOMAIN = "nrj_monitor"

CONF_ENCRYPTION_KEY = "encryption_key"
"""Entry data: the meter's native API key, base64 of 32 bytes; absent without encryption."""

CONF_METER = "meter"
"""Entry data: what the meter said it is and has when it was last connected."""

DEFAULT_PORT = 6053
"""Port of ESPHome's native API unless the firmware says otherwise."""
