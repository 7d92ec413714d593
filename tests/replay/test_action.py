"""The action that plays the past of a meter, or an upload, to its own settings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import FormData
from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.tasks import ImportStatisticsTask
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers.recorder import get_instance, session_scope
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.loads.limits import overload_monitors
from custom_components.nrj_monitor.replay import report, services
from custom_components.nrj_monitor.replay.guard_settings import UnknownGuardError

from .conftest import Ask

pytestmark = pytest.mark.usefixtures("recorder_mock")
"""The recorder must start before Home Assistant."""

FREQUENCY = "sensor.nrj_meter_frequency"
VOLTAGE = "sensor.nrj_meter_voltage_l1"
POWER = "sensor.nrj_meter_active_power_l1"
SAG_BEGINS, SAG_ENDS = 100, 130


async def record(
    hass: HomeAssistant, begin: float, seconds: int, *, low: float = 49.7
) -> None:
    """Record an evening whose frequency sags for half a minute, from `begin`, s since 1970."""
    hass.states.async_set("input_boolean.heater", "on", timestamp=begin - 10)
    hass.states.async_set(VOLTAGE, "231", {"unit_of_measurement": "V"}, timestamp=begin)
    for second in range(seconds):
        hertz = low if SAG_BEGINS <= second < SAG_ENDS else 50.0
        hass.states.async_set(
            FREQUENCY,
            f"{hertz + 0.001 * (second % 3):.3f}",
            {"unit_of_measurement": "Hz"},
            timestamp=begin + second,
        )
        if second % 10 == 0:
            hass.states.async_set(
                POWER,
                f"{2500 + second % 7}",
                {"unit_of_measurement": "W"},
                timestamp=begin + second,
            )
    await async_wait_recording_done(hass)
    await get_instance(hass).async_add_executor_job(_look_for_the_oldest_state, hass)


def _look_for_the_oldest_state(hass: HomeAssistant) -> None:
    """Have the recorder know of states from before the test, as after a restart."""
    with session_scope(hass=hass, read_only=True) as session:
        get_instance(hass).states_manager.load_from_db(session)


async def import_means(
    hass: HomeAssistant, table: type, entity_id: str, rows: Mapping[float, float]
) -> None:
    """Write means of five minutes, or of hours, by their time."""
    unit, kind = ("W", "power") if "power" in entity_id else ("Hz", None)
    metadata: StatisticMetaData = {
        "mean_type": StatisticMeanType.ARITHMETIC,
        "has_sum": False,
        "name": None,
        "source": "recorder",
        "statistic_id": entity_id,
        "unit_class": kind,
        "unit_of_measurement": unit,
    }
    data: list[StatisticData] = [
        {
            "start": dt_util.utc_from_timestamp(at),
            "mean": mean,
            "min": mean,
            "max": mean,
        }
        for at, mean in rows.items()
    ]
    get_instance(hass).queue_task(ImportStatisticsTask(metadata, data, table))
    await async_wait_recording_done(hass)


def iso(time: float) -> str:
    """Return a time of day as a person's form has it."""
    return dt_util.as_local(dt_util.utc_from_timestamp(time)).isoformat()


async def test_the_past_is_played_to_the_settings_of_now(
    hass: HomeAssistant, entry: NrjConfigEntry, heater: str, replay: Ask
) -> None:
    """Tell when the heater would have gone off and on, by the name and the time of day."""
    begin = dt_util.utcnow().timestamp() // 1 - 7200
    await record(hass, begin, 600)
    answer = await replay(start=iso(begin), end=iso(begin + 600))
    assert (answer["meter"], answer["source"]) == (entry.title, "states")
    assert "once a second" in answer["says"]
    assert answer["from"] in {iso(begin), iso(begin + 1)}
    (shed,) = [line for line in answer["timeline"] if line["action"] == "shed"]
    # 49.7 Hz is below the first stage of Continental Europe, whose delay is a second.
    went_off = datetime.fromisoformat(shed["time"]).timestamp() - begin
    assert SAG_BEGINS + 1 <= went_off <= SAG_BEGINS + 2
    assert (shed["load"], shed["reason"]) == ("Heater", "under_frequency")
    assert shed["switched"]
    (back,) = [line for line in answer["timeline"] if line["action"] == "restore"]
    # The frequency is well for a minute, then a random delay of five minutes at most.
    came_back = datetime.fromisoformat(back["time"]).timestamp() - begin
    assert SAG_ENDS + 60 <= came_back <= SAG_ENDS + 60 + 300 + 10
    assert answer["summary"]["actions_by_kind"] == {"restore": 1, "shed": 1}
    assert answer["summary"]["seconds_off"] == {"Heater": back["t"] - shed["t"]}


