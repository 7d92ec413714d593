"""Accuracy of the driver on a simulated chip, against the truth of the signal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import acos
from pathlib import Path
import sys

from nrj_tools import ROOT
from nrj_tools.command_line import CommandLine

from .probe import Harmonic, Phase, ProbeError, Scenario, Segment, Update, run
from .truth import truth

LIMIT_PERCENT = 0.2
"""Of reading, above LIMITED_FROM of the current's full scale."""
LIMITED_FROM = 0.01
STEADY_LIMIT_HZ = 0.005
RAMP_LIMIT_HZ = 0.010
# 1 V peak at the pins (data sheet Rev B, "Analog Inputs") through the default front end.
FULL_SCALE_AMPERES = 0.5**0.5 / 0.0066965

GRIDS = (("230/400 V", 230.0), ("120/208 V", 120.0))
FREQUENCIES = (50, 60)
CURRENTS = (0.05, 0.2, 1.0, 1.1, 5.0, 20.0, 63.0, 100.0)
DISTORTED_CURRENTS = CURRENTS[:-1]
"""Currents that fit with their harmonics, whose crest is up to 1.96 times the rms of the
fundamental times the square root of 2: at 100 A the converter would cut it off."""
LOADS = (
    ("1", 0.0),
    ("0.5 inductive", acos(0.5)),
    ("0.8 capacitive", -acos(0.8)),
    ("export, 0.9", acos(-0.9)),
)
VOLTAGE_HARMONICS = (
    Harmonic(order=3, ratio=0.02, angle=0.4),
    Harmonic(order=5, ratio=0.05, angle=2.0),
    Harmonic(order=7, ratio=0.03, angle=-1.0),
    Harmonic(order=25, ratio=0.01, angle=0.3),
)
CURRENT_HARMONICS = (
    Harmonic(order=3, ratio=0.2, angle=2.6),
    Harmonic(order=5, ratio=0.12, angle=-0.5),
    Harmonic(order=7, ratio=0.08, angle=1.5),
    Harmonic(order=40, ratio=0.02),
)
QUANTITIES = (
    *("voltage", "current", "active_power", "reactive_power", "apparent_power"),
    *("fundamental_active_power", "fundamental_reactive_power"),
)
POWERS = QUANTITIES[2:]
STEADY = (45.0, 49.5, 50.0, 50.013, 59.9, 60.0, 60.2, 65.0)
UPDATES = 15
ENERGY_UPDATES = 10


@dataclass(frozen=True, kw_only=True)
class Row:
    """Signal with its name, and the worst error (percent) of each quantity."""

    grid: str
    frequency: int
    amperes: float
    load: str
    harmonics: bool
    errors: dict[str, float]

    @property
    def limited(self) -> bool:
        """Return whether the limit holds for the signal."""
        return self.amperes >= LIMITED_FROM * FULL_SCALE_AMPERES

    @property
    def worst(self) -> float:
        """Return the worst error of all quantities."""
        return max(self.errors.values())


@dataclass(frozen=True, kw_only=True)
class FrequencyRow:
    """Frequency or ramp with its worst error, Hz."""

    name: str
    error: float
    limit: float


def _signals() -> Iterator[tuple[str, int, float, str, bool, Scenario]]:
    for grid, volts in GRIDS:
        for frequency in FREQUENCIES:
            for amperes in CURRENTS:
                for load, lag in LOADS:
                    for harmonics in sorted({False, amperes in DISTORTED_CURRENTS}):
                        phase = Phase(
                            voltage=volts,
                            current=amperes,
                            lag=lag,
                            voltage_harmonics=VOLTAGE_HARMONICS if harmonics else (),
                            current_harmonics=CURRENT_HARMONICS if harmonics else (),
                        )
                        segment = Segment(phases=[phase] * 3, frequency=frequency)
                        scenario = Scenario(
                            segments=[segment],
                            updates=UPDATES,
                            line_frequency=frequency,
                            nominal_voltage=volts,
                        )
                        yield grid, frequency, amperes, load, harmonics, scenario


