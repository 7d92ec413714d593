"""Past statistics of the demo, for an energy dashboard with a full first hour.

Only the demo does this: a real meter's history begins when it is installed.

How the sums fit together: Home Assistant counts a counter's sum from 0 at the first
state it ever saw, and takes each full hour's sum from that count. Hours of our own
can therefore only lie before the hour of that first state, and their sums must end
so that the first hour Home Assistant makes itself continues them. They end below 0
by what the house used between the top of that hour and the first state: so that hour
is complete as well, and nothing jumps.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from nrj_tools.client import HomeAssistantClient
from nrj_tools.errors import ScriptError
from nrj_tools.meter_entry import is_number

from .house import House
from .signal_tool import Row, house_history, start_of

PAST = timedelta(days=7)
HOUR = timedelta(hours=1)

RECORDER_TIMEOUT = 120.0
"""Seconds the recorder may take to store something; it commits every second."""

WH_PER_KWH = 1000.0

type Statistic = dict[str, Any]


async def fill_history(house: House, signal_tool: Path) -> str:
    """Import the past week of the built-in house; return a report sentence."""
    client = house.client
    known = {
        item["statistic_id"]: item
        for item in await client.command("recorder/list_statistic_ids")
    }
    measured = {
        key: known[entity_id]
        for key, entity_id in house.meter.entity_ids.items()
        if entity_id in known
    }
    counters = [item["statistic_id"] for item in measured.values() if item["has_sum"]]
    first_state = await _first_state(client, counters, house.started_at)
    this_hour = first_state.replace(minute=0, second=0, microsecond=0)
    hours, begun_hour = await asyncio.gather(
        house_history(signal_tool, this_hour - PAST, this_hour, HOUR),
        house_history(signal_tool, this_hour, first_state, HOUR),
    )
    filled = [
        (metadata, statistics)
        for key, metadata in measured.items()
        if (statistics := hourly_statistics(key, hours, begun_hour))
    ]
    for metadata, statistics in filled:
        await _import(client, metadata, statistics)
    await _wait_until_stored(client, filled[-1][0]["statistic_id"], hours[-1])
    return (
        f"Filled in the past {PAST.days} days of {len(filled)} sensors from the"
        " simulated house, so that the energy dashboard has something to show."
    )


def hourly_statistics(
    key: str, hours: Sequence[Row], begun_hour: Sequence[Row]
) -> list[Statistic]:
    """Return a sensor's hourly statistics, empty for a key outside the house model.

    `begun_hour` is the part of the hour after `hours` that is over already.
    """
    if hours and key in hours[0]:
        return _sums(key, hours, begun_hour)
    if hours and f"{key}_mean" in hours[0]:
        return [
            {
                "start": start_of(row).isoformat(),
                **{kind: row[f"{key}_{kind}"] for kind in ("mean", "min", "max")},
            }
            for row in hours
        ]
    return []


def _sums(key: str, hours: Sequence[Row], begun_hour: Sequence[Row]) -> list[Statistic]:
    """Return the running sums of a counter, kWh, continuous with the next hour."""
    still_to_come = sum(row[key] for row in (*hours, *begun_hour)) / WH_PER_KWH
    counted = accumulate(row[key] / WH_PER_KWH for row in hours)
    return [
        {"start": start_of(row).isoformat(), "sum": so_far - still_to_come}
        for row, so_far in zip(hours, counted, strict=True)
    ]


async def _import(
    client: HomeAssistantClient,
    metadata: Mapping[str, Any],
    statistics: Sequence[Statistic],
) -> None:
    await client.command(
        "recorder/import_statistics",
        metadata={
            "mean_type": metadata["mean_type"],
            "has_sum": metadata["has_sum"],
            "name": None,
            "source": metadata["source"],
            "statistic_id": metadata["statistic_id"],
            "unit_class": metadata["unit_class"],
            "unit_of_measurement": metadata["statistics_unit_of_measurement"],
        },
        stats=list(statistics),
    )


async def _first_state(
    client: HomeAssistantClient, counters: Iterable[str], since: datetime
) -> datetime:
    """Return when the recorder first saw a number of each counter.

    They come with one message of the meter, so within the same second.
    """
    wanted = set(counters)
    try:
        async with asyncio.timeout(RECORDER_TIMEOUT):
            while True:
                history = await client.command(
                    "history/history_during_period",
                    start_time=since.isoformat(),
                    entity_ids=sorted(wanted),
                    minimal_response=True,
                    no_attributes=True,
                    significant_changes_only=False,
                )
                moments = [
                    state["lu"]
                    for states in history.values()
                    if (state := _first_number(states)) is not None
                ]
                if len(moments) == len(wanted):
                    return datetime.fromtimestamp(min(moments), UTC)
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        raise ScriptError("Home Assistant records no states of the meter.") from error


def _first_number(states: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((state for state in states if is_number(state["s"])), None)


async def _wait_until_stored(
    client: HomeAssistantClient, statistic_id: str, last: Row
) -> None:
    """Wait until the recorder has stored the import."""
    try:
        async with asyncio.timeout(RECORDER_TIMEOUT):
            while not await client.command(
                "recorder/statistics_during_period",
                start_time=start_of(last).isoformat(),
                statistic_ids=[statistic_id],
                period="hour",
            ):
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise ScriptError("Home Assistant does not store past statistics.") from error
