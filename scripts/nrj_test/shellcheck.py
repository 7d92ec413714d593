"""Checks shell scripts with ShellCheck."""

import re
import subprocess
import sys
from typing import BinaryIO

from nrj_test.steps import BIN, ROOT

SHEBANG = re.compile(rb"#!.*\b(?:ba)?sh\s")


def main() -> int:
    """Run ShellCheck over the tracked and untracked, not ignored, shell scripts."""
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
        if path.is_file()
        and (path.suffix == ".sh" or _begins_as_shell_script(path.open("rb")))
    ]
    return subprocess.run(
        [BIN / "shellcheck", "--shell", "bash", "--severity", "warning", *scripts],
        cwd=ROOT,
        check=False,
    ).returncode


def _begins_as_shell_script(file: BinaryIO) -> bool:
    """Return whether the first line of `file` names a shell."""
    with file:
        return SHEBANG.match(file.read(80)) is not None


if __name__ == "__main__":
    sys.exit(main())
