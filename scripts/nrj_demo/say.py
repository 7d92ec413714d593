"""Output of the demo to the terminal."""

from contextlib import suppress
import sys


def say(sentence: str) -> None:
    """Print a sentence at once; ignore a closed terminal."""
    with suppress(OSError):
        print(sentence, flush=True)


def complain(sentence: str) -> None:
    """Print an error; ignore a closed terminal."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
