"""Compare docs/architecture.md and CONTRIBUTING.md with the real files and folders."""

from pathlib import Path
import re

import pytest

from nrj_test.steps import STEPS

from .pages import ROOT, prose
from .tables import codes, table

ARCHITECTURE = ROOT / "docs" / "architecture.md"
INTEGRATION = ROOT / "custom_components" / "nrj_monitor"
COMPONENTS = ROOT / "esphome" / "components"

PATH = re.compile(r"`([\w./-]+(?:/|\.(?:py|cpp|h|yaml|json|md)))`")
FOLDERS = (ROOT, INTEGRATION, COMPONENTS, COMPONENTS / "ade9000")
"""What a path on these pages may begin at: the repository, or the room it speaks of."""

MADE = {".venv/"}
"""Named, but made by the set-up."""


@pytest.mark.parametrize("page", [ARCHITECTURE, ROOT / "CONTRIBUTING.md"], ids=str)
def test_every_path_is_there(page: Path) -> None:
    """Find every named file and folder, from the root or from the folder under discussion."""
    named = set(PATH.findall(prose(page))) - MADE
    assert len(named) > 10
    assert {
        path
        for path in named
        if not any((folder / path).exists() for folder in FOLDERS)
    } == set()


@pytest.mark.parametrize(
    ("head", "folder"), [("room", INTEGRATION), ("component", COMPONENTS)]
)
def test_every_folder_has_a_row(head: str, folder: Path) -> None:
    """Match the folders with code to the rows, both ways."""
    rows = table("architecture.md", head, "what is in it")
    documented = {name for row in rows for name in codes(row[head])}
    assert documented == {
        f"{init.parent.relative_to(folder)}/"
        for init in folder.glob("*/**/__init__.py")
    }


def test_fifteen_questions_are_answered() -> None:
    """Find the word of each question in the file of its row."""
    rows = table("architecture.md", "question", "path", "look for")
    assert len(rows) == 15
    for row in rows:
        (path,), (word,) = codes(row["path"]), codes(row["look for"])
        assert word in (ROOT / path).read_text(), row


def test_the_steps_are_those_of_the_test_command() -> None:
    """List the test command's steps in CONTRIBUTING.md, in their order."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert documented == list(STEPS)


def test_old_words_are_still_stored() -> None:
    """Every stored word of the glossary stands in the integration's code."""
    code = "".join(path.read_text() for path in INTEGRATION.rglob("*.py"))
    rows = table("architecture.md", "stored", "where", "in the code")
    words = [word for row in rows for word in codes(row["stored"])]
    assert len(words) >= 6
    assert [word for word in words if not re.search(rf"\b{word}\b", code)] == []
    new = [word for row in rows for word in codes(row["in the code"])]
    assert [word for word in new if not re.search(rf"\b{word}\b", code)] == []
