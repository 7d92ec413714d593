"""The tables of a page."""

from pathlib import Path
import re

from .pages import ROOT

type Table = list[dict[str, str]]

ROW = re.compile(r"^\|(.*)\|$")


def tables(page: str) -> dict[tuple[str, ...], Table]:
    """Return the tables of docs/`page`, by their heads, each row by its head."""
    found: dict[tuple[str, ...], Table] = {}
    head: tuple[str, ...] | None = None
    for line in (ROOT / "docs" / page).read_text().splitlines():
        if (row := ROW.match(line)) is None:
            head = None
            continue
        cells = tuple(cell.strip() for cell in row[1].split("|"))
        if head is None:
            head = cells
            found[head] = []
        elif not set("".join(cells)) <= set("-:"):
            found[head].append(dict(zip(head, cells, strict=True)))
    return found


def table(page: str, *head: str) -> Table:
    """Return the table of docs/`page` whose head begins like this."""
    (rows,) = (
        rows for names, rows in tables(page).items() if names[: len(head)] == head
    )
    return rows


def codes(cell: str) -> list[str]:
    """Return the code spans of a cell."""
    return re.findall(r"`([^`]*)`", cell)


def quotes(cell: str) -> list[str]:
    """Return the italic texts of a cell."""
    return re.findall(r"\*([^*]+)\*", cell)


def page_text(page: Path | str) -> str:
    """Return a page of docs/ with its lines joined."""
    return " ".join((ROOT / "docs" / page).read_text().split())
