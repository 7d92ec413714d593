"""Wirings of a meter: their chip settings, and the quantities each can measure."""

from dataclasses import dataclass, field

from esphome.const import CONF_TOTAL

L1, L2, L3 = "l1", "l2", "l3"
PHASES = frozenset({L1, L2, L3})

VOLTAGES = frozenset(
    {
        "voltage",
        "voltage_half_cycle",
        "voltage_10_12_cycles",
        "voltage_thd",
        "frequency",
    }
)
CURRENTS = frozenset(
    {"current", "current_half_cycle", "current_10_12_cycles", "current_thd"}
)
POWERS = frozenset(
    {
        "active_power",
        "reactive_power",
        "fundamental_active_power",
        "fundamental_reactive_power",
        "import_energy",
        "export_energy",
        "reactive_energy_q1",
        "reactive_energy_q2",
        "reactive_energy_q3",
        "reactive_energy_q4",
    }
)
APPARENT = frozenset({"apparent_power", "power_factor", "apparent_energy"})
PHASE_ANGLE = frozenset({"phase_angle"})
SUMS_OF_PHASES = frozenset(
    {"import_energy_sum_of_phases", "export_energy_sum_of_phases"}
)
ANGLES = frozenset(
    {"voltage_angle_l1_l2", "voltage_angle_l2_l3", "voltage_angle_l1_l3"}
)
UNBALANCE = frozenset({"voltage_unbalance", "voltage_zero_sequence"})
PEAKS = frozenset({"voltage_peak", "current_peak"})
NEUTRAL = frozenset({"neutral_current"})
SUM_CURRENT = frozenset({"sum_current"})
CHIP = frozenset({"chip_temperature"})

OF_A_PHASE = VOLTAGES | CURRENTS | POWERS | APPARENT | PHASE_ANGLE
KNOWN = (
    OF_A_PHASE
    | SUMS_OF_PHASES
    | ANGLES
    | UNBALANCE
    | PEAKS
    | NEUTRAL
    | SUM_CURRENT
    | CHIP
)
"""Every quantity that a wiring has been thought about for."""


@dataclass(frozen=True)
class Refusal:
    """List quantities of channels missing in a wiring, with the reason."""

    channels: frozenset[str]
    quantities: frozenset[str]
    why: str


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """Describe a way to connect the meter.

    vconsel, iconsel: ACCMODE bits 6:4 and 7. disabled: CHNL_DIS bits (IA 0, IB 1, IC 2, IN 3, VA 4, VB 5,
    VC 6). All from the ADE9000 data sheet Rev B, Register Map.
    """

    label: str
    vconsel: int = 0
    iconsel: int = 0
    disabled: int = 0
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def accmode(self) -> int:
        """Value of ACCMODE for a supply of 50 Hz, signed accumulation."""
        return self.vconsel << 4 | self.iconsel << 7

    @property
    def phases(self) -> tuple[str, ...]:
        """Phases that have a voltage of their own or a computed one, as people name them."""
        return tuple(
            phase.upper()
            for phase in (L1, L2, L3)
            if self.refusal(phase, "voltage") is None
        )

    def refusal(self, channel: str, quantity: str) -> str | None:
        """Return why a channel lacks a quantity, None if the channel has the quantity."""
        for refusal in self.refusals:
            if channel in refusal.channels and quantity in refusal.quantities:
                return refusal.why
        return None


_TOTAL = frozenset({CONF_TOTAL})
_IB, _IC = 1 << 1, 1 << 2
_VB, _VC = 1 << 5, 1 << 6

_NO_THREE_PHASES = Refusal(
    _TOTAL,
    UNBALANCE,
    "symmetrical components are those of three phases",
)

WIRINGS: dict[str, Wiring] = {
    "wye": Wiring(label="4-wire wye (three phases with neutral)"),
    # VCONSEL 1: the chip computes VB' = VA - VC. ICONSEL stays 0 and the inputs of B are off: with a computed IB
    # the chip would take VB' * IB for the power of a third phase, and add it to every total. The total is that of A
    # and C (Blondel: two elements for three wires).
    "delta": Wiring(
        label="3-wire delta (three phases without neutral)",
        vconsel=1,
        disabled=_IB | _VB,
        refusals=(
            Refusal(
                PHASES,
                POWERS | APPARENT | PHASE_ANGLE,
                "without a neutral each measuring element has a line-to-line voltage in it, so the power"
                " of a single phase has no meaning; only the total has",
            ),
            Refusal(
                frozenset({L2}),
                CURRENTS,
                "this wiring has transformers on L1 and L3 only; L2 is the reference",
            ),
            Refusal(
                frozenset({L2}),
                frozenset({"frequency"}),
                "the voltage between L1 and L3 is computed, and has no zero crossings of its own",
            ),
            Refusal(
                _TOTAL,
                APPARENT,
                "line-to-line voltages times currents add up to 2/sqrt(3) of the apparent power",
            ),
            Refusal(
                _TOTAL,
                SUMS_OF_PHASES,
                "the power of a single phase has no meaning, so neither has the sum of their energies;"
                " use import_energy and export_energy",
            ),
            Refusal(
                _TOTAL,
                ANGLES | UNBALANCE,
                "only two line-to-line voltages are measured, against L2; the third is computed from them",
            ),
            Refusal(_TOTAL, NEUTRAL, "there is no neutral"),
            Refusal(_TOTAL, SUM_CURRENT, "only two of the three currents are measured"),
        ),
    ),
    # VCONSEL 3 would take VB' = -VA and save one input. All three are wired here, so each phase is measured as it is.
    "delta_with_neutral": Wiring(label="4-wire delta (delta with a neutral tap)"),
    "split_phase": Wiring(
        label="split phase (two live conductors with neutral)",
        disabled=_IC | _VC,
        refusals=(
            Refusal(frozenset({L3}), OF_A_PHASE, "there is no L3"),
            Refusal(
                _TOTAL,
                frozenset({"voltage_angle_l2_l3", "voltage_angle_l1_l3"}),
                "there is no L3",
            ),
            _NO_THREE_PHASES,
        ),
    ),
    "two_legs": Wiring(
        label="two legs of a three-phase supply with neutral, 120 degrees apart",
        disabled=_IC | _VC,
        refusals=(
            Refusal(frozenset({L3}), OF_A_PHASE, "there is no L3"),
            Refusal(
                _TOTAL,
                frozenset({"voltage_angle_l2_l3", "voltage_angle_l1_l3"}),
                "there is no L3",
            ),
            _NO_THREE_PHASES,
        ),
    ),
    "single_phase": Wiring(
        label="single phase",
        disabled=_IB | _IC | _VB | _VC,
        refusals=(
            Refusal(frozenset({L2, L3}), OF_A_PHASE, "there is no other phase than L1"),
            Refusal(_TOTAL, ANGLES, "there is no other phase than L1"),
            _NO_THREE_PHASES,
        ),
    ),
}