def _errors(scenario: Scenario, updates: Sequence[Update]) -> dict[str, float]:
    true = truth(scenario.segments[0])
    readings = updates[-1]["readings"]
    errors = {}
    for quantity in QUANTITIES:
        worst = 0.0
        for phase in ("l1", "l2", "l3"):
            value = true[f"{quantity}_{phase}"]
            error = abs(readings[f"{quantity}_{phase}"] - value)
            # A power that is nearly none, as reactive power at a power factor of 1, has
            # no percentage of its own.
            apparent = true[f"apparent_power_{phase}"]
            small = quantity in POWERS and abs(value) < 0.01 * apparent
            worst = max(worst, 100 * error / (apparent if small else abs(value)))
        errors[quantity] = worst
    power = true["active_power_total"]
    way = "import_nwh" if power > 0 else "export_nwh"
    first, last = updates[-1 - ENERGY_UPDATES], updates[-1]
    watts = (last[way][3] - first[way][3]) * 3.6e-6 / (last["time"] - first["time"])
    errors["energy"] = 100 * abs(watts / abs(power) - 1)
    return errors


def measure_rows() -> list[Row]:
    """Return a row for each signal of the table."""
    signals = list(_signals())
    answers = run([scenario for *_, scenario in signals])
    return [
        Row(
            grid=grid,
            frequency=frequency,
            amperes=amperes,
            load=load,
            harmonics=harmonics,
            errors=_errors(scenario, updates),
        )
        for (grid, frequency, amperes, load, harmonics, scenario), updates in zip(
            signals, answers, strict=True
        )
    ]


def measure_frequencies() -> list[FrequencyRow]:
    """Return the errors of steady frequencies and of ramps."""
    phase = Phase(voltage=230, current=5, voltage_harmonics=VOLTAGE_HARMONICS)
    signals = [(f"steady {hertz:g} Hz", hertz, 0.0) for hertz in STEADY]
    for nominal in FREQUENCIES:
        signals += [
            (f"from {nominal} Hz at {slope:+g} Hz/s", float(nominal), slope)
            for slope in (1.0, -1.0)
        ]
    answers = run(
        [
            Scenario(
                segments=[Segment(phases=[phase] * 3, frequency=hertz, slope=slope)],
                updates=25,
            )
            for _, hertz, slope in signals
        ]
    )
    rows = []
    for (name, hertz, slope), updates in zip(signals, answers, strict=True):
        # Where in the update the chip was asked is the driver's business: it counts.
        errors = [
            abs(update["readings"]["frequency_total"] - hertz - slope * update["time"])
            for update in updates
            if update["measured"]
        ]
        limit = RAMP_LIMIT_HZ if slope else STEADY_LIMIT_HZ
        rows.append(FrequencyRow(name=name, error=max(errors), limit=limit))
    return rows


def broken_limits(rows: Sequence[Row], ramps: Sequence[FrequencyRow]) -> list[str]:
    """Return a sentence for each broken limit."""
    # Not "greater": what is not a number breaks the limit too.
    broken = [
        f"{row.grid}, {row.frequency} Hz, {row.amperes:g} A, power factor {row.load}"
        f"{', with harmonics' if row.harmonics else ''}: {quantity} is"
        f" {error:.3f} % wrong, the limit is {LIMIT_PERCENT} %"
        for row in rows
        if row.limited
        for quantity, error in row.errors.items()
        if not error <= LIMIT_PERCENT
    ]
    return broken + [
        f"Frequency, {ramp.name}: {1000 * ramp.error:.2f} mHz wrong, the limit is"
        f" {1000 * ramp.limit:g} mHz"
        for ramp in ramps
        if not ramp.error <= ramp.limit
    ]


