"""Reading the command lines of the scripts."""

import argparse
from collections.abc import Callable
from math import isfinite
import sys
from typing import NoReturn, override


class CommandLine(argparse.ArgumentParser):
    """A parser that refuses in one sentence, and takes no abbreviated options."""

    def __init__(self, prog: str, description: str | None) -> None:
        """Prepare the parser of the command `prog`; `description` begins its help."""
        super().__init__(
            prog=prog,
            description=description,
            allow_abbrev=False,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )

    @override
    def error(self, message: str) -> NoReturn:
        """Say what cannot be read, name the help, and exit with 2."""
        sentence = f"{self.prog}: {message}; '{self.prog} --help' lists the options."
        print(sentence, file=sys.stderr)
        sys.exit(2)


def number(
    least: float, most: float, unit: str, *, whole: bool = False
) -> Callable[[str], float]:
    """Return a reader of numbers from `least` to `most`; `unit` is for its refusal."""

    def read(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or not least <= value <= most:
            kind = "a whole number" if whole else "a number"
            raise argparse.ArgumentTypeError(
                f"'{text}' is not {kind} of {unit}, {least:g} to {most:g}"
            )
        return value

    return read
