"""Assessments of readings, and their responses in both languages."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nrj_monitor.assist.grid import (
    Disturbance,
    GridState,
    ProblemKind,
    Verdict,
    assess_grid,
)
from custom_components.nrj_monitor.assist.phase_load import assess_phase_load
from custom_components.nrj_monitor.assist.power import Consumer, assess_power_use
from custom_components.nrj_monitor.assist.sentences import RESPONSES, ResponseSentences
from custom_components.nrj_monitor.catalog import Phase

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

HOUSE: dict[str, float | None] = {
    "voltage_l1": 231.0,
    "voltage_l2": 229.4,
    "voltage_l3": 233.2,
    "frequency": 49.984,
    "import_energy_l1": 100.0,
    "import_energy_l2": 50.0,
    "import_energy_l3": 70.0,
}


def assess(**changed: float | None) -> GridState:
    """Assess the grid with some readings of the house changed."""
    return assess_grid(HOUSE | changed, (), NOW)


def problems_of(state: GridState) -> list[tuple[ProblemKind, Phase | None]]:
    """Return kind and phase of each problem."""
    return [(problem.kind, problem.phase) for problem in state.problems]


def test_ordinary_supply_is_stable() -> None:
    """A supply within 230 V ± 10 % and 50 ± 0.2 Hz has no problems."""
    state = assess()
    assert state.verdict is Verdict.STABLE
    assert (
        ResponseSentences("en").grid(state)
        == "The grid is stable: 49.98 Hz, 229 to 233 V."
    )
    assert (
        ResponseSentences("fr").grid(state)
        == "Le réseau est stable : 49,98 Hz, 229 à 233 V."
    )


@pytest.mark.parametrize(
    ("changed", "kind", "phase", "text"),
    [
        # The Iberian grid on 28 April 2025, two seconds before the voltage was gone.
        (
            {"frequency": 48.56},
            ProblemKind.FREQUENCY_LOW,
            None,
            "the frequency is 48.56 Hz, below 49.8 Hz",
        ),
        (
            {"frequency": 50.31},
            ProblemKind.FREQUENCY_HIGH,
            None,
            "the frequency is 50.31 Hz, above 50.2 Hz",
        ),
        # EN 50160: 230 V less 10 % is 207 V, plus 10 % is 253 V.
        (
            {"voltage_l2": 206.4},
            ProblemKind.VOLTAGE_LOW,
            Phase.L2,
            "L2 has 206 V, less than 207 V",
        ),
        (
            {"voltage_l3": 253.6},
            ProblemKind.VOLTAGE_HIGH,
            Phase.L3,
            "L3 has 254 V, more than 253 V",
        ),
        ({"voltage_l1": 0.4}, ProblemKind.PHASE_LOST, Phase.L1, "L1 has no voltage"),
        (
            {"voltage_unbalance": 2.4},
            ProblemKind.UNBALANCED,
            None,
            "the voltages are unbalanced by 2.4 %, more than 2.0 %",
        ),
    ],
)
def test_broken_limit_is_a_problem_with_its_value(
    changed: dict[str, float | None], kind: ProblemKind, phase: Phase | None, text: str
) -> None:
    """Each broken limit is a problem, with the measured value in the response."""
    state = assess(**changed)
    assert state.verdict is Verdict.DISTURBED
    assert problems_of(state) == [(kind, phase)]
    assert ResponseSentences("en").grid(state) == f"The grid is not normal: {text}."


@pytest.mark.parametrize(
    "changed",
    [
        {"voltage_l1": 207.2, "voltage_l2": 252.8},
        {"frequency": 49.81},
        {"frequency": 50.19},
        {"voltage_unbalance": 1.9},
    ],
)
def test_supply_just_within_the_limits_is_stable(
    changed: dict[str, float | None],
) -> None:
    """Limits are those of the standard."""
    assert assess(**changed).verdict is Verdict.STABLE


def test_power_cut_is_one_problem_not_three() -> None:
    """Without any voltage the single phases are no problems of their own."""
    state = assess(voltage_l1=0.1, voltage_l2=0.0, voltage_l3=0.2, frequency=None)
    assert problems_of(state) == [(ProblemKind.INTERRUPTED, None)]
    # Also for a meter that has not counted any energy yet.
    fresh = assess_grid({"voltage_l1": 0.1, "voltage_l2": 0.2}, (), NOW)
    assert problems_of(fresh) == [(ProblemKind.INTERRUPTED, None)]
    assert (
        ResponseSentences("en").grid(fresh)
        == "The grid is not normal: there is no voltage."
    )


def test_phase_that_was_never_connected_is_not_missed() -> None:
    """A single-phase house has a stable grid, though two inputs have no voltage."""
    state = assess(
        voltage_l2=0.2,
        voltage_l3=0.1,
        import_energy_l2=0.0,
        import_energy_l3=None,
        voltage_unbalance=99.0,
    )
    assert state.verdict is Verdict.STABLE
    assert ResponseSentences("en").grid(state) == "The grid is stable: 49.98 Hz, 231 V."


def test_verdict_without_valid_readings_is_unknown() -> None:
    """Without readings the grid is neither stable nor disturbed."""
    nothing = dict.fromkeys(HOUSE)
    assert assess_grid(nothing, (), NOW).verdict is Verdict.UNKNOWN
    assert "no valid" in ResponseSentences("en").grid(assess_grid({}, (), NOW))
    assert "no valid" in ResponseSentences("en").power(
        assess_power_use({}, (), 0.0, ())
    )
    assert "no valid" in ResponseSentences("en").phase_load(assess_phase_load({}, 25.0))


def test_meter_with_only_a_frequency_responds_with_the_frequency() -> None:
    """Quantities unknown to the meter are not part of the response."""
    state = assess_grid({"frequency": 50.01}, (), NOW)
    assert ResponseSentences("en").grid(state) == "The grid is stable: 50.01 Hz."


def test_frequency_of_the_phases_replaces_a_missing_total() -> None:
    """The median of the phases is used, as in the meter itself."""
    readings = {
        "frequency_l1": 49.9,
        "frequency_l2": 49.95,
        "frequency_l3": 50.4,
    }
    assert assess_grid(readings, (), NOW).frequency == 49.95


def test_nominal_values_of_a_sixty_hertz_grid_are_recognised() -> None:
    """120 V at 60 Hz is as ordinary there as 230 V at 50 Hz here."""
    american = {"voltage_l1": 121.0, "voltage_l2": 119.0, "frequency": 60.01}
    state = assess_grid(american, (), NOW)
    assert (state.nominal_voltage, state.nominal_frequency) == (120.0, 60.0)
    assert state.verdict is Verdict.STABLE
    korean = {"voltage_l1": 221.0, "frequency": 59.99}
    assert assess_grid(korean, (), NOW).nominal_voltage == 230.0


@pytest.mark.parametrize(
    ("ago", "english", "french"),
    [
        (timedelta(seconds=20), "just now", "à l’instant"),
        (timedelta(seconds=90), "a minute ago", "il y a une minute"),
        (timedelta(minutes=12), "12 minutes ago", "il y a 12 minutes"),
    ],
)
def test_recent_dip_is_part_of_the_response(
    ago: timedelta, english: str, french: str
) -> None:
    """The last hour's latest disturbance is named, however stable the grid is now."""
    events = [
        Disturbance("swell", NOW - timedelta(minutes=50)),
        Disturbance("dip", NOW - ago, "L2"),
        Disturbance("interruption", NOW - timedelta(hours=2)),
    ]
    state = assess_grid(HOUSE, events, NOW)
    assert state.verdict is Verdict.STABLE
    assert (
        ResponseSentences("en")
        .grid(state)
        .endswith(f" The last disturbance was a voltage dip on L2, {english}.")
    )
    assert (
        ResponseSentences("fr")
        .grid(state)
        .endswith(
            f" La dernière perturbation était un creux de tension sur L2, {french}."
        )
    )
    assert assess_grid(HOUSE, events[2:], NOW).last is None


