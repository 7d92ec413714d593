"""Properties of the arbiter in random houses with random events."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import is_dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from custom_components.nrj_monitor.control.decision import EMERGENCIES, Reason
from custom_components.nrj_monitor.control.load import Load, LoadClass, WhenLost
from custom_components.nrj_monitor.control.rules import LoadRequest
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.control.tolerances import limit_monitor
from custom_components.nrj_monitor.frequency_guard.grid_view import GridView
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from tests.control.house import House, grid

CLASSES = list(LoadClass)

UNTOUCHED = (Reason.DEFAULT, Reason.AUTOMATION)
"""Of a load on which the grid has no say because sheds do not help."""


@st.composite
def loads(draw: st.DrawFn) -> list[Load]:
    """Return some loads with any limits."""
    count = draw(st.integers(1, 5))
    return [
        Load(
            id=f"load_{number}",
            load_class=(kind := draw(st.sampled_from(CLASSES))),
            priority=draw(st.integers(0, 100)),
            phase=draw(st.sampled_from(list(Supply))),
            nominal_power=(
                power := draw(st.sampled_from([0.0, 400.0, 2000.0, 6000.0]))
            ),
            least_power=(power / 4 if power and draw(st.booleans()) else None),
            power_step=power / 16,
            minimum_on=draw(st.sampled_from([0.0, 60.0, 300.0])),
            minimum_off=draw(st.sampled_from([0.0, 180.0, 300.0])),
            longest_off=draw(st.sampled_from([None, 600.0])),
            recovery=300.0,
            when_lost=(
                WhenLost.HOLD
                if kind is LoadClass.NEVER_SHED
                else draw(st.sampled_from(list(WhenLost)))
            ),
        )
        for number in range(count)
    ]


HELD = [state.value for state in GuardState if state is not GuardState.INVALID]


@st.composite
def guards(draw: st.DrawFn) -> GridView | None:
    """Return anything a guard may say, none at all too."""
    state = draw(st.sampled_from([*HELD, "invalid", None]))
    if state is None:
        return None
    if state == "invalid":
        return grid(state, draw(st.sampled_from(HELD)), dead=draw(st.booleans()))
    return grid(state)


events = st.lists(
    st.one_of(
        st.tuples(st.just("guard"), guards()),
        st.tuples(st.just("base"), st.sampled_from([-9000, -3000, 0, 3000, 9000])),
        st.tuples(st.just("meter"), st.booleans()),
        st.tuples(st.just("reads"), st.booleans()),
        st.tuples(st.just("stuck"), st.sampled_from([None, 0.0, 20000.0, -8000.0])),
        st.tuples(st.just("person"), st.tuples(st.integers(0, 4), st.booleans())),
        st.tuples(st.just("automation"), st.tuples(st.integers(0, 4), st.booleans())),
        st.tuples(st.just("override"), st.tuples(st.integers(0, 4), st.booleans())),
        st.tuples(st.just("release"), st.tuples(st.integers(0, 4), st.booleans())),
        st.tuples(st.just("deaf"), st.tuples(st.integers(0, 4), st.booleans())),
        st.tuples(st.just("cut_off"), st.tuples(st.integers(0, 4), st.booleans())),
        st.tuples(st.just("wait"), st.sampled_from([3, 40, 200, 1000])),
    ),
    max_size=40,
)


contracts = st.sampled_from(["strict", "quarter_hour"])


def new_house(
    given_loads: Iterable[Load], contract: str = "strict", seed: int = 7
) -> House:
    """Return a house with limits on the phases and in all."""
    given_loads = list(given_loads)
    monitors = {phase: limit_monitor(5000.0, "breaker") for phase in PHASES}
    monitors[Supply.TOTAL] = limit_monitor(9000.0, contract)
    house = House.of(
        given_loads,
        on=[load.id for load in given_loads[::2]],
        monitors=monitors,
        seed=seed,
    )
    house.starts_at = 1_793_620_800.0
    return house


def play(house: House, happened: list[tuple[str, Any]]) -> None:
    """Let the events happen in the house."""
    ids = list(house.arbiter.loads)
    house.step()
    for kind, value in happened:
        if kind == "guard":
            house.guard = value
        elif kind == "base":
            house.base = dict.fromkeys(PHASES, value / 3)
        elif kind == "meter":
            house.meter_there = value
        elif kind == "reads":
            house.reads = value
        elif kind == "stuck":
            house.stuck = None if value is None else dict.fromkeys(Supply, value)
        elif kind == "wait":
            # In tens of seconds where it is long: nobody promises a steady pace.
            house.run(value, 1.0 if value < 100 else 10.0)
        else:
            number, on = value
            load_id = ids[number % len(ids)]
            never = house.arbiter.loads[load_id].load_class is LoadClass.NEVER_SHED
            if kind == "person":
                house.person(load_id, on)
            elif kind == "automation":
                house.automation(load_id, on)
            elif kind == "override" and (on or not never):
                house.arbiter.override(load_id, on, 900.0, house.now)
            elif kind == "release":
                house.arbiter.end_override(load_id, house.now)
            elif kind == "deaf":
                (house.unresponsive.add if on else house.unresponsive.discard)(load_id)
            elif kind == "cut_off":
                house.cut_off ^= {load_id}
        house.step()


common = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@common
@given(loads(), events, contracts)
def test_never_shed_is_never_shed(
    given_loads: list[Load], happened: list[tuple[str, Any]], contract: str
) -> None:
    """No command switches a never-shed load off."""
    house = new_house(given_loads, contract)
    play(house, happened)
    for decision in house.decisions:
        load = house.arbiter.loads[decision.load_id]
        if load.load_class is LoadClass.NEVER_SHED:
            assert not (decision.switch and decision.on is False)
            assert decision.reason in (
                Reason.DEFAULT,
                Reason.AUTOMATION,
                Reason.OVERRIDE,
            )


@common
@given(loads(), events, contracts)
def test_no_relay_beats_its_minimum_times_but_for_an_emergency(
    given_loads: list[Load], happened: list[tuple[str, Any]], contract: str
) -> None:
    """The arbiter keeps minimum times after any switching; no start comes too early."""
    house = new_house(given_loads, contract)
    before = dict(house.on)
    changed: dict[str, float] = {}
    step = house.step

    def watched(seconds: float = 1.0) -> list[Any]:
        for id_, on in house.on.items():
            if on is not before[id_]:
                before[id_], changed[id_] = on, house.now
        known = len(house.switched)
        made = step(seconds)
        for now, id_, on, decision in house.switched[known:]:
            load = house.arbiter.loads[id_]
            if on is not before[id_] and id_ in changed:
                lasted = now - changed[id_]
                if on:
                    assert lasted >= load.minimum_off
                elif decision.reason not in EMERGENCIES:
                    assert lasted >= load.minimum_on
            before[id_], changed[id_] = on, now
        return made

    house.step = watched  # type: ignore[method-assign]
    play(house, happened)


@common
@given(loads(), events, contracts)
def test_what_can_be_set_is_set_to_what_it_can_draw(
    given_loads: list[Load], happened: list[tuple[str, Any]], contract: str
) -> None:
    """Levels are set within the range of adjustable loads alone."""
    house = new_house(given_loads, contract)
    play(house, happened)
    for decision in house.decisions:
        if decision.level is not None:
            load = house.arbiter.loads[decision.load_id]
            assert decision.on
            assert load.least_power is not None
            assert load.least_power <= decision.level <= load.nominal_power


@common
@given(loads(), events, contracts)
def test_the_same_inputs_give_the_same_decisions(
    given_loads: list[Load], happened: list[tuple[str, Any]], contract: str
) -> None:
    """Chance comes from the seed alone."""
    one, other = (
        new_house(given_loads, contract),
        new_house(reversed(given_loads), contract),
    )
    other.on = dict(one.on)
    play(one, happened)
    play(other, happened)
    assert one.decisions == other.decisions
    assert one.notices == other.notices


@common
@given(loads(), events, contracts)
def test_no_sequence_leaves_a_load_shed_for_ever(
    given_loads: list[Load], happened: list[tuple[str, Any]], contract: str
) -> None:
    """All requested loads run once grid and limits are normal."""
    house = new_house(given_loads, contract)
    play(house, happened)
    house.guard = grid("normal")
    # Room for all of them at once.
    house.base = dict.fromkeys(PHASES, -40000.0)
    house.meter_there = house.reads = True
    house.stuck = None
    house.cut_off = frozenset()
    house.unresponsive.clear()
    # The hour counts the starts, the longest pause after futile sheds is over, ...
    house.run(5 * 3600, 10.0)
    for id_, state in house.arbiter.states.items():
        assert state.requested_on <= house.on[id_], (id_, state)
        assert not state.to_restore
        assert not state.is_limited


@common
@given(loads(), events, contracts)
def test_a_meter_that_never_comes_back_keeps_nobody_in_the_dark(
    given_loads: list[Load], happened: list[tuple[str, Any]], contract: str
) -> None:
    """Held loads return after the hold limit; other loads are off on request."""
    house = new_house(given_loads, contract)
    play(house, happened)
    house.meter_there = False
    house.cut_off = frozenset()
    house.unresponsive.clear()
    house.run(5 * 3600, 10.0)
    for id_, state in house.arbiter.states.items():
        if house.arbiter.loads[id_].when_lost is not WhenLost.OFF:
            assert state.requested_on <= house.on[id_], (id_, state)


@common
@given(loads(), events)
def test_a_higher_reason_always_wins(
    given_loads: list[Load], happened: list[tuple[str, Any]]
) -> None:
    """Decisions follow the highest reason in force, found independently here.

    Comfort limits apart, which are a load's own, and what its minimum times delay.
    """
    house = new_house(given_loads)
    play(house, happened)
    house.meter_there = True
    house.run(3)
    for id_, load in house.arbiter.loads.items():
        state = house.arbiter.states[id_]
        if load.load_class is LoadClass.NEVER_SHED or house.arbiter.is_lost:
            continue
        depth = house.guard.held.under_depth if house.guard is not None else 0
        if id_ in house.cut_off:
            assert state.reason is Reason.SAFETY
        elif state.override is not None:
            assert state.reason is Reason.OVERRIDE
        elif state.comfort_until is not None:
            assert load.longest_off is not None
        elif depth >= max(2, load.load_class.sheds_at):
            if house.arbiter.is_grid_shedding_futile and state.reason in UNTOUCHED:
                assert not load.load_class.stores
                assert house.on[id_]
                continue
            assert state.reason is Reason.UNDER_FREQUENCY
            assert state.target is False or id_ in house.unresponsive
        elif state.reason is Reason.OVERLOAD:
            continue
        elif depth >= load.load_class.sheds_at:
            assert state.reason is Reason.INHIBIT
        # One that did not listen is told again in its time.
        if state.reason in EMERGENCIES and not state.attempts:
            assert not house.on[id_]


@common
@given(loads(), events)
def test_a_request_changes_no_state(
    given_loads: list[Load], happened: list[tuple[str, Any]]
) -> None:
    """Two requests in a row agree and leave loads, timers and sheds unchanged."""
    house = new_house(given_loads)
    rules = house.arbiter._rules
    request = rules.request

    def request_twice(*args: Any, **kwargs: Any) -> LoadRequest:
        before = deepcopy((vars(rules._context), vars(rules._grid_monitor)))
        first = request(*args, **kwargs)
        assert request(*args, **kwargs) == first
        after = (vars(rules._context), vars(rules._grid_monitor))
        assert comparable(after) == comparable(before)
        return first

    rules.request = request_twice  # type: ignore[method-assign]
    play(house, happened[:12])


def comparable(thing: Any) -> Any:
    """Return nested objects as containers, to compare by value."""
    if isinstance(thing, dict):
        return {key: comparable(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [comparable(item) for item in thing]
    if is_dataclass(thing) or not hasattr(thing, "__dict__"):
        return thing
    return comparable(vars(thing))
