"""Fail, with CI=true, a test skipped for want of a tool unless nothing can be done."""

import pytest

from tests.support.skips import NOTHING_TO_DO, is_excused, skip_for_good

SKIPPING = f"""
import pytest

def test_by_hand():
    pytest.skip("no tool")

@pytest.mark.skipif(True, reason="no tool")
def test_by_mark():
    raise AssertionError

def test_excused():
    pytest.skip("no recording: {NOTHING_TO_DO}")

@pytest.mark.xfail
def test_known_to_fail():
    raise AssertionError
"""
MODULE = 'import pytest\npytest.skip("no tool", allow_module_level=True)\n'


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """Prepare a folder of tests with the plugin."""
    pytester.makeconftest('pytest_plugins = ["tests.support.skips"]')
    pytester.makepyfile(test_tests=SKIPPING)
    return pytester


def test_a_missing_tool_fails_the_run(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way of skipping is seen; an excuse and an expected failure are let through."""
    monkeypatch.setenv("CI", "true")
    run.makepyfile(test_module=MODULE)
    result = run.runpytest("--continue-on-collection-errors", "-p", "no:homeassistant")
    result.assert_outcomes(failed=1, errors=2, skipped=1, xfailed=1)


def test_skips_are_skips_elsewhere(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a person's own machine nothing is asked for."""
    monkeypatch.delenv("CI", raising=False)
    run.runpytest("-p", "no:homeassistant").assert_outcomes(skipped=3, xfailed=1)


@pytest.mark.parametrize("value", ["true", "1", "True"])
def test_only_an_excuse_counts(value: str) -> None:
    """The excuse is in the reason's words."""
    assert not is_excused("no recording", {"CI": value})
    with pytest.raises(pytest.skip.Exception, match=NOTHING_TO_DO) as skipped:
        skip_for_good("no recording")
    assert is_excused(str(skipped.value), {"CI": value})
