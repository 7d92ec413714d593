"""Strategies of hostile texts, numbers and payloads."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.sampled_from(
    (
        *("", "0", "1", "-1", "x", "nan", "inf", "-inf", "1e999", "1e-999", "0.5"),
        *("2147483647", "2147483648", "4294967295", "18446744073709551616"),
        *(str(10**15), str(-(10**15)), "9" * 400, "1_0", " 7", "+7", "٣"),
        *("1767225600", "86400000", "1e308", "0x10", "1,2", "\x00"),
    )
) | st.just(5000).map("9".__mul__)
"""Numbers as text, of any size and kind, and what is none."""

TEXTS = st.one_of(
    st.sampled_from(
        (
            "[click](https://example.com)",
            "![](https://example.com/x.png)",
            "<img src=x onerror=alert(1)>",
            "# heading\n\n---\n* list `code`",
            "{name} %s {0} {}",
            "../../etc/passwd",
            "\u202eevil\u0000",
            "www.example.com me@example.com",
            "",
        )
    ),
    st.sampled_from((300, 70_000)).map("é".__mul__),
    st.text(max_size=40),
)
"""Texts with links, Markdown, HTML, places to fill in, and of any length."""

FLOATS = st.one_of(
    st.sampled_from((0.0, -0.0, float("nan"), float("inf"), float("-inf"), 3.4e38)),
    st.floats(width=32),
)
"""32-bit numbers as the native API has them."""

WORDS = st.one_of(NUMBERS, TEXTS)


def damaged(valid: Mapping[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """Return payloads in which some fields hold something else, or are missing."""
    keys = st.sampled_from(sorted(valid))
    changes = st.dictionaries(keys, WORDS, max_size=3)
    return st.builds(
        lambda changed, gone: {
            key: value
            for key, value in ({**valid, **changed}).items()
            if key not in gone
        },
        changes,
        st.sets(keys, max_size=1),
    )


def json_values() -> st.SearchStrategy[Any]:
    """Return anything that JSON can hold, with hostile texts and numbers in it."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from((10**15, 10**400, -1, 1e308)),
        WORDS,
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.text(max_size=12), inner, max_size=4),
        ),
        max_leaves=12,
    )
