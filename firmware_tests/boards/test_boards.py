"""Check each board's offer, its first set-up, and the authentication of every update."""

from collections.abc import Iterator
from pathlib import Path
import re
import subprocess
from typing import Any

import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from firmware_tests.configurations import FOLDER, OWN_COMPONENTS, esphome, resolved
from firmware_tests.guarded_plug import GuardedPlugs
from nrj_release.images import images
from nrj_tools import ROOT
from nrj_tools.firmware import esphome_executable
from tests.docs.tables import codes, table
from tests.support.pace import patience

ESP32 = ["nrj-meter.yaml", "nrj-meter-factory.yaml"]
ESP8266 = ["nrj-meter-esp8266.yaml", "nrj-meter-esp8266-factory.yaml"]
PLUG = ["nrj-plug.yaml"]
BOARDS = ESP32 + ESP8266 + PLUG
GIVEN_TO_PEOPLE = [
    "nrj-meter-factory.yaml",
    "nrj-meter-esp8266-factory.yaml",
    "nrj-plug.yaml",
]
ADOPTED = {
    "nrj-meter-factory.yaml": "adopt/nrj-meter.yaml",
    "nrj-meter-esp8266-factory.yaml": "adopt/nrj-meter-esp8266.yaml",
    "nrj-plug.yaml": "adopt/nrj-plug.yaml",
}
"""What the ESPHome dashboard makes of a device, by the configuration of the device."""
KEY = "aGVsbG8gd29ybGQsIHRoaXMgaXMgbm90IHNlY3JldCE="


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for ESPHome's files."""
    return tmp_path_factory.mktemp("boards")


@pytest.fixture(scope="module")
def boards(data: Path) -> dict[str, dict[str, Any]]:
    """Return every board's configuration as ESPHome resolves the file."""
    return {name: resolved(name, data, *OWN_COMPONENTS) for name in BOARDS}


