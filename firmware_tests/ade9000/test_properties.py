"""Check the driver's readings and energy on random signals and random faults.

Random signals go through the simulated chip and the driver (scripts/cpp/meter_probe.cpp); the truth is worked out from
their descriptions (scripts/nrj_bench/truth.py).
"""

from itertools import pairwise
from math import pi

from hypothesis import assume, given, settings, strategies as st
from nrj_bench.probe import Harmonic, Phase, Scenario, Segment, Update, build, run
from nrj_bench.truth import energies, truth
import pytest

NAMES = ("l1", "l2", "l3", "total")
WINDOW = 0.02
UPDATE = 0.2
# A brown-out of the chip alone (docs/install.md): what it had counted since the last update, until the next one sees
# that it is back (reset 46 ms), 64 ms of PWR_SETTLE, and the windows open at both ends.
LOST_BESIDES_THE_OUTAGE = 2 * UPDATE + 0.046 + 0.064 + 2 * WINDOW
PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def _program() -> None:
    """Build before the first example."""
    build()


def numbers(least: float, most: float) -> st.SearchStrategy[float]:
    """Draw a finite number."""
    return st.floats(least, most, allow_nan=False, allow_subnormal=False)


def harmonics(most: float) -> st.SearchStrategy[list[Harmonic]]:
    """Draw a few harmonics, each order once."""
    return st.lists(
        st.builds(
            Harmonic,
            order=st.integers(2, 40),
            ratio=numbers(0, most),
            angle=numbers(-pi, pi),
        ),
        max_size=4,
        unique_by=lambda harmonic: harmonic.order,
    )


STEADY_PHASES = st.builds(
    Phase,
    voltage=numbers(130, 300),
    # The angle registers want 0.12 A with this front end: ZXTHRSH.
    # The three in the neutral, with harmonics, stay below full scale: 105.6 A.
    current=numbers(0.2, 25),
    lag=numbers(-pi, pi),
    angle=numbers(-0.5, 0.5),
    voltage_harmonics=harmonics(0.1),
    current_harmonics=harmonics(0.4),
)
CHANGING_PHASES = st.builds(
    Phase,
    voltage=numbers(200, 250),
    current=numbers(5, 40),
    lag=numbers(-pi, pi),
    voltage_slope=numbers(-10, 10),
    current_slope=numbers(-1, 5),
)


def tolerance(key: str, value: float, apparent: float) -> float:
    """Return the error allowed for rounding to the chip's registers and to a float."""
    if "angle" in key:
        return 0.02  # a step is 1/20480 of a turn at 50 Hz
    if "power_factor" in key:
        return 1e-5 + 0.02 / apparent
    if "power" in key:
        return 0.02 + 2e-6 * apparent  # a code is 3.6 mW
    if "thd" in key or "unbalance" in key or "zero_sequence" in key:
        return 0.03
    if "frequency" in key:
        return 1e-4
    return 2e-4 + 1e-5 * value


NO_LOAD = 0.001 * 5 * 230
"""W, var, VA of a phase below which nothing is counted: 0.1 % of 5 A at 230 V (IEC 62053-22, class 0.2 S)."""

COUNTED = (
    "active_power",
    "reactive_power",
    "apparent_power",
    "fundamental_active_power",
    "fundamental_reactive_power",
)


def without_uncounted(true: dict[str, float]) -> dict[str, float]:
    """Return true readings without the powers below the no-load level; totals are sums."""
    shown = dict(true)
    for quantity in COUNTED:
        total = 0.0
        for phase in ("l1", "l2", "l3"):
            value = true[f"{quantity}_{phase}"]
            # What is at the level may be shown or not.
            assume(abs(abs(value) - NO_LOAD) > 0.05)
            shown[f"{quantity}_{phase}"] = value if abs(value) > NO_LOAD else 0.0
            total += shown[f"{quantity}_{phase}"]
        shown[f"{quantity}_total"] = total
    return shown


@PROPERTY
@given(
    phases=st.lists(STEADY_PHASES, min_size=3, max_size=3),
    frequency=numbers(45, 65),
)
def test_readings_match_the_signal(phases: list[Phase], frequency: float) -> None:
    """Rms, powers, fundamental and total, THD, angles, frequency, unbalance, sums."""
    segment = Segment(phases=phases, frequency=frequency)
    (updates,) = run([Scenario(segments=[segment], updates=15)])
    readings = updates[-1]["readings"]
    true = without_uncounted(truth(segment))
    wrong = {}
    for key, value in true.items():
        channel = "total" if key.endswith("_total") else key[-2:]
        apparent = true[f"apparent_power_{channel}"]
        error = abs(readings[key] - value)
        if "angle" in key:
            error = min(error, abs(360 - error))
        if not error <= tolerance(key, value, apparent):
            wrong[key] = (readings[key], value)
    assert wrong == {}


@st.composite
def changing_signals(draw: st.DrawFn) -> list[Segment]:
    """Draw a signal with changing load, direction and ramps."""
    segments = []
    start = 0.0
    for _ in range(draw(st.integers(1, 4))):
        phases = draw(st.lists(CHANGING_PHASES, min_size=3, max_size=3))
        segments.append(Segment(start=start, phases=phases))
        start += draw(numbers(0.5, 2))
    return segments


