"""Run every documented command, in a short form: see tests/docs/commands.py."""

from collections.abc import Sequence
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess

from nrj_bench.__main__ import main as bench
import pytest
import yaml

from tests.docs.commands import COMMANDS, Run, named, short_forms
from tests.docs.pages import ROOT, blocks

SCRIPTS = ("accuracy", "bench", "demo", "release", "replay", "setup", "test")
BENCHES = sorted(
    path.stem
    for path in (ROOT / "scripts/nrj_bench/benches").glob("*.py")
    if path.stem != "__init__"
)

HOUSE = "time,frequency,voltage_l1\n0,50,230\n1,50,231\n2,50,230\n"
OTHER_NAMES = "Date,Time,U1,P1\n" + "".join(
    f"2025-04-28,12:33:2{second},230,1.5\n" for second in range(3)
)
SAG = "time_s,frequency_hz\n" + "".join(
    f"{tick / 5},{50.0 if tick < 100 else 49.7}\n" for tick in range(200)
)


def run(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository, as typed by a person."""
    page = ROOT / "docs/load-control.md"
    examples = [yaml.safe_load(b.text) for b in blocks(page) if b.language == "yaml"]
    files = {
        "recording": ("recording.csv", HOUSE),
        "columns": ("columns.csv", OTHER_NAMES),
        "grid": ("grid.csv", SAG),
        "loads": ("loads.yaml", _dumped(examples, "loads")),
        "thresholds": ("thresholds.yaml", _dumped(examples, "nominal")),
    }
    for name, text in files.values():
        (folder / name).write_text(text)
    (folder / "empty").mkdir()
    filled = words.format(
        tmp=folder / "empty",
        **{key: folder / name for key, (name, _) in files.items()},
    )
    with subprocess.Popen(
        ["bash", "-c", f"exec {filled}" if filled.startswith("scripts/") else filled],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            stdout, stderr = process.communicate()
        except BaseException:
            # As Ctrl-C: what the command has started, the command stops.
            process.send_signal(signal.SIGINT)
            raise
        return subprocess.CompletedProcess(filled, process.returncode, stdout, stderr)


def _dumped(examples: Sequence[dict[str, object]], key: str) -> str:
    """Return the page's only example with a key."""
    (example,) = (example for example in examples if key in example)
    return yaml.safe_dump(example)


def test_every_named_command_has_a_short_form() -> None:
    """A command nobody has mapped is found, and a mapping nobody names any more."""
    mentioned = dict(named())
    assert not {
        f"{page}: {words}" for words, page in mentioned.items() if words not in COMMANDS
    }
    assert {words for words in COMMANDS if words not in mentioned} == set()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=pytest.mark.xdist_group(f"command {form.command}"))
        for form in short_forms().values()
    ],
    ids=lambda form: form.command,
)
def test_a_command_runs(form: Run, program: Path, tmp_path: Path) -> None:
    """Run each short form to an allowed exit status and the expected output."""
    if shutil.which(form.command.partition(" ")[0]) is None:
        assert form.command.startswith(("scripts/", "cd ")), f"install {form.command}"
    done = run(form.command, tmp_path)
    told = f"{done.stdout}\n{done.stderr}"
    assert done.returncode in form.exits, told
    assert "Traceback" not in told, told
    assert form.prints in done.stdout, told


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_given_before_anything_is_set_up(script: str, tmp_path: Path) -> None:
    """Print the help also on a bare machine without an environment."""
    done = subprocess.run(
        [ROOT / "scripts" / script, "--help"],
        env={"PATH": os.environ["PATH"], "NRJ_VENVS": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    assert f"scripts/{script}" in done.stdout
    assert not done.stderr
    assert not (tmp_path / "none").exists()


def test_every_script_is_known_here() -> None:
    """Notice a script added without tests."""
    commands = {p.name for p in (ROOT / "scripts").iterdir() if not p.suffix}
    assert {name for name in commands if (ROOT / "scripts" / name).is_file()} == {
        *SCRIPTS
    }


def test_every_benchmark_is_in_the_help() -> None:
    """List every benchmark in scripts/bench --help."""
    helped = subprocess.run(
        [ROOT / "scripts/bench", "--help"], capture_output=True, text=True, check=True
    ).stdout
    named = re.findall(r"^  scripts/bench (\w+) ", helped, re.MULTILINE)
    assert sorted(named) == BENCHES


@pytest.mark.parametrize("script", ["demo", "replay", "accuracy"])
def test_every_option_is_in_the_help(script: str) -> None:
    """Name each option of the program in the script's head comment."""
    program = {
        "demo": "nrj_demo/options.py",
        "replay": "nrj_replay/command.py",
        "accuracy": "nrj_bench/accuracy.py",
    }[script]
    read = re.findall(
        r'add_argument\(\s*"(--[\w-]+)"', (ROOT / "scripts" / program).read_text()
    )
    helped = (ROOT / "scripts" / script).read_text().partition("\nset -euo")[0]
    assert read
    assert {*read, "--help"} == set(re.findall(r"(?<![\w-])--[a-z-]+", helped))


@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_has_a_help_and_refuses_unknown_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Name the command and the unknown word in a single sentence."""
    with pytest.raises(SystemExit) as helped:
        bench([name, "--help"])
    assert helped.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: scripts/bench {name} ")
    with pytest.raises(SystemExit) as refused:
        bench([name, "--colour"])
    assert refused.value.code == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err == (
        f"scripts/bench {name}: unrecognized arguments: --colour;"
        f" 'scripts/bench {name} --help' lists the options.\n"
    )


UNKNOWN = [
    *(
        f"{script} --colour"
        for script in ("setup", "test", "demo", "accuracy", "release images")
    ),
    "replay recording.csv --profile continental_europe --colour",
    "bench colour",
    "bench",
    "test colour",
    "setup colour",
]


@pytest.mark.parametrize("words", UNKNOWN)
def test_an_unknown_word_is_refused_in_a_sentence(words: str) -> None:
    """Name the script and the known words, and run nothing."""
    done = subprocess.run(
        [ROOT / "scripts" / words.split(maxsplit=1)[0], *words.split()[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert not done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"scripts/{words.split(maxsplit=1)[0]}")
    assert all(word in done.stderr for word in words.split() if "colour" in word)
