"""Guard of the grid frequency: switches the device's own relays."""

import esphome.codegen as cg
from esphome.components import number, select, sensor, switch, text_sensor
import esphome.config_validation as cv
from esphome.const import (
    CONF_CUSTOM,
    CONF_DELAY,
    CONF_FREQUENCY,
    CONF_ID,
    CONF_LINE_FREQUENCY,
    CONF_NAME,
    CONF_PRIORITY,
    CONF_RESTORE,
    CONF_STATE,
    CONF_SWITCH,
    CONF_VOLTAGE,
    ENTITY_CATEGORY_CONFIG,
    ENTITY_CATEGORY_DIAGNOSTIC,
    UNIT_HERTZ,
    UNIT_SECOND,
)
from esphome.core import CORE, ID
import esphome.final_validate as fv
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
DEPENDENCIES = ["api"]
AUTO_LOAD = ["event_journal", "number", "select", "sensor", "switch", "text_sensor"]

CONF_ADE9000_ID = "ade9000_id"
CONF_CLASS = "class"
CONF_CLASS_SELECT = "class_select"
CONF_ENABLE = "enable"
CONF_MINIMUM_OFF = "minimum_off"
CONF_MINIMUM_ON = "minimum_on"
CONF_NOMINAL_VOLTAGE = "nominal_voltage"
CONF_OVERRIDE = "override"
CONF_PHASES = "phases"
CONF_PROFILE = "profile"
CONF_PROFILE_SELECT = "profile_select"
CONF_RATE_OF_CHANGE = "rate_of_change"
CONF_REASON = "reason"
CONF_RELAYS = "relays"
CONF_RELEASE = "release"
CONF_RESTORE_SPACING = "restore_spacing"
CONF_RESTORE_SPREAD = "restore_spread"
CONF_SILENCE = "silence"
CONF_STARTS_PER_HOUR = "starts_per_hour"
CONF_START_DELAY = "start_delay"
CONF_THRESHOLDS = "thresholds"

MAX_RELAYS = 8

frequency_guard_ns = cg.esphome_ns.namespace("frequency_guard")
FrequencyGuardComponent = frequency_guard_ns.class_(
    "FrequencyGuardComponent", cg.Component
)
ProfileSelect = frequency_guard_ns.class_("ProfileSelect", select.Select)
ClassSelect = frequency_guard_ns.class_("ClassSelect", select.Select)
ThresholdNumber = frequency_guard_ns.class_("ThresholdNumber", number.Number)
EnableSwitch = frequency_guard_ns.class_("EnableSwitch", switch.Switch)
SensorInput = frequency_guard_ns.class_("SensorInput")
ChipInput = frequency_guard_ns.class_("ChipInput")
RelaySettings = frequency_guard_ns.struct("RelaySettings")
PlanSettings = frequency_guard_ns.struct("PlanSettings")
GuardProfile = frequency_guard_ns.struct("GuardProfile")
LoadClass = frequency_guard_ns.enum("LoadClass", is_class=True)

# In the order of GUARD_PROFILES (guard_profile.cpp); the last is the configuration's own.
PROFILES = (
    "continental_europe",
    "great_britain_nordic",
    "north_america",
    "island_50",
    "island_60",
    CONF_CUSTOM,
)
# What a guard begins with where its configuration names no profile.
DEFAULT_PROFILES = {50: "continental_europe", 60: "north_america"}
# The nominal frequency of the built-in profiles, Hz.
NOMINAL_FREQUENCIES = {
    "continental_europe": 50,
    "great_britain_nordic": 50,
    "north_america": 60,
    "island_50": 50,
    "island_60": 60,
}
# The words of load_class_name() (relay_plan.cpp).
CLASSES = ("never_shed", "shed_1", "shed_2", "shed_3", "absorb")

UNDER = ("inhibit", "shed_1", "shed_2", "shed_3")
OVER = ("absorb_1", "absorb_2")

# In the order of FrequencyGuardComponent::threshold_().
THRESHOLDS = (*UNDER, CONF_RESTORE, *OVER, CONF_RELEASE)

THRESHOLD_SCHEMA = cv.Schema(
    {
        cv.Required(CONF_FREQUENCY): cv.frequency,
        cv.Required(CONF_DELAY): cv.positive_time_period_milliseconds,
    }
)


