"""Program behind scripts/demo."""

import asyncio
import signal
import sys

from nrj_tools.errors import ScriptError

from .options import parse
from .say import complain


def main() -> int:
    """Run the demo; return the exit status."""
    # Until there is something to stop, Ctrl-C simply ends this program: also while
    # it still loads, which takes half a second.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .demo import run_demo  # noqa: PLC0415

    try:
        asyncio.run(run_demo(parse(sys.argv[1:])))
    except ScriptError as error:
        complain(str(error))
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
