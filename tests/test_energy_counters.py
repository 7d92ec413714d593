"""Energy totals of a meter: decreases are recorded, restored and acknowledged."""

from typing import Any

import pytest

from custom_components.nrj_monitor.energy_counters import EnergyCounters


def test_totals_go_back_only_by_more_than_their_resolution() -> None:
    """32-bit floats of large totals move by a few watt-hours."""
    totals = EnergyCounters()
    assert not totals.update("import_energy", 10.0)
    assert not totals.update("import_energy", 9.995)
    assert totals.update("import_energy", 9.0)
    assert totals.gone_back == {"import_energy": (9.995, 9.0)}
    totals.acknowledge()
    assert totals.gone_back == {}


def test_totals_of_other_integrations_may_start_over() -> None:
    """Their totals may begin anew each day; the meter's own totals never do."""
    other, own = EnergyCounters(may_start_over=True), EnergyCounters()
    for totals in (other, own):
        totals.update("import_energy", 12.0)
        totals.update("import_energy", 0.0)
    assert other.gone_back == {}
    assert own.gone_back == {"import_energy": (12.0, 0.0)}
    other.update("import_energy", 8.0)
    assert other.update("import_energy", 7.0)


def test_stored_totals_of_an_older_version_are_restored() -> None:
    """The stored format has the latest totals and pairs of before and after, kWh."""
    stored = {
        "latest": {"import_energy": 9.0, "export_energy": 2.5},
        "gone_back": {"import_energy": [9.995, 9.0]},
    }
    totals = EnergyCounters()
    totals.restore(stored)
    assert totals.gone_back == {"import_energy": (9.995, 9.0)}
    assert totals.update("export_energy", 1.0)
    assert not totals.update("import_energy", 9.1)
    restored = EnergyCounters()
    restored.restore(stored)
    assert restored.as_dict() == stored


@pytest.mark.parametrize(
    "stored",
    [
        {"latest": {"no total!": 1.0}, "gone_back": {}},
        {"latest": {"import_energy": 1e300}, "gone_back": {}},
        {"latest": {}, "gone_back": {"import_energy": [2.0, float("nan")]}},
    ],
)
def test_stored_totals_of_no_use_are_refused_whole(stored: dict[str, Any]) -> None:
    """Restore nothing where a name or a value can not be."""
    totals = EnergyCounters()
    totals.update("export_energy", 3.0)
    before = totals.as_dict()
    with pytest.raises(ValueError, match="no total"):
        totals.restore(stored)
    assert totals.as_dict() == before