def _custom(config: ConfigType) -> ConfigType:
    """Refuse contradicting thresholds, with the sentence of guard_profile_error()."""
    nominal = config["nominal"]
    under = [config[stage][CONF_FREQUENCY] for stage in UNDER]
    over = [config[stage][CONF_FREQUENCY] for stage in OVER]
    if any(abs(value - nominal) > 5 for value in (*under, *over)):
        raise cv.Invalid("each threshold lies within 5 Hz of the nominal frequency")
    if under != sorted(under, reverse=True) or under[0] >= nominal:
        raise cv.Invalid("inhibit, shed_1, shed_2 and shed_3 go down from nominal")
    if over != sorted(over) or over[0] <= nominal:
        raise cv.Invalid("absorb_1 and absorb_2 go up from nominal")
    if not under[1] < config[CONF_RESTORE][CONF_FREQUENCY] < over[0]:
        raise cv.Invalid("restore lies above shed_1 and below absorb_1")
    if not under[0] < config[CONF_RELEASE][CONF_FREQUENCY] < over[0]:
        raise cv.Invalid("release lies above inhibit and below absorb_1")
    return config


CUSTOM_SCHEMA = cv.All(
    cv.Schema(
        {
            cv.Required("nominal"): cv.All(cv.frequency, cv.one_of(50.0, 60.0)),
            **{cv.Required(name): THRESHOLD_SCHEMA for name in THRESHOLDS},
        }
    ),
    _custom,
)

PHASE_SCHEMA = cv.Schema(
    {
        cv.Optional(CONF_FREQUENCY): cv.use_id(sensor.Sensor),
        cv.Optional(CONF_VOLTAGE): cv.use_id(sensor.Sensor),
    }
)

RELAY_SCHEMA = cv.Schema(
    {
        cv.Required(CONF_SWITCH): cv.use_id(switch.Switch),
        cv.Optional(CONF_CLASS, default="never_shed"): cv.one_of(*CLASSES, lower=True),
        cv.Optional(CONF_PRIORITY, default=0): cv.int_range(min=0, max=255),
        cv.Optional(
            CONF_MINIMUM_ON, default="60s"
        ): cv.positive_time_period_milliseconds,
        cv.Optional(
            CONF_MINIMUM_OFF, default="180s"
        ): cv.positive_time_period_milliseconds,
        cv.Optional(CONF_CLASS_SELECT): cv.maybe_simple_value(
            select.select_schema(ClassSelect, entity_category=ENTITY_CATEGORY_CONFIG),
            key=CONF_NAME,
        ),
    }
)


# What a threshold's numbers may be: unit, least, greatest, step.
NUMBERS = {
    CONF_FREQUENCY: (UNIT_HERTZ, 45.0, 65.0, 0.01),
    CONF_DELAY: (UNIT_SECOND, 0.0, 3600.0, 0.1),
}


def _number(unit: str) -> cv.Schema:
    return cv.maybe_simple_value(
        number.number_schema(
            ThresholdNumber,
            entity_category=ENTITY_CATEGORY_CONFIG,
            unit_of_measurement=unit,
        ),
        key=CONF_NAME,
    )


THRESHOLDS_SCHEMA = cv.Schema(
    {
        cv.Optional(f"{threshold}_{what}"): _number(NUMBERS[what][0])
        for threshold in THRESHOLDS
        for what in NUMBERS
    }
)


def _text(category: str = ENTITY_CATEGORY_DIAGNOSTIC) -> cv.Schema:
    return cv.maybe_simple_value(
        text_sensor.text_sensor_schema(entity_category=category), key=CONF_NAME
    )