async def test_a_replay_touches_nothing(
    hass: HomeAssistant, entry: NrjConfigEntry, heater: str, replay: Ask
) -> None:
    """Switch no load, and leave arbiter, states and limits in use as they were."""
    begin = dt_util.utcnow().timestamp() // 1 - 7200
    await record(hass, begin, 300)
    hass.states.async_set("input_boolean.heater", "on")
    loads = entry.runtime_data.loads
    assert loads is not None
    await hass.async_block_till_done()
    before = loads.arbiter.as_dict()
    activity = hass.states.get("sensor.heater_activity")
    told = async_capture_events(hass, "call_service")
    changed = async_capture_events(hass, "state_changed")
    answer = await replay(start=iso(begin), end=iso(begin + 300))
    assert answer["summary"]["off_at_the_end"] == ["Heater"]
    await hass.async_block_till_done()
    assert [event.data["service"] for event in told] == ["replay"]
    assert not [e for e in changed if "heater" in e.data["entity_id"]]
    assert loads.arbiter.as_dict() == before
    assert hass.states.get("sensor.heater_activity") == activity


async def test_a_load_begins_as_it_was_then(
    hass: HomeAssistant, entry: NrjConfigEntry, heater: str, replay: Ask
) -> None:
    """Shed no heater that was off in that evening."""
    begin = dt_util.utcnow().timestamp() // 1 - 7200
    await record(hass, begin, 300)
    hass.states.async_set("input_boolean.heater", "off", timestamp=begin - 5)
    await async_wait_recording_done(hass)
    answer = await replay(start=iso(begin), end=iso(begin + 300))
    assert answer["summary"]["actions"] == 0


async def test_what_was_not_recorded_is_a_lost_meter(
    hass: HomeAssistant, entry: NrjConfigEntry, heater: str, replay: Ask
) -> None:
    """Hold a state for some minutes, and no longer."""
    begin = dt_util.utcnow().timestamp() // 1 - 7200
    await record(hass, begin, 60)
    await record(hass, begin + 1000, 60)
    answer = await replay(start=iso(begin), end=iso(begin + 1060))
    (lost,) = [line for line in answer["timeline"] if line["reason"] == "lost"]
    assert 59 + 150 + 60 <= lost["t"] <= 59 + 150 + 60 + 5


@pytest.mark.parametrize(
    ("table", "step", "source"),
    [(StatisticsShortTerm, 300, "five_minutes"), (Statistics, 3600, "hours")],
)
@pytest.mark.usefixtures("recorder_mock", "entry", "heater")
async def test_an_older_past_is_played_from_means(
    hass: HomeAssistant, replay: Ask, table: type, step: int, source: str
) -> None:
    """Play what is kept that far back, and say how fine it is."""
    begin = dt_util.utcnow().timestamp() // 3600 * 3600 - 5 * 86_400
    steps = [begin + n * step for n in range(12)]
    hertz = {at: 49.7 if n == 5 else 50.0 for n, at in enumerate(steps)}
    await import_means(hass, table, FREQUENCY, hertz)
    await import_means(hass, table, POWER, dict.fromkeys(steps, 2500.0))
    answer = await replay(start=iso(begin), end=iso(steps[-1]))
    assert (answer["source"], answer["step"]) == (source, step)
    assert "shorter is not seen" in answer["says"]
    assert answer["summary"]["samples"] == 11
    assert not [line for line in answer["timeline"] if line["reason"] == "lost"]


async def upload(client: ClientSessionGenerator, text: str) -> str:
    """Upload a file as the form does; return its id."""
    form = FormData()
    form.add_field("file", text.encode(), filename="evening.csv")
    response = await (await client()).post("/api/file_upload", data=form)
    assert response.status == 200, await response.text()
    file_id: str = (await response.json())["file_id"]
    return file_id


