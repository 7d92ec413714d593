"""A replay that skips what cannot change decides as one that asks each second."""

from hypothesis import HealthCheck, example, given, settings, strategies as st

from custom_components.nrj_monitor.control.load import Load, LoadClass, WhenLost
from custom_components.nrj_monitor.control.overload import CURVES, OverloadMonitor
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.replay.house import House
from custom_components.nrj_monitor.replay.moments import Row

from .played import Lines, replay_of

type Stretch = tuple[int, float, float, float]
"""Number of rows a second, frequency, power on each phase, and time until the first."""

stretches = st.lists(
    st.tuples(
        st.integers(1, 90),
        st.sampled_from([50.0, 50.0, 50.0, 49.85, 49.5, 50.25, float("nan")]),
        st.sampled_from([300.0, 300.0, -100.0, -1500.0, 1200.0, 2600.0, float("nan")]),
        st.sampled_from([1.0, 1.0, 1.0, 30.0, 90.0, 200.0]),
    ),
    min_size=1,
    max_size=6,
)
loads: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.builds(
        dict,
        load_class=st.sampled_from(LoadClass),
        nominal_power=st.sampled_from([500.0, 2000.0]),
        minimum_off=st.sampled_from([0.0, 180.0]),
        longest_off=st.sampled_from([None, 300.0]),
        when_lost=st.sampled_from([WhenLost.HOLD, WhenLost.ON]),
        phase=st.sampled_from(Supply),
    ),
    max_size=4,
)


def rows_of(parts: list[Stretch]) -> list[Row]:
    """Return the rows of the stretches, each a second."""
    rows: list[Row] = []
    now_ms = 0
    for count, frequency, power, pause in parts:
        if rows:
            now_ms += round(pause * 1000) - 1000
        for n in range(count):
            hertz = frequency + 0.001 * (n % 3)
            rows.append(Row(now_ms, hertz, (230.0,), (power + n % 7,) * 3))
            now_ms += 1000
    return rows


def house_of(settings_of: list[dict[str, object]], limit: float | None) -> House:
    """Return a house with its loads on, but those that store, and limits."""
    members = tuple(
        Load(id=str(n), **one)  # type: ignore[arg-type]
        for n, one in enumerate(settings_of)
    )
    return House(
        members,
        frozenset(load.id for load in members if not load.load_class.stores),
        {}
        if limit is None
        else {
            Supply.TOTAL: OverloadMonitor(limit, CURVES["strict"]),
            PHASES[0]: OverloadMonitor(limit, CURVES["breaker"]),
        },
    )


def decided(parts: list[Stretch], house: House, *, asks_each_second: bool) -> Lines:
    """Return the lines and the summary of a replay."""
    replay = replay_of(
        rows_of(parts), house, phases=3, asks_each_second=asks_each_second
    )
    return [*replay.lines(), replay.summary()]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(parts=stretches, members=loads, limit=st.sampled_from([None, 1000.0, 4000.0]))
@example(
    parts=[(100, 50.0, 300.0, 1.0), (20, 49.5, 300.0, 1.0), (100, 50.0, 300.0, 2e4)],
    members=[
        {"load_class": LoadClass.SHED_1, "when_lost": WhenLost.HOLD},
        {"load_class": LoadClass.SHED_2, "when_lost": WhenLost.OFF},
        {"load_class": LoadClass.ABSORB, "when_lost": WhenLost.ON},
    ],
    limit=None,
)
@example(
    parts=[(100, 50.0, 300.0, 1.0), (150, 50.0, -1500.0, 1.0)],
    members=[{"load_class": LoadClass.SURPLUS, "nominal_power": 500.0}],
    limit=4000.0,
)
def test_skipping_changes_no_decision(
    parts: list[Stretch], members: list[dict[str, object]], limit: float | None
) -> None:
    """Decide the same at the same times, whatever comes."""
    assert decided(parts, house_of(members, limit), asks_each_second=False) == decided(
        parts, house_of(members, limit), asks_each_second=True
    )