POWERS: dict[str, float | None] = {
    "active_power": 4230.0,
    "active_power_l1": 250.0,
    "active_power_l2": 3700.0,
    "active_power_l3": 280.0,
}


def test_response_names_the_greatest_consumers_and_the_rest() -> None:
    """Three devices by size are named, and the power left over."""
    devices = [
        Consumer("Fridge", 80.0),
        Consumer("Oven", 2100.0),
        Consumer("Car", 1200.0),
        Consumer("Lamp", 0.5),
        Consumer("Oven light", 25.0, is_included=True),
    ]
    use = assess_power_use(POWERS, devices, 0.0, ["Relay 2"])
    assert use.heaviest is Phase.L2
    assert use.rest == pytest.approx(4230.0 - 80.0 - 2100.0 - 1200.0)
    assert ResponseSentences("en").power(use) == (
        "The house draws 4.2 kW from the grid. L2 draws most, 3.7 kW. Oven uses 2.1 kW, "
        "Car uses 1.2 kW and Fridge uses 80 W. 850 W more goes to what has no meter of "
        "its own. Switched on: Relay 2."
    )
    assert ResponseSentences("fr").power(use) == (
        "La maison soutire 4,2 kW du réseau. L2 soutire le plus, 3,7 kW. Oven consomme "
        "2,1 kW, Car consomme 1,2 kW et Fridge consomme 80 W. 850 W de plus vont à ce "
        "qui n’a pas son propre compteur. Allumés : Relay 2."
    )
    assert list(use.as_dict()["devices_w"]) == [
        "Oven",
        "Car",
        "Fridge",
        "Oven light",
    ]


