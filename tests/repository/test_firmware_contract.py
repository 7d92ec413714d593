"""Catalog and firmware configuration name the same quantities.

`esphome config` prints the configuration with all packages merged and all
defaults filled in, so this is what the firmware is built from.
"""

import subprocess
from typing import Any

import pytest
import yaml

from custom_components.nrj_monitor.catalog import Channel
from nrj_tools.firmware import (
    CONFIGURATION,
    FirmwareError,
    esphome_environment,
    esphome_executable,
)
from tests.support.measured import MEASURED

CONFIGURATIONS = ("nrj-meter-simulated.yaml", "nrj-meter.yaml")


class ConfigurationLoader(yaml.SafeLoader):
    """Reads ESPHome's YAML, taking lambdas and secrets as the text they are."""


ConfigurationLoader.add_multi_constructor(
    "!", lambda loader, _, node: loader.construct_scalar(node)
)


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def configuration(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the merged configuration of a meter."""
    try:
        esphome = esphome_executable()
    except FirmwareError as error:
        pytest.skip(str(error))
    printed = subprocess.run(
        [esphome, "config", CONFIGURATION.parent / request.param],
        env=esphome_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stdout + printed.stderr
    loaded: dict[str, Any] = yaml.load(printed.stdout, ConfigurationLoader)
    return loaded


def measurements(node: Any) -> dict[str, dict[str, Any]]:
    """Return every named entity below a node of the configuration by object id."""
    found: dict[str, dict[str, Any]] = {}
    children: list[Any] = []
    if isinstance(node, dict):
        if isinstance(name := node.get("name"), str):
            found[name.lower().replace(" ", "_")] = node
        children = list(node.values())
    elif isinstance(node, list):
        children = node
    for child in children:
        found |= measurements(child)
    return found


def meter_sensors(configuration: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the sensors of the meter's measurements by object id."""
    return measurements(
        [
            sensor
            for sensor in configuration["sensor"]
            if sensor["platform"] in ("ade9000", "power_quality")
        ]
    )


def test_the_firmware_measures_the_catalog_and_nothing_else(
    configuration: dict[str, Any],
) -> None:
    """Every quantity exists on both sides under the same name.

    Of the harmonics the firmware measures those that matter unless told otherwise.
    """
    assert set(meter_sensors(configuration)) == set(MEASURED)


@pytest.mark.parametrize("channel", MEASURED.values(), ids=lambda channel: channel.id)
def test_the_firmware_uses_the_catalog_s_unit_and_classes(
    configuration: dict[str, Any], channel: Channel
) -> None:
    """A reading means the same on both sides."""
    sensor = meter_sensors(configuration)[channel.id]
    quantity = channel.quantity
    assert (sensor.get("unit_of_measurement") or None) == quantity.unit
    assert (sensor.get("device_class") or None) == quantity.device_class
    assert sensor.get("state_class") == quantity.state_class


def test_both_relays_are_there(configuration: dict[str, Any]) -> None:
    """The switches the integration shows as relays exist."""
    assert {"relay_1", "relay_2"} <= set(measurements(configuration["switch"]))


def test_home_assistant_s_own_esphome_shows_no_doubles(
    configuration: dict[str, Any],
) -> None:
    """The measuring entities are disabled there by default."""
    for sensor in meter_sensors(configuration).values():
        assert sensor["disabled_by_default"] is True