async def test_an_uploaded_recording_is_played(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    heater: str,
    replay: Ask,
    hass_client: ClientSessionGenerator,
) -> None:
    """Play a file to the meter's own loads; the file is gone afterwards."""
    assert await async_setup_component(hass, "file_upload", {})
    rows = [f"{t},{50.0 if t < 20 else 49.7},2500" for t in range(40)]
    text = "\n".join(["time_s,frequency_hz,power_l1", *rows])
    file_id = await upload(hass_client, text)
    answer = await replay(recording=file_id)
    assert (answer["source"], answer["step"]) == ("recording", 1.0)
    (shed,) = [line for line in answer["timeline"] if line["switched"]]
    assert (shed["load"], shed["action"]) == ("Heater", "shed")
    assert "time" not in shed
    with pytest.raises(ServiceValidationError, match="upload it again"):
        await replay(recording=file_id)
    file_id = await upload(hass_client, "time_s,frequency_hz\n0,fifty\n1,50\n")
    with pytest.raises(
        ServiceValidationError, match=r"evening\.csv, line 2, frequency_hz: 'fifty'"
    ):
        await replay(recording=file_id)


async def test_what_cannot_be_played_is_refused_in_a_sentence(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    replay: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Say what is wrong with the period, and where there is nothing."""
    now = dt_util.utcnow().timestamp()
    upside_down: dict[str, Any] = {"start": iso(now), "end": iso(now - 60)}
    with pytest.raises(ServiceValidationError, match="begin before it ends"):
        await replay(**upside_down)
    with pytest.raises(ServiceValidationError, match="31 days"):
        await replay(start=iso(now - 40 * 86_400))
    with pytest.raises(ServiceValidationError, match="Nothing was recorded"):
        await replay(start=iso(now - 20 * 86_400), end=iso(now - 19 * 86_400))
    with pytest.raises(ServiceValidationError, match="either a recording or the past"):
        await replay(recording="01234567-0123-0123-0123-0123456789ab", end=iso(now))

    def unknown(entry: NrjConfigEntry) -> None:
        raise UnknownGuardError

    monkeypatch.setattr(services, "guard_settings", unknown)
    with pytest.raises(ServiceValidationError, match="settings are not known"):
        await replay()
    monkeypatch.undo()
    hass.config.components.remove("recorder")
    with pytest.raises(ServiceValidationError, match="upload a recording instead"):
        await replay()


async def test_an_answer_is_bounded(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    heater: str,
    replay: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tell how many lines are left out of the answer, and count all of them."""
    monkeypatch.setattr(report, "LONGEST_TIMELINE", 2)
    begin = dt_util.utcnow().timestamp() // 1 - 7200
    await record(hass, begin, 300)
    answer = await replay(start=iso(begin), end=iso(begin + 300))
    assert len(answer["timeline"]) == 2
    assert answer["left_out"] >= 1
    assert answer["summary"]["actions"] == 1


async def test_a_replay_needs_an_administrator(
    hass: HomeAssistant, entry: NrjConfigEntry, hass_read_only_user: MockUser
) -> None:
    """Refuse who may not see the history of everything."""
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "replay",
            {},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


async def test_a_meter_without_a_frequency_is_played_for_its_limits(
    hass: HomeAssistant, entry: NrjConfigEntry, heater: str, replay: Ask
) -> None:
    """Take the grid for normal where no guard can be."""
    begin = dt_util.utcnow().timestamp() // 1 - 7200
    await record(hass, begin, 300)
    hass.config_entries.async_update_entry(
        entry,
        options={**entry.options, "contract": 2.0, "contract_tolerance": "strict"},
    )
    await hass.async_block_till_done()
    assert overload_monitors(entry.options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "guard_settings", lambda entry: None)
        answer = await replay(start=iso(begin), end=iso(begin + 300))
    first, *_ = answer["timeline"]
    assert (first["stage"], first["reason"]) == ("normal", "start")
    reasons = {line["reason"] for line in answer["timeline"] if line["switched"]}
    assert reasons == {"overload"}
