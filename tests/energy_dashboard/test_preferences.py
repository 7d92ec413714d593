"""Sources missing in the energy preferences, and removal of added sources."""

from hypothesis import given, strategies as st

from custom_components.nrj_monitor.energy_dashboard.preferences import (
    STATISTICS,
    Source,
    grid_connections,
    missing_part,
    with_names,
    without_added,
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


def test_renamed_statistic_takes_its_new_name_once() -> None:
    """Where it stands under its new name already, the dead name goes."""
    names = {"sensor.import": "sensor.new"}
    assert with_names([SOLAR, GRID], names) == [
        SOLAR,
        GRID | {"stat_energy_from": "sensor.new"},
    ]
    by_hand = {"type": "grid", "stat_energy_from": "sensor.new"}
    assert with_names([GRID, by_hand], names) == [
        GRID | {"stat_energy_from": None},
        by_hand,
    ]
    dead = {"type": "grid", "stat_energy_from": "sensor.import"}
    assert with_names([dead, by_hand], names) == [by_hand]


def test_empty_dashboard_gets_whole_sources() -> None:
    """Without sources the missing part is the whole source."""
    for source in (GRID, SOLAR, BATTERY):
        assert missing_part([], source) == source


def test_grid_connection_is_completed_beside_a_persons() -> None:
    """The import is a person's; the missing part is a connection of its own."""
    own = {"type": "grid", "stat_energy_from": "sensor.import", "name": "Mine"}
    rest = missing_part([own], GRID)
    assert rest == {
        key: value for key, value in GRID.items() if key != "stat_energy_from"
    }


def test_present_source_is_not_added_again() -> None:
    """Adding a source twice equals adding the source once."""
    for source in (GRID, SOLAR, BATTERY):
        assert missing_part([source], source) is None


def test_present_battery_is_not_completed() -> None:
    """Half a battery cannot exist beside its other half."""
    assert (
        missing_part([{**BATTERY, "stat_energy_to": "sensor.other"}], BATTERY) is None
    )


def test_sensor_in_a_source_of_another_type_does_not_count() -> None:
    """A solar sensor in a grid connection does not make the solar source present."""
    assert missing_part([{**GRID, "stat_energy_to": "sensor.sun"}], SOLAR) == SOLAR


def test_removal_leaves_the_price_of_a_replaced_counter() -> None:
    """The import counter and price set by a person stay."""
    edited = {
        **GRID,
        "stat_energy_from": "sensor.utility",
        "number_energy_price": 0.3,
        "power_config": {"stat_rate": "sensor.power"},
    }
    assert without_added([edited], GRID) == [
        {
            "type": "grid",
            "stat_energy_from": "sensor.utility",
            "stat_energy_to": None,
            "number_energy_price": 0.3,
        }
    ]


def test_removal_takes_a_price_without_a_counter() -> None:
    """A connection without statistics is removed as a whole."""
    assert (
        without_added([{**GRID, "number_energy_price": 0.3, "name": "Mine"}], GRID)
        == []
    )


def test_removal_leaves_a_battery_changed_by_a_person() -> None:
    """A battery cannot be halved, and a person's half must not be deleted."""
    edited = {**BATTERY, "stat_energy_to": "sensor.other"}
    assert without_added([edited], BATTERY) == [edited]


def test_removal_takes_only_the_power_of_a_replaced_solar_source() -> None:
    """The energy counter is a person's now, the power sensor was added."""
    added = {**SOLAR, "stat_rate": "sensor.sun_power"}
    edited = {**added, "stat_energy_from": "sensor.other"}
    assert without_added([edited], added) == [
        {"type": "solar", "stat_energy_from": "sensor.other"}
    ]


def row(**statistics: str) -> Source:
    """Return a grid connection with some statistics."""
    bare = {"type": "grid", "cost_adjustment_day": 0.0}
    return bare | {"stat_energy_from": None, "stat_energy_to": None} | statistics


PHASES = ("L1", "L2", "L3")


def of_phases(name: str) -> dict[str | None, str | None]:
    """Return a statistic of each phase."""
    return {phase: f"sensor.{name}_{phase}" for phase in PHASES}


def test_counters_of_phases_make_a_connection_each() -> None:
    """The power of a phase stands beside its counter, and no total beside it."""
    assert grid_connections(
        {
            "stat_energy_from": of_phases("in"),
            "stat_energy_to": of_phases("out"),
            "stat_rate": {**of_phases("power"), None: "sensor.power"},
        }
    ) == [
        row(
            stat_energy_from=f"sensor.in_{phase}",
            stat_energy_to=f"sensor.out_{phase}",
            stat_rate=f"sensor.power_{phase}",
        )
        for phase in PHASES
    ]


def test_power_is_counted_once_beside_counters_of_phases() -> None:
    """A total power, or one without a phase, stands beside the first connection alone."""
    first, *others = grid_connections(
        {
            "stat_energy_from": of_phases("in"),
            "stat_rate": {"L1": "sensor.power_L1", None: "sensor.power"},
        }
    )
    assert first["stat_rate"] == "sensor.power"
    assert [other.get("stat_rate") for other in others] == [None, None]


def test_counter_with_a_total_is_not_added_by_phase_too() -> None:
    """Energy counted by phase and in total would be counted twice."""
    assert grid_connections(
        {
            "stat_energy_from": {**of_phases("in"), None: "sensor.in"},
            "stat_energy_to": of_phases("out"),
            "stat_rate": {**of_phases("power"), None: "sensor.power"},
        }
    ) == [
        row(stat_energy_from="sensor.in", stat_rate="sensor.power"),
        *(row(stat_energy_to=f"sensor.out_{phase}") for phase in PHASES),
    ]


def test_disabled_total_is_not_replaced_by_its_phases() -> None:
    """A person who disabled the total wants no other in its place."""
    assert grid_connections(
        {
            "stat_energy_from": {None: "sensor.in"},
            "stat_energy_to": {**of_phases("out"), None: None},
            "stat_rate": {"L1": None, "L2": "sensor.power_L2"},
        }
    ) == [row(stat_energy_from="sensor.in", stat_rate="sensor.power_L2")]


def test_power_without_a_counter_makes_no_connection() -> None:
    """A source without energy is empty in the dashboard."""
    assert grid_connections({"stat_rate": {None: "sensor.power"}}) == []


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
def test_removal_of_an_addition_restores_the_sources(
    existing: list[Source], wanted: Source
) -> None:
    """Adding and removing changes no source of a person."""
    added = missing_part(existing, wanted)
    if added is None:
        return
    assert missing_part([*existing, added], wanted) is None
    assert without_added([*existing, added], added) == existing
