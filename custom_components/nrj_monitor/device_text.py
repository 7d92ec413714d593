"""Texts of devices, which may hold anything, as a person is shown them: pure rules."""

import re
from typing import Final

LONGEST_NAME: Final = 80
"""Characters of a name or version."""

LONGEST_SENTENCE: Final = 500
"""Characters of what a device says in sentences."""

_INVISIBLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+"
)
_SPACES: Final = re.compile(r"\s+")

_ACTIVE: Final = re.compile(
    r"""[\[\]<>`*|\\#~]          # links, HTML, code, emphasis, tables, headings
    | (?<!\w)_ | _(?!\w)         # emphasis; not the one in a word
    | &(?=\#?\w+;)               # entities
    | :(?=//)                    # links that are made of addresses by themselves
    | (?<=www)\. | @
    | ^[-+=](?=\s|[-+=])         # lists, rules
    | (?<=^\d)[.)](?=\s)
    """,
    re.VERBOSE,
)
_WIDE: Final = 0xFEE0
"""From a character to its full-width form (Unicode, Halfwidth and Fullwidth Forms)."""


def shortened(text: str, length: int) -> str:
    """Return a text of at most `length` characters, the last an ellipsis if cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def one_line(text: str, length: int = LONGEST_NAME) -> str:
    """Return a text in one line without invisible characters, of bounded length."""
    visible = _INVISIBLE.sub(" ", text[: 4 * length])
    return shortened(_SPACES.sub(" ", visible).strip(), length)


def plain(text: str, length: int = LONGEST_NAME) -> str:
    """Return a text in one line that reads the same where Markdown is rendered.

    Repairs and dialogues render it, titles and the logbook do not: characters that would
    make a link, a picture or a heading are replaced by their full-width forms.
    """
    return _ACTIVE.sub(lambda match: chr(ord(match[0]) + _WIDE), one_line(text, length))
