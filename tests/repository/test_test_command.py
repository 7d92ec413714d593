"""Check the test command: steps in lanes, and the tests chosen for a change."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from nrj_test import bytecode, runner
from nrj_test.imports import Imports
from nrj_test.quick import TEXTS, select
from nrj_test.steps import LANES, ROOT, STEPS, Step
from tests.support.pace import patience

type Repository = Callable[..., Path]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository of a few modules and tests."""
    files = {
        "custom_components/nrj_monitor/__init__.py": "import homeassistant.core\n",
        "custom_components/nrj_monitor/meter.py": "from .rules.limits import LIMIT\n",
        "custom_components/nrj_monitor/rules/__init__.py": "",
        "custom_components/nrj_monitor/rules/limits.py": "import math\n",
        "custom_components/nrj_monitor/rules/entity.py": (
            "from homeassistant.core import callback\nfrom . import limits\n"
        ),
        "tests/rules/conftest.py": "",
        "tests/rules/test_limits.py": (
            "from custom_components.nrj_monitor.rules.limits import LIMIT\n"
        ),
        "tests/rules/test_entity.py": (
            "from custom_components.nrj_monitor.rules.entity import x\n"
        ),
        "tests/test_meter.py": "import custom_components.nrj_monitor.meter\n",
        "tests/control/test_uses.py": (
            "from custom_components.nrj_monitor.rules import limits\n"
        ),
        "tests/end_to_end/test_uses.py": (
            "from custom_components.nrj_monitor.rules import limits\n"
        ),
        "firmware_tests/test_harmonics.py": "",
        "firmware_tests/cpp/ade9000/fft_test.cpp": "",
        "esphome/components/ade9000/fft.cpp": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        (
            "custom_components/nrj_monitor/rules/limits.py",
            {"tests/rules", "tests/rules/test_limits.py", "tests/control/test_uses.py"},
        ),
        ("custom_components/nrj_monitor/meter.py", {"tests/test_meter.py"}),
        ("tests/rules/conftest.py", {"tests/rules"}),
        ("tests/test_meter.py", {"tests/test_meter.py"}),
        ("tests/end_to_end/test_uses.py", set()),
        ("README.md", set()),
    ],
)
def test_a_change_has_its_tests(
    repository: Path, changed: str, tests: set[str]
) -> None:
    """Choose a file's own tests and the tests with an import of the file, none end to end."""
    chosen = select([Path(changed)], repository)
    assert chosen.tests == {Path(name) for name in tests}
    assert not chosen.firmware
    assert not chosen.cpp


def test_texts_that_nothing_imports_have_their_tests() -> None:
    """Choose tests that exist for each file and folder, of this repository."""
    assert all((ROOT / text).exists() for text in TEXTS)
    chosen = select(map(Path, TEXTS), ROOT).tests
    assert chosen >= {Path(test) for tests in TEXTS.values() for test in tests}


def test_a_change_of_the_firmware_has_its_tests(repository: Path) -> None:
    """A component has its folder of C++ tests."""
    chosen = select(
        [
            Path("esphome/components/ade9000/fft.cpp"),
            Path("firmware_tests/test_harmonics.py"),
        ],
        repository,
    )
    assert chosen.cpp == {"ade9000"}
    assert chosen.firmware == {Path("firmware_tests/test_harmonics.py")}


@pytest.mark.parametrize(
    ("module", "named"),
    [
        ("tests.rules.test_limits", False),
        ("tests.rules.test_entity", False),
        ("tests.test_meter", False),
        ("custom_components.nrj_monitor", True),
    ],
)
def test_imports_of_home_assistant_are_found(
    repository: Path, module: str, named: bool
) -> None:
    """Find a module's own imports, and none of the modules it imports."""
    assert Imports(repository).names(module, ("homeassistant",)) is named


def test_every_step_is_in_a_single_lane_after_its_needs() -> None:
    """Put each step in a single lane, behind the step its `needs` names."""
    order = [name for lane in LANES for name in lane]
    assert sorted(order) == sorted(STEPS)
    for lane in LANES:
        for name in lane:
            needed = STEPS[name].needs
            assert needed is None or needed not in lane[lane.index(name) :]


async def test_a_lane_at_its_end_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the last step of a busy lane in a free lane, but none that goes first."""
    wait = ("sleep", "30")
    steps = {
        "short": Step(commands=(("true",),)),
        "long": Step(commands=(wait,)),
        "clock": Step(commands=(wait,), first=True),
        "last": Step(commands=(("true",),), needs="short"),
    }
    monkeypatch.setattr(runner, "STEPS", steps)
    monkeypatch.setattr(runner, "LANES", (("short",), ("long", "clock", "last")))
    monkeypatch.setattr(runner, "LOGS", ROOT / ".build" / "test" / "own")
    run = runner.Runner(steps)
    running = asyncio.create_task(run.run())
    async with asyncio.timeout(patience(20)):
        while "last" not in run.seconds:
            await asyncio.sleep(0.01)
    assert set(run.seconds) == {"short", "last"}
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert set(run.seconds) == {"short", "last"}


async def test_failures_are_named_and_shown_whole(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Run no step behind a failed step, and report passes briefly."""
    steps = {
        "good": Step(commands=(("echo", "quiet"),)),
        "bad": Step(commands=(("echo", "loud"), ("false",), ("echo", "never"))),
        "late": Step(commands=(("echo", "late"),), needs="bad"),
    }
    monkeypatch.setattr(runner, "STEPS", steps)
    monkeypatch.setattr(runner, "LANES", (("bad",), ("good", "late")))
    monkeypatch.setattr(runner, "LOGS", ROOT / ".build" / "test" / "own")
    run = runner.Runner(["good", "late"])
    await run.run()
    assert run.failed == ["bad", "late"]
    said = capfd.readouterr().out
    assert "loud" in said
    assert not {"quiet", "never", "late\n"} & set(said.splitlines(keepends=True))
    assert "== good: passed" in said
    assert "== late: FAILED" in said


def test_bytecode_is_kept_where_the_sources_are_left_alone(tmp_path: Path) -> None:
    """Keep bytecode in the build folder, and leave a machine that keeps bytecode itself as is."""
    bare = {"PYTHONDONTWRITEBYTECODE": "1"}
    bytecode.keep(bare, tmp_path)
    assert bare == {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    usual = {"HOME": "/root"}
    bytecode.keep(usual, tmp_path)
    assert usual == {"HOME": "/root"}