INTRODUCTION = """\
# Accuracy

Made by `scripts/accuracy --markdown`: do not edit. `scripts/test` asserts the same numbers.

What this proves: that the driver and the simulated ADE9000 agree with the definitions of the quantities, worked out in
Python from the description of the signal, without the driver or the simulator. It covers scaling, signs, formats,
sums, frames and energy counting. What it does not prove: anything about a board. Resistors, transformers, noise and the
chip's own errors (0.2 % over 5000:1 by its data sheet) come on top, and calibration takes only the steady part of them
away. The simulated chip measures without noise and at once: the 100 ms or so that a real one takes to settle, which on
a ramp of frequency shows as a lag, is not in these tables.

A real chip also ripples at twice the line frequency. Its data sheet gives no size, so the simulated one does not: a
made-up ripple would be in every table. A filter of first order that settles as the chip's does (99 % in 0.43 s) would
let through 1.7 % of the apparent power in a power register at 50 Hz, 1.4 % at 60 Hz, and half of that in rms values.
Energy is free of it: over whole cycles it adds up to nothing. The driver leaves these margins, and is tested with a
ripple of 1.7 %: an apparent power is within 5 % of voltage times current, or 0.1 % of full scale; a voltage event ends
2 % beyond the threshold at which it began; an overcurrent counts from 99 % of the limit; a calibration takes the mean
of ten readings.

Energy is counted in steps of a millionth of a watt-hour, which show in these short runs and add up to nothing.

Limits: {limit} % of reading where the current is above 1 % of full scale ({full_scale:.1f} A with the default front
end), frequency within {steady:g} mHz steady and {ramp:g} mHz on a ramp of ±1 Hz/s. Rows below 1 % of full scale are
shown, not limited. A power that is less than 1 % of the apparent one is given in percent of that. Errors are the worst
of the three phases, of both power-line frequencies ({frequencies} Hz), without and with harmonics (voltage: 3rd, 5th,
7th, 25th; current: 3rd, 5th, 7th, 40th). At {full_current:g} A the current is a sine: with these harmonics its crest would be beyond
the range, and cut off, which the meter [tells](hardware.md#where-the-range-ends) and no table could make good.

A meter counts from a certain load on, and shows nothing below: power and energy are then both zero. By default that is
1.15 W a phase at 230 V and 0.6 W at 120 V, the starting current of class 0.2 S (IEC 62053-22: a thousandth of the rated
current, 5 A), and at least 4 millionths of full scale, ten times the error that the data sheet gives for small loads.
[Hardware](hardware.md) has the figures by transformer, and the options `nominal_current` and `no_load_power`. That the
integral of the power shown is the energy counted is tested from 0.5 W to full scale.
"""


def markdown(rows: Sequence[Row], ramps: Sequence[FrequencyRow]) -> str:
    """Return the tables in Markdown."""
    text = INTRODUCTION.format(
        limit=LIMIT_PERCENT,
        full_scale=FULL_SCALE_AMPERES,
        full_current=CURRENTS[-1],
        steady=1000 * STEADY_LIMIT_HZ,
        ramp=1000 * RAMP_LIMIT_HZ,
        frequencies=" and ".join(map(str, FREQUENCIES)),
    )
    columns = (*QUANTITIES, "energy")
    heads = ("U", "I", "P", "Q", "S", "P fundamental", "Q fundamental", "energy")
    for grid, _ in GRIDS:
        text += f"\n## {grid}\n\nWorst error in percent.\n\n"
        text += f"| power factor | A | {' | '.join(heads)} |\n"
        text += "|---|--:|" + "--:|" * len(heads) + "\n"
        for load, _ in LOADS:
            for amperes in CURRENTS:
                same = [
                    row
                    for row in rows
                    if (row.grid, row.load, row.amperes) == (grid, load, amperes)
                ]
                cells = [
                    f"{max(row.errors[column] for row in same):.4f}"
                    for column in columns
                ]
                text += f"| {load} | {amperes:g} | {' | '.join(cells)} |\n"
    text += (
        "\n## Frequency\n\n| signal | worst error, mHz | limit, mHz |\n|---|--:|--:|\n"
    )
    for ramp in ramps:
        text += f"| {ramp.name} | {1000 * ramp.error:.3f} | {1000 * ramp.limit:g} |\n"
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 for a broken limit."""
    parser = CommandLine("scripts/accuracy", __doc__)
    parser.add_argument(
        "--markdown",
        metavar="FILE",
        nargs="?",
        type=Path,
        const=ROOT / "docs" / "accuracy.md",
        help="write the tables to a file, docs/accuracy.md by default",
    )
    options = parser.parse_args(arguments)
    try:
        rows, ramps = measure_rows(), measure_frequencies()
    except ProbeError as error:
        print(error, file=sys.stderr)
        return 2
    text = markdown(rows, ramps)
    if options.markdown is None:
        print(text)
    else:
        options.markdown.write_text(text)
        print(f"Wrote {options.markdown}.")
    broken = broken_limits(rows, ramps)
    for sentence in broken:
        print(f"Broken limit: {sentence}.", file=sys.stderr)
    if not broken:
        print(f"All limits hold: {len(rows)} signals, {len(ramps)} frequencies.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
