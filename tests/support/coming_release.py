"""Let the test helpers of a Home Assistant release run the next release.

A pytest plugin, loaded before those helpers (`-p tests.support.coming_release`):
they import names that moved meanwhile, and Home Assistant wants to be imported
before anything imports httpx. Only tests that meet Home Assistant run: those with a
`hass`, and those of a file that imports from its code. The step before has run the
others, with the same Python.
"""

import homeassistant.const  # noqa: F401  # isort: skip

from homeassistant.components import logger
from homeassistant.components.logger import helpers
import pytest

from nrj_test.imports import Imports

if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]

HOME_ASSISTANT = ("homeassistant", "pytest_homeassistant_custom_component")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Keep the tests with a Home Assistant, or of a file with an import from its code."""
    imports = Imports(config.rootpath)
    kept: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        module = imports.module_of(item.path)
        kept[
            module is None
            or "hass" in getattr(item, "fixturenames", ())
            or imports.names(module, HOME_ASSISTANT)
        ].append(item)
    items[:] = kept[True]
    config.hook.pytest_deselected(items=kept[False])
