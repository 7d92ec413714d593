"""Watch over the promises that hold whatever is sent, stored or asked."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
import gc
import json
import logging
from math import isfinite
import os
from pathlib import Path
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from hypothesis import HealthCheck, Phase, settings

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.reading_gate import is_possible
from tests.support.pace import patience

EXAMPLES: Final = "NRJ_ATTACK_EXAMPLES"
"""Environment variable: examples of each attack, instead of the test command's few."""

REPORT: Final = "NRJ_ATTACK_REPORT"
"""Environment variable: file to which each attack adds a line of JSON with its figures."""

LONGEST_BLOCK: Final = 0.1
"""Seconds for which the event loop may be kept by one callback."""

MOST_LINES: Final = 3
"""Lines of the log that may say the same within a run, which is minutes at most."""

MOST_KINDS: Final = 12
"""Different lines of the log within a run."""

LARGEST_FILE: Final = 1_000_000
"""Bytes of a stored file of a meter."""

LONGEST_STATE: Final = 255

MAY_SAY: Final = ("asyncio", "homeassistant.components.recorder")
"""Loggers whose warnings are of the test's surroundings."""


def examples(few: int) -> settings:
    """Return the settings of an attack: `few` examples, or as many as the bench asks for."""
    asked = os.environ.get(EXAMPLES)
    return settings(
        max_examples=int(asked) if asked else few,
        derandomize=not asked,
        deadline=None,
        # Shrinking needs the state before: the input is printed as it came.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


class Promises(logging.Handler):
    """What must hold after every input: `check` raises AssertionError if it does not."""

    def __init__(self, name: str, meters: int) -> None:
        """Watch the attack `name` on so many meters, each of which has its own lines."""
        super().__init__(logging.INFO)
        self.name = name
        self.meters = meters
        self.inputs = 0
        self.longest = 0.0
        self.blocker = ""
        self.lines: Counter[str] = Counter()
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line of the log; keep what tells of an unhandled exception."""
        if record.name.startswith(MAY_SAY) and record.levelno < logging.ERROR:
            return
        is_ours = record.name.startswith(f"custom_components.{DOMAIN}")
        if record.levelno < logging.WARNING and not is_ours:
            return
        self.lines[str(record.msg)] += 1
        if record.exc_info or "exception" in record.getMessage().lower():
            text = logging.Formatter().format(record)
            self.errors.append(text[-3000:])
        if len(record.getMessage()) > 2000:
            self.errors.append(f"A long line: {record.getMessage()[:300]}")

    def check(self, hass: HomeAssistant) -> None:
        """Check all promises."""
        assert not self.errors, "\n".join(self.errors[:3])
        limit = patience(LONGEST_BLOCK)
        assert self.longest <= limit, f"{self.longest:.3f} s in {self.blocker}"
        often = {
            line: n for line, n in self.lines.items() if n > MOST_LINES * self.meters
        }
        assert not often, often
        assert len(self.lines) <= MOST_KINDS, self.lines
        check_states(hass)

    def report(self) -> None:
        """Add a line with the figures to the report of the bench, if one is asked for."""
        if (path := os.environ.get(REPORT)) is None:
            return
        figures = {
            "attack": self.name,
            "inputs": self.inputs,
            "longest block, ms": round(self.longest * 1000, 1),
            "by": self.blocker,
            "lines of the log": self.lines.total(),
        }
        with Path(path).open("a") as file:
            file.write(json.dumps(figures) + "\n")


@contextmanager
def watched(name: str, *, meters: int = 1) -> Iterator[Promises]:
    """Watch the event loop and the log; add the figures to the report at the end.

    The time of a callback is that of its processor: what else the machine does is not
    the callback's.
    """
    promises = Promises(name, meters)
    loop, root = asyncio.get_running_loop(), logging.getLogger()
    # What every step logs and checks of itself would be most of the work.
    was_debugged, level = loop.get_debug(), root.level
    loop.set_debug(False)
    root.setLevel(logging.INFO)
    handles: Any = asyncio.Handle
    run = handles._run

    def timed(handle: Any) -> None:
        begun = time.thread_time()
        run(handle)
        if (took := time.thread_time() - begun) > promises.longest:
            promises.longest, promises.blocker = took, repr(handle)[:200]

    # A collection of all that a long run of tests has left behind is no input's doing.
    gc.collect()
    gc.freeze()
    gc.disable()
    root.addHandler(promises)
    handles._run = timed
    try:
        yield promises
    finally:
        handles._run = run
        gc.enable()
        gc.unfreeze()
        root.removeHandler(promises)
        root.setLevel(level)
        loop.set_debug(was_debugged)
    promises.report()


def give(loop: asyncio.AbstractEventLoop, example: Coroutine[Any, Any, None]) -> None:
    """Run an example in the event loop of Home Assistant, from a thread of its own."""
    asyncio.run_coroutine_threadsafe(example, loop).result()
    gc.collect()


def check_states(hass: HomeAssistant) -> None:
    """Check that no state of the integration is outside of its range."""
    registry = er.async_get(hass)
    for entity in registry.entities.values():
        if entity.platform != DOMAIN:
            continue
        state = hass.states.get(entity.entity_id)
        if state is None:
            continue
        assert len(state.state) <= LONGEST_STATE
        channel = CHANNELS.get(entity.unique_id.partition("_")[2])
        try:
            value = float(state.state)
        except ValueError:
            continue
        assert isfinite(value), state
        if channel is not None:
            assert is_possible(channel, value), state


def check_files(storage: dict[str, Any]) -> None:
    """Check that the stored files of the integration are bounded and can be read again."""
    for key, content in storage.items():
        if key.startswith(DOMAIN):
            text = json.dumps(content, allow_nan=False)
            assert len(text) <= LARGEST_FILE, f"{key} has {len(text)} bytes"
