"""Run a command of `scripts/release`; `scripts/release --help` lists the commands."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
import json
from pathlib import Path
import sys
from typing import Final

from nrj_tools.command_line import CommandLine

from . import changelog, images, publication, versions
from .errors import ReleaseError

ROOT = Path(__file__).parents[2]


def _prepare(root: Path, version: str) -> str:
    versions.check_form(version)
    path = root / "CHANGELOG.md"
    dated = changelog.released(path.read_text(), version, datetime.now(UTC).date())
    versions.write(root, version)
    path.write_text(dated)
    tag = versions.tag_of(version)
    return (
        f"Read the changes, commit them, and publish: 'git tag {tag} && git push origin main {tag}'."
        " Then 'scripts/release reopen' and commit."
    )


def _reopen(root: Path) -> str:
    versions.follow_main(root)
    return f"Configurations included from GitHub follow {versions.MAIN} again: commit."


def _check(root: Path, tag: str) -> str:
    version = versions.check(root, tag)
    changelog.notes((root / "CHANGELOG.md").read_text(), version)
    return version


def _configurations(root: Path) -> str:
    return json.dumps(images.configurations(root))


def _images(root: Path) -> str:
    return json.dumps(images.images(root))


def _collect(root: Path, image: str, folder: str) -> str:
    return str(images.collect(root, image, versions.read(root), Path(folder)))


def _assemble(root: Path, built: str, esp_web_tools: str, folder: str) -> str:
    publication.assemble(
        root, versions.read(root), Path(built), Path(esp_web_tools), Path(folder)
    )
    return folder


_COMMANDS: Final[Mapping[str, tuple[Callable[..., str], tuple[str, ...]]]] = {
    "prepare": (_prepare, ("version",)),
    "reopen": (_reopen, ()),
    "check": (_check, ("tag",)),
    "configurations": (_configurations, ()),
    "images": (_images, ()),
    "collect": (_collect, ("image", "folder")),
    "assemble": (_assemble, ("images", "esp_web_tools", "folder")),
}


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command named in `arguments` on the checkout at `root`; return 1 on a ReleaseError."""
    parser = CommandLine("scripts/release", __doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    for name, (_, operands) in _COMMANDS.items():
        command = commands.add_parser(name)
        for operand in operands:
            command.add_argument(operand)
    chosen = vars(parser.parse_args(arguments))
    run, operands = _COMMANDS[chosen["command"]]
    try:
        print(run(root, *(chosen[operand] for operand in operands)))
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
