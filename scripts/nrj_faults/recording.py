"""A day of a house whose energy is known to anyone who can integrate a straight line."""

from pathlib import Path
import random
from typing import Any

import numpy as np

ROW_INTERVAL = 300
"""Seconds between two rows; the simulator plays straight lines between them."""

LEAD = 601
"""Seconds at the beginning of the recording in which no power flows: a meter starts there."""

type Array = np.ndarray[Any, np.dtype[np.float64]]


class House:
    """Powers of three phases, W, drawn from a seed."""

    def __init__(self, seed: int, hours: int) -> None:
        """Draw so many hours."""
        rng = random.Random(seed)
        count = hours * 3600 // ROW_INTERVAL + 1
        self._times = np.arange(count) * float(ROW_INTERVAL)
        # The third has solar panels for a part of the day.
        self._powers = np.array(
            [
                [rng.uniform(800, 4000) for _ in range(count)],
                [rng.uniform(500, 2500) for _ in range(count)],
                [
                    rng.uniform(-6000, -1000)
                    if 20 <= n % 60 < 40
                    else rng.uniform(300, 900)
                    for n in range(count)
                ],
            ]
        )

    def write(self, path: Path) -> None:
        """Write the house as a recording for the simulated chip, after a lead without power."""
        lines = ["time,active_power_l1,active_power_l2,active_power_l3"]
        lines += ["0,0,0,0", f"{LEAD - 1},0,0,0"]
        lines += [
            f"{time + LEAD:.0f},{one:.3f},{two:.3f},{three:.3f}"
            for time, (one, two, three) in zip(self._times, self._powers.T, strict=True)
        ]
        path.write_text("\n".join(lines) + "\n")

    def energy(self, channel: str, begin: float, end: float) -> float:
        """Return the energy of a channel between two times since its beginning, Wh."""
        direction, _, phase = channel.partition("_energy")
        times = np.linspace(begin, end, max(2, int((end - begin) * 4) + 1))
        powers = np.array([np.interp(times, self._times, row) for row in self._powers])
        power: Array = powers.sum(axis=0) if not phase else powers[int(phase[-1]) - 1]
        if direction == "export":
            power = -power
        return float(np.trapezoid(np.maximum(power, 0.0), times)) / 3600.0
