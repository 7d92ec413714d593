"""Image of an oscillogram as SVG: voltages above, currents below."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import ceil, log10
from typing import Final

from .event import Oscillogram

WIDTH: Final = 960
HEIGHT: Final = 620
LEFT: Final = 70
RIGHT: Final = 20
TOP: Final = 50
PANEL: Final = 230
GAP: Final = 50

COLOURS: Final = {"L1": "#8d4b1f", "L2": "#222222", "L3": "#7d8590", "N": "#1f6feb"}
"""Colours of the conductors by IEC 60445, chosen to be distinct on white."""

PANELS: Final = (("U", "V"), ("I", "A"))
"""First letter of the channels of each panel, and their unit."""


def draw_oscillogram(wave: Oscillogram, frequency: float = 50.0) -> str:
    """Return an oscillogram as SVG; the line's `frequency`, Hz, sets the time axis."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="14">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<text x="{LEFT}" y="28" font-size="18">{escape(wave.title)}'
        f" &#183; {wave.started:%Y-%m-%d %H:%M:%S}</text>"
    )
    parts = [head]
    parts += _legend(wave)
    for number, (letter, unit) in enumerate(PANELS):
        channels = {
            name[1:]: samples
            for name, samples in wave.channels.items()
            if name.startswith(letter)
        }
        parts += _panel(
            channels,
            unit,
            TOP + number * (PANEL + GAP),
            wave.points_per_cycle,
            frequency,
        )
    parts.append("</svg>")
    return "\n".join(parts)


def _legend(wave: Oscillogram) -> Iterator[str]:
    names = dict.fromkeys(name[1:] for name in wave.channels)
    for index, name in enumerate(names):
        x = WIDTH - RIGHT - 60 * (len(names) - index)
        yield (
            f'<text x="{x}" y="28" fill="{COLOURS.get(name, "#b00")}">'
            f"&#9644; {escape(name)}</text>"
        )


def _panel(
    channels: dict[str, tuple[float, ...]],
    unit: str,
    top: int,
    points_per_cycle: int,
    frequency: float,
) -> Iterator[str]:
    """Yield a diagram: grid, axes and waveforms."""
    count = max((len(samples) for samples in channels.values()), default=0)
    if count < 2:
        return
    peak = max(abs(value) for samples in channels.values() for value in samples)
    step = _round_step(max(peak, 1e-3) / 2)
    limit = step * max(1, ceil(peak / step))
    right = WIDTH - RIGHT

    def y_of(value: float) -> float:
        return top + PANEL / 2 * (1 - value / limit)

    def x_of(index: float) -> float:
        return LEFT + (right - LEFT) * index / (count - 1)

    level = -limit
    while level <= limit * 1.001:
        y = y_of(level)
        colour = "#888" if abs(level) < step / 2 else "#ddd"
        yield f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>'
        yield (
            f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">'
            f"{level:g} {unit}</text>"
        )
        level += step
    per_millisecond = points_per_cycle * frequency / 1000
    for millisecond in range(0, int(count / per_millisecond) + 1, 10):
        x = x_of(min(millisecond * per_millisecond, count - 1))
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + PANEL}"'
            ' stroke="#eee"/>'
        )
        yield (
            f'<text x="{x:.1f}" y="{top + PANEL + 18}" text-anchor="middle">'
            f"{millisecond} ms</text>"
        )
    for name, samples in channels.items():
        yield _waveform(samples, COLOURS.get(name, "#b00"), x_of, y_of)


def _waveform(
    samples: Sequence[float],
    colour: str,
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
) -> str:
    points = " ".join(
        f"{x_of(index):.1f},{y_of(value):.1f}" for index, value in enumerate(samples)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _round_step(value: float) -> float:
    """Return 1, 2 or 5 times a power of ten, `value` or the next above."""
    magnitude: float = 10.0 ** (ceil(log10(value)) - 1)
    return next(
        magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= value
    )
