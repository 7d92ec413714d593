"""Runtime data of an entry whose meter a test feeds itself."""

from homeassistant.core import HomeAssistant

from custom_components.nrj_monitor.entry_data import NrjConfigEntry, NrjData
from custom_components.nrj_monitor.issues.monitor import IssueMonitor
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.meter_store import MeterStore


def runtime_data(hass: HomeAssistant, entry: NrjConfigEntry, meter: Meter) -> NrjData:
    """Return the parts of a meter, all unstarted."""
    store = MeterStore(hass, entry, meter)
    return NrjData(
        meter=meter, store=store, issues=IssueMonitor(hass, entry, meter, store)
    )
