"""Guard of the grid for the load control: the meter's own, or computed from readings."""

import zlib

from ..catalog import CHANNELS
from ..frequency_guard.frequency_check import FrequencyLimits, GridSample, PhaseSample
from ..frequency_guard.grid_view import GridView
from ..frequency_guard.guard import FrequencyGuard, GuardSettings
from ..frequency_guard.guard_profile import PROFILES
from ..frequency_guard.guard_state import GuardReason, GuardState
from ..frequency_guard.stuck_filter import StuckFilter
from ..meter import Meter
from ..sources import Feature

PHASES = ("l1", "l2", "l3")
MAXIMUM_SPREAD = 0.02
"""Hz, the greatest threshold spread of a device."""

SLOW_SILENCE_MS = 30_000
"""Time without a new frequency, ms, that sources other than the device may take."""

NOMINAL_VOLTAGE = 230.0


class DeviceGrid:
    """Guard in the device, which works without Home Assistant as well."""

    def __init__(self, meter: Meter) -> None:
        """Read the guard of `meter`."""
        self._meter = meter
        self._held = GuardState.NORMAL

    def view(self, now: float) -> GridView:
        """Return the state of the device's guard."""
        word = self._meter.texts.get("guard_state", GuardState.INVALID)
        state = GuardState(word) if word in GuardState else GuardState.INVALID
        if state is not GuardState.INVALID:
            self._held = state
        return GridView(
            state=state,
            held=self._held,
            may_restore=state.under_depth == 0 and state is not GuardState.INVALID,
            dead=self._meter.texts.get("guard_reason") == GuardReason.NO_VOLTAGE,
        )


def computed_settings(profile: str, device: str) -> GuardSettings:
    """Return the settings of the guard computed here; `device` spreads the thresholds."""
    number = zlib.crc32(device.encode())
    return GuardSettings(
        profile=PROFILES[profile],
        spread=MAXIMUM_SPREAD * (number % 1000) / 1000.0,
        limits=FrequencyLimits(silence_ms=SLOW_SILENCE_MS),
    )


class ComputedGrid:
    """Guard computed here, for any source with a frequency."""

    def __init__(self, meter: Meter, profile: str, *, device: str) -> None:
        """Guard by the readings of `meter`; `device` spreads the thresholds."""
        self._meter = meter
        self._guard = FrequencyGuard(computed_settings(profile, device))
        self._stuck = {phase: StuckFilter() for phase in PHASES}
        self._start: float | None = None

    def update(self, now: float) -> None:
        """Add the present readings; called after each new frequency."""
        snapshot = self._meter.snapshot
        total = snapshot.get(CHANNELS["frequency"])
        phases = []
        for phase in PHASES:
            hertz = snapshot.get(CHANNELS[f"frequency_{phase}"], total)
            volts = CHANNELS[f"voltage_{phase}"]
            if volts in snapshot:
                voltage = snapshot[volts]
            elif phase == PHASES[0] and not self._has_voltage():
                # A source without voltages: the nominal voltage is assumed.
                voltage = NOMINAL_VOLTAGE if hertz is not None else None
            else:
                continue
            value = float("nan") if hertz is None else hertz
            phases.append(
                PhaseSample(
                    float("nan") if voltage is None else voltage,
                    self._stuck[phase].filter(value, now),
                )
            )
        self._guard.sample(GridSample(self._ms(now), tuple(phases)))

    def _has_voltage(self) -> bool:
        snapshot = self._meter.snapshot
        return any(CHANNELS[f"voltage_{phase}"] in snapshot for phase in PHASES)

    def _ms(self, now: float) -> int:
        if self._start is None:
            self._start = now
        return round((now - self._start) * 1000)

    def view(self, now: float) -> GridView:
        """Return the state of the computed guard."""
        self._guard.tick(self._ms(now))
        guard = self._guard
        return GridView(
            state=guard.state,
            held=guard.held_state,
            may_restore=guard.may_restore,
            dead=guard.reason is GuardReason.NO_VOLTAGE,
        )


type Grid = DeviceGrid | ComputedGrid


def grid_of(meter: Meter, profile: str) -> Grid | None:
    """Return the guard for a meter, None for a meter without frequency."""
    description = meter.description
    if Feature.GUARD in description.features:
        return DeviceGrid(meter)
    if any(channel.quantity.key == "frequency" for channel in description.channels):
        return ComputedGrid(meter, profile, device=description.mac)
    return None
