"""Play a recording through guard and arbiter, and list their actions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.decision import Activity, Decision
from custom_components.nrj_monitor.control.house import HouseView, LoadView
from custom_components.nrj_monitor.control.supply import Supply
from custom_components.nrj_monitor.frequency_guard.grid_view import GridView
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState

from .firmware_guard import Change, firmware_changes
from .house_file import HouseFile
from .recording import Recording, Sample

TICK_MS = 1000
"""Between samples that are far apart time goes on."""

IDLE = (Activity.IDLE, Activity.RUNNING)


def moments(recording: Recording) -> Iterator[Sample | int]:
    """Yield the samples, and the time in ms where there is none for long."""
    for sample, later in pairwise(recording.samples):
        yield sample
        yield from range(sample.grid.time_ms + TICK_MS, later.grid.time_ms, TICK_MS)
    yield recording.samples[-1]


@dataclass
class Replay:
    """A replay's run: `lines` yields the changes, `summary` the totals afterwards."""

    recording: Recording
    house: HouseFile
    options: list[str]
    on: dict[str, bool] = field(default_factory=dict)
    levels: dict[str, float | None] = field(default_factory=dict)
    actions: Counter[str] = field(default_factory=Counter)
    seconds_in: Counter[str] = field(default_factory=Counter)
    off_seconds: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield a line for each change of the stage and of a load."""
        played = list(moments(self.recording))
        changes = firmware_changes(
            (m if isinstance(m, int) else m.grid for m in played),
            [*self.options, "--silence", str(self.recording.silence_ms)],
        )
        arbiter = Arbiter(self.house.loads, self.house.monitors)
        self.on = {load.id: load.id in self.house.on for load in self.house.loads}
        guard, held, at = GridView(state=GuardState.INVALID), GuardState.NORMAL, 0
        powers: dict[Supply, float | None] = {}
        before = 0
        for moment in played:
            now_ms = moment if isinstance(moment, int) else moment.grid.time_ms
            self._count(guard, now_ms - before)
            before = now_ms
            while at < len(changes) and changes[at].time_ms <= now_ms:
                change = changes[at]
                at += 1
                if change.state != GuardState.INVALID:
                    held = GuardState(change.state)
                told = guard.state
                guard = _view(change, held)
                if at == 1 or guard.state is not told:
                    yield _line(now_ms, guard, None, "stage", change.reason)
            if isinstance(moment, Sample):
                powers = moment.powers
            for decision in arbiter.update(self._house_view(now_ms, guard, powers)):
                if decision.switch and decision.on is not None:
                    self.on[decision.load_id] = decision.on
                    self.levels[decision.load_id] = decision.level
                    self.actions[decision.action.value] += 1
                elif decision.activity in IDLE:
                    continue
                yield _load_line(now_ms, guard, decision)
            for notice in arbiter.pop_notices():
                yield _line(now_ms, guard, notice.load_id, "notice", notice.key)

    def summary(self) -> dict[str, Any]:
        """Return the number of actions, the seconds in each grid stage, and the loads off."""
        return {
            "summary": {
                "seconds": self.recording.samples[-1].seconds,
                "samples": len(self.recording.samples),
                "actions": sum(self.actions.values()),
                "actions_by_kind": dict(sorted(self.actions.items())),
                "seconds_in_stage": {
                    stage: round(ms / 1000, 3)
                    for stage, ms in sorted(self.seconds_in.items())
                },
                "seconds_off": {
                    load: round(ms / 1000, 3)
                    for load, ms in sorted(self.off_seconds.items())
                },
                "off_at_the_end": sorted(
                    id_ for id_ in self.house.on if not self.on[id_]
                ),
            }
        }

    def _count(self, guard: GridView, passed_ms: int) -> None:
        self.seconds_in[guard.state.value] += passed_ms
        for id_ in self.house.on:
            if not self.on[id_]:
                self.off_seconds[id_] += passed_ms

    def _house_view(
        self, now_ms: int, guard: GridView, powers: dict[Supply, float | None]
    ) -> HouseView:
        """Return the house, its drawn power corrected by the loads switched since the recording."""
        drawn = dict(powers)
        for load in self.house.loads:
            more = int(self.on[load.id]) - int(load.id in self.house.on)
            draws = self.levels.get(load.id) or load.nominal_power
            for part, power in powers.items():
                if power is not None and more:
                    drawn[part] = (drawn[part] or 0.0) + (
                        more * draws * load.share_of(part)
                    )
        return HouseView(
            now=now_ms / 1000.0,
            guard=guard,
            powers=drawn,
            loads={
                id_: LoadView(on, None, self.levels.get(id_))
                for id_, on in self.on.items()
            },
        )


def _view(change: Change, held: GuardState) -> GridView:
    return GridView(
        state=GuardState(change.state),
        held=held,
        may_restore=change.may_restore,
        dead=change.reason == "no_voltage",
    )


def _line(
    now_ms: int, guard: GridView, load: str | None, action: str, reason: str
) -> dict[str, Any]:
    return {
        "t": now_ms / 1000.0,
        "stage": guard.state.value,
        "load": load,
        "action": action,
        "reason": reason,
    }


def _load_line(now_ms: int, guard: GridView, decision: Decision) -> dict[str, Any]:
    line = _line(
        now_ms, guard, decision.load_id, decision.action.value, decision.reason.word
    )
    return line if decision.level is None else line | {"power": decision.level}