CONFIG_SCHEMA = cv.All(
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(FrequencyGuardComponent),
            # Either the chip, cycle by cycle, or any sensors of up to three phases.
            cv.Optional(CONF_ADE9000_ID): cv.use_id(
                cg.esphome_ns.namespace("ade9000").class_("Ade9000")
            ),
            cv.Optional(CONF_PHASES): cv.All(
                cv.ensure_list(PHASE_SCHEMA), cv.Length(min=1, max=3)
            ),
            # By default that of ade9000_id.
            cv.Optional(CONF_LINE_FREQUENCY): cv.All(
                cv.frequency, cv.one_of(*DEFAULT_PROFILES), cv.int_
            ),
            # By default the one of the line frequency (DEFAULT_PROFILES).
            cv.Optional(CONF_PROFILE): cv.one_of(*PROFILES, lower=True),
            cv.Optional(CONF_CUSTOM): CUSTOM_SCHEMA,
            # Numbers that set the custom profile while the device runs.
            cv.Optional(CONF_THRESHOLDS): THRESHOLDS_SCHEMA,
            cv.Optional(CONF_NOMINAL_VOLTAGE, default="230V"): cv.All(
                cv.voltage, cv.float_range(min=50.0, max=1000.0)
            ),
            # After which the last sample says nothing any more.
            cv.Optional(
                CONF_SILENCE, default="1s"
            ): cv.positive_time_period_milliseconds,
            # Hz/s downwards that mean shed_1; not watched without.
            cv.Optional(CONF_RATE_OF_CHANGE, default=0.0): cv.float_range(
                min=0.0, max=5.0
            ),
            cv.Optional(
                CONF_START_DELAY, default="10s"
            ): cv.positive_time_period_milliseconds,
            cv.Optional(
                CONF_RESTORE_SPREAD, default="300s"
            ): cv.positive_time_period_milliseconds,
            cv.Optional(
                CONF_RESTORE_SPACING, default="10s"
            ): cv.positive_time_period_milliseconds,
            cv.Optional(CONF_STARTS_PER_HOUR, default=6): cv.int_range(min=1, max=16),
            cv.Optional(
                CONF_OVERRIDE, default="30min"
            ): cv.positive_time_period_milliseconds,
            cv.Optional(CONF_RELAYS, default=[]): cv.All(
                cv.ensure_list(RELAY_SCHEMA), cv.Length(max=MAX_RELAYS)
            ),
            cv.Optional(CONF_STATE): _text(),
            cv.Optional(CONF_REASON): _text(),
            cv.Optional(CONF_PROFILE_SELECT): cv.maybe_simple_value(
                select.select_schema(
                    ProfileSelect, entity_category=ENTITY_CATEGORY_CONFIG
                ),
                key=CONF_NAME,
            ),
            cv.Optional(CONF_ENABLE): cv.maybe_simple_value(
                switch.switch_schema(
                    EnableSwitch, entity_category=ENTITY_CATEGORY_CONFIG
                ),
                key=CONF_NAME,
            ),
        }
    ).extend(cv.COMPONENT_SCHEMA),
    cv.has_exactly_one_key(CONF_ADE9000_ID, CONF_PHASES),
)


def _line_frequency(config: ConfigType, configuration: ConfigType) -> int | None:
    """Return a guard's line frequency, Hz: its own, its meter's, or None for unknown."""
    if CONF_LINE_FREQUENCY in config:
        return int(config[CONF_LINE_FREQUENCY])
    for meter in configuration.get("ade9000", []):
        if meter[CONF_ID] == config.get(CONF_ADE9000_ID):
            return int(meter[CONF_LINE_FREQUENCY].enum_value)
    return None


def _profile(config: ConfigType, configuration: ConfigType) -> str:
    """Return the profile that a guard begins with."""
    default = DEFAULT_PROFILES[_line_frequency(config, configuration) or 50]
    return str(config.get(CONF_PROFILE, default))


def _final_validate(config: ConfigType) -> None:
    """Refuse a profile of another line frequency, and a guard whose changes cannot travel."""
    configuration = fv.full_config.get()
    profile = _profile(config, configuration)
    if profile == CONF_CUSTOM and CONF_CUSTOM not in config:
        raise cv.Invalid("the profile 'custom' needs its thresholds under 'custom:'")
    line_frequency = _line_frequency(config, configuration)
    nominal = (
        config[CONF_CUSTOM]["nominal"]
        if profile == CONF_CUSTOM
        else NOMINAL_FREQUENCIES[profile]
    )
    if line_frequency is not None and nominal != line_frequency:
        raise cv.Invalid(
            f"the profile '{profile}' is for {nominal:g} Hz and the line frequency is"
            f" {line_frequency} Hz: leave the profile out, or set the line frequency of"
            " your grid"
        )
    if not fv.full_config.get().get("api", {}).get("homeassistant_services"):
        raise cv.Invalid(
            "frequency_guard sends its events over the native API: add"
            " 'homeassistant_services: true' to 'api:'"
        )


FINAL_VALIDATE_SCHEMA = _final_validate


def _threshold(config: ConfigType) -> str:
    return f"{{{config[CONF_FREQUENCY]}, {config[CONF_DELAY].total_milliseconds}}}"


