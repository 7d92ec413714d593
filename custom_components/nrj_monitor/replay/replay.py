"""Play a recording through guard and arbiter, and list their actions."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any, Final

from ..control.arbiter import Arbiter
from ..control.context import ArbiterSettings
from ..control.decision import Activity, Decision
from ..control.house import HouseView, LoadView
from ..control.load_state import HOUR
from ..control.supply import PHASES, Supply
from ..frequency_guard.grid_view import GridView
from ..frequency_guard.guard_state import GuardState
from .guards import Change, Guard
from .house import House
from .moments import TICK_MS, Moment, Restart, Row, Ticks
from .recording import Recording

IDLE: Final = (Activity.IDLE, Activity.RUNNING)

ROWS_AT_ONCE: Final = 256
"""Rows for which the guard is asked at once."""

STAGE_AGE_MS: Final = round(ArbiterSettings().hold_limit * 1000)
"""Time without a row after which the guard begins anew, ms.

As long as the house holds loads off for a meter that is lost.
"""

GREATEST_POWER: Final = 10e6
"""W; beyond it the catalog takes no reading for a measurement."""

type Line = dict[str, Any]


class Replay:
    """A replay's run: `lines` yields the changes, `summary` the totals afterwards.

    Time goes on by a second, as in the house, and in between where the guard changes.
    Where nothing can change before the next row, it is not asked for each second.
    """

    def __init__(
        self,
        recording: Recording,
        house: House,
        guard: Guard,
        *,
        asks_each_second: bool = False,
    ) -> None:
        """Play `recording` to `guard` and `house`; `asks_each_second` omits nothing."""
        self.recording = recording
        self.house = house
        self._guard = guard
        self._asks_each_second = asks_each_second
        self._arbiter = Arbiter(house.loads, house.monitors, seed=house.seed)
        self._grid = GridView(state=GuardState.INVALID)
        self._on = {load.id: load.id in house.on for load in house.loads}
        self._levels: dict[str, float | None] = {}
        self._more: dict[Supply, float] = {}
        self._lost_for_good_ms = _longest_timer_ms(house)
        self._row: Row | None = None
        self._played_ms = 0
        self._next_tick_ms = 0
        self._is_settled = False
        self._was_there = True
        self._counted_ms = 0
        self._rows = 0
        self._told_first = False
        self._actions: Counter[str] = Counter()
        self._ms_in: Counter[str] = Counter()
        self._ms_off: Counter[str] = Counter()

    @property
    def unseen_limits(self) -> tuple[Supply, ...]:
        """Return the parts of the supply whose limit no power of the recording shows."""
        return () if self.recording.supplies else tuple(self.house.monitors)

    def lines(self) -> Iterator[Line]:
        """Yield a line for each change of the stage and of a load.

        Raises:
            ReplayError: a row is no row, or the guard refuses its settings.
        """
        if self.unseen_limits:
            yield self._line(0, None, "notice", "no_power")
        for rows in batched(self.recording.rows, ROWS_AT_ONCE, strict=False):
            changes = deque(self._guard.play(self._moments(rows)))
            for row in rows:
                yield from self._pass_time(row.time_ms, changes)
                self._row = row
                self._rows += 1
                yield from self._turn(row.time_ms, changes)
                if self._next_tick_ms == row.time_ms:
                    yield from self._tick(row.time_ms)
        self._count(self._now_ms)

    def summary(self) -> Line:
        """Return the number of actions, the seconds in each grid stage, and the loads off."""
        return {
            "summary": {
                "seconds": self._now_ms / 1000,
                "samples": self._rows,
                "actions": sum(self._actions.values()),
                "actions_by_kind": dict(sorted(self._actions.items())),
                "seconds_in_stage": _seconds(self._ms_in),
                "seconds_off": _seconds(self._ms_off),
                "off_at_the_end": sorted(
                    id_ for id_ in self.house.on if not self._on[id_]
                ),
            }
        }

    @property
    def _now_ms(self) -> int:
        return 0 if self._row is None else self._row.time_ms

    def _moments(self, rows: Sequence[Row]) -> Iterator[Moment]:
        """Yield the rows, and time that passes between two of them.

        The guard is ticked until it knows of a silence: nothing changes after that.
        """
        silence = self.recording.silence_ms + 2 * TICK_MS
        for row in rows:
            first = _next_tick(self._played_ms)
            last = min(row.time_ms - 1, self._played_ms + silence)
            if first <= last:
                yield Ticks(first, last)
            if row.time_ms - self._played_ms > STAGE_AGE_MS + silence:
                yield Restart(row.time_ms)
            self._played_ms = row.time_ms
            yield row

    def _pass_time(self, until_ms: int, changes: deque[Change]) -> Iterator[Line]:
        """Yield the lines of what happens before `until_ms`, the time of the next row."""
        while changes and changes[0].time_ms < until_ms:
            change_ms = changes[0].time_ms
            yield from self._tick_until(change_ms)
            yield from self._turn(change_ms, changes)
        yield from self._tick_until(until_ms)

    def _tick_until(self, until_ms: int) -> Iterator[Line]:
        """Yield the lines of the seconds before `until_ms`, in which no row comes."""
        while (now_ms := self._next_tick_ms) < until_ms:
            if self._can_skip(now_ms):
                self._skip(now_ms)
                self._next_tick_ms = self._skip_to(now_ms, until_ms)
            else:
                yield from self._tick(now_ms)

    def _can_skip(self, now_ms: int) -> bool:
        """Return whether a look at the house would find nothing to decide."""
        if self._asks_each_second or self._is_there(now_ms) is not self._was_there:
            return False
        if now_ms - self._now_ms - self.recording.silence_ms > self._lost_for_good_ms:
            return True
        return self._is_settled and (
            not self._was_there or self._arbiter.is_indifferent(self._powers())
        )

    def _skip_to(self, now_ms: int, until_ms: int) -> int:
        """Return the first second at which something may change."""
        silent_ms = self._now_ms + self.recording.silence_ms
        if now_ms <= silent_ms < until_ms:
            until_ms = silent_ms + 1
        return -(-until_ms // TICK_MS) * TICK_MS

    def _is_there(self, now_ms: int) -> bool:
        """Return whether the source still tells something, or is silent."""
        return now_ms - self._now_ms <= self.recording.silence_ms

    def _turn(self, now_ms: int, changes: deque[Change]) -> Iterator[Line]:
        """Yield the lines of the guard's changes at `now_ms`, if any."""
        turned = False
        while changes and changes[0].time_ms <= now_ms:
            change = changes.popleft()
            turned = True
            grid = _view(change, self._grid.held)
            is_news = not self._told_first or grid.state is not self._grid.state
            self._count(now_ms)
            self._grid, self._told_first = grid, True
            if is_news:
                yield self._line(now_ms, None, "stage", change.reason)
        if turned:
            yield from self._decide(now_ms)

    def _tick(self, now_ms: int) -> Iterator[Line]:
        """Yield the lines of the decisions of a second."""
        self._next_tick_ms = now_ms + TICK_MS
        if self._can_skip(now_ms):
            self._skip(now_ms)
        else:
            yield from self._decide(now_ms)

    def _skip(self, now_ms: int) -> None:
        """Let the arbiter know of the latest row, whose rhythm it learns."""
        self._arbiter.record_reading(self._now_ms / 1000, now_ms / 1000)

    def _decide(self, now_ms: int) -> Iterator[Line]:
        """Let the arbiter decide; yield a line for each decision and notice."""
        if self._next_tick_ms == now_ms:
            self._next_tick_ms += TICK_MS
        self._was_there = self._is_there(now_ms)
        decisions = self._arbiter.update(self._house_view(now_ms))
        notices = self._arbiter.pop_notices()
        for decision in decisions:
            switched = decision.switch and decision.on is not None
            if switched:
                self._count(now_ms)
                self._switch(decision)
            elif decision.activity in IDLE:
                continue
            yield self._load_line(now_ms, decision, switched=switched)
        for notice in notices:
            yield self._line(now_ms, notice.load_id, "notice", notice.key)
        self._is_settled = (
            not decisions and not notices and self._arbiter.is_settled(self._grid)
        )

    def _switch(self, decision: Decision) -> None:
        """Switch a load, and correct the drawn power by it from now on."""
        self._on[decision.load_id] = bool(decision.on)
        self._levels[decision.load_id] = decision.level
        self._actions[decision.action.value] += 1
        self._more = {}
        for load in self.house.loads:
            times = int(self._on[load.id]) - int(load.id in self.house.on)
            draws = self._levels.get(load.id) or load.nominal_power
            for part in Supply if times else ():
                self._more[part] = self._more.get(part, 0.0) + (
                    times * draws * load.share_of(part)
                )

    def _count(self, now_ms: int) -> None:
        """Add the time since the last change to the totals."""
        passed_ms, self._counted_ms = now_ms - self._counted_ms, now_ms
        self._ms_in[self._grid.state.value] += passed_ms
        for id_ in self.house.on:
            if not self._on[id_]:
                self._ms_off[id_] += passed_ms

    def _powers(self) -> dict[Supply, float | None]:
        """Return the drawn powers of the present row, corrected by the switched loads, W."""
        row = self._row
        if row is None or not self._was_there or not row.powers:
            return {}
        known: dict[Supply, float | None] = {
            part: power if abs(power) <= GREATEST_POWER else None
            for part, power in zip(self.recording.supplies, row.powers, strict=True)
        }
        if known.get(Supply.TOTAL) is None:
            phases = [power for part, power in known.items() if part in PHASES]
            parts = [power for power in phases if power is not None]
            known[Supply.TOTAL] = (
                sum(parts) if parts and len(parts) == len(phases) else None
            )
        return {
            part: None if power is None else power + self._more.get(part, 0.0)
            for part, power in known.items()
        }

    def _house_view(self, now_ms: int) -> HouseView:
        return HouseView(
            now=now_ms / 1000.0,
            guard=self._grid,
            meter_there=self._was_there,
            powers=self._powers(),
            read_at=self._now_ms / 1000.0,
            time=self.recording.begin + now_ms / 1000.0,
            loads={
                id_: LoadView(on, None, self._levels.get(id_))
                for id_, on in self._on.items()
            },
        )

    def _line(
        self,
        now_ms: int,
        load: str | None,
        action: str,
        reason: str,
        *,
        switched: bool = False,
    ) -> Line:
        return {
            "t": now_ms / 1000.0,
            "stage": self._grid.state.value,
            "load": load,
            "action": action,
            "reason": reason,
            "switched": switched,
        }

    def _load_line(self, now_ms: int, decision: Decision, *, switched: bool) -> Line:
        line = self._line(
            now_ms,
            decision.load_id,
            decision.action.value,
            decision.reason.word,
            switched=switched,
        )
        return line if decision.level is None else line | {"power": decision.level}


