"""Frequency thresholds of the synchronous areas.

The same numbers as the firmware's (`frequency_guard/guard_profile.cpp`); a test
compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Threshold:
    """A frequency, Hz, and the time beyond this frequency until the guard acts, ms."""

    hertz: float
    delay_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardProfile:
    """Thresholds of the guard.

    `under` are those of inhibit, shed_1, shed_2 and shed_3 (below), `over` those
    of absorb_1 and absorb_2 (at or above). `restore` (at or above) and `release`
    (at or below) lead back to normal. `nominal` is in Hz.
    """

    nominal: float
    under: tuple[Threshold, Threshold, Threshold, Threshold]
    restore: Threshold
    over: tuple[Threshold, Threshold]
    release: Threshold


PROFILES: Mapping[str, GuardProfile] = MappingProxyType(
    {
        "continental_europe": GuardProfile(
            nominal=50.0,
            under=(
                Threshold(49.90, 5000),
                Threshold(49.80, 1000),
                Threshold(49.60, 500),
                Threshold(49.20, 200),
            ),
            restore=Threshold(49.90, 60000),
            over=(Threshold(50.10, 10000), Threshold(50.20, 1000)),
            release=Threshold(50.02, 30000),
        ),
        "great_britain_nordic": GuardProfile(
            nominal=50.0,
            under=(
                Threshold(49.80, 5000),
                Threshold(49.70, 1000),
                Threshold(49.50, 500),
                Threshold(49.20, 200),
            ),
            restore=Threshold(49.85, 60000),
            over=(Threshold(50.15, 10000), Threshold(50.30, 1000)),
            release=Threshold(50.05, 30000),
        ),
        "north_america": GuardProfile(
            nominal=60.0,
            under=(
                Threshold(59.95, 5000),
                Threshold(59.90, 1000),
                Threshold(59.80, 500),
                Threshold(59.60, 200),
            ),
            restore=Threshold(59.96, 60000),
            over=(Threshold(60.04, 10000), Threshold(60.10, 1000)),
            release=Threshold(60.01, 30000),
        ),
        "island_50": GuardProfile(
            nominal=50.0,
            under=(
                Threshold(49.80, 10000),
                Threshold(49.30, 2000),
                Threshold(48.80, 1000),
                Threshold(48.00, 500),
            ),
            restore=Threshold(49.70, 120000),
            over=(Threshold(50.20, 2000), Threshold(50.50, 1000)),
            release=Threshold(50.05, 30000),
        ),
        "island_60": GuardProfile(
            nominal=60.0,
            under=(
                Threshold(59.76, 10000),
                Threshold(59.16, 2000),
                Threshold(58.56, 1000),
                Threshold(57.60, 500),
            ),
            restore=Threshold(59.64, 120000),
            over=(Threshold(60.24, 2000), Threshold(60.60, 1000)),
            release=Threshold(60.06, 30000),
        ),
    }
)
