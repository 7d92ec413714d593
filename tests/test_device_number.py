"""Numbers of a device are within their range, or refused in a short sentence."""

import pytest

from custom_components.nrj_monitor.device_number import (
    decimal_number,
    number_name,
    whole_number,
)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "x", " 7", "1_0", "٣", "1e3", "2147483648", "9" * 400, "9" * 5000],
)
def test_a_number_of_no_sense_is_refused(text: str) -> None:
    """Of any size; the sentence names only its begin."""
    with pytest.raises(ValueError, match="is no number up to") as refused:
        whole_number(text)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "-0.1", "10.1", "1" * 41])
def test_a_decimal_of_no_sense_is_refused(text: str) -> None:
    """Beyond its bounds, not finite, or no number at all."""
    with pytest.raises(ValueError, match=r"number|convert"):
        decimal_number(text, 0.0, 10.0)


def test_numbers_within_their_range_are_taken() -> None:
    """The greatest, and names of starts and journals."""
    assert whole_number("2147483647") == 2**31 - 1
    assert decimal_number("9.5e0", 0.0, 10.0) == 9.5
    assert number_name("0000beef") == "0000beef"
    with pytest.raises(ValueError, match="name of a start"):
        number_name("../x")
