"""Checks shell scripts with ShellCheck."""

import re
import subprocess
import sys
from typing import BinaryIO

from nrj_test.steps import BIN, ROOT

SHEBANG = re.compile(rb"#!.*\b(?:ba)?sh\s")


def main() -> int:
    """Run ShellCheck over the shell scripts that git knows or could know."""
    listed = subprocess.run(
        [
            *("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
            "--deduplicate",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    scripts = [
        path
        for path in files
        if path.is_file() and (path.suffix == ".sh" or _begins_as_one(path.open("rb")))
    ]
    return subprocess.run(
        [BIN / "shellcheck", "--shell", "bash", "--severity", "warning", *scripts],
        cwd=ROOT,
        check=False,
    ).returncode


def _begins_as_one(file: BinaryIO) -> bool:
    """Return whether the first line of `file` says that a shell runs it."""
    with file:
        return SHEBANG.match(file.read(80)) is not None


if __name__ == "__main__":
    sys.exit(main())
