"""The tables of docs/accuracy.md hold their limits, and would say so if they did not."""

from dataclasses import replace
from math import nan
import re

from nrj_bench.accuracy import (
    CURRENTS,
    DISTORTED_CURRENTS,
    FREQUENCIES,
    GRIDS,
    LOADS,
    FrequencyRow,
    Row,
    broken_limits,
    markdown,
    measure_frequencies,
    measure_rows,
)
import pytest

from nrj_tools import ROOT

type Tables = tuple[list[Row], list[FrequencyRow]]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Measure once."""
    return measure_rows(), measure_frequencies()


def test_every_limit_holds(tables: Tables) -> None:
    """0.2 % of reading above 1 % of full scale; 5 mHz steady, 10 mHz on a ramp."""
    rows, frequencies = tables
    currents = len(CURRENTS) + len(DISTORTED_CURRENTS)
    count = len(GRIDS) * len(FREQUENCIES) * currents * len(LOADS)
    assert len(rows) == count
    assert broken_limits(rows, frequencies) == []


@pytest.mark.parametrize("error", [0.21, nan])
def test_a_broken_limit_is_named(tables: Tables, error: float) -> None:
    """The signal, the quantity, the error and the limit."""
    rows, frequencies = tables
    row = next(row for row in rows if row.limited)
    wrong = replace(row, errors={**row.errors, "voltage": error})
    slow = replace(frequencies[0], error=error)
    sentences = broken_limits([wrong], [slow])
    assert len(sentences) == 2
    assert "voltage" in sentences[0]
    assert "limit is 0.2 %" in sentences[0]
    assert "limit is 5 mHz" in sentences[1]


def test_the_tables_have_a_line_for_every_load(tables: Tables) -> None:
    """Find a line for each load and current of each grid, and for each frequency."""
    lines = markdown(*tables).splitlines()
    for load, _ in LOADS:
        assert sum(line.startswith(f"| {load} |") for line in lines) == (
            len(GRIDS) * len(CURRENTS)
        )


NUMBER = re.compile(r"(?<=\| )-?\d+\.\d+(?= \|)")
DRIFT = 0.005
"""Percent, or millihertz: another compiler may round the last digit otherwise."""


def test_the_page_is_of_this_driver(tables: Tables) -> None:
    """Compare docs/accuracy.md with the present output of scripts/accuracy --markdown."""
    written = (ROOT / "docs" / "accuracy.md").read_text()
    measured = markdown(*tables)
    assert NUMBER.sub("", written) == NUMBER.sub("", measured)
    told, true = (list(map(float, NUMBER.findall(t))) for t in (written, measured))
    assert told == pytest.approx(true, abs=DRIFT)
