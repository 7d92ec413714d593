"""Settings of a meter's own guard, as a replay takes them."""

from typing import Any

import pytest

from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from custom_components.nrj_monitor.replay.guard_settings import (
    UnknownGuardError,
    device_settings,
    device_spread,
)


def test_the_settings_are_those_of_the_meters_guard() -> None:
    """Take profile, thresholds and spread of the device, and nothing where it is off."""
    mac = "02:4e:52:4a:00:07"
    named = device_settings({"guard": True, "guard_profile": "island_60"}, mac)
    assert named is not None
    assert named.profile == PROFILES["island_60"]
    assert 0 < named.spread == device_spread(mac) < 0.02
    stages = ("inhibit", "shed_1", "shed_2", "shed_3", "restore", "absorb_1")
    settings: dict[str, Any] = {"guard_profile": "custom"}
    for n, stage in enumerate((*stages, "absorb_2", "release")):
        settings[f"guard_{stage}_frequency"] = 59.0 + n
        settings[f"guard_{stage}_delay"] = 0.5 + n
    custom = device_settings(settings, mac)
    assert custom is not None
    assert (custom.profile.nominal, custom.profile.under[1].hertz) == (60.0, 60.0)
    assert custom.profile.under[1].delay_ms == 1500
    assert device_settings({"guard": False}, mac) is None
    with pytest.raises(UnknownGuardError):
        device_settings({}, mac)
    del settings["guard_release_delay"]
    with pytest.raises(UnknownGuardError):
        device_settings(settings, mac)


@pytest.mark.parametrize(
    ("text", "number"), [("", 0x811C9DC5), ("a", 0x050C5D7E), ("foobar", 0x31F0B262)]
)
def test_a_spread_is_made_as_in_the_firmware(text: str, number: int) -> None:
    """Hash with FNV-1, by the test vectors of its authors."""
    assert device_spread(text) == pytest.approx(0.02 * (number % 1000) / 1000)
