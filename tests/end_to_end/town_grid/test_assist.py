"""Speak to a real Home Assistant with a real meter, and compare the answers with the recording."""

from functools import partial
import re

import pytest

from firmware_tests.meter_client import MeterClient
from nrj_demo.house import House
from tests.end_to_end.conftest import ConnectMeter
from tests.end_to_end.playing import hold_at
from tests.end_to_end.recordings import Recording

pytestmark = pytest.mark.asyncio(loop_scope="package")

BEFORE = 5000.0
"""Second of the recording: an ordinary supply."""

DURING = 5602.0
"""Second of the recording: the frequency falls, the voltage is still there."""

AFTER = 5606.0
"""Second of the recording: nothing is left."""


SWITCHED_WITHIN = 3.0


async def heard(house: House, sentence: str, language: str = "en") -> str:
    """Say a sentence and return Assist's answer."""
    result = await house.client.command(
        "conversation/process", text=sentence, language=language
    )
    response = result["response"]
    speech: str = response["speech"]["plain"]["speech"]
    assert response["response_type"] != "error", speech
    return speech


async def test_the_pages_offer_assist(house: House) -> None:
    """The dialog behind the speech bubble has somebody to talk to."""
    pipelines = await house.client.command("assist_pipeline/pipeline/list")
    assert pipelines["preferred_pipeline"]
    (pipeline,) = pipelines["pipelines"]
    assert pipeline["conversation_engine"] == "conversation.home_assistant"


async def test_relays_obey(house: House, connect_meter: ConnectMeter) -> None:
    """The relay of the meter itself switches."""
    async with connect_meter(house) as meter:
        await meter.wait(lambda: "relay_1" in meter.states)
        for sentence, language, on in (
            ("turn on relay one", "en", True),
            ("turn off relay 1", "en", False),
            ("switch on the relay 1", "en", True),
            ("turn relay one off", "en", False),
        ):
            await heard(house, sentence, language)
            wanted = partial(_relay_is, meter, on)
            await meter.wait(wanted, SWITCHED_WITHIN)
            assert not meter.is_on("relay_2")


async def test_answers_follow_the_recorded_grid(
    house: House, recording: Recording, connect_meter: ConnectMeter
) -> None:
    """Answer about the Iberian blackout of 2025 before, during and after the blackout."""
    async with connect_meter(house) as meter:
        await hold_at(meter, BEFORE)
        said = await heard(house, "is the grid stable")
        assert said.startswith("The grid is stable: ")
        assert _hertz(said) == pytest.approx(
            recording.at("frequency", BEFORE), abs=0.02
        )
        said = await heard(house, "le réseau est-il stable", "fr")
        assert said.startswith("Le réseau est stable : ")
        assert _hertz(said) == pytest.approx(
            recording.at("frequency", BEFORE), abs=0.02
        )
        await hold_at(meter, DURING)
        said = await heard(house, "is the grid stable")
        assert said.startswith("The grid is not normal: ")
        assert said.endswith("below 49.8 Hz.")
        assert _hertz(said) == pytest.approx(
            recording.at("frequency", DURING), abs=0.02
        )
        await hold_at(meter, AFTER)
        assert recording.at("voltage_l1", AFTER) < 11.5, "5 % of 230 V"
        said = await heard(house, "is the grid stable")
        assert said.startswith("The grid is not normal: there is no voltage.")


async def test_unknown_facts_are_not_made_up(house: House) -> None:
    """Admit an unknown main fuse, and find no load without any connected."""
    assert "I do not know" in await heard(house, "which phase is overloaded")
    assert "from the grid" in await heard(house, "what is using the power")


def _relay_is(meter: MeterClient, on: bool) -> bool:
    return meter.is_on("relay_1") is on


def _hertz(said: str) -> float:
    """Return the first frequency in an answer."""
    found = re.search(r"(\d+)[.,](\d+) Hz", said)
    assert found, said
    return float(f"{found[1]}.{found[2]}")
