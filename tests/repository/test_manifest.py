"""The manifest keeps to the rules of Home Assistant's own checks."""

import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
import pytest

from custom_components.nrj_monitor.const import DOMAIN

MANIFEST = json.loads(
    (
        Path(__file__).parents[2] / "custom_components" / DOMAIN / "manifest.json"
    ).read_text()
)


def test_nothing_is_pinned_against_home_assistant() -> None:
    """Home Assistant's own ESPHome integration brings the native API library."""
    assert "requirements" not in MANIFEST
    assert "esphome" in MANIFEST["after_dependencies"]


@pytest.mark.usefixtures("integration")
async def test_home_assistant_accepts_the_manifest(hass: HomeAssistant) -> None:
    """The loader accepts the manifest with its version."""
    integration = await async_get_integration(hass, DOMAIN)
    assert integration.version is not None
    assert integration.config_flow
    assert await integration.resolve_dependencies()
