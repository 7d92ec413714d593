"""Every page is reachable, every link leads somewhere, and the text fits a screen."""

from pathlib import Path
import re

import pytest

from .pages import PAGES, ROOT, blocks, prose

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
COLUMNS = 120
LANGUAGES = {"sh", "yaml", "json", "mermaid", "cpp", "python", "mqtt"}
"""Of fenced blocks: what each holds is checked by its own tests, or drawn."""


def anchor(heading: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Linked files and headings exist."""
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http", "mailto")):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if heading:
            headings = map(anchor, HEADING.findall(target.read_text()))
            assert heading in set(headings), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Links lead from the README to every page."""
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        reached.add(page)
        for link in LINK.findall(page.read_text()):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                to_read.append(target)
    assert set(PAGES) <= reached


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_are_wrapped(page: Path) -> None:
    """Lines end at 120 columns, except rows of tables and pictures."""
    long = [
        line
        for line in page.read_text().splitlines()
        if len(line) > COLUMNS and not line.lstrip().startswith(("|", "!["))
    ]
    assert not long


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_names_its_language(page: Path) -> None:
    """Close every fence and name its language, by which the tests find the block."""
    assert {block.language for block in blocks(page)} <= LANGUAGES
    assert "```" not in prose(page)
