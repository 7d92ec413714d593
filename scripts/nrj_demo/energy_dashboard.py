"""The energy dashboard: the meter is the house's connection to the grid."""

from .client import HomeAssistantClient, HomeAssistantError
from .meter_entry import MeterInHomeAssistant


async def ensure_energy_dashboard(
    client: HomeAssistantClient, meter: MeterInHomeAssistant
) -> None:
    """Set the energy dashboard up, unless somebody has done so."""
    try:
        await client.command("energy/get_prefs")
    except HomeAssistantError as error:
        if error.code != "not_found":
            raise
    else:
        return
    grid = {
        "type": "grid",
        "stat_energy_from": meter.entity_ids["import_energy"],
        "stat_energy_to": meter.entity_ids["export_energy"],
        "stat_rate": meter.entity_ids["active_power"],
        "cost_adjustment_day": 0,
    }
    await client.command("energy/save_prefs", energy_sources=[grid])
