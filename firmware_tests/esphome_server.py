"""Run ESPHome's commands one after the other, each in a copy of this process: importing ESPHome takes most of a command.

Runs in ESPHome's own environment, and imports nothing of this repository. A line of standard input is a command, a line
of standard output the outcome, both in JSON. What one command had to import of ESPHome, the next finds imported.
"""

from importlib import import_module
import json
import os
from pathlib import Path
import signal
import sys
import tempfile
from typing import Any

import esphome.__main__ as command_line  # type: ignore[import-not-found]  # of its own environment

PACKAGE = Path(command_line.__file__).parent


def imported() -> set[str]:
    """Return the names of ESPHome's own imported modules, without components from elsewhere."""
    return {
        name
        for name, module in list(sys.modules.items())
        if PACKAGE in Path(getattr(module, "__file__", None) or "/").parents
    }


def execute(command: dict[str, Any], modules: Path) -> int:
    """Run ESPHome in this process; list in `modules` what is imported afterwards; return the exit status."""
    signal.alarm(command["timeout"])
    os.chdir(command["folder"])
    os.environ.update(command["environment"])
    sys.argv = ["esphome", *command["arguments"]]
    try:
        status = command_line.main() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    modules.write_text(json.dumps(sorted(imported())))
    return status


def run(command: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a command in a copy of this process, and return its exit status and output."""
    files = {name: folder / name for name in ("stdout", "stderr", "modules")}
    files["modules"].write_text("[]")
    if (child := os.fork()) == 0:
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, name in ((1, "stdout"), (2, "stderr")):
                os.dup2(
                    os.open(files[name], os.O_RDWR | os.O_CREAT | os.O_TRUNC), number
                )
            status = execute(command, files["modules"])
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    for name in json.loads(files["modules"].read_text()):
        import_module(name)
    return {
        "returncode": os.waitstatus_to_exitcode(ended),
        **{name: files[name].read_text() for name in ("stdout", "stderr")},
    }


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            outcome = run(json.loads(line), Path(folder))
            sys.stdout.write(f"{json.dumps(outcome)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