def test_solar_power_counts_towards_the_rest() -> None:
    """While feeding 1 kW of 3 kW solar power, 2 kW are used in the house."""
    feeding: dict[str, float | None] = {"active_power": -1000.0}
    use = assess_power_use(feeding, [Consumer("Oven", 1500.0)], 3000.0, ())
    assert use.rest == pytest.approx(500.0)
    assert (
        ResponseSentences("en")
        .power(use)
        .startswith("The house feeds 1.0 kW into the grid.")
    )
    # Panels without a known power make the rest unknown, not wrong.
    assert assess_power_use(feeding, [Consumer("Oven", 1500.0)], None, ()).rest is None


def test_single_phase_is_not_the_heaviest() -> None:
    """A house with a single phase, or feeding in on all, has no heaviest phase."""
    assert assess_power_use({"active_power_l1": 900.0}, (), 0.0, ()).heaviest is None
    feeding = {"active_power_l1": -900.0, "active_power_l2": -800.0}
    assert assess_power_use(feeding, (), 0.0, ()).heaviest is None
    assert assess_power_use(feeding, (), 0.0, ()).power == -1700.0


CURRENTS: dict[str, float | None] = {
    "current_l1": 3.2,
    "current_l2": 23.1,
    "current_l3": 26.4,
}


@pytest.mark.parametrize(
    ("fuse", "english"),
    [
        (
            None,
            (
                "I do not know what your main fuse allows: it can be set in the options of "
                "the meter. The most loaded phase is L3, 26.4 A."
            ),
        ),
        (
            20.0,
            "L2 and L3 are overloaded: 23.1 and 26.4 A, the main fuse is for 20 A.",
        ),
        (25.0, "L3 is overloaded: 26.4 A, the main fuse is for 25 A."),
        (
            28.0,
            "No phase is overloaded, but L3 nearly is: 26.4 of 28 A.",
        ),
        (40.0, "No phase is overloaded. The most loaded is L3, 26.4 of 40 A."),
    ],
)
def test_overload_follows_from_the_main_fuse_only(
    fuse: float | None, english: str
) -> None:
    """Without a rating in the options the response asks for a rating."""
    assert (
        ResponseSentences("en").phase_load(assess_phase_load(CURRENTS, fuse)) == english
    )


def test_current_follows_from_the_apparent_power() -> None:
    """2300 VA at 230 V are 10 A; without voltage no current is computed."""
    readings = {
        "apparent_power_l1": 2300.0,
        "voltage_l1": 230.0,
        "apparent_power_l2": 2300.0,
        "voltage_l2": 1.0,
    }
    assert assess_phase_load(readings, 25.0).currents == {Phase.L1: pytest.approx(10.0)}


def test_both_languages_have_all_responses() -> None:
    """Both tables have the same keys, and other languages get English."""
    assert set(RESPONSES["en"]) == set(RESPONSES["fr"])
    assert set(ProblemKind) <= set(RESPONSES["en"])
    state = assess()
    assert ResponseSentences("de").grid(state) == ResponseSentences("en").grid(state)
    assert ResponseSentences(None).grid(state) == ResponseSentences("en").grid(state)
    assert ResponseSentences("fr-CA").grid(state) == ResponseSentences("fr").grid(state)
