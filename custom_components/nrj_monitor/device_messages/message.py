"""Parser of the firmware's messages; pure, without Home Assistant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Final

from ..device_text import LONGEST_SENTENCE, plain
from .kinds import INPUTS, KINDS

MAX_LENGTH: Final = 255
"""Longest text of codes, in characters."""

LONGEST_ANSWER: Final = 2000
"""Characters of an answer that are looked at."""

MAX_MESSAGES: Final = 12
"""Most messages in a text."""

_INPUT: Final = "[VIL][1-3](?:=L[1-3])?"
_VALUE: Final = r"[a-z_]{1,20}=(?:[VIL][1-3]|IN|[+-]?[0-9]{1,40}(?:\.[0-9]{1,6})?)"
_MESSAGE: Final = re.compile(
    rf"(?P<code>[a-z_]{{1,40}})"
    rf"(?::(?:(?P<inputs>{_INPUT}(?:,{_INPUT}){{0,2}})|(?P<values>{_VALUE}(?:,{_VALUE}){{0,7}})))?"
)
_ANSWER: Final = re.compile(r"(?P<sentence>.*?) ?\[(?P<codes>[^\[\]]*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DeviceMessage:
    """A message of the firmware: its code, and its values by name."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


def parse_messages(text: str | None) -> tuple[DeviceMessage, ...] | None:
    """Parse codes like "no_voltage:V3;no_current:I1" or "current_too_low:phase=L1,…".

    Values that this version does not know are kept, those it needs must be there.

    Returns:
        the messages, the most important first; None for a firmware without codes, or
        for codes that this version does not know.
    """
    if not text or len(text) > MAX_LENGTH:
        return None
    parts = text.split(";")
    if len(parts) > MAX_MESSAGES:
        return None
    messages = []
    for part in parts:
        match = _MESSAGE.fullmatch(part)
        if match is None or match["code"] not in KINDS:
            return None
        values = _values(match)
        if not values.keys() >= set(KINDS[match["code"]]):
            return None
        messages.append(DeviceMessage(match["code"], values))
    return tuple(messages)


def parse_answer(text: str) -> tuple[str, tuple[DeviceMessage, ...] | None]:
    """Split the answer of an action into its sentences, as plain text, and its messages.

    Returns:
        None for the messages of a firmware that answers in sentences alone, or whose
        codes this version does not know: then the sentences are all there is.
    """
    match = _ANSWER.fullmatch(text[:LONGEST_ANSWER])
    if match is None:
        return plain(text, LONGEST_SENTENCE), None
    sentence = plain(match["sentence"], LONGEST_SENTENCE)
    return sentence, parse_messages(match["codes"])


def _values(match: re.Match[str]) -> dict[str, str]:
    """Return the values of a message; inputs as people read them, like "I1 → L2"."""
    if (inputs := match["inputs"]) is not None:
        return {INPUTS: inputs.replace(",", ", ").replace("=", " → ")}
    pairs = (match["values"] or "").split(",")
    return dict(pair.split("=", 1) for pair in pairs if pair)
