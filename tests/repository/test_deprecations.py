"""Fail a test in which Home Assistant logs the integration's use of deprecated code."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
import pytest
from pytest_homeassistant_custom_component.common import MockModule, mock_integration

from tests.support.deprecations import deprecations_of


async def test_reported_deprecations_are_found(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """Find the installed release's reports about an integration, and no other integration's."""
    mock_integration(hass, MockModule("old_fashioned"), built_in=False)
    frame.report_usage(
        "does what will not work",
        integration_domain="old_fashioned",
        core_behavior=frame.ReportBehavior.LOG,
        custom_integration_behavior=frame.ReportBehavior.LOG,
    )
    (told,) = deprecations_of("old_fashioned", caplog.records)
    assert "does what will not work" in told
    assert not list(deprecations_of("fashioned", caplog.records))
