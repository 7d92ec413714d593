"""Find the requested benchmark and run its `main`."""

from collections.abc import Sequence
from importlib import import_module
import pkgutil
import sys

from . import benches


def main(arguments: Sequence[str]) -> int:
    """Run a benchmark by name; return 2 for an unknown name."""
    names = sorted(module.name for module in pkgutil.iter_modules(benches.__path__))
    if not arguments or arguments[0] not in names:
        wrong = f"'{arguments[0]}' is no benchmark" if arguments else "none is named"
        print(f"scripts/bench: {wrong}: use {', '.join(names)}.", file=sys.stderr)
        return 2
    status: int = import_module(f"{benches.__name__}.{arguments[0]}").main(
        arguments[1:]
    )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
