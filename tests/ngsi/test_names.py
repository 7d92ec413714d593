"""Names a broker would refuse, recognized before the first request."""

import pytest

from custom_components.nrj_monitor.ngsi import names


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("urn:ngsi-ld:ThreePhaseAcMeasurement:aabb", True),
        ("a" * 256, True),
        ("a" * 257, False),
        ("", False),
        ("with space", False),
        ("caf\xe9", False),
        *((f"a{c}b", False) for c in "<>\"'=;()&?/#\t"),
        *((f"a{c}b", True) for c in ":.-%_"),
    ],
)
def test_identifiers(text: str, good: bool) -> None:
    """Accept 1 to 256 ASCII characters, without the characters Orion refuses."""
    assert names.is_identifier(text) is good


@pytest.mark.parametrize(
    ("tenant", "good"),
    [
        ("", True),
        ("openiot", True),
        ("ABC_1", True),
        ("nrj-1", False),
        ("a" * 51, False),
    ],
)
def test_tenants(tenant: str, good: bool) -> None:
    """Accept letters, digits and _, at most 50."""
    assert names.is_tenant(tenant) is good


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("", True),
        ("/", True),
        ("/house/meters", True),
        ("house", False),
        ("/a-b", False),
        ("/a//b", False),
        ("/a" * 10, True),
        ("/a" * 11, False),
        ("/" + "a" * 51, False),
    ],
)
def test_service_paths(path: str, good: bool) -> None:
    """Accept a leading slash and ten levels at most."""
    assert names.is_service_path(path) is good


def test_other_texts() -> None:
    """Check URIs, attribute names and values; strip refused characters."""
    assert names.is_uri("urn:ngsi-ld:Device:1")
    assert not names.is_uri("meter1")
    assert names.is_attribute("activePower")
    assert not names.is_attribute("active-power")
    assert names.is_text("Cellar, left")
    assert not names.is_text("a->b")
    assert not names.is_text("a\nb")
    assert names.plain("Meter (cellar) = 'x'\n") == "Meter cellar  x"