async def _input(config: ConfigType) -> cg.MockObj:
    """Return where the samples come from."""
    if CONF_ADE9000_ID in config:
        cg.add_define("USE_ADE9000")
        hub = await cg.get_variable(config[CONF_ADE9000_ID])
        return cg.new_Pvariable(
            ID(f"{config[CONF_ID]}_input", is_declaration=True, type=ChipInput), hub
        )
    source = cg.new_Pvariable(
        ID(f"{config[CONF_ID]}_input", is_declaration=True, type=SensorInput)
    )
    cg.add(source.set_silence(config[CONF_SILENCE]))
    for phase in config[CONF_PHASES]:
        sensors = [
            await cg.get_variable(phase[key]) if key in phase else cg.nullptr
            for key in (CONF_FREQUENCY, CONF_VOLTAGE)
        ]
        cg.add(source.add_phase(*sensors))
    return source


async def to_code(config: ConfigType) -> None:
    """Generate the guard, its relays and its entities."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_input(await _input(config)))
    cg.add(var.set_nominal_voltage(config[CONF_NOMINAL_VOLTAGE]))
    cg.add(var.set_silence(config[CONF_SILENCE]))
    cg.add(var.set_rate_of_change(config[CONF_RATE_OF_CHANGE]))
    cg.add(var.set_start_delay(config[CONF_START_DELAY]))
    profile_index = PROFILES.index(_profile(config, CORE.config))
    cg.add(var.set_profile_index(profile_index))
    if custom := config.get(CONF_CUSTOM):
        under = ", ".join(_threshold(custom[stage]) for stage in UNDER)
        over = ", ".join(_threshold(custom[stage]) for stage in OVER)
        cg.add(
            var.set_custom_profile(
                cg.RawExpression(
                    f"esphome::frequency_guard::GuardProfile{{{custom['nominal']},"
                    f" {{{{{under}}}}}, {_threshold(custom[CONF_RESTORE])},"
                    f" {{{{{over}}}}}, {_threshold(custom[CONF_RELEASE])}}}"
                )
            )
        )
    cg.add(
        var.set_plan(
            cg.StructInitializer(
                PlanSettings,
                ("restore_spread_ms", config[CONF_RESTORE_SPREAD]),
                ("restore_spacing_ms", config[CONF_RESTORE_SPACING]),
                ("starts_per_hour", config[CONF_STARTS_PER_HOUR]),
                ("override_ms", config[CONF_OVERRIDE]),
            )
        )
    )
    for index, relay in enumerate(config[CONF_RELAYS]):
        cg.add(
            var.add_relay(
                await cg.get_variable(relay[CONF_SWITCH]),
                cg.StructInitializer(
                    RelaySettings,
                    ("load_class", getattr(LoadClass, relay[CONF_CLASS].upper())),
                    ("priority", relay[CONF_PRIORITY]),
                    ("minimum_on_ms", relay[CONF_MINIMUM_ON]),
                    ("minimum_off_ms", relay[CONF_MINIMUM_OFF]),
                ),
            )
        )
        if chosen := relay.get(CONF_CLASS_SELECT):
            entity = await select.new_select(chosen, options=list(CLASSES))
            await cg.register_parented(entity, var)
            cg.add(entity.set_relay(index))
            cg.add(var.set_class_select(index, entity))
    if state := config.get(CONF_STATE):
        cg.add(var.set_state_sensor(await text_sensor.new_text_sensor(state)))
    if reason := config.get(CONF_REASON):
        cg.add(var.set_reason_sensor(await text_sensor.new_text_sensor(reason)))
    if profile := config.get(CONF_PROFILE_SELECT):
        has_custom = CONF_CUSTOM in config or CONF_THRESHOLDS in config
        offered = [p for p in PROFILES if p != CONF_CUSTOM or has_custom]
        entity = await select.new_select(profile, options=offered)
        await cg.register_parented(entity, var)
        cg.add(var.set_profile_select(entity))
    for key, chosen in config.get(CONF_THRESHOLDS, {}).items():
        threshold, _, what = key.rpartition("_")
        _, least, greatest, step = NUMBERS[what]
        entity = await number.new_number(
            chosen, min_value=least, max_value=greatest, step=step
        )
        await cg.register_parented(entity, var)
        place = (THRESHOLDS.index(threshold), what == CONF_DELAY)
        cg.add(entity.set_threshold(*place))
        cg.add(var.set_threshold_number(*place, entity))
    if enable := config.get(CONF_ENABLE):
        entity = await switch.new_switch(enable)
        await cg.register_parented(entity, var)
        cg.add(var.set_enable_switch(entity))
