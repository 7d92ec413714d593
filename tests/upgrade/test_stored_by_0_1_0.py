"""An upgrade from version 0.1.0 keeps everything stored.

The files were written by that version: the real firmware as the meter, a load that a
person had shed for seven days, a surplus load, a broker that was away, the meter in the
energy dashboard, and a sensor with a name of its own.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import closing
import json
from pathlib import Path
import shutil
import sqlite3
import time
from typing import Any

from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from nrj_tools.firmware import RunningFirmware
from tests.support.ngsi import NgsiV2
from tests.support.pace import patience
from tests.support.states import state_is, state_where

STORED = Path(__file__).parent / "stored_by_0_1_0"
ENTRIES = "core.config_entries"

# The recorder has to be there before Home Assistant is: it keeps the journal's state.
pytestmark = pytest.mark.usefixtures("recorder_mock", "integration")


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder for the spool of the broker, apart from the environment's own."""
    return hass_tmp_config_dir


@pytest.fixture
def load_registries() -> bool:
    """Leave the registries to be loaded from the stored files."""
    return False


@pytest.fixture
async def orion(socket_enabled: None) -> AsyncGenerator[NgsiV2]:
    """Return a running NGSI-v2 broker."""
    async with NgsiV2() as running:
        yield running


@pytest.fixture
def stored() -> dict[str, Any]:
    """Return the storage files of version 0.1.0 by key."""
    return {file.stem: json.loads(file.read_text()) for file in STORED.glob("*.json")}


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    stored: dict[str, Any],
    firmware: RunningFirmware,
    orion: NgsiV2,
) -> AsyncGenerator[NrjConfigEntry]:
    """Start Home Assistant with the files of version 0.1.0; meter and broker have moved."""
    (kept,) = stored[ENTRIES]["data"]["entries"]
    kept["data"]["port"] = firmware.port
    for subentry in kept["subentries"]:
        if subentry["subentry_type"] == "broker":
            subentry["data"]["url"] = orion.url
    hass_storage.update(stored)
    folder = Path(hass.config.path(".storage"))
    folder.mkdir(exist_ok=True)
    for spool in STORED.glob("*.sqlite"):
        await hass.async_add_executor_job(copy_spool, spool, folder)
    assert await async_load_base_functionality(hass)
    for component in ("homeassistant", "energy"):
        assert await async_setup_component(hass, component, {})
    inputs = {"heater": {"initial": False}, "boiler": {"initial": False}}
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": inputs})
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done(wait_background_tasks=False)
    entry = hass.config_entries.async_get_entry(kept["entry_id"])
    assert entry is not None
    assert entry.state is ConfigEntryState.LOADED
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        assert await hass.config_entries.async_unload(entry.entry_id)


def unique_ids(entities: Any) -> dict[str, str]:
    """Return the unique ids of this integration's entities, by entity id."""
    return {
        entity["entity_id"]: entity["unique_id"]
        for entity in entities
        if entity["platform"] == DOMAIN
    }


async def test_the_stored_house_lives_on(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    stored: dict[str, Any],
    hass_storage: dict[str, Any],
    orion: NgsiV2,
) -> None:
    """Entities, names, override, totals, journal, queue and dashboard are as they were."""
    # Every entity is the one it was, and none is left over.
    registry = er.async_get(hass)
    before = unique_ids(stored["core.entity_registry"]["data"]["entities"])
    now = {
        entity.entity_id: entity.unique_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    assert now.items() >= before.items()
    restored = [
        id_
        for id_ in before
        if (state := hass.states.get(id_)) is not None
        and state.attributes.get("restored")
    ]
    assert restored == []
    mains = await state_where(
        hass,
        "sensor.mains",
        lambda state: state.state not in ("unavailable", "unknown"),
    )
    assert mains.name.endswith("Mains")

    # The person's seven days go on, and so does what was counted.
    await state_is(hass, "sensor.heater_activity", "overridden_off")
    accounts = stored[f"nrj_monitor.loads.{entry.entry_id}"]["data"]["accounts"]
    heater = before["sensor.heater_activity"].removesuffix("_activity")
    (shed,) = (id_ for id_, key in before.items() if key == f"{heater}_energy_shed")
    total = await state_where(hass, shed, lambda state: state.state != "unavailable")
    assert float(total.state) >= round(accounts[heater]["shed"], 3) > 0

    # The journal goes on with the client the meter knows.
    journal = f"nrj_monitor.journal.{entry.entry_id}"
    client = stored[journal]["data"]["client"]
    assert hass_storage[journal]["data"]["client"] == client

    # What waited for the broker arrives, before anything newer.
    (broker,) = entry.runtime_data.brokers
    spool = STORED / f"nrj_monitor.broker.{broker}.sqlite"
    waiting = await hass.async_add_executor_job(waiting_times, spool)
    assert len(waiting) > 10
    async with asyncio.timeout(patience(20)):
        while len(orion.times) <= len(waiting):
            await asyncio.sleep(0.05)
    assert relative(orion.times[: len(waiting)]) == waiting

    # What was added to the energy dashboard is still known as the meter's own.
    answer = await hass.services.async_call(
        DOMAIN,
        "remove_from_energy_dashboard",
        {},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    assert answer["removed"]


def copy_spool(spool: Path, folder: Path) -> None:
    """Copy a queue as if Home Assistant had been stopped a minute ago.

    A queue drops what is older than a month.
    """
    copied = shutil.copy(spool, folder)
    with closing(sqlite3.connect(copied)) as db, db:
        (newest,) = db.execute("SELECT max(time) FROM records").fetchone()
        later = round(time.time() * 1000) - 60_000 - newest
        db.execute("UPDATE records SET time = time + ?", (later,))


def waiting_times(spool: Path) -> list[int]:
    """Return the times (ms) of the samples in a queue, relative to the oldest."""
    with closing(sqlite3.connect(f"file:{spool}?mode=ro&immutable=1", uri=True)) as db:
        rows = db.execute("SELECT time FROM records ORDER BY time").fetchall()
    return relative([at for (at,) in rows])


def relative(times: list[int]) -> list[int]:
    """Return times (ms) relative to the first."""
    return [at - times[0] for at in times]
