"""Configure all tests, of the integration and of the firmware."""

from hypothesis import settings
import pytest

from tests.support.pace import pace, patience

pytest_plugins = ["pytester", "tests.support.skips"]

# The same examples in every run; with --hypothesis-profile=long many more, others each time.
settings.register_profile(
    "seeded", max_examples=60, derandomize=True, deadline=None, print_blob=True
)
settings.register_profile("long", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("seeded")


def pytest_configure(config: pytest.Config) -> None:
    """Stretch the time limit of each test to the speed of this machine."""
    if config.getoption("timeout", None) is None:
        config.option.timeout = patience(float(config.getini("timeout")))


def pytest_report_header() -> str:
    """Tell by how much time limits are stretched."""
    return f"pace: time limits are stretched {pace():.1f} times"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stretch the limits set by a marker of the test."""
    for item in items:
        own = item.get_closest_marker("timeout")
        if own is not None and own.args:
            item.add_marker(pytest.mark.timeout(patience(own.args[0])), append=False)
