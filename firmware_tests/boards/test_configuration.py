"""ESPHome accepts the configurations, and generates the ESP32's firmware."""

from pathlib import Path

import pytest

from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from firmware_tests.configurations import (
    COMPONENTS,
    FOLDER,
    OWN_COMPONENTS,
    esphome,
    resolved,
)

CONFIGURATIONS = ["nrj-meter.yaml", "nrj-meter-simulated.yaml"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configuration_is_valid(name: str, tmp_path: Path) -> None:
    """Both meters are accepted as they are in the repository."""
    configuration = resolved(name, tmp_path)
    assert "ade9000" in configuration


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_both_meters_have_two_relays(name: str, tmp_path: Path) -> None:
    """The relays are part of the simulated and of the real meter."""
    switches = resolved(name, tmp_path)["switch"]
    assert [switch["name"] for switch in switches] == ["Relay 1", "Relay 2"]


@pytest.mark.parametrize(("standalone", "disabled"), [("false", True), ("true", False)])
def test_standalone_shows_the_measurements(
    standalone: str, disabled: bool, tmp_path: Path
) -> None:
    """Measurements are hidden from Home Assistant's own ESPHome integration unless asked for."""
    configuration = resolved("nrj-meter.yaml", tmp_path, "-s", "standalone", standalone)
    measured = configuration["sensor"][0]
    flags = {
        entity["disabled_by_default"]
        for channel in ("l1", "l2", "l3", "total")
        for entity in measured[channel].values()
    }
    assert flags == {disabled}


def test_esp32_firmware_is_generated(tmp_path: Path) -> None:
    """Generate the ESP32's source with the SPI transport and without the simulator."""
    result = esphome("compile", "--only-generate", "nrj-meter.yaml", data=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    main = (tmp_path / "build/nrj-meter/src/main.cpp").read_text()
    assert "Ade9000SpiTransport" in main
    assert "ade9000_simulator" not in main


def test_rates_can_be_chosen(tmp_path: Path) -> None:
    """How often a meter measures and tells is two lines of its configuration."""
    chosen = ("-s", "update_interval", "500ms", "-s", "publish_interval", "5s")
    result = esphome(
        *chosen, "compile", "--only-generate", "nrj-meter.yaml", data=tmp_path
    )
    assert result.returncode == 0, result.stdout + result.stderr
    main = (tmp_path / "build/nrj-meter/src/main.cpp").read_text()
    assert "meter->set_update_interval(500);" in main
    assert "meter->set_publish_interval(5000);" in main


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("voltage_divider", "0", "voltage_divider"),
        ("current_sensitivity", "-1", "current_sensitivity"),
        ("nominal_voltage", "5V", "nominal_voltage"),
        ("line_frequency", "55Hz", "line_frequency"),
    ],
)
def test_impossible_front_end_is_refused(
    key: str, value: str, complaint: str, tmp_path: Path
) -> None:
    """Name an impossible ratio, and generate nothing."""
    result = esphome("-s", key, value, "config", "nrj-meter.yaml", data=tmp_path)
    assert result.returncode != 0
    assert complaint in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("substitution", "value", "complaint"),
    [
        ("journal_memory", "12 parsecs", "is not a size"),
        ("journal_memory", "100B", "at least 512"),
    ],
)
def test_a_journal_of_no_size_is_refused(
    substitution: str, value: str, complaint: str, tmp_path: Path
) -> None:
    """Name an impossible size or interval of the journal."""
    result = esphome(
        "-s", substitution, value, "config", "nrj-meter.yaml", data=tmp_path
    )
    assert result.returncode != 0
    assert complaint in result.stdout + result.stderr


def test_a_journal_is_not_to_be_wiped_by_a_restart(tmp_path: Path) -> None:
    """Refuse a journal in a meter set to restart without a client: a restart loses records."""
    configuration = tmp_path / "restless.yaml"
    configuration.write_text(
        f"packages:\n  meter: !include {FOLDER / 'nrj-meter-simulated.yaml'}\n"
        "api:\n  reboot_timeout: 15min\n"
    )
    result = esphome(*OWN_COMPONENTS, "config", configuration, data=tmp_path)
    assert result.returncode != 0
    assert "reboot_timeout: 0s" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("board", "line_frequency", "profile"),
    [
        ("nrj-meter.yaml", "50Hz", "continental_europe"),
        ("nrj-meter.yaml", "60Hz", "north_america"),
        ("nrj-plug.yaml", "50Hz", "continental_europe"),
        ("nrj-plug.yaml", "60Hz", "north_america"),
    ],
)
def test_a_guard_begins_with_a_profile_of_its_line_frequency(
    board: str, line_frequency: str, profile: str, tmp_path: Path
) -> None:
    """Guard a meter of 60 Hz with thresholds of 60 Hz from its first start."""
    chosen = ("-s", "line_frequency", line_frequency)
    guard = resolved(board, tmp_path, *OWN_COMPONENTS, *chosen)["frequency_guard"]
    assert guard["profile"] == profile


GUARD_ALONE = """
esphome: {name: guarded}
host:
api: {homeassistant_services: true}
external_components:
  - source: COMPONENTS
sensor:
  - {platform: template, id: hertz}
frequency_guard:
  phases: [{frequency: hertz}]
"""


@pytest.mark.parametrize(
    ("options", "begins_with"),
    [
        ("", 0),
        ("  line_frequency: 60Hz\n", 2),
        ("  profile: island_60\n", 4),
        ("  line_frequency: 60Hz\n  profile: island_60\n", 4),
    ],
)
def test_a_guard_without_packages_begins_with_a_profile_of_its_line_frequency(
    options: str, begins_with: int, tmp_path: Path
) -> None:
    """Generate the place of the profile in the firmware's table."""
    path = tmp_path / "guarded.yaml"
    path.write_text(GUARD_ALONE.replace("COMPONENTS", str(COMPONENTS)) + options)
    result = esphome("compile", "--only-generate", path, data=tmp_path / "data")
    assert result.returncode == 0, result.stdout + result.stderr
    main = (tmp_path / "data/build/guarded/src/main.cpp").read_text()
    assert f"->set_profile_index({begins_with});" in main


@pytest.mark.parametrize("profile", PROFILES)
def test_a_guard_of_another_line_frequency_is_refused(
    profile: str, tmp_path: Path
) -> None:
    """Refuse thresholds that the frequency of the grid never meets."""
    path = tmp_path / "guarded.yaml"
    path.write_text(
        GUARD_ALONE.replace("COMPONENTS", str(COMPONENTS))
        + f"  line_frequency: 50Hz\n  profile: {profile}\n"
    )
    result = esphome("config", path, data=tmp_path)
    said = result.stdout + result.stderr
    fits = PROFILES[profile].nominal == 50.0
    assert (result.returncode == 0) is fits, said
    assert fits or f"'{profile}' is for 60 Hz" in said


def test_a_guard_profile_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """Show the line that names the profile."""
    chosen = ("-s", "grid_profile", "delay")
    result = esphome(*chosen, "config", "nrj-meter.yaml", data=tmp_path)
    assert result.returncode != 0
    assert "profile: delay" in result.stdout + result.stderr
