"""Run steps side by side, keep the output of each together, and list the failed steps."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
import os
from pathlib import Path
import resource
import signal
import time

from nrj_test.steps import LANES, LOGS, ROOT, STEPS, Step
from nrj_tools.firmware import BUILT, find_program

BEHIND = 3
"""Niceness of a step that computes, beside one that waits for clocks: a third of a processor, beside a busy program."""


class Runner:
    """A run of the test command."""

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare the named steps, and the steps they need."""
        wanted = set(names)
        self.names = wanted | {
            need for name in wanted if (need := STEPS[name].needs) is not None
        }
        self._lanes = [
            deque(name for name in lane if name in self.names) for lane in LANES
        ]
        self._over = {name: asyncio.Event() for name in self.names}
        self.failed: list[str] = []
        self.seconds: dict[str, float] = {}

    async def run(self) -> None:
        """Run all lanes to their ends; a stop request also stops the started steps."""
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._run_lane(lane))

    def _next(self, lane: deque[str]) -> str | None:
        """Take a lane's next step; for a lane at its end, the last step of another.

        A step that goes first is left to its lane: two of them would be in each other's way.
        """
        if lane:
            return lane.popleft()
        for other in self._lanes:
            if other and not STEPS[other[-1]].first:
                return other.pop()
        return None

    async def _run_lane(self, lane: deque[str]) -> None:
        while (name := self._next(lane)) is not None:
            step = STEPS[name]
            if step.needs is not None:
                await self._over[step.needs].wait()
            start = time.monotonic()
            passed = step.needs not in self.failed and await self._run_step(name, step)
            self.seconds[name] = time.monotonic() - start
            self._tell(name, passed)
            if not passed:
                self.failed.append(name)
            self._over[name].set()

    async def _run_step(self, name: str, step: Step) -> bool:
        alone = len(self.names) == 1
        if alone:
            print(f"== {name}", flush=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        with log_of(name).open("wb") as log:
            for command in step.commands:
                output = None if alone else log
                if await _run_command(command, step, output) != 0:
                    return False
        return True

    def _tell(self, name: str, passed: bool) -> None:
        took = f"{self.seconds[name]:.0f} s"
        if passed:
            print(f"== {name}: passed in {took}", flush=True)
            return
        log = log_of(name)
        if log.exists() and log.stat().st_size:
            print(f"== {name}: the log, {log.relative_to(ROOT)}")
            print(log.read_text(errors="replace"))
        print(f"== {name}: FAILED after {took}", flush=True)


def log_of(name: str) -> Path:
    """Return where the output of a step is kept."""
    return LOGS / f"{name}.log"


async def _run_command(
    command: Sequence[str | Path], step: Step, output: object
) -> int:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={
            **os.environ,
            **step.environment,
            **_built(step),
            "PYTHONPATH": str(ROOT / "scripts"),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,  # type: ignore[arg-type]
        stderr=None if output is None else asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    if not step.first:
        _put_behind(process.pid)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()
        raise


def _built(step: Step) -> dict[str, str]:
    """Return the environment in which a step builds no firmware that is built already."""
    program = find_program() if step.needs == "build" else None
    return {} if program is None else {BUILT: str(program)}


def _put_behind(pid: int) -> None:
    """Put a step's process behind the clock-bound steps, where this system can."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, BEHIND)
    # Linux schedules sessions against one another, and only in them processes.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(BEHIND))


def computed() -> float:
    """Return the processor time of all finished steps, s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