def gain(first: Update, last: Update, way: str, index: int) -> float:
    """Return the Wh counted between two updates."""
    counted: int = last[f"{way}_nwh"][index] - first[f"{way}_nwh"][index]
    return counted * 1e-9


def assert_totals_only_rise(updates: list[Update]) -> None:
    """No total ever goes back."""
    for before, after in pairwise(updates):
        for way in ("import_nwh", "export_nwh"):
            assert all(
                old <= new for old, new in zip(before[way], after[way], strict=True)
            )


@PROPERTY
@given(segments=changing_signals())
def test_energy_is_power_over_time_counted_once(segments: list[Segment]) -> None:
    """Net energy to the open window, import and export to the update of a change."""
    (updates,) = run([Scenario(segments=segments, updates=40)])
    assert_totals_only_rise(updates)
    first, last = updates[5], updates[-1]
    before, after = (energies(segments, update["time"]) for update in (first, last))
    # Watts that no phase is above: 50 A at 330 V.
    most = 330 * 80.0
    for index, name in enumerate(NAMES):
        watts = most * (3 if name == "total" else 1)
        true = {
            way: after[f"{way}_{name}"] - before[f"{way}_{name}"]
            for way in ("import", "export")
        }
        counted = {way: gain(first, last, way, index) for way in ("import", "export")}
        assert counted["import"] - counted["export"] == pytest.approx(
            true["import"] - true["export"], abs=watts * 2 * WINDOW / 3600, rel=1e-4
        )
        # An update in which the sign changes is netted; so is a total that sways.
        changes = len(segments) * (2 if name == "total" else 1)
        for way, value in counted.items():
            assert value == pytest.approx(
                true[way], abs=watts * (changes * UPDATE + 2 * WINDOW) / 3600, rel=1e-4
            )


STEADY = Segment(
    phases=[
        Phase(voltage=230, current=10),
        Phase(voltage=231, current=20, lag=pi),
        Phase(voltage=229, current=5, lag=1.0),
    ]
)
WATTS = (2300.0, 4620.0, 229 * 5 * 0.5403023058681398)
"""Of each phase; the second exports."""


@PROPERTY
@given(
    flips=st.lists(
        st.tuples(st.integers(130, 1800), st.integers(0, 2000)), max_size=300
    )
)
def test_damaged_frames_only_delay_energy(flips: list[tuple[int, int]]) -> None:
    """Count no more energy than flowed at any moment, and all once the frames are whole."""
    clean, damaged = run(
        [
            Scenario(segments=[STEADY], updates=60),
            Scenario(segments=[STEADY], updates=60, flips=flips),
        ]
    )
    assert damaged[-1]["frames"] > 1900, "the last frames are whole"
    assert {update["event"] for update in damaged[5:]} <= {"none", "unreadable"}
    assert_totals_only_rise(damaged)
    for update, whole in zip(damaged, clean, strict=True):
        for way in ("import_nwh", "export_nwh"):
            for index, watts in enumerate(WATTS):
                window = watts * WINDOW / 3600 * 1e9
                assert update[way][index] <= whole[way][index] + 1.01 * window
    for way in ("import_nwh", "export_nwh"):
        for index, watts in enumerate(WATTS):
            window = watts * WINDOW / 3600 * 1e9
            assert damaged[-1][way][index] == pytest.approx(
                clean[-1][way][index], abs=1.01 * window
            )
    # What reached the readings is true, damaged update or not.
    for update in damaged[10:]:
        if update["measured"]:
            for index, watts in enumerate(WATTS):
                power = abs(update["readings"][f"active_power_l{index + 1}"])
                assert power == pytest.approx(watts, rel=0.002, abs=1)


@PROPERTY
@given(
    outages=st.lists(
        st.tuples(numbers(1.2, 2.5), numbers(0, 1)), min_size=1, max_size=4
    )
)
def test_a_chip_reset_loses_no_more_than_documented(
    outages: list[tuple[float, float]],
) -> None:
    """Lose at most the documented energy in a chip reset, and never add energy."""
    moments = []
    now = 1.0
    for pause, seconds in outages:
        now += pause
        moments.append((now, seconds))
        now += seconds
    (updates,) = run([Scenario(segments=[STEADY], updates=80, brown_outs=moments)])
    assert_totals_only_rise(updates)
    assert [update["event"] for update in updates].count("started") == 1 + len(moments)
    first, last = updates[4], updates[-1]
    elapsed = last["time"] - first["time"]
    lost = sum(seconds + LOST_BESIDES_THE_OUTAGE for _, seconds in moments)
    for index, (way, watts) in enumerate(
        zip(("import", "export", "import"), WATTS, strict=True)
    ):
        counted = gain(first, last, way, index) * 3600 / watts
        assert elapsed - lost - WINDOW <= counted <= elapsed + 1.01 * WINDOW
        other = "export" if way == "import" else "import"
        assert gain(first, last, other, index) == 0
