"""Hostile stored files: whatever is in the files of a meter, its entry loads and unloads."""

import asyncio
from collections.abc import Mapping
import copy
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.loads.settings import SUBENTRY_LOAD
from tests.attack.statistics import check_statistics
from tests.conftest import AddMeter
from tests.loads.conftest import DEFAULTS
from tests.support.attack import Promises, check_files, examples, give, watched
from tests.support.device import DeviceServer
from tests.support.hostile import json_values
from tests.support.states import state_is

pytestmark = pytest.mark.usefixtures("recorder")

ANCHOR = {"time": 1.79e9, "counters": [10**8] * 8, "sequence": 40}
POSITION = {"journal": "11223344", "done": 40, "anchor": ANCHOR}
STORED: Mapping[str, Any] = {
    "meter": {
        "power_quality": {
            "known": ["7-1"],
            "wanted": ["7-2"],
            "waves": [
                {
                    "event_id": "7-1",
                    "title": "dip L1",
                    "started": "2026-11-01T12:00:00+00:00",
                    "points_per_cycle": 4,
                    "channels": {"UL1": [0.0, 325.0, 0.0, -325.0]},
                }
            ],
        },
        "totals": {"latest": {"import_energy": 12.5}, "gone_back": {}},
        "guard": ["7-1"],
        "calibration": "",
    },
    "journal": {
        "client": "0000beef",
        **POSITION,
        "seen": 1.79e9,
        "origin": POSITION,
        "doubtful": [1.79e9, 1.791e9],
        "starts": {"7": 1.79e9},
        "provisional": ["7"],
    },
    "loads": {
        "saved": 1.79e9,
        "contexts": ["01"],
        "dry_run": False,
        "arbiter": {
            "load": {
                "asked": True,
                "to_restore": True,
                "override": [True, 600.0],
                "mine": False,
            }
        },
        "accounts": {
            "load": {"shed": 1.0, "absorbed": 0.0, "restored": 0.0, "owed": 1.0}
        },
        "plants": {
            "load": {
                "last_on": "on",
                "assumed_on": True,
                "given": 100.0,
                "was_cut_off": False,
                "data": {},
            }
        },
    },
}
"""Content of each file of a meter, as the integration writes it."""


def _places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values within a content."""
    inner: list[tuple[Any, ...]] = [path]
    if isinstance(content, dict):
        for key, value in content.items():
            inner += _places(value, (*path, key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            inner += _places(value, (*path, index))
    return inner


def _changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a content with another value at a path."""
    if not path:
        return value
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def _contents(name: str) -> st.SearchStrategy[Any]:
    """Return contents of a file in which one value is something else."""
    return st.builds(
        lambda path, value: _changed(STORED[name], path, value),
        st.sampled_from(_places(STORED[name])),
        json_values(),
    )


FILES = st.fixed_dictionaries({name: _contents(name) for name in STORED})


@pytest.fixture
def recorder(recorder_mock: object) -> None:
    """Run a recorder, which must start before Home Assistant."""


@pytest.mark.usefixtures("impatient")
async def test_whatever_is_stored_the_entry_loads_and_unloads(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    hass_storage: dict[str, Any],
) -> None:
    """After every set of files: entry, log, loop, states, and the files written anew."""
    entry = await add_meter(server.port)
    hass.states.async_set("input_boolean.heater", "on")
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType({**DEFAULTS, "entity": "input_boolean.heater"}),
            subentry_id="load",
            subentry_type=SUBENTRY_LOAD,
            title="Heater",
            unique_id=None,
        ),
    )
    await hass.async_block_till_done()
    loop = asyncio.get_running_loop()
    with watched("files") as promises:

        @examples(30)
        @given(FILES)
        def run(files: dict[str, Any]) -> None:
            give(loop, _try(hass, entry, hass_storage, promises, files))

        await asyncio.to_thread(run)
    await check_statistics(hass)


async def _try(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    storage: dict[str, Any],
    promises: Promises,
    files: Mapping[str, Any],
) -> None:
    """Let the entry find these files, and check the promises."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    for name, content in files.items():
        key = f"{DOMAIN}.{name}.{entry.entry_id}"
        storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": content}
    promises.inputs += len(files)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(entry.entry_id)
    check_files(storage)
    assert await hass.config_entries.async_setup(entry.entry_id)
    promises.check(hass)
