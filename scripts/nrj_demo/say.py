"""Words for the person at the terminal: the only place of the demo that prints."""

from contextlib import suppress
import sys


def say(sentence: str) -> None:
    """Tell the person something, at once; where nobody listens any more, tell nobody."""
    with suppress(OSError):
        print(sentence, flush=True)


def complain(sentence: str) -> None:
    """Tell the person what is wrong."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
