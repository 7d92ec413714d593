"""Pages of the journal are decoded as the firmware specifies, or refused."""

import base64
from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.backfill.journal import (
    Flag,
    JournalPage,
    Summary,
    decode_records,
)
from tests.backfill.journal_pages import page, record


def test_decoded_record_equals_the_encoded_one() -> None:
    """Every field has its value, in its unit."""
    data = record(
        120,
        (1, 200, 30000, 4000000, 5, 6, 7, 2**27),
        count=2,
        flags=Flag.START | Flag.INCOMPLETE,
        start=1795219200,
        powers=((-500, 700), None, None, (0, 0)),
        voltages=(None, (11500, 11400, 11600), None),
        frequency=(50000, 49900, 50020),
    )
    [read] = decode_records(data)
    assert read.span == 120
    assert read.count == 2
    assert read.flags == Flag.START | Flag.INCOMPLETE
    assert read.start == 1795219200
    assert read.energy == (1, 200, 30000, 4000000, 5, 6, 7, 2**27)
    assert read.measured == {
        "active_power_l1": Summary(None, -500, 700),
        "active_power": Summary(None, 0, 0),
        "voltage_l2": Summary(230.0, 228.0, 232.0),
        "frequency": Summary(50.0, 49900 * 0.001, 50020 * 0.001),
    }


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    """Damaged bytes raise ValueError, or make valid records."""
    with suppress(ValueError):
        for decoded in decode_records(data):
            assert decoded.count > 0
            assert decoded.span >= 0


@given(st.data())
def test_truncated_record_is_refused(data: st.DataObject) -> None:
    """No part of a record is decoded as a whole record."""
    whole = record(60, (300,) * 8, powers=((1, 2),) * 4)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ValueError, match="length"):
        decode_records(whole[:cut])
    with pytest.raises(ValueError, match=r"early|says|long"):
        decode_records(bytes([cut]) + whole[1:cut])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"counters": "1,2,3"}, "3 totals"),
        ({"data": "not base64!"}, "base64"),
        ({"last": 5}, "as many"),
        ({"uptime_ms": "soon"}, "soon"),
        ({"data": base64.b64encode(b"\x05\x00").decode()}, "length"),
    ],
)
def test_damaged_page_is_refused_with_a_reason(
    changes: dict[str, object], reason: str
) -> None:
    """The error names the wrong field."""
    with pytest.raises(ValueError, match=reason):
        JournalPage.from_device(page([record()], **changes))


def test_page_without_a_field_is_refused() -> None:
    """The error names the missing field, as with an older or newer firmware."""
    data = dict(page([record()]))
    del data["journal"]
    with pytest.raises(ValueError, match="journal"):
        JournalPage.from_device(data)


def test_number_without_an_end_is_refused() -> None:
    """More than ten bytes are not a 64-bit number."""
    with pytest.raises(ValueError, match="too long"):
        decode_records(bytes([14, 0]) + b"\xff" * 12)
