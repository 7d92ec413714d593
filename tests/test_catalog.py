"""Check the catalog against itself and against Home Assistant's tables."""

from homeassistant.components.sensor.const import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
)
import pytest

from custom_components.nrj_monitor.catalog import (
    CHANNELS,
    QUANTITIES,
    Phase,
    Quantity,
    SignificantChange,
)

MEASURED = [quantity for quantity in QUANTITIES if quantity.device_class is not None]


@pytest.mark.parametrize("quantity", MEASURED, ids=lambda quantity: quantity.key)
def test_home_assistant_accepts_unit_and_state_class(quantity: Quantity) -> None:
    """Find unit and state class in Home Assistant's tables for the device class."""
    assert quantity.device_class is not None
    assert quantity.unit in DEVICE_CLASS_UNITS[quantity.device_class]
    assert quantity.state_class in DEVICE_CLASS_STATE_CLASSES[quantity.device_class]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.key)
def test_a_state_resolves_its_digits_and_significant_changes(
    quantity: Quantity,
) -> None:
    """Round no displayed digit and no significant change away."""
    assert quantity.decimals >= quantity.display_precision
    assert quantity.change.absolute >= 10**-quantity.decimals


def test_every_quantity_is_measured_somewhere() -> None:
    """A quantity has a channel on each phase, on the whole meter, or on both."""
    measured = {channel.quantity.key for channel in CHANNELS.values()}
    assert measured == {quantity.key for quantity in QUANTITIES}
    for quantity in QUANTITIES:
        phases = [
            channel.phase
            for channel in CHANNELS.values()
            if channel.quantity is quantity and channel.phase is not None
        ]
        assert phases == (list(Phase) if quantity.per_phase else [])


@pytest.mark.parametrize(
    ("written", "value", "significant"),
    [
        pytest.param(100.0, 100.9, False, id="below both limits"),
        pytest.param(100.0, 101.0, True, id="at the absolute limit"),
        pytest.param(100.0, 99.0, True, id="downwards"),
        pytest.param(-100.0, -101.0, True, id="exporting"),
        pytest.param(10_000.0, 10_015.0, False, id="above absolute, below relative"),
        pytest.param(10_000.0, 10_020.0, True, id="at the relative limit"),
        pytest.param(0.0, 0.5, False, id="noise about zero"),
        pytest.param(None, 100.0, True, id="measurement returns"),
        pytest.param(100.0, None, True, id="measurement lost"),
        pytest.param(None, None, False, id="still no measurement"),
    ],
)
def test_significant_change(
    written: float | None, value: float | None, significant: bool
) -> None:
    """Both limits must be reached; gaining or losing the value always counts."""
    change = SignificantChange(absolute=1.0, relative=0.002)
    assert change.between(written, value) is significant
