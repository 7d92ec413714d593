"""The program behind scripts/demo."""

import asyncio
import sys

from .demo import run_demo
from .errors import DemoError
from .options import parse
from .say import complain


def main() -> int:
    """Run the demo; return the exit status."""
    try:
        asyncio.run(run_demo(parse(sys.argv[1:])))
    except DemoError as error:
        complain(str(error))
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
