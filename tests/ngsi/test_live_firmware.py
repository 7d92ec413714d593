"""Validity of entities made from readings of the real firmware, in every model."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from nrj_tools.firmware import RunningFirmware
from tests.conftest import AddMeter
from tests.ngsi.home import ENTITY, add_broker
from tests.support.ngsi import NgsiLd, NgsiV2
from tests.support.ngsi.schemas import errors, key_values
from tests.support.pace import patience

EVERYTHING = [*ENTITY["groups"], "harmonics", "diagnostics"]
WAITED = 4
"""Samples that are looked at."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder for the spools of the brokers."""
    return hass_tmp_config_dir


async def until_sampled(models: int, *servers: NgsiV2 | NgsiLd) -> None:
    """Wait until each broker has several samples, and one of each of `models`."""

    def is_sampled(server: NgsiV2 | NgsiLd) -> bool:
        seen = {applied.entity["type"] for applied in server.applied}
        return len(seen) >= models and len(set(server.times)) >= WAITED

    async with asyncio.timeout(patience(30)):
        while not all(map(is_sampled, servers)):
            await asyncio.sleep(0.1)


async def test_every_model_from_live_readings(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    orion: NgsiV2,
    ld: NgsiLd,
) -> None:
    """Validate the entities of a house from six brokers by their schemas."""
    entry = await add_meter(firmware.port)
    for model in ("three_phase", "ac", "solar"):
        more: dict[str, Any] = {
            "model": model,
            "groups": EVERYTHING,
            "ref_device": "urn:ngsi-ld:Device:1",
        }
        await add_broker(hass, entry, orion.url, entity=f"urn:t:{model}", **more)
        await add_broker(
            hass,
            entry,
            ld.url,
            api="ngsi_ld",
            entity=f"urn:t:{model}",
            temporal=False,
            **more,
        )
    orion.applied.clear()
    ld.applied.clear()
    await until_sampled(3, orion, ld)
    looked_at: set[tuple[str, str]] = set()
    for server in (orion, ld):
        for applied in server.applied:
            assert errors(applied.entity) == []
            looked_at.add((type(server).__name__, applied.entity["type"]))
    assert len(looked_at) == 6
    plain = key_values(orion.entity("urn:t:three_phase"))
    # Every attribute of the model that the meter measures the parts of is there.
    assert {
        "frequency",
        "current",
        "phaseVoltage",
        "phaseToPhaseVoltage",
        "activePower",
        "totalActivePower",
        "reactivePower",
        "totalReactivePower",
        "apparentPower",
        "totalApparentPower",
        "powerFactor",
        "totalPowerFactor",
        "displacementPowerFactor",
        "totalDisplacementPowerFactor",
        "thdVoltage",
        "thdCurrent",
        "activeEnergyImport",
        "totalActiveEnergyImport",
        "activeEnergyExport",
        "totalActiveEnergyExport",
        "reactiveEnergyImport",
        "reactiveEnergyExport",
        "dateObserved",
        "dateEnergyMeteringStarted",
        "location",
        "refDevice",
    } <= set(plain)
    assert set(plain["phaseVoltage"]) == {"L1", "L2", "L3"}
    assert set(plain["current"]) == {"L1", "L2", "L3", "N"}
    for pair in ("L12", "L23", "L31"):
        # Three phases 120 degrees apart: √3 times 230 V, give or take the house's.
        assert 370 < plain["phaseToPhaseVoltage"][pair] < 430
    assert all(0 <= value < 0.2 for value in plain["thdVoltage"].values())
