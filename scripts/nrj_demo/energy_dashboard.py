"""Energy dashboard of the demo, with the meter as connection to the grid."""

from nrj_tools.client import HomeAssistantClient, HomeAssistantError
from nrj_tools.meter_entry import MeterInHomeAssistant


async def ensure_energy_dashboard(
    client: HomeAssistantClient, meter: MeterInHomeAssistant
) -> None:
    """Set the energy dashboard up, unless set up before."""
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
