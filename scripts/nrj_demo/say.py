"""Words for the person at the terminal: the only place of the demo that prints."""

import sys


def say(sentence: str) -> None:
    """Tell the person something, at once."""
    print(sentence, flush=True)


def complain(sentence: str) -> None:
    """Tell the person what is wrong."""
    print(sentence, file=sys.stderr, flush=True)
