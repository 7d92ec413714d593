"""What is missing in the energy preferences, and what undoing leaves of them."""

from hypothesis import given, strategies as st

from custom_components.nrj_monitor.energy_dashboard.preferences import (
    STATISTICS,
    Source,
    missing,
    undone,
)

GRID: Source = {
    "type": "grid",
    "stat_energy_from": "sensor.import",
    "stat_energy_to": "sensor.export",
    "stat_rate": "sensor.power",
}
SOLAR: Source = {"type": "solar", "stat_energy_from": "sensor.sun"}
BATTERY: Source = {
    "type": "battery",
    "stat_energy_from": "sensor.out",
    "stat_energy_to": "sensor.in",
    "stat_rate": "sensor.flow",
}


def test_an_empty_dashboard_gets_everything() -> None:
    """Nothing is there, so all of it is missing."""
    for source in (GRID, SOLAR, BATTERY):
        assert missing([], source) == source


def test_a_grid_connection_is_completed_beside_what_a_person_has() -> None:
    """Import and price are a person's; the rest comes in a connection of its own."""
    own = {"type": "grid", "stat_energy_from": "sensor.import", "name": "Mine"}
    rest = missing([own], GRID)
    assert rest == {
        key: value for key, value in GRID.items() if key != "stat_energy_from"
    }


def test_what_is_there_as_a_whole_is_not_added_again() -> None:
    """Twice is as good as once."""
    for source in (GRID, SOLAR, BATTERY):
        assert missing([source], source) is None


def test_a_battery_that_is_there_is_not_completed() -> None:
    """Half a battery cannot exist beside its other half."""
    assert missing([{**BATTERY, "stat_energy_to": "sensor.other"}], BATTERY) is None


def test_the_same_sensor_elsewhere_does_not_count() -> None:
    """A solar sensor named in a grid connection is another matter."""
    assert missing([{**GRID, "stat_energy_to": "sensor.sun"}], SOLAR) == SOLAR


def test_undoing_leaves_the_price_of_a_replaced_counter() -> None:
    """A person took another import counter and gave it a price: that stays."""
    edited = {
        **GRID,
        "stat_energy_from": "sensor.utility",
        "number_energy_price": 0.3,
        "power_config": {"stat_rate": "sensor.power"},
    }
    assert undone([edited], GRID) == [
        {
            "type": "grid",
            "stat_energy_from": "sensor.utility",
            "stat_energy_to": None,
            "number_energy_price": 0.3,
        }
    ]


def test_undoing_takes_a_price_that_has_nothing_left_to_price() -> None:
    """An empty connection is none."""
    assert undone([{**GRID, "number_energy_price": 0.3, "name": "Mine"}], GRID) == []


def test_undoing_leaves_a_battery_that_has_become_half_a_persons() -> None:
    """It cannot be halved, and it is not ours to delete."""
    edited = {**BATTERY, "stat_energy_to": "sensor.other"}
    assert undone([edited], BATTERY) == [edited]


def test_undoing_takes_only_the_power_of_a_solar_plant_that_was_replaced() -> None:
    """The plant is a person's now, its power sensor was ours."""
    added = {**SOLAR, "stat_rate": "sensor.sun_power"}
    edited = {**added, "stat_energy_from": "sensor.other"}
    assert undone([edited], added) == [
        {"type": "solar", "stat_energy_from": "sensor.other"}
    ]


ids = st.sampled_from([f"sensor.{letter}" for letter in "abcd"])
grids = st.fixed_dictionaries(
    {"type": st.just("grid")}, optional=dict.fromkeys(STATISTICS[:3], ids)
).filter(lambda source: len(source) > 1)
solars = st.fixed_dictionaries(
    {"type": st.just("solar"), "stat_energy_from": ids}, optional={"stat_rate": ids}
)
batteries = st.fixed_dictionaries(
    {"type": st.just("battery"), "stat_energy_from": ids, "stat_energy_to": ids},
    optional={"stat_rate": ids, "stat_soc": ids},
)
sources = grids | solars | batteries


@given(st.lists(sources, max_size=4), sources)
def test_undoing_an_addition_gives_back_what_was_there(
    existing: list[Source], wanted: Source
) -> None:
    """Whatever a person has, adding and removing changes nothing of it."""
    added = missing(existing, wanted)
    if added is None:
        return
    assert missing([*existing, added], wanted) is None
    assert undone([*existing, added], added) == existing
