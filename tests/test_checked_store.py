"""A stored file of no use costs only what it holds, and an error in the set-up leaves nothing behind."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components import nrj_monitor
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.loads.store import load_store
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is

pytestmark = pytest.mark.usefixtures("recorder_mock", "integration")


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder for files that are really written."""
    return hass_tmp_config_dir


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Leave the storage of Home Assistant real, instead of the usual one in memory."""
    return {}


@pytest.fixture
async def entry(add_meter: AddMeter, server: DeviceServer) -> NrjConfigEntry:
    """Return a meter that is set up."""
    return await add_meter(server.port)


def _file(hass: HomeAssistant, entry: NrjConfigEntry, name: str) -> Path:
    return Path(hass.config.path(".storage", f"{DOMAIN}.{name}.{entry.entry_id}"))


def _content(data: object, version: int = 1) -> dict[str, Any]:
    return {"version": version, "minor_version": 1, "key": "", "data": data}


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("meter", (_content({}, version=99), "stored_by_newer_version")),
        ("meter", (_content({"totals": {"latest": {}}}), "stored_data_unusable")),
        ("meter", (_content(["no", "dict"]), "stored_data_unusable")),
        ("meter", (_content(5), "stored_data_unusable")),
        ("meter", ({"data": {}}, "stored_data_unusable")),
        ("meter", ([], "stored_data_unusable")),
        ("journal", (_content({}, version=99), "stored_by_newer_version")),
        ("journal", (_content({"anchor": None}), "stored_data_unusable")),
    ],
)
async def test_a_file_of_no_use_is_set_aside(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    caplog: pytest.LogCaptureFixture,
    name: str,
    case: tuple[object, str],
) -> None:
    """The meter works on, and the file is kept for the person who wants it back."""
    content, issue = case
    assert await hass.config_entries.async_unload(entry.entry_id)
    file = _file(hass, entry, name)
    file.write_text(json.dumps(content))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    kept = Path(f"{file}.set_aside")
    assert json.loads(kept.read_text()) == content
    found = ir.async_get(hass).async_get_issue(
        DOMAIN, f"stored_data_{DOMAIN}.{name}.{entry.entry_id}"
    )
    assert found is not None
    assert found.translation_key == issue
    assert sum("set aside" in record.message for record in caplog.records) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert file.exists(), "a new file is begun"
    await hass.config_entries.async_remove(entry.entry_id)
    assert not kept.exists()
    assert not ir.async_get(hass).issues


async def test_an_error_late_in_the_set_up_undoes_what_was_begun(
    hass: HomeAssistant, entry: NrjConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an unforeseen error the meter can be set up again without a restart."""

    async def fail(*_: object) -> None:
        raise RuntimeError("unforeseen")

    assert await hass.config_entries.async_unload(entry.entry_id)
    with monkeypatch.context() as patch:
        patch.setattr(nrj_monitor, "async_start_backfill", fail)
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")


async def test_a_file_that_can_not_be_written_keeps_no_meter_from_unloading(
    hass: HomeAssistant, entry: NrjConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry unloads although its last save fails, and the log names the file."""
    file = _file(hass, entry, "meter")
    file.unlink(missing_ok=True)
    file.mkdir()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert f"{file}" in caplog.text
    caplog.clear()


async def test_what_can_not_be_stored_is_said_and_loses_nothing(
    hass: HomeAssistant, entry: NrjConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Data that can not be put together leave the file as it was."""
    store = load_store(hass, "trial")
    assert await store.async_try_save({"kept": 1})

    def fail() -> dict[str, Any]:
        raise ValueError("no such load")

    assert not await store.async_try_save(fail)
    assert "no such load" in caplog.text
    assert await load_store(hass, "trial").async_load() == {"kept": 1}
    caplog.clear()
