"""Check the format of all C++ with clang-format."""

import subprocess
import sys

from nrj_test.steps import ROOT, VENVS


def main() -> int:
    """Run clang-format over the tracked and untracked, not ignored, sources."""
    listed = subprocess.run(
        [
            *("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
            *("--deduplicate", "*.cpp", "*.h"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sources = [name for name in listed.split("\0") if name and (ROOT / name).exists()]
    return subprocess.run(
        [
            VENVS / "esphome" / "bin" / "clang-format",
            *("--dry-run", "--Werror"),
            *sources,
        ],
        cwd=ROOT,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
