"""Every message that the firmware can send has a sentence in every language.

What it can send is read from its source: the tables of kinds, and the values that each
message is given.
"""

import json
from pathlib import Path
import re
from string import Formatter

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_load_integrations
import pytest
import yaml

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.device_messages.kinds import (
    CALIBRATION_REFUSALS,
    CALIBRATION_RESULTS,
    CLOCK,
    KINDS,
    WIRING,
)
from custom_components.nrj_monitor.device_messages.message import (
    DeviceMessage,
    parse_messages,
)
from custom_components.nrj_monitor.device_messages.sentences import async_say
from custom_components.nrj_monitor.issues.checks import NOT_SET

ROOT = Path(__file__).parents[2]
ESPHOME = ROOT / "esphome"
COMPONENTS = ESPHOME / "components"
LANGUAGES = ("en", "fr")

STRING = r'"(?:[^"\\]|\\.)*"'
KIND = re.compile(rf'\{{\s*"([a-z_]+)",\s*((?:{STRING}\s*)+)\}}')


def kinds_of(file: str) -> dict[str, str]:
    """Return the English sentences of a source's kinds of messages, by code."""
    source = (COMPONENTS / file).read_text()
    return {
        code: "".join(part[1:-1] for part in re.findall(STRING, sentence))
        for code, sentence in KIND.findall(source)
    }


FIRMWARE_WIRING = kinds_of("wiring_check/wiring_findings.cpp")
FIRMWARE_CALIBRATION = kinds_of("meter_calibration/calibration_messages.h")
FIRMWARE = {**FIRMWARE_WIRING, **FIRMWARE_CALIBRATION}


def names_in(sentence: str) -> set[str]:
    """Return the placeholders of a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def sentence(language: str, code: str) -> str:
    """Return the translation of a code."""
    folder = ROOT / "custom_components/nrj_monitor/translations"
    texts = json.loads((folder / f"{language}.json").read_text())
    text: str = (
        texts["exceptions"][code]["message"]
        if code in CALIBRATION_REFUSALS
        else texts["selector"]["device_message"]["options"][code]
    )
    return text


def test_the_firmware_has_the_codes_of_the_integration() -> None:
    """Each side knows the codes of the other, and no code has two meanings."""
    assert len(FIRMWARE_WIRING) == 24
    assert set(FIRMWARE_WIRING) == set(WIRING)
    assert set(FIRMWARE_CALIBRATION) == {*CALIBRATION_REFUSALS, *CALIBRATION_RESULTS}
    assert len(KINDS) == len(FIRMWARE_WIRING) + len(FIRMWARE_CALIBRATION) + len(CLOCK)


def test_every_message_comes_from_a_table() -> None:
    """A message is made of a kind that a table lists, wherever the firmware makes one."""
    made = {
        name
        for file in COMPONENTS.rglob("*.cpp")
        for name in re.findall(
            r"(?:Message|about|about_input)\(([A-Z][A-Z_]+)[,)]", file.read_text()
        )
    }
    header = (COMPONENTS / "meter_calibration/calibration_messages.h").read_text()
    assert made == set(re.findall(r"MessageKind ([A-Z_]+)\{", header))


@pytest.mark.parametrize("code", sorted(FIRMWARE))
def test_every_code_has_its_sentences(code: str) -> None:
    """Each language names the values that the firmware sends; English is the firmware's."""
    assert names_in(FIRMWARE[code]) == set(KINDS[code])
    for language in LANGUAGES:
        assert names_in(sentence(language, code)) == set(KINDS[code])
    assert sentence("en", code).replace("’", "'") == FIRMWARE[code]


MADE_WITH: dict[str, set[str]] = {
    "Message": set(),
    "about": {"phase"},
    "about_input": {"input"},
}
"""Values that each way to make a message gives by itself."""


