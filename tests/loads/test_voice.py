"""Speaking about a load, in both languages, with the sentences of the docs."""

from pathlib import Path
import re
import shutil

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.loads.services import loaded_managers
from tests.loads.conftest import AddLoad, Guard, Pass
from tests.support.assist import answer, async_set_up_assist, expose, say

DOCS = Path(__file__).parents[2] / "docs"
HEATER = "input_boolean.heater"

ROWS = [
    row
    for row in re.findall(
        r"^\| ([^|]+) \| ([^|]+) \|$",
        (DOCS / "voice.md").read_text().partition("### Loads")[2].partition("###")[0],
        re.MULTILINE,
    )
    if row != ("English", "French")
]

SAID = {
    "en": (
        "heater: Off: the grid is low",
        "heater: Off: somebody wants it so, until TIME",
        "heater: Off: the grid is low",
        "heater: Off: the grid is low",
    ),
    "fr": (
        "chauffage : Éteint : le réseau est bas",
        "chauffage : Éteint : quelqu’un le veut ainsi, jusqu’à TIME",
        "chauffage : Éteint : le réseau est bas",
        "chauffage : Éteint : le réseau est bas",
    ),
}


@pytest.fixture
def sentences(hass: HomeAssistant, tmp_path: Path) -> None:
    """Copy the sentences the way the docs say."""
    shutil.copytree(DOCS / "sentences", tmp_path / "custom_sentences")
    hass.config.config_dir = str(tmp_path)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.usefixtures("sentences")
async def test_what_the_page_says_is_understood(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
    language: str,
) -> None:
    """Each sentence of the page is answered with the load's activity."""
    assert await async_setup_component(hass, "homeassistant", {})
    load_id = await add_load("heater")
    expose(hass, HEATER)
    (manager,) = loaded_managers(hass)
    manager.titles[load_id] = {"en": "heater", "fr": "chauffage"}[language]
    guard.state = GuardState.SHED_1
    await let_pass(2)
    await async_set_up_assist(hass, language)
    assert len(ROWS) == len(SAID[language])
    column = ["en", "fr"].index(language)
    for row, said in zip(ROWS, SAID[language], strict=True):
        heard = await answer(hass, row[column], language)
        assert re.sub(r"\b\d\d:\d\d\b", "TIME", heard) == said
        await let_pass(1)
    unknown = {"en": "shed the moon", "fr": "déleste la lune"}[language]
    assert (await say(hass, unknown, language)).error_code is not None


@pytest.mark.usefixtures("sentences")
async def test_what_is_not_exposed_is_not_known(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """A load hidden from Assist is not found."""
    for script in ("script.up", "script.down"):
        hass.states.async_set(script, "off")
    await async_set_up_assist(hass, "en")
    await add_load("pump", script_on="script.up", script_off="script.down")
    assert (await say(hass, "shed the pump")).error_code is not None
    assert hass.states.is_state("sensor.pump_activity", "running")


@pytest.mark.usefixtures("sentences")
async def test_what_is_never_shed_stays(hass: HomeAssistant, add_load: AddLoad) -> None:
    """A never-shed load stays on, and the answer says so."""
    await async_set_up_assist(hass, "en")
    await add_load("router", **{"class": "never_shed"})
    expose(hass, "input_boolean.router")
    assert await answer(hass, "shed the router") == (
        "Router stays as it is: it is never shed"
    )
    assert hass.states.is_state("input_boolean.router", "on")