def _longest_timer_ms(house: House) -> int:
    """Return the time after which a lost meter leaves nothing to be decided, ms.

    Loads are held off, then come back in turn; their own limits may keep each waiting.
    """
    settings = ArbiterSettings()
    waits = [load.minimum_on + load.minimum_off for load in house.loads]
    return round(
        1000
        * (
            settings.lost_after
            + settings.hold_limit
            + settings.restore_spread
            + settings.spacing * len(house.loads)
            + max([HOUR, *waits])
        )
    )


def _next_tick(now_ms: int) -> int:
    """Return the first whole second after a time, ms."""
    return now_ms // TICK_MS * TICK_MS + TICK_MS


def _seconds(milliseconds: Counter[str]) -> dict[str, float]:
    """Return times in s, without what took none."""
    return {
        key: round(ms / 1000, 3) for key, ms in sorted(milliseconds.items()) if ms > 0
    }


def _view(change: Change, held: GuardState) -> GridView:
    state = GuardState(change.state)
    if state is not GuardState.INVALID:
        held = state
    elif change.reason == "start":
        # A guard that begins anew remembers no stage.
        held = GuardState.NORMAL
    return GridView(
        state=state,
        held=held,
        may_restore=change.may_restore,
        dead=change.reason == "no_voltage",
    )