def values_given() -> dict[str, set[str]]:
    """Return the names of the values that the calibration gives to each kind."""
    source = (COMPONENTS / "meter_calibration/calibration_book.cpp").read_text()
    header = (COMPONENTS / "meter_calibration/calibration_messages.h").read_text()
    codes = dict(re.findall(r'MessageKind ([A-Z_]+)\{\s*"([a-z_]+)"', header))
    given: dict[str, set[str]] = {}
    for statement in source.split(";"):
        made = re.search(r"(Message|about|about_input)\(([A-Z][A-Z_]+)[,)]", statement)
        if made is not None and made[2] in codes:
            names = set(re.findall(r'\.add\("(\w+)"', statement))
            given[codes[made[2]]] = names | MADE_WITH[made[1]]
    return given


def test_every_value_is_given() -> None:
    """The firmware gives each message the values that its sentence names."""
    given = values_given()
    assert set(given) == set(FIRMWARE_CALIBRATION) - {"calibration_dropped"}
    for code, names in given.items():
        assert names == set(KINDS[code]), code


def test_every_text_of_the_firmware_is_a_code_or_has_one() -> None:
    """Whatever a text sensor or an action says beside its codes is listed here.

    Sentences have codes; the others are codes, numbers or times already.
    """
    sensors = {
        name
        for file in (*COMPONENTS.rglob("*.cpp"), *COMPONENTS.rglob("*.h"))
        for name in re.findall(
            r"TextSensor \*(\w+)\{", re.sub(r"\s+", " ", file.read_text())
        )
    }
    with_codes = {"result_", "codes_"}
    codes_already = {"state_sensor_", "reason_sensor_", "over_range_"}
    of_an_event_with_codes = {"last_event_"}
    configuration = {"corrections_"}
    assert sensors == (
        with_codes | codes_already | of_an_event_with_codes | configuration
    )
    answers = {
        answer
        for file in (ESPHOME / "packages").glob("*.yaml")
        for answer in re.findall(r"error_message: (.+)", file.read_text())
    }
    assert answers == {
        "!lambda return id(calibration).get_answer();",
        "!lambda return id(wiring).get_answer();",
    }


def test_the_clock_says_that_it_is_not_set_as_ever() -> None:
    """The one text of the clock that is no time is the integration's code for it."""
    text = (ESPHOME / "packages/clock.yaml").read_text()
    assert yaml.safe_load(text.replace("!lambda", "").replace("!include", ""))
    assert re.findall(r'return \{"(.+?)"\}', text) == [NOT_SET]


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "no_voltage:V1,V3;misplaced_current:I1=L2,I2=L1",
            (
                "No voltage at V1, V3: check fuse and wire. These transformers are on"
                " another line, move each to its own: I1 → L2, I2 → L1."
            ),
        ),
        (
            "fr",
            "no_voltage:V1,V3;misplaced_current:I1=L2,I2=L1",
            (
                "Pas de tension sur V1, V3 : vérifiez le fusible et le fil. Ces"
                " transformateurs sont sur une autre phase, mettez chacun sur la sienne :"
                " I1 → L2, I2 → L1."
            ),
        ),
        (
            "fr",
            "current_too_low:phase=L2,shown=0.30,minimum=1.1",
            (
                "L2 ne porte que 0.30 A, trop peu pour comparer : allumez un chauffage qui"
                " prend au moins 1.1 A."
            ),
        ),
    ],
)
async def test_messages_are_said_in_the_users_language(
    hass: HomeAssistant, language: str, text: str, expected: str
) -> None:
    """Say each message in the language of Home Assistant."""
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})
    messages = parse_messages(text)
    assert messages is not None
    assert async_say(hass, messages) == expected
    for code, names in KINDS.items():
        said = async_say(hass, [DeviceMessage(code, dict.fromkeys(names, "L1"))])
        assert said is not None
        assert "{" not in said
    assert async_say(hass, []) is None
    assert async_say(hass, [DeviceMessage("no_such_code")]) is None
