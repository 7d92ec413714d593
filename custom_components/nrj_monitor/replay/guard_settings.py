"""Settings of a meter's guard as they are, for a replay."""

from collections.abc import Mapping

from ..catalog import CHANNELS
from ..const import CONF_GRID_PROFILE, DEFAULT_GRID_PROFILE
from ..entry_data import NrjConfigEntry
from ..frequency_guard.guard import GuardSettings
from ..frequency_guard.guard_profile import PROFILES, GuardProfile, Threshold
from ..loads.grid_source import MAXIMUM_SPREAD, computed_settings
from ..sources import Feature
from ..sources.settings import SettingValue

CUSTOM = "custom"

FNV_OFFSET = 2_166_136_261
FNV_PRIME = 16_777_619
"""FNV-1, 32 bits, by which the firmware makes a number of its MAC address."""


class UnknownGuardError(Exception):
    """A meter with a guard of its own whose settings are not known now."""


def guard_settings(entry: NrjConfigEntry) -> GuardSettings | None:
    """Return the settings of the guard that a meter's loads follow; None without one.

    Raises:
        UnknownGuardError: the meter has to be reached for them.
    """
    description = entry.runtime_data.meter.description
    if Feature.GUARD in description.features:
        return device_settings(entry.runtime_data.meter.settings, description.mac)
    if any(
        channel.quantity is CHANNELS["frequency"].quantity
        for channel in description.channels
    ):
        profile = entry.options.get(CONF_GRID_PROFILE, DEFAULT_GRID_PROFILE)
        return computed_settings(profile, description.mac)
    return None


def device_settings(
    settings: Mapping[str, SettingValue], mac: str
) -> GuardSettings | None:
    """Return the settings of a device's own guard, None where it is switched off.

    Raises:
        UnknownGuardError: the device has not reported them.
    """
    if settings.get("guard") is False:
        return None
    name = settings.get("guard_profile")
    try:
        profile = _custom_profile(settings) if name == CUSTOM else PROFILES[str(name)]
    except KeyError as error:
        raise UnknownGuardError from error
    return GuardSettings(profile=profile, spread=device_spread(mac))


def _custom_profile(settings: Mapping[str, SettingValue]) -> GuardProfile:
    def threshold(stage: str) -> Threshold:
        hertz = float(settings[f"guard_{stage}_frequency"])
        delay = float(settings[f"guard_{stage}_delay"])
        return Threshold(hertz, round(1000 * delay))

    inhibit = threshold("inhibit")
    return GuardProfile(
        nominal=50.0 if inhibit.hertz < 55.0 else 60.0,
        under=(inhibit, threshold("shed_1"), threshold("shed_2"), threshold("shed_3")),
        restore=threshold("restore"),
        over=(threshold("absorb_1"), threshold("absorb_2")),
        release=threshold("release"),
    )


def device_spread(mac: str) -> float:
    """Return the spread of the thresholds of a device, Hz, as its firmware has it."""
    number = FNV_OFFSET
    for character in mac.replace(":", "").lower():
        number = (number * FNV_PRIME) % 2**32 ^ ord(character)
    return MAXIMUM_SPREAD * (number % 1000) / 1000.0
