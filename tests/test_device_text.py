"""Texts of a device are shown as plain text, wherever they stand."""

from hypothesis import example, given, strategies as st
import pytest

from custom_components.nrj_monitor.device_text import one_line, plain, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("NRJ Meter (garage), 2.0-b1", "NRJ Meter (garage), 2.0-b1"),
        ("L1: swap_me at 230 V & 5 A", "L1: swap_me at 230 V & 5 A"),
        ("Compteur d'été – n° 3", "Compteur d'été – n° 3"),
        ("[click](https://example.com)", "［click］(https：//example.com)"),
        ("![](http://example.com/x.png)", "!［］(http：//example.com/x.png)"),
        ("<img src=x onerror=alert(1)>", "＜img src=x onerror=alert(1)＞"),
        ("www.example.com", "www．example.com"),
        ("me@example.com", "me＠example.com"),
        ("# big", "＃ big"),
        ("- item", "－ item"),
        ("1. item", "1． item"),
        ("**bold** _it_ `code`", "＊＊bold＊＊ ＿it＿ ｀code｀"),
        ("&lt;b&gt;", "＆lt;b＆gt;"),
        ("a\n\n---\nb\u202e\u0000c", "a --- b c"),
    ],
)
def test_nothing_of_a_device_is_rendered(text: str, shown: str) -> None:
    """Links, pictures, HTML, headings and lists stay text; names stay names."""
    assert plain(text) == shown


@given(st.text(max_size=300))
@example("a" * 81)
def test_a_plain_text_is_short_and_of_one_line(text: str) -> None:
    """Whatever it was."""
    shown = plain(text)
    assert len(shown) <= 80
    assert shown == shown.strip()
    assert not any(mark in shown for mark in "[]<>`*|\n\r\x00")
    assert "://" not in shown


def test_a_long_text_ends_with_an_ellipsis() -> None:
    """A person sees that there was more."""
    assert one_line("x" * 10**6, 5) == "xxxx…"
    assert shortened("abcde", 5) == "abcde"
