"""Run the requested steps; called by scripts/test."""

import asyncio
import sys
import time

from nrj_test import bytecode, quick
from nrj_test.runner import Runner, computed
from nrj_test.steps import STEPS


def main(arguments: list[str]) -> int:
    """Run; 1 if a step failed, 2 if an argument is none."""
    bytecode.keep()
    if arguments == ["--quick"]:
        return quick.main()
    listing = arguments[:1] == ["--list"]
    if arguments == ["--list", "--quick"]:
        return quick.main(listing=True)
    names = arguments[listing:] or list(STEPS)
    for name in names:
        if name.startswith("-"):
            print(
                f"scripts/test: '{name}' is not an option; 'scripts/test --help' lists"
                " them.",
                file=sys.stderr,
            )
            return 2
        if name not in STEPS:
            print(
                f"scripts/test: '{name}' is not a step: use {', '.join(STEPS)}.",
                file=sys.stderr,
            )
            return 2
    if listing:
        print(*names, sep="\n")
        return 0
    return run(names)


def run(names: list[str]) -> int:
    """Run steps and tell at the end which failed."""
    start = time.monotonic()
    runner = Runner(names)
    asyncio.run(runner.run())
    took = f"{time.monotonic() - start:.0f} s ({computed():.0f} s of one processor)"
    if runner.failed:
        print(f"Failed: {' '.join(runner.failed)} (after {took})", file=sys.stderr)
        return 1
    print(f"All passed in {took}: {' '.join(names)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt, asyncio.CancelledError:
        sys.exit("Stopped.")
