"""Build the programs shared by several steps, once."""

import asyncio
import sys

from nrj_bench import probe

from custom_components.nrj_monitor.replay.errors import ReplayError
from nrj_demo.programs import build_signal_tool
from nrj_replay import firmware_guard
from nrj_tools.errors import ScriptError
from nrj_tools.firmware import FirmwareError, build


def main() -> int:
    """Build all programs; return 1 with a sentence if a build fails."""
    try:
        meter = build()
        print(meter)
        print(asyncio.run(build_signal_tool(meter)))
        print(probe.build(meter))
        print(firmware_guard.program())
    except (FirmwareError, ScriptError, probe.ProbeError, ReplayError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
