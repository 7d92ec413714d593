"""Numbers of a recording, with a decimal point or a decimal comma."""

from collections.abc import Iterable, Sequence
from math import nan
import re

from .recording_header import is_measured

_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
"""What may also be a whole number with commas between thousands."""


class NumberReader:
    """Read numbers with a decimal point or a decimal comma, all with the same.

    Between semicolons or tabs a comma is a decimal comma. Between commas, where a
    number with a comma is in quotes, it is one as soon as some number of the first rows
    can be nothing else.
    """

    def __init__(self, delimiter: str, head: Iterable[str]) -> None:
        """Begin a file with its columns' separator and the fields of its first rows."""
        self._may_have_comma = delimiter != "," or any(
            _COMMA.fullmatch(text.strip()) and not _THOUSANDS.fullmatch(text.strip())
            for text in head
            if "," in text
        )
        self._first = ""
        self._mark = ""

    def with_point(self, text: str) -> str:
        """Return a number with a decimal point; any other text as it is."""
        if self._may_have_comma and "," in text and _COMMA.fullmatch(text.strip()):
            return text.replace(",", ".")
        return text

    def read_all(self, texts: Sequence[str]) -> list[float]:
        """Return measurements that are plain numbers.

        Raises:
            ValueError: a text is no plain number: `read` tells, or reads it.
        """
        if self._mark == ",":
            raise ValueError
        values = [float(text) for text in texts]
        if not self._mark:
            pointed = next((text for text in texts if "." in text), "")
            self._first, self._mark = pointed.strip(), pointed and "."
        return values

    def read(self, text: str) -> float:
        """Return a measurement, NaN for an empty field.

        Raises:
            ValueError: the text is no number, or may be two.
        """
        if not is_measured(text):
            return nan
        try:
            value = float(self.with_point(text))
        except ValueError:
            if _THOUSANDS.fullmatch(text):
                raise ValueError(
                    f"'{text}' may be {text.replace(',', '')} or"
                    f" {text.replace(',', '.', 1)}: export with decimal points, or with"
                    " semicolons or tabs between the columns."
                ) from None
            raise ValueError(
                f"'{text}' is no number: write nothing between thousands."
            ) from None
        mark = "," if "," in text else "." if "." in text else ""
        if mark and self._mark not in ("", mark):
            raise ValueError(
                f"'{text}' has another decimal mark than '{self._first}' before it:"
                " write all numbers with a point, or all with a comma."
            )
        if mark and not self._mark:
            self._first, self._mark = text, mark
        return value
