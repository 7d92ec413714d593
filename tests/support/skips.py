"""Fail a test skipped for want of a tool where everything has to be there (CI=true)."""

from collections.abc import Generator, Mapping
import os
from typing import NoReturn

import pytest

NOTHING_TO_DO = "nothing can be done"
"""Words of a skip that no installation would avoid: a recording that may not be published, say."""


def skip_for_good(reason: str) -> NoReturn:
    """Skip a test no machine like this can be made to run."""
    pytest.skip(f"{reason}: {NOTHING_TO_DO}")


def is_excused(reason: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a test may be skipped for this reason here."""
    return (
        environment.get("CI", "").lower() not in ("1", "true")
        or NOTHING_TO_DO in reason
    )


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = (
        report.longrepr[2]
        if isinstance(report.longrepr, tuple)
        else str(report.longrepr)
    )
    if not is_excused(reason):
        report.outcome = "failed"
        report.longrepr = (
            f"{reason}\nCI=true: install what is missing, or let the skip say that"
            f" '{NOTHING_TO_DO}' (tests/support/skips.py)."
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Turn an unexcused skip of a test into a failure."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Turn an unexcused skip of a whole module into a failure."""
    report = yield
    _refuse(report)
    return report
