"""Numbers that devices send as text, within the range that each can have: pure rules."""

from math import isfinite
import re
from typing import Final

LARGEST_NUMBER: Final = 2**31 - 1
"""Greatest number of a record or an event: what an action of the firmware takes."""

LONGEST: Final = 40
"""Characters of a number; longer ones are not looked at."""

_WHOLE: Final = re.compile(r"[0-9]{1,20}")
_NAME: Final = re.compile(r"[0-9A-Za-z]{1,20}")


def whole_number(text: str, most: int = LARGEST_NUMBER) -> int:
    """Return a whole number from 0 to `most`; raises ValueError for another text."""
    if _WHOLE.fullmatch(text) is None or (number := int(text)) > most:
        raise ValueError(f"{text[:LONGEST]!r} is no number up to {most}")
    return number


def decimal_number(text: str, least: float, most: float) -> float:
    """Return a finite number within bounds; raises ValueError for another text."""
    number = float(text) if len(text) <= LONGEST and text.isascii() else float("nan")
    if not isfinite(number) or not least <= number <= most:
        raise ValueError(f"{text[:LONGEST]!r} is no number from {least:g} to {most:g}")
    return number


def number_name(text: str) -> str:
    """Return a number that is a mere name; raises ValueError for another text."""
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"{text[:LONGEST]!r} is not the name of a start or a journal")
    return text
