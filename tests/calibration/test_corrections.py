"""The corrections that a meter shows are read, and nothing else is."""

import pytest

from custom_components.nrj_monitor.calibration.corrections import (
    Corrections,
    PhaseCorrection,
)
from custom_components.nrj_monitor.catalog import Phase

TEXT = """\
l1: {voltage_gain: 1.014530, current_gain: 0.988700, phase: 0.312}
l2: {voltage_gain: 1.000000, current_gain: 1.000000, phase: 0.000}
l3: {voltage_gain: 1.000000, current_gain: 1.000000, phase: -1.250}
residual_currents: [0.004, 0, 0, 0]"""


def test_the_firmwares_text_is_read() -> None:
    """Each phase has its factors and degrees, under the names of the action."""
    corrections = Corrections.from_text(TEXT)
    assert corrections is not None
    assert corrections.phases[Phase.L1] == PhaseCorrection(1.01453, 0.9887, 0.312)
    assert corrections.is_calibrated
    arguments = corrections.as_arguments()
    assert len(arguments) == 9
    assert arguments["phase_l3"] == -1.25
    assert corrections.describe().splitlines()[2] == (
        "- L3: U +0.00 %, I +0.00 %, φ -1.250°"
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "unknown",
        TEXT.replace("0.9887", "nan"),
        "\n".join(TEXT.splitlines()[1:]),
        TEXT + "\n" + "x" * 200,
    ],
)
def test_another_text_is_none(text: str | None) -> None:
    """What comes from the device is checked."""
    assert Corrections.from_text(text) is None
