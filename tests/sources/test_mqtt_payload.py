"""Numbers and texts of MQTT messages within their bounds."""

import pytest

from custom_components.nrj_monitor.sources.mqtt_payload import is_number, number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10**400, None),
        ("1" * 41, None),
        ("1.2.3", None),
        ("1.234.567", 1234567.0),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        (True, None),
        (float("nan"), None),
        (" 230,5 ", 230.5),
    ],
)
def test_a_number_is_finite_and_has_one_meaning(
    value: object, expected: float | None
) -> None:
    """What is too large, too long or ambiguous is no number."""
    assert number(value) == expected


def test_a_switch_is_no_number() -> None:
    """A text that says there is no measurement counts as a number, true and false do not."""
    assert is_number(None)
    assert is_number("230,5")
    assert not is_number(True)
    assert not is_number("on")
