"""Payloads of MQTT messages: bounded JSON, and numbers as meters write them."""

import json
from math import isfinite
import re
from typing import Any, Final

MAX_SIZE: Final = 65536
"""Bytes of a message that is looked at; no meter sends as much."""

MAX_NESTING: Final = 32
"""Brackets within brackets of a message that is looked at; no meter nests as deep."""

NO_MEASUREMENT: Final = frozenset(
    {"", "-", "nan", "inf", "-inf", "null", "none", "unknown", "unavailable"}
)
"""Texts that meters send in place of a number they do not have."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class MessageError(ValueError):
    """A message can not be understood."""


def check_size(payload: bytes) -> None:
    """Raise MessageError where a payload is longer than any meter's."""
    if len(payload) > MAX_SIZE:
        raise MessageError(f"The message is longer than {MAX_SIZE} bytes")


def parse_json(payload: bytes) -> Any:
    """Return the JSON of a payload; raises MessageError with the reason for none."""
    check_size(payload)
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise MessageError("The message is not JSON") from error
    if text.count("[") + text.count("{") > MAX_NESTING:
        _check_nesting(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError("The message is not JSON") from error


def _check_nesting(text: str) -> None:
    """Raise MessageError where brackets outside of strings are nested too deep."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        if (mark := match[0]) in "[{":
            depth += 1
            if depth > MAX_NESTING:
                raise MessageError(
                    f"The message is nested more than {MAX_NESTING} levels deep"
                )
        elif mark in "]}":
            depth -= 1


def is_number(value: Any) -> bool:
    """Return whether a value is a number or a text that says one, or says there is none."""
    if isinstance(value, str):
        text = value.strip()
        return text.lower() in NO_MEASUREMENT or _of_text(text) is not None
    return value is None or (
        isinstance(value, (int, float)) and not isinstance(value, bool)
    )


def number(value: Any) -> float | None:
    """Return a finite number, also of a text with decimal point or comma; else None.

    Where a text has both, the last one is the decimal mark and the others group
    thousands; a mark that occurs twice groups thousands.
    """
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        parsed = float(value)
    except OverflowError:
        return None
    return parsed if isfinite(parsed) else None


def _of_text(text: str) -> float | None:
    if len(text) > 40:
        return None
    point, comma = text.rfind("."), text.rfind(",")
    if point >= 0 and comma >= 0:
        groups, mark = (",", ".") if point > comma else (".", ",")
        text = text.replace(groups, "").replace(mark, ".")
    elif text.count(",") > 1 or text.count(".") > 1:
        if not re.fullmatch(r"[+-]?\d{1,3}([.,]\d{3})+", text):
            return None
        text = text.replace(",", "").replace(".", "")
    else:
        text = text.replace(",", ".")
    if _NUMBER.fullmatch(text) is None:
        return None
    parsed = float(text)
    return parsed if isfinite(parsed) else None
