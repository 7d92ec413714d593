"""scripts/test --quick: lint, types, and the tests of the changed files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
import subprocess
import sys
import time

from nrj_test.imports import Imports
from nrj_test.steps import BIN, ROOT, STEPS

INTEGRATION = Path("custom_components/nrj_monitor")
COMPONENTS = Path("esphome/components")
CPP = Path("firmware_tests/cpp")
END_TO_END = Path("tests/end_to_end")

LIMIT = 120.0
"""Seconds a quick run should take; the output tells when it took longer."""

TEXTS: Mapping[str, tuple[str, ...]] = {
    "custom_components/nrj_monitor/translations": ("tests/test_translations.py",),
    "custom_components/nrj_monitor/icons.json": ("tests/test_translations.py",),
    "custom_components/nrj_monitor/manifest.json": (
        "tests/repository/test_manifest.py",
    ),
    "esphome/packages": ("tests/repository/test_firmware_contract.py",),
    "blueprints": ("tests/loads/test_blueprints.py",),
    "docs/sentences": ("tests/assist/test_sentences.py",),
    "docs": ("tests/docs",),
    "README.md": ("tests/docs",),
    "CONTRIBUTING.md": ("tests/docs",),
    "CHANGELOG.md": ("tests/release/test_changelog.py",),
    "conftest.py": ("tests/repository/test_pace.py",),
}
"""Tests of files and folders that nothing imports."""

MOST_CPP = 2
"""Components of which the C++ tests are run; a change of more of them is one for the whole command."""


@dataclass(slots=True)
class Selection:
    """The tests chosen for a change."""

    tests: set[Path] = field(default_factory=set)
    firmware: set[Path] = field(default_factory=set)
    cpp: set[str] = field(default_factory=set)


def select(changed: Iterable[Path], root: Path) -> Selection:
    """Return the tests of changed files, whose paths are relative to `root`.

    A module has the tests of its room and those that import the module; a test or a helper has itself and its folder.
    """
    imports = Imports(root)
    chosen = Selection()
    for path in changed:
        if path.is_relative_to(COMPONENTS):
            component = path.relative_to(COMPONENTS).parts[0]
            if (root / CPP / component).is_dir():
                chosen.cpp.add(component)
        elif path.is_relative_to(CPP) and len(path.relative_to(CPP).parts) > 1:
            component = path.relative_to(CPP).parts[0]
            if component != "stand_ins":
                chosen.cpp.add(component)
        if path.is_relative_to(INTEGRATION):
            _add_room(chosen, path, root)
        elif path.name.startswith("test_") and path.suffix == ".py":
            _add(chosen, path, root)
        elif _is_helper_of_room(path):
            _add(chosen, path.parent, root)
        for text, tests in TEXTS.items():
            if path.is_relative_to(text):
                for test in tests:
                    _add(chosen, Path(test), root)
        module = imports.module_of(root / path)
        for importer in imports.importers(module) if module else ():
            file = Path(*importer.split(".")).with_suffix(".py")
            if file.name.startswith("test_"):
                _add(chosen, file, root)
    return chosen


def _is_helper_of_room(path: Path) -> bool:
    return (
        path.is_relative_to("tests")
        and not path.is_relative_to("tests/support")
        and path.suffix == ".py"
        and len(path.parts) > 2
    )


def _add_room(chosen: Selection, path: Path, root: Path) -> None:
    rooms = path.relative_to(INTEGRATION).parts
    if len(rooms) > 1:
        _add(chosen, Path("tests", rooms[0]), root)
    else:
        _add(chosen, Path("tests", f"test_{path.stem}.py"), root)


def _add(chosen: Selection, path: Path, root: Path) -> None:
    """Choose a test file or a folder of tests, if present; end-to-end tests are not quick."""
    if path.is_relative_to(END_TO_END) or not (root / path).exists():
        return
    if path.is_relative_to("firmware_tests"):
        chosen.firmware.add(path)
    else:
        chosen.tests.add(path)


def changed_files() -> set[Path]:
    """Return the files changed since this branch left main, committed or not."""
    base = _git("merge-base", "HEAD", _main()).strip()
    names = _git("diff", "--name-only", "-z", base) + _git(
        "ls-files", "-z", "--others", "--exclude-standard"
    )
    return {Path(name) for name in names.split("\0") if name}


def _main() -> str:
    for name in ("main", "origin/main"):
        if _git("rev-parse", "--verify", "--quiet", name, check=False):
            return name
    return "HEAD"


def _git(*arguments: str, check: bool = True) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=check
    ).stdout


def main(*, listing: bool = False) -> int:
    """Run the chosen commands, or only print the commands; return 1 if any failed."""
    start = time.monotonic()
    chosen = select(changed_files(), ROOT)
    commands: list[tuple[str, tuple[str | Path, ...]]] = [
        ("lint", command) for command in STEPS["lint"].commands
    ]
    commands += [("types", command) for command in STEPS["types"].commands]
    pytest = (BIN / "python", "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile")
    if chosen.tests:
        commands.append(("tests", (*pytest, *sorted(chosen.tests))))
    if chosen.firmware:
        commands.append(
            ("firmware", (*pytest, "-p", "no:homeassistant", *sorted(chosen.firmware)))
        )
    if chosen.cpp:
        components = sorted(chosen.cpp)
        if left := components[MOST_CPP:]:
            print(f"Left to the step cpp: {' '.join(left)}")
        commands.append(("cpp", (CPP / "run", *components[:MOST_CPP])))
    failed: list[str] = []
    for name, command in commands:
        print(f"== {name}: {' '.join(map(_shown, command))}", flush=True)
        if listing:
            continue
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    if listing:
        return 0
    took = time.monotonic() - start
    if failed:
        print(f"Failed: {' '.join(failed)} (after {took:.0f} s)", file=sys.stderr)
        return 1
    print(f"What was touched passes, in {took:.0f} s; scripts/test runs the rest.")
    if took > LIMIT:
        print(
            f"That is more than {LIMIT:.0f} s: the change is large, or this machine busy."
        )
    return 0


def _shown(argument: str | Path) -> str:
    path = Path(argument)
    return path.name if path.is_absolute() else str(argument)
