"""Names shared by the modules of the integration."""

DOMAIN = "nrj_monitor"

CONF_ENCRYPTION_KEY = "encryption_key"
"""Entry data: the meter's native API key, base64 of 32 bytes; absent without encryption."""

CONF_KEY_GIVEN = "key_given"
"""Entry data: the key was given to the meter by this integration; absent otherwise."""

CONF_NEW_METER = "new_meter"
CONF_TAKE_OVER = "take_over"
CONF_REPLACED = "replaced"
"""Entry data: the replacement of the meter before, as backfill.replacement has it."""

CONF_REPLACED_AT = "replaced_at"
"""Entry data of early versions: when the meter of an entry took the place of another."""

CONF_METER = "meter"
"""Entry data: the meter's description from its last connection."""

DEFAULT_PORT = 6053
"""Port of ESPHome's native API unless the firmware sets another."""

CONF_SOURCE = "source"
"""Entry data: where the readings come from, one of the SOURCE_* names below."""

SOURCE_NATIVE_API = "native_api"
SOURCE_MQTT = "mqtt"
SOURCE_ENTITIES = "entities"

CONF_TOPIC = "topic"
"""Entry data of SOURCE_MQTT: the topic the readings come on; may hold wildcards."""

CONF_LAYOUT = "layout"
"""Entry data of SOURCE_MQTT: how the messages are laid out, one of mqtt_layouts.LAYOUTS."""

CONF_MAPPING = "mapping"
"""Entry data of SOURCE_MQTT: where each channel's value stands, by channel id."""

CONF_CHANNELS = "channels"
"""Entry data of SOURCE_MQTT: ids of the channels in the messages."""

CONF_READINGS = "readings"
"""Entry data of SOURCE_ENTITIES: the entities of each channel, by channel id."""

CONF_PHASES = "phases"
"""Entry data of SOURCE_ENTITIES: how many phases the meter has: 1, 2 or 3."""

CONF_ADD_TO_ENERGY = "add_to_energy_dashboard"
"""Entry data: the meter is still to be added to the energy dashboard; removed then."""

CONF_STATE_DETAIL = "state_detail"
"""Entry option: how finely states are written, one of STATE_DETAILS."""

STATE_DETAILS = {"calm": 5.0, "normal": 1.0, "fine": 0.2}
"""Factors of the significant change."""

DEFAULT_STATE_DETAIL = "normal"

CONF_MAIN_FUSE = "main_fuse"
"""Entry option: rating of the main fuse, A per phase; absent where unknown."""

MAIN_FUSE_RANGE = (6.0, 250.0)
"""A: what main fuses of houses are rated for, with room to spare."""

CONF_GRID_PROFILE = "grid_profile"
"""Entry option: thresholds of the guard computed here, one of control's PROFILES."""

DEFAULT_GRID_PROFILE = "continental_europe"

CONF_CONTRACT = "contract"
"""Entry option: power of the contract, kW; absent where unknown."""

CONF_CONTRACT_TOLERANCE = "contract_tolerance"
"""Entry option: overload curve of the contract, one of control's CURVES, or interval."""

DEFAULT_CONTRACT_TOLERANCE = "strict"

CONF_FOLLOWS_PEAK = "follows_peak"
"""Entry option: the limit for the mean of an interval is the month's peak so far."""

CONF_PEAK_FLOOR = "peak_floor"
"""Entry option: least limit that follows the month's peak, kW; absent is 2.5 kW."""

EVENT_POWER_QUALITY = f"{DOMAIN}_power_quality"
"""Event of Home Assistant's bus: a power quality event."""

EVENT_GUARD = f"{DOMAIN}_guard"
"""Event of Home Assistant's bus: the meter's guard changed its state or a relay."""

EVENT_LOAD = f"{DOMAIN}_load"
"""Event of Home Assistant's bus: the arbiter decided something about a load."""

EXPECTED_FIRMWARE = "0.1.0"
"""Version of the meter's firmware that comes with this version of the integration."""

MINIMUM_FIRMWARE = "0.1.0"
"""Oldest version of the meter's firmware with everything this integration relies on."""
