"""Runtime data of a config entry: all parts of a meter."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

if TYPE_CHECKING:
    from .backfill.manager import BackfillManager
    from .demand.manager import DemandManager
    from .issues.monitor import IssueMonitor
    from .loads.manager import LoadManager
    from .meter import Meter
    from .meter_store import MeterStore
    from .ngsi.manager import BrokerManager

type NrjConfigEntry = ConfigEntry[NrjData]


@dataclass(kw_only=True, slots=True)
class NrjData:
    """Parts of a meter while its entry is loaded.

    `loads` is None for a meter without loads, `backfill` where Home Assistant runs
    without a recorder, `demand` where the contract bills no mean. `brokers` are by the id of their subentry.
    """

    meter: Meter
    store: MeterStore
    issues: IssueMonitor
    demand: DemandManager | None = None
    loads: LoadManager | None = None
    backfill: BackfillManager | None = None
    brokers: dict[str, BrokerManager] = field(default_factory=dict)
