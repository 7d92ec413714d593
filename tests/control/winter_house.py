"""A house in winter: its loads, fuses and contract."""

from custom_components.nrj_monitor.control.load import Load, LoadClass
from custom_components.nrj_monitor.control.overload import CURVES, OverloadMonitor
from custom_components.nrj_monitor.control.supply import PHASES, Supply

HEATER = Load(
    id="heater",
    load_class=LoadClass.SHED_1,
    priority=10,
    phase=Supply.L1,
    nominal_power=2000.0,
)
FREEZER = Load(
    id="freezer",
    load_class=LoadClass.SHED_2,
    priority=80,
    phase=Supply.L2,
    nominal_power=150.0,
    minimum_off=300.0,
    longest_off=1800.0,
    recovery=900.0,
)
BOILER = Load(
    id="boiler",
    load_class=LoadClass.SURPLUS,
    priority=40,
    phase=Supply.L3,
    nominal_power=2400.0,
)
TANK = Load(
    id="tank",
    load_class=LoadClass.ABSORB,
    priority=90,
    phase=Supply.L2,
    nominal_power=1000.0,
)
ROUTER = Load(id="router", nominal_power=20.0)
ALL = (HEATER, FREEZER, BOILER, TANK, ROUTER)


def monitors() -> dict[Supply, OverloadMonitor]:
    """Return limits of 25 A a phase and a contract of 9 kVA."""
    return {phase: OverloadMonitor(5750.0, CURVES["breaker"]) for phase in PHASES} | {
        Supply.TOTAL: OverloadMonitor(9000.0, CURVES["strict"])
    }
