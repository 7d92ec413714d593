"""What people are told about their supply, from readings alone."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nrj_monitor.assist.grid import (
    Disturbance,
    GridAnswer,
    Trouble,
    Verdict,
    judge_grid,
)
from custom_components.nrj_monitor.assist.phase_load import judge_load
from custom_components.nrj_monitor.assist.power import Consumer, find_use
from custom_components.nrj_monitor.assist.sentences import WORDS, Wording
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


def judge(**changed: float | None) -> GridAnswer:
    """Judge the supply of the house with some readings changed."""
    return judge_grid(HOUSE | changed, (), NOW)


def troubles(answer: GridAnswer) -> list[tuple[Trouble, Phase | None]]:
    """Return what is wrong, and where."""
    return [(problem.trouble, problem.phase) for problem in answer.problems]


def test_an_ordinary_supply_is_stable() -> None:
    """Within 230 V ± 10 % and 50 ± 0.2 Hz nothing is said to be wrong."""
    answer = judge()
    assert answer.verdict is Verdict.STABLE
    assert Wording("en").grid(answer) == "The grid is stable: 49.98 Hz, 229 to 233 V."
    assert Wording("fr").grid(answer) == "Le réseau est stable : 49,98 Hz, 229 à 233 V."


@pytest.mark.parametrize(
    ("changed", "trouble", "phase", "said"),
    [
        # The Iberian grid on 28 April 2025, two seconds before the voltage was gone.
        (
            {"frequency": 48.56},
            Trouble.FREQUENCY_LOW,
            None,
            "the frequency is 48.56 Hz, below 49.8 Hz",
        ),
        (
            {"frequency": 50.31},
            Trouble.FREQUENCY_HIGH,
            None,
            "the frequency is 50.31 Hz, above 50.2 Hz",
        ),
        # EN 50160: 230 V less 10 % is 207 V, plus 10 % is 253 V.
        (
            {"voltage_l2": 206.4},
            Trouble.VOLTAGE_LOW,
            Phase.L2,
            "L2 has 206 V, less than 207 V",
        ),
        (
            {"voltage_l3": 253.6},
            Trouble.VOLTAGE_HIGH,
            Phase.L3,
            "L3 has 254 V, more than 253 V",
        ),
        ({"voltage_l1": 0.4}, Trouble.PHASE_LOST, Phase.L1, "L1 has no voltage"),
        (
            {"voltage_unbalance": 2.4},
            Trouble.UNBALANCED,
            None,
            "the voltages are unbalanced by 2.4 %, more than 2.0 %",
        ),
    ],
)
def test_what_breaks_a_limit_is_told_with_its_value(
    changed: dict[str, float | None], trouble: Trouble, phase: Phase | None, said: str
) -> None:
    """One thing wrong is one problem, named with what was measured."""
    answer = judge(**changed)
    assert answer.verdict is Verdict.DISTURBED
    assert troubles(answer) == [(trouble, phase)]
    assert Wording("en").grid(answer) == f"The grid is not normal: {said}."


@pytest.mark.parametrize(
    "changed",
    [
        {"voltage_l1": 207.2, "voltage_l2": 252.8},
        {"frequency": 49.81},
        {"frequency": 50.19},
        {"voltage_unbalance": 1.9},
    ],
)
def test_just_within_the_limits_is_stable(changed: dict[str, float | None]) -> None:
    """Limits are where the standard has them."""
    assert judge(**changed).verdict is Verdict.STABLE


def test_a_power_cut_is_one_problem_not_three() -> None:
    """Without any voltage there is nothing to say of single phases."""
    answer = judge(voltage_l1=0.1, voltage_l2=0.0, voltage_l3=0.2, frequency=None)
    assert troubles(answer) == [(Trouble.INTERRUPTED, None)]
    # Also for a meter that has not counted anything yet.
    fresh = judge_grid({"voltage_l1": 0.1, "voltage_l2": 0.2}, (), NOW)
    assert troubles(fresh) == [(Trouble.INTERRUPTED, None)]
    assert Wording("en").grid(fresh) == "The grid is not normal: there is no voltage."


def test_a_phase_nothing_was_ever_connected_to_is_not_missed() -> None:
    """A single-phase house has a stable grid, though two inputs have no voltage."""
    answer = judge(
        voltage_l2=0.2,
        voltage_l3=0.1,
        import_energy_l2=0.0,
        import_energy_l3=None,
        voltage_unbalance=99.0,
    )
    assert answer.verdict is Verdict.STABLE
    assert Wording("en").grid(answer) == "The grid is stable: 49.98 Hz, 231 V."


def test_without_valid_readings_nothing_is_claimed() -> None:
    """Not stable, not disturbed: unknown."""
    nothing = dict.fromkeys(HOUSE)
    assert judge_grid(nothing, (), NOW).verdict is Verdict.UNKNOWN
    assert "no valid" in Wording("en").grid(judge_grid({}, (), NOW))
    assert "no valid" in Wording("en").power(find_use({}, (), 0.0, ()))
    assert "no valid" in Wording("en").load(judge_load({}, 25.0))


def test_a_meter_that_measures_only_the_frequency_tells_that() -> None:
    """What is not measured is not missed."""
    answer = judge_grid({"frequency": 50.01}, (), NOW)
    assert Wording("en").grid(answer) == "The grid is stable: 50.01 Hz."


def test_where_only_phases_tell_the_frequency_it_is_theirs() -> None:
    """The middle one of the phases, as the meter itself takes it."""
    readings = {
        "frequency_l1": 49.9,
        "frequency_l2": 49.95,
        "frequency_l3": 50.4,
    }
    assert judge_grid(readings, (), NOW).frequency == 49.95


def test_the_grid_of_sixty_hertz_is_known_by_itself() -> None:
    """120 V at 60 Hz is as ordinary there as 230 V at 50 Hz here."""
    american = {"voltage_l1": 121.0, "voltage_l2": 119.0, "frequency": 60.01}
    answer = judge_grid(american, (), NOW)
    assert (answer.nominal_voltage, answer.nominal_frequency) == (120.0, 60.0)
    assert answer.verdict is Verdict.STABLE
    korean = {"voltage_l1": 221.0, "frequency": 59.99}
    assert judge_grid(korean, (), NOW).nominal_voltage == 230.0


@pytest.mark.parametrize(
    ("ago", "english", "french"),
    [
        (timedelta(seconds=20), "just now", "à l’instant"),
        (timedelta(seconds=90), "a minute ago", "il y a une minute"),
        (timedelta(minutes=12), "12 minutes ago", "il y a 12 minutes"),
    ],
)
def test_a_dip_that_is_over_is_still_told(
    ago: timedelta, english: str, french: str
) -> None:
    """The latest disturbance of the last hour, however fine the grid is now."""
    events = [
        Disturbance("swell", NOW - timedelta(minutes=50)),
        Disturbance("dip", NOW - ago, "L2"),
        Disturbance("interruption", NOW - timedelta(hours=2)),
    ]
    answer = judge_grid(HOUSE, events, NOW)
    assert answer.verdict is Verdict.STABLE
    assert (
        Wording("en")
        .grid(answer)
        .endswith(f" The last disturbance was a voltage dip on L2, {english}.")
    )
    assert (
        Wording("fr")
        .grid(answer)
        .endswith(
            f" La dernière perturbation était un creux de tension sur L2, {french}."
        )
    )
    assert judge_grid(HOUSE, events[2:], NOW).last is None


POWERS: dict[str, float | None] = {
    "active_power": 4230.0,
    "active_power_l1": 250.0,
    "active_power_l2": 3700.0,
    "active_power_l3": 280.0,
}


def test_the_greatest_consumers_and_the_rest_are_told() -> None:
    """By size, three of them to listen to, and what nobody accounts for."""
    devices = [
        Consumer("Fridge", 80.0),
        Consumer("Oven", 2100.0),
        Consumer("Car", 1200.0),
        Consumer("Lamp", 0.5),
        Consumer("Oven light", 25.0, within=True),
    ]
    answer = find_use(POWERS, devices, 0.0, ["Relay 2"])
    assert answer.heaviest is Phase.L2
    assert answer.rest == pytest.approx(4230.0 - 80.0 - 2100.0 - 1200.0)
    assert Wording("en").power(answer) == (
        "The house draws 4.2 kW from the grid. L2 draws most, 3.7 kW. Oven uses 2.1 kW, "
        "Car uses 1.2 kW and Fridge uses 80 W. 850 W more goes to what has no meter of "
        "its own. Switched on: Relay 2."
    )
    assert Wording("fr").power(answer) == (
        "La maison soutire 4,2 kW du réseau. L2 soutire le plus, 3,7 kW. Oven consomme "
        "2,1 kW, Car consomme 1,2 kW et Fridge consomme 80 W. 850 W de plus vont à ce "
        "qui n’a pas son propre compteur. Allumés : Relay 2."
    )
    assert list(answer.as_dict()["devices_w"]) == [
        "Oven",
        "Car",
        "Fridge",
        "Oven light",
    ]


def test_what_the_sun_gives_counts_towards_the_rest() -> None:
    """While feeding 1 kW of 3 kW solar power, 2 kW are used in the house."""
    feeding: dict[str, float | None] = {"active_power": -1000.0}
    answer = find_use(feeding, [Consumer("Oven", 1500.0)], 3000.0, ())
    assert answer.rest == pytest.approx(500.0)
    assert (
        Wording("en").power(answer).startswith("The house feeds 1.0 kW into the grid.")
    )
    # Panels that do not tell what they give make the rest unknown, not wrong.
    assert find_use(feeding, [Consumer("Oven", 1500.0)], None, ()).rest is None


def test_one_phase_is_not_said_to_draw_most() -> None:
    """In a single-phase house, and where all phases feed, there is no heaviest."""
    assert find_use({"active_power_l1": 900.0}, (), 0.0, ()).heaviest is None
    feeding = {"active_power_l1": -900.0, "active_power_l2": -800.0}
    assert find_use(feeding, (), 0.0, ()).heaviest is None
    assert find_use(feeding, (), 0.0, ()).power == -1700.0


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
def test_overload_is_judged_by_the_main_fuse_and_by_nothing_else(
    fuse: float | None, english: str
) -> None:
    """Where nobody has told the rating, that is said."""
    assert Wording("en").load(judge_load(CURRENTS, fuse)) == english


def test_where_no_current_is_measured_it_follows_from_the_apparent_power() -> None:
    """2300 VA at 230 V are 10 A; without voltage they are nothing one can tell."""
    readings = {
        "apparent_power_l1": 2300.0,
        "voltage_l1": 230.0,
        "apparent_power_l2": 2300.0,
        "voltage_l2": 1.0,
    }
    assert judge_load(readings, 25.0).currents == {Phase.L1: pytest.approx(10.0)}


def test_every_sentence_is_there_in_both_languages() -> None:
    """No language lacks words the other one has, and a third one is answered in English."""
    assert set(WORDS["en"]) == set(WORDS["fr"])
    assert set(Trouble) <= set(WORDS["en"])
    answer = judge()
    assert Wording("de").grid(answer) == Wording("en").grid(answer)
    assert Wording(None).grid(answer) == Wording("en").grid(answer)
    assert Wording("fr-CA").grid(answer) == Wording("fr").grid(answer)
