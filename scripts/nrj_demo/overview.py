"""Start page of the demo: live readings, phase by phase."""

from collections.abc import Mapping
from typing import Any

from nrj_tools.client import HomeAssistantClient
from nrj_tools.meter_entry import MeterInHomeAssistant

URL_PATH = "nrj-meter"
TITLE = "NRJ Meter"

HOURS_OF_CURVES = 0.25

ENERGY_DECIMALS = 3
"""Of a kilowatt-hour, for this page: so that a watt-hour is seen. Two are usual."""

type Card = dict[str, Any]

PHASES = ("L1", "L2", "L3")

PHASE_QUANTITIES: Mapping[str, str] = {
    "voltage": "Voltage",
    "current": "Current",
    "active_power": "Active power",
    "power_factor": "Power factor",
    "import_energy": "Import energy",
    "export_energy": "Export energy",
}
"""What is shown of each phase, and the name of its tile."""

TOTALS: Mapping[str, str] = {
    "active_power": "Active power",
    "frequency": "Frequency",
    "import_energy": "Import energy",
    "export_energy": "Export energy",
    "relay_1": "Relay 1",
    "relay_2": "Relay 2",
}
"""What is shown of the whole meter, and the name of its tile."""


async def ensure_overview(
    client: HomeAssistantClient, meter: MeterInHomeAssistant
) -> None:
    """Create the start page of Home Assistant, unless created before."""
    pages = await client.command("lovelace/dashboards/list")
    if any(page["url_path"] == URL_PATH for page in pages):
        return
    await client.command(
        "lovelace/dashboards/create",
        url_path=URL_PATH,
        title=TITLE,
        icon="mdi:meter-electric",
        show_in_sidebar=True,
        require_admin=False,
    )
    await client.command(
        "lovelace/config/save", url_path=URL_PATH, config=page(meter.entity_ids)
    )
    for key, entity_id in meter.entity_ids.items():
        if "_energy" in key:
            await client.command(
                "config/entity_registry/update",
                entity_id=entity_id,
                options_domain="sensor",
                options={"display_precision": ENERGY_DECIMALS},
            )
    await client.command(
        "frontend/set_system_data", key="core", value={"default_panel": URL_PATH}
    )


def page(entity_ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the page's configuration, without missing entities."""
    grid = _section("Grid", "mdi:transmission-tower", TOTALS, entity_ids)
    phases = [
        _section(
            phase,
            "mdi:sine-wave",
            {f"{key}_{phase.lower()}": name for key, name in PHASE_QUANTITIES.items()},
            entity_ids,
        )
        for phase in PHASES
    ]
    view = {
        "title": TITLE,
        "type": "sections",
        "max_columns": len(PHASES),
        "sections": [
            {**grid, "column_span": len(PHASES)},
            *phases,
            {**_curves(entity_ids), "column_span": len(PHASES)},
        ],
    }
    return {"views": [view]}


def _section(
    title: str, icon: str, tiles: Mapping[str, str], entity_ids: Mapping[str, str]
) -> Card:
    """Return a titled group of tiles, a tile for each entity."""
    heading = {"type": "heading", "heading": title, "icon": icon}
    cards = [
        {"type": "tile", "entity": entity_ids[key], "name": name}
        for key, name in tiles.items()
        if key in entity_ids
    ]
    return {"type": "grid", "cards": [heading, *cards]}


def _curves(entity_ids: Mapping[str, str]) -> Card:
    """Return the curves of power and voltage, over the whole width."""
    curves = [
        {
            "type": "history-graph",
            "title": title,
            "hours_to_show": HOURS_OF_CURVES,
            "grid_options": {"columns": 18},
            "entities": [
                {"entity": entity_ids[key], "name": phase}
                for phase in PHASES
                if (key := f"{quantity}_{phase.lower()}") in entity_ids
            ],
        }
        for quantity, title in (
            ("active_power", "Active power"),
            ("voltage", "Voltage"),
        )
    ]
    return {"type": "grid", "cards": curves}