def entities(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every named sensor of a configuration's `sensor:`."""
    if isinstance(node, dict):
        if isinstance(node.get("name"), str):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from entities(child)


def test_every_configuration_of_the_repository_is_known_here() -> None:
    """A board added without tests is noticed."""
    simulated = {"nrj-meter-simulated.yaml"}
    there = {
        path.name
        for path in FOLDER.glob("nrj-*.yaml")
        if path.name != "nrj-battery.yaml"
    }
    assert there == {*BOARDS, *simulated}


@pytest.mark.parametrize("name", BOARDS)
def test_measurements_are_the_integrations(
    name: str, boards: dict[str, dict[str, Any]]
) -> None:
    """Give sensors named in the catalog the catalog's unit, disabled for ESPHome's own integration."""
    known = 0
    for entity in entities(boards[name]["sensor"]):
        channel = CHANNELS.get(entity["name"].lower().replace(" ", "_"))
        if channel is None:
            continue
        known += 1
        unit = entity.get("unit_of_measurement") or None
        assert unit == channel.quantity.unit, entity["name"]
        assert entity["disabled_by_default"] is True, entity["name"]
    assert known >= 8


@pytest.mark.parametrize("name", PLUG)
def test_plug_offers_only_its_chips_quantities(
    name: str, boards: dict[str, dict[str, Any]]
) -> None:
    """Offer a phase and its total, without export: the chip does not tell export from import."""
    names = {entity["name"] for entity in entities(boards[name]["sensor"])}
    assert names == {
        "Voltage L1",
        "Current L1",
        "Active power L1",
        "Active power",
        "Frequency L1",
        "Frequency",
        "Import energy L1",
        "Import energy",
    }
    assert [switch["name"] for switch in boards[name]["switch"]] == ["Relay 1"]


@pytest.mark.parametrize("name", BOARDS)
def test_project_is_discovered_by_the_integration(
    name: str, boards: dict[str, dict[str, Any]]
) -> None:
    """The name in the mDNS record begins as the integration expects, and says meter or plug."""
    project = boards[name]["esphome"]["project"]["name"]
    assert (
        project == "nrj-monitor.plug"
        if name in PLUG
        else project == "nrj-monitor.meter"
    )


@pytest.mark.parametrize("name", GIVEN_TO_PEOPLE)
def test_first_start_needs_no_editing(
    name: str, boards: dict[str, dict[str, Any]]
) -> None:
    """Build in no network and no key, and offer every way to enter both."""
    board = boards[name]
    assert not board["wifi"].get("networks")
    assert "ap" in board["wifi"]
    assert "captive_portal" in board
    assert "key" not in board["api"]["encryption"]
    assert "improv_serial" in board
    assert ("improv_ble" in board) == (name in ESP32)
    assert board["esphome"]["name_add_mac_suffix"] is True


@pytest.mark.parametrize("name", GIVEN_TO_PEOPLE)
def test_adoption_leads_to_a_configuration_to_adopt(
    name: str, boards: dict[str, dict[str, Any]], data: Path
) -> None:
    """Adopt the same device without what is for strangers only: setting it up, a made-up name, the image's window."""
    url = boards[name]["dashboard_import"]["package_import_url"]
    found = re.fullmatch(
        r"github://nrj-monitor/nrj-monitor/esphome/(.+\.yaml)@(?:main|v[\d.]+\w*)", url
    )
    assert found is not None
    assert found[1] == ADOPTED[name]
    given = boards[name]
    adopted = resolved(ADOPTED[name], data, *OWN_COMPONENTS)
    for_strangers = {
        "dashboard_import",
        "improv_serial",
        "esp32_improv",
        "provisioning",
    }
    assert not for_strangers & set(adopted)
    assert adopted["esphome"].get("name_add_mac_suffix") is False
    components = "  components: github://nrj-monitor/nrj-monitor@${release}\n"
    assert components in (FOLDER / ADOPTED[name]).read_text()
    for part in ("sensor", "switch", "ade9000", "frequency_guard", "energy_journal"):
        assert adopted.get(part) == given.get(part), part


PROVISIONED = [
    # Both come with what they ask for: ESPHome warns of the first whether there is a
    # window or not, and of the second because there is one.
    "add a 'provisioning:' block to limit when that is possible",
    "'provisioning' is configured with a WiFi access point",
]


@pytest.mark.parametrize(
    "name",
    [*BOARDS, "nrj-meter-simulated.yaml", *(f"images/{i}.yaml" for i in images(ROOT))],
)
def test_esphome_warns_of_nothing_else(name: str, data: Path) -> None:
    """Use no strapping pin and nothing that ESPHome advises against."""
    result = esphome(*OWN_COMPONENTS, "config", name, data=data)
    said = re.findall(r"WARNING (.+)", result.stdout + result.stderr)
    expected = PROVISIONED if "\nprovisioning:\n" in result.stdout else []
    assert len(said) == len(expected), said
    for warning, known in zip(said, expected, strict=True):
        assert known in warning


@pytest.mark.parametrize("name", BOARDS)
def test_no_update_without_authentication(
    name: str, boards: dict[str, dict[str, Any]]
) -> None:
    """Check the password at the update port, and close the captive portal's upload before its page opens."""
    board = boards[name]
    for way in board["ota"]:
        assert way["platform"] in ("esphome", "web_server")
        if way["platform"] == "esphome":
            assert "password" in way
            assert "set_auth_password(password)" in str(board["esphome"]["on_boot"])
            assert "set_auth_password(password)" in str(board["safe_mode"])
    (portal,) = [way for way in board["ota"] if way["platform"] == "web_server"]
    assert portal["id"] == "portal_upload"
    shutting = [
        start
        for start in board["esphome"]["on_boot"]
        if "id(portal_upload).mark_failed" in str(start)
    ]
    # ESPHome sets components up by falling priority; the page's is that of AFTER_WIFI, 200.
    assert [start["priority"] > 200 for start in shutting] == [True]


def test_own_key_and_password_are_accepted(data: Path) -> None:
    """Accept a person's own key and password from two lines."""
    own = data / "own.yaml"
    own.write_text(
        f"packages:\n  meter: !include {FOLDER}/nrj-meter-factory.yaml\n"
        "substitutions:\n  ota_password: correct horse\n"
        f"api:\n  encryption:\n    key: {KEY}\n"
    )
    board = resolved(own, data, *OWN_COMPONENTS)
    assert board["api"]["encryption"]["key"]
    (update,) = [way for way in board["ota"] if way["platform"] == "esphome"]
    assert update["password"]


def with_package(data: Path, package: str) -> Path:
    """Write a meter's configuration with an optional package."""
    path = data / f"with-{package}.yaml"
    path.write_text(
        f"packages:\n  meter: !include {FOLDER}/nrj-meter-factory.yaml\n"
        f"  more: !include {FOLDER}/packages/{package}.yaml\n"
    )
    return path


OPTIONAL = table("install.md", "package", "needs the substitutions", "and takes")
GIVEN = {
    "mqtt_broker": "broker.local",
    "web_username": "me",
    "web_password": "correct horse",
}


@pytest.mark.parametrize(
    ("package", "needed"),
    [
        (
            codes(row["package"])[0],
            {name: GIVEN[name] for name in codes(row["needs the substitutions"])},
        )
        for row in OPTIONAL
    ],
)
def test_optional_packages(package: str, needed: dict[str, str], data: Path) -> None:
    """Accept each package with its documented substitutions, and refuse the package without."""
    path = with_package(data, package)
    arguments = [text for key, value in needed.items() for text in ("-s", key, value)]
    configuration = resolved(path, data, *OWN_COMPONENTS, *arguments)
    assert package.replace("-", "_") in configuration
    for missing in needed:
        rest = [
            text
            for key, value in needed.items()
            if key != missing
            for text in ("-s", key, value)
        ]
        assert (
            esphome(*OWN_COMPONENTS, *rest, "config", path, data=data).returncode != 0
        ), missing


def test_optional_packages_are_documented_with_all_substitutions() -> None:
    """Compare each package's substitutions with its row, and find a row for every package."""
    documented = {
        codes(row["package"])[0]: {
            *codes(row["needs the substitutions"]),
            *codes(row["and takes"]),
        }
        for row in OPTIONAL
    }
    assert {
        path.stem: set(
            re.findall(r"^  (\w+): ", text.partition("\n\n")[0], re.MULTILINE)
        )
        for path in sorted((FOLDER / "packages").glob("*.yaml"))
        if (text := path.read_text()).startswith("# Optional")
    } == documented


def test_web_server_takes_no_firmware_and_asks_for_a_password(data: Path) -> None:
    """The optional page has a login and no upload."""
    path = with_package(data, "web-server")
    server = resolved(
        path,
        data,
        *OWN_COMPONENTS,
        "-s",
        "web_username",
        "me",
        "-s",
        "web_password",
        "correct horse",
    )["web_server"]
    assert server["ota"] is False
    assert server["auth"]["type"] == "digest"


@pytest.mark.parametrize("name", ESP8266)
def test_esp8266_has_room_for_it(name: str, boards: dict[str, dict[str, Any]]) -> None:
    """Fewer measurements, fewer connections, the hardware's SPI pins, and few saves."""
    board = boards[name]
    assert len(list(entities(board["sensor"]))) < 40
    assert board["api"]["max_connections"] == 3
    spi = board["spi"][0]
    pins = [spi[pin]["number"] for pin in ("clk_pin", "miso_pin", "mosi_pin")]
    assert pins == [14, 12, 13]
    used = pins + [switch["pin"]["number"] for switch in board["switch"]]
    used.append(board["ade9000"][0]["cs_pin"]["number"])
    assert len(set(used)) == len(used)
    # These decide how an ESP8266 starts; a relay or a chip on them keeps it from starting, or switches by itself.
    assert not {0, 2, 15} & set(used)
    assert board["ade9000"][0]["save_interval"] == "60min"


def test_portal_page_is_shut_in_the_firmware(data: Path) -> None:
    """The generated program marks the upload page as failed."""
    result = esphome("compile", "--only-generate", "nrj-meter.yaml", data=data)
    assert result.returncode == 0, result.stdout + result.stderr
    main = (data / "build/nrj-meter/src/main.cpp").read_text()
    assert "portal_upload->mark_failed(" in main


UPLOADER = """
import io, pathlib, socket, sys
from esphome import espota2
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
password = sys.argv[2] if len(sys.argv) > 2 else None
try:
    espota2.perform_ota(link, password, io.BytesIO(b"no image"), pathlib.Path("image"))
except espota2.OTAError as error:
    print(error)
else:
    print("accepted")
"""


def offer_update(port: int, password: str | None) -> str:
    """Send a file without an image through ESPHome's uploader; return the uploader's outcome."""
    result = subprocess.run(
        [
            esphome_executable().parent / "python",
            "-c",
            UPLOADER,
            str(port),
            *([] if password is None else [password]),
        ],
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=True,
    )
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("built_with", "offered"),
    [("", None), ("", ""), ("", "guess"), ("correct horse", "guess")],
)
def test_update_port_refuses_strangers(
    built_with: str,
    offered: str | None,
    guarded_plugs: GuardedPlugs,
    tmp_path: Path,
) -> None:
    """Ask every uploader for a password, and refuse a wrong password."""
    with guarded_plugs.running(built_with, tmp_path):
        outcome = offer_update(guarded_plugs.update_port, offered)
    assert "assword" in outcome or "uthentication" in outcome, outcome


def test_update_port_takes_the_right_password(
    guarded_plugs: GuardedPlugs, tmp_path: Path
) -> None:
    """With the password the upload goes past the check (and fails later, being empty)."""
    with guarded_plugs.running("correct horse", tmp_path):
        outcome = offer_update(guarded_plugs.update_port, "correct horse")
    assert "assword" not in outcome, outcome
    assert "uthentication" not in outcome, outcome
