"""Forwarding of power-quality events: each at its own time, as valid attributes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.models import Model
from custom_components.nrj_monitor.ngsi.sample import Sample, merged
from custom_components.nrj_monitor.ngsi.supply_events import UniqueTimes, event_sample
from custom_components.nrj_monitor.power_quality.event import KINDS, PowerQualityEvent
from tests.conftest import AddMeter
from tests.ngsi.home import ENTITY, add_broker
from tests.ngsi.test_home_assistant import until
from tests.support.device import DeviceServer
from tests.support.ngsi import NgsiV2
from tests.support.ngsi.schemas import errors, key_values

ID = ENTITY["entity"]
BEGAN = datetime(2026, 11, 20, 12, 0, 0, 250000, UTC)
DIP = PowerQualityEvent(
    boot="a1",
    number=7,
    kind="dip",
    phase="L2",
    started=BEGAN,
    duration=timedelta(milliseconds=480),
    extreme=161.5,
    unit="V",
    estimated=False,
    ongoing=False,
)
PLACE: dict[str, Any] = {"latitude": 46.5, "longitude": 6.6}


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder for the spool of the broker."""
    return hass_tmp_config_dir


def entity(
    sample: Sample, api: Api = Api.V2, model: Model = Model.THREE_PHASE, **more: Any
) -> dict[str, Any] | None:
    """Return the entity of a sample after a round trip through the spool."""
    description = NgsiEntity(
        id=f"urn:ngsi-ld:{model.value}:m", model=model, **PLACE, **more
    )
    stored = Sample.from_stored(sample.time, sample.body(), sample.count)
    return Mapper(description, (), api).entity(stored)


def test_an_event_is_forwarded_with_its_kind_time_and_extreme() -> None:
    """Sample an event at its end, in the units of the models."""
    made = entity(event_sample(DIP))
    assert made is not None
    assert made["TimeInstant"]["value"] == "2026-11-20T12:00:00.730Z"
    assert made["powerQualityEvent"]["value"] == {
        "kind": "dip",
        "phase": "L2",
        "started": "2026-11-20T12:00:00.250Z",
        "duration": 0.48,
        "extreme": 161.5,
        "unitCode": "VLT",
        "estimated": False,
        "ongoing": False,
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("model", Model)
def test_with_any_event_the_entity_is_valid(kind: str, api: Api, model: Model) -> None:
    """Validate events without a phase or an extreme, and of a current."""
    for event in (
        replace(DIP, kind=kind),
        replace(DIP, kind=kind, phase=None, extreme=None, unit=""),
        replace(DIP, kind=kind, phase="N", extreme=80.25, unit="A", ongoing=True),
    ):
        made = entity(event_sample(event), api, model)
        assert made is not None
        assert errors(made) == []
        value = key_values(made)["powerQualityEvent"]
        assert value["kind"] == kind
        assert value.get("phase") == event.phase
        assert value.get("extreme") == event.extreme
        assert None not in value.values()


def test_without_extra_attributes_no_event_is_forwarded() -> None:
    """Map an event to no entity without extra attributes."""
    assert entity(event_sample(DIP), extras=False) is None


def test_a_mean_keeps_the_last_event_whole() -> None:
    """Take no mean of events; keep the last event alone."""
    power = {"active_power": 100.0}
    last = replace(DIP, kind="phase_loss", phase=None, extreme=None, unit="")
    mean = merged(
        [
            Sample(1, power),
            event_sample(DIP),
            event_sample(last),
            Sample(4, {"active_power": 200.0}),
        ]
    )
    made = entity(mean)
    assert made is not None
    value = made["powerQualityEvent"]["value"]
    assert (value["kind"], "phase" in value, "extreme" in value) == (
        "phase_loss",
        False,
        False,
    )
    assert mean.values["active_power"] == 150.0


def test_no_two_samples_have_the_same_time() -> None:
    """Move the times of three phases with a dip at the same time."""
    passed: list[Sample] = []
    add_sample = UniqueTimes(passed.append)
    for phase in ("L1", "L2", "L3"):
        add_sample(event_sample(replace(DIP, phase=phase)))
    add_sample(Sample(passed[0].time, {"active_power": 1.0}))
    assert all(b.time - a.time == 1 for a, b in pairwise(passed))


async def test_a_dip_of_three_phases_reaches_the_broker(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, orion: NgsiV2
) -> None:
    """Forward three events in order, each once."""
    entry = await add_meter(server.port)
    await add_broker(hass, entry, orion.url)
    began = datetime.now(UTC) - timedelta(seconds=2)
    for number, phase in enumerate(("L1", "L2", "L3")):
        event = replace(DIP, number=number, phase=phase, started=began)
        assert entry.runtime_data.meter.on_power_quality_event(event)
        assert not entry.runtime_data.meter.on_power_quality_event(event)

    def phases() -> list[str]:
        return [
            applied.entity["powerQualityEvent"]["value"]["phase"]
            for applied in orion.applied
            if "powerQualityEvent" in applied.entity
        ]

    await until(lambda: len(phases()) >= 3)
    assert phases() == ["L1", "L2", "L3"]
    assert orion.times == sorted(set(orion.times))
