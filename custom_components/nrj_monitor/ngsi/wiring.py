"""Wiring of a meter, as far as the data models name its voltages differently; pure."""

from collections.abc import Iterable
from typing import Final

from ..catalog import Channel, Phase

LINE_PAIRS: Final = {Phase.L1: "L12", Phase.L2: "L31", Phase.L3: "L23"}
"""Voltages of a meter without a neutral, whose reference is L2: its first input measures
L1 against L2, its third L3 against L2, and the second is computed from the two."""

_MEASURED: Final = frozenset(
    {"voltage_l1", "voltage_l2", "voltage_l3", "current_l1", "current_l3"}
    | {"active_power"}
)
_MEANINGLESS: Final = frozenset(
    {"current_l2", "neutral_current", "frequency_l2"}
    | {f"active_power_l{n}" for n in (1, 2, 3)}
    | {"voltage_angle_l1_l2", "voltage_angle_l2_l3", "voltage_angle_l1_l3"}
)
"""What the firmware refuses to measure without a neutral."""


def measures_between_phases(channels: Iterable[Channel]) -> bool:
    """Return whether a meter with these channels measures line-to-line voltages.

    Two elements measure three wires (Blondel): three voltages, two currents and a total
    power, but no power of a phase. Give all channels of the meter, chosen or not.
    """
    ids = {channel.id for channel in channels}
    return ids >= _MEASURED and ids.isdisjoint(_MEANINGLESS)
