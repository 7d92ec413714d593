"""Read the pages for people, and their code blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its page, line, language (empty without) and text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        """Return the block's page and line, for the name of a test."""
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, with their indentation taken off."""
    text = page.read_text()
    for found in FENCE.finditer(text):
        indent, language, content = found.groups()
        yield Block(
            page=page,
            line=text[: found.start()].count("\n") + 1,
            language=language,
            text=re.sub(rf"^{indent}", "", content, flags=re.MULTILINE),
        )


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text())
