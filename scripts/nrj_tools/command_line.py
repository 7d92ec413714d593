"""Command-line parser of the scripts."""

import argparse
from collections.abc import Callable
from math import isfinite
import sys
from typing import NoReturn, override


class CommandLine(argparse.ArgumentParser):
    """Parser with single-sentence errors and without abbreviated options."""

    def __init__(
        self, prog: str, description: str | None = None, *, color: bool = True
    ) -> None:
        """Prepare the parser of the command `prog`; `description` begins its help.

        `color` is for argparse, which makes the parsers of subcommands with it.
        """
        super().__init__(
            prog=prog,
            description=description,
            allow_abbrev=False,
            color=color,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )

    @override
    def error(self, message: str) -> NoReturn:
        """Print the error and the name of the help, and exit with 2."""
        sentence = f"{self.prog}: {message}; '{self.prog} --help' lists the options."
        print(sentence, file=sys.stderr)
        sys.exit(2)


def number(
    least: float, most: float, unit: str, *, whole: bool = False
) -> Callable[[str], float]:
    """Return a converter of numbers from `least` to `most`, named `unit` in errors."""

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
