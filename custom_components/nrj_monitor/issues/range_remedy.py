"""Front ends whose range suffices for what was beyond it: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..over_range import Excursion


@dataclass(frozen=True, slots=True)
class CurrentTransformer:
    """A known current transformer, with the burden that docs/hardware.md gives it."""

    name: str
    type: str
    """Its type in the meter's configuration."""
    burden: str
    """Empty where it is inside."""
    full_scale: float
    """rms of the greatest sine within range, A."""


CURRENT_TRANSFORMERS: Final = (
    CurrentTransformer("ZMCT103C", "zmct103c", "100 Ω", 7.1),
    CurrentTransformer("SCT-013-030", "sct_013_030", "", 21),
    CurrentTransformer("SCT-010", "sct_010", "22 Ω", 96),
    CurrentTransformer("SCT-013-000", "sct_013_000", "13.6 Ω", 104),
    CurrentTransformer("SCT-024 (200 A : 100 mA)", "sct_024", "6.8 Ω", 208),
)
"""Current transformers by their range, the smallest first."""

FACTORS: Final = ((1.1, 1.5), (1.25, 2.0), (float("inf"), 4.0))
"""Ranges that suffice, as multiples of the present one, up to each quotient of the
measured rms and that of full scale: a sine of 1.5 times the range shows 1.19, one of
twice the range 1.25. A peaked wave is cut below 1."""


def needed_range(excursion: Excursion) -> float:
    """Return the rms of the greatest sine that should be within range, V or A."""
    quotient = excursion.rms / excursion.full_scale
    factor = next(factor for limit, factor in FACTORS if quotient < limit)
    return factor * excursion.full_scale


def remedy(excursion: Excursion) -> tuple[str, Mapping[str, str]]:
    """Return the key of the sentence that says what would do, and its placeholders."""
    needed = needed_range(excursion)
    placeholders = {"needed": f"{needed:.3g}"}
    if needed >= 100:
        placeholders["needed"] = f"{needed:.0f}"
    if excursion.quantity == "voltage":
        return "larger_divider", placeholders
    fitting = (part for part in CURRENT_TRANSFORMERS if part.full_scale >= needed)
    if (part := next(fitting, None)) is None:
        return "larger_transformer", placeholders
    placeholders |= {
        "transformer": part.name,
        "burden": part.burden,
        "range": f"{part.full_scale:g}",
    }
    return ("known_transformer" if part.burden else "known_with_burden"), placeholders
