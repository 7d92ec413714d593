"""The documents' commands, and the short form in which a test runs each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import re
import shlex

from .pages import PAGES, blocks, prose

INLINE = re.compile(r"`((?:scripts/\w|docker |openssl |pre-commit )[^`]*)`")
"""What begins like this in the text is a command; a folder or a file is not."""


@dataclass(frozen=True, slots=True)
class Run:
    """A short form: `command` as typed, allowed exit statuses, and the expected output.

    In `command` {tmp} is an empty folder, {recording} a recording of a house, {columns}
    one with other names, {grid} one of the grid, {loads} and {thresholds} the examples
    of docs/load-control.md.
    """

    command: str
    prints: str
    exits: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class NotRun:
    """A command no test can run, and the reason."""

    reason: str


NO_ENGINE = NotRun("needs a container engine; tests/ngsi validate the compose file")
NOT_IN_PLACE = NotRun("changes the repository; tests/release run it on a copy")
TAKES_AIM = (0, 1)
"""A benchmark that missed its aim on a busy machine has run all the same."""

_check = "scripts/demo --check --folder {tmp}"
_checked = "All that was given can be used"
_accuracy = Run("scripts/accuracy --markdown {tmp}/accuracy.md", "All limits hold")
_replay = Run(
    "scripts/replay {grid} --profile continental_europe --loads {loads}",
    '"stage": "shed_1"',
)

COMMANDS: Mapping[str, Run | NotRun] = {
    "git clone https://github.com/nrj-monitor/nrj-monitor": NotRun("downloads this"),
    "cd nrj-monitor": NotRun("the folder that git makes"),
    "cd deploy/fiware": Run("cd deploy/fiware", ""),
    "scripts/demo": Run(_check, _checked),
    "scripts/demo --fresh": Run(f"{_check} --fresh", _checked),
    "scripts/demo --recording FILE": Run(
        f"{_check} --recording {{recording}}", "Playing recording.csv: 3 rows"
    ),
    "scripts/demo --recording my.csv"
    " --columns time=Date+Time,voltage_l1=U1,active_power_l1=P1"
    " --scale active_power=1000": Run(
        f"{_check} --recording {{columns}}"
        " --columns time=Date+Time,voltage_l1=U1,active_power_l1=P1"
        " --scale active_power=1000",
        "Playing columns.csv: 3 rows",
    ),
    "scripts/setup": Run("scripts/setup --help", "scripts/demo needs"),
    "scripts/setup test": Run("scripts/setup test", ""),
    "scripts/test": Run("scripts/test --list", "end_to_end"),
    "scripts/test --quick": Run("scripts/test --list --quick", "== lint: ruff check"),
    "scripts/test --list": Run("scripts/test --list", "end_to_end"),
    "scripts/test lint cpp": Run("scripts/test --list lint cpp", "lint\ncpp"),
    "pre-commit install": NotRun("a tool of one's own; tests/release has its file"),
    "scripts/accuracy": _accuracy,
    "scripts/accuracy --markdown": _accuracy,
    "scripts/replay": _replay,
    "scripts/replay RECORDING.csv --profile P": _replay,
    "scripts/replay RECORDING.csv --profile continental_europe --loads loads.yaml": (
        _replay
    ),
    "scripts/replay RECORDING.csv --profile custom --thresholds thresholds.yaml": Run(
        "scripts/replay {grid} --profile custom --thresholds {thresholds}",
        '"stage": "shed_1"',
    ),
    "scripts/bench firmware": Run("scripts/bench firmware", "sizeof", TAKES_AIM),
    "scripts/bench integration": Run(
        "scripts/bench integration --meter demo --seconds 2 --warm-up 1",
        "event loop, ms CPU a second",
    ),
    "scripts/bench journal": Run(
        "scripts/bench journal --hours 1", '"hours of sensors filled in": ', TAKES_AIM
    ),
    "scripts/bench ngsi": Run(
        "scripts/bench ngsi --records 200", "complete_and_in_order", TAKES_AIM
    ),
    "scripts/bench ngsi --trials 200": Run(
        "scripts/bench ngsi --trials 1", "1 trials, 0 complaints"
    ),
    "scripts/bench replay": Run(
        "scripts/bench replay --rows 1000", '"rows": 1000', TAKES_AIM
    ),
    # tests/end_to_end/test_faults.py runs a whole life.
    "scripts/bench faults": Run(
        "scripts/bench faults --schedules 1 --jobs 1 --steps 4",
        '"with errors": []',
    ),
    "scripts/bench attack": Run(
        "scripts/bench attack --examples 2", '"promises kept": true'
    ),
    "scripts/release prepare 1.2.0": NOT_IN_PLACE,
    "scripts/release reopen": NOT_IN_PLACE,
    "scripts/release images": Run("scripts/release images", "nrj-"),
    "docker compose up -d": NO_ENGINE,
    "docker compose logs provision": NO_ENGINE,
    "docker compose --profile ngsi-ld up -d": NO_ENGINE,
    "sudo sysctl -w vm.max_map_count=262144": NotRun("changes the whole machine"),
    "openssl rand -base64 32": Run("openssl rand -base64 32", "="),
}
"""By what the documents say, without quotes and brackets."""


def _plain(text: str) -> str:
    """Return a command's words: quotes, brackets of options, and comments taken off."""
    optional = text.replace("[", "").replace("]", "")
    return " ".join(shlex.split(optional, comments=True))


def named() -> Iterator[tuple[str, str]]:
    """Yield each command named in a page, and the page."""
    for page in PAGES:
        for block in blocks(page):
            if block.language == "sh":
                lines = block.text.replace("\\\n", " ").splitlines()
                yield from ((_plain(line), page.name) for line in lines if _plain(line))
        for found in INLINE.findall(prose(page)):
            yield _plain(" ".join(found.split())), page.name


def short_forms() -> dict[str, Run]:
    """Return each short form once, by its command."""
    return {run.command: run for run in COMMANDS.values() if isinstance(run, Run)}
