"""Simulated house: loads follow commands, or not, and draw their power."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.decision import Decision, Notice
from custom_components.nrj_monitor.control.house import HouseView, LoadView
from custom_components.nrj_monitor.control.load import Load
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.frequency_guard.grid_view import GridView
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState


def grid(state: str, held: str | None = None, *, dead: bool = False) -> GridView:
    """Return the report of a guard in `state`; restores are permitted from normal on."""
    return GridView(
        state=GuardState(state),
        held=GuardState(held or ("normal" if state == "invalid" else state)),
        may_restore=state in ("normal", "absorb_1", "absorb_2"),
        dead=dead,
    )


@dataclass
class House:
    """Loads, other power drawn (W by phase), guard and meter of a simulated house."""

    arbiter: Arbiter
    on: dict[str, bool]
    base: dict[Supply, float] = field(
        default_factory=lambda: dict.fromkeys(PHASES, 0.0)
    )
    guard: GridView | None = field(default_factory=lambda: grid("normal"))
    meter_there: bool = True
    reads: bool = True
    """Whether the powers are measured; else they are NaN."""
    stuck: dict[Supply, float | None] | None = None
    """Powers measured for ever, whatever the loads draw, W."""
    unresponsive: set[str] = field(default_factory=set)
    """Loads that ignore commands."""
    idle: set[str] = field(default_factory=set)
    """Loads that draw nothing though they are on."""
    cut_off: frozenset[str] = frozenset()
    levels: dict[str, float | None] = field(default_factory=dict)
    """What loads that can be set are set to, W."""
    interval: float = 0.0
    """Seconds between two readings of the meter."""
    starts_at: float | None = None
    """Time of the clock at `now` 0, s since 1970."""
    tells_means: bool = False
    """Whether a reading is the mean since the reading before."""
    read: tuple[float, Mapping[Supply, float | None]] | None = None
    """Latest reading: time, and powers."""
    since_read: list[Mapping[Supply, float | None]] = field(default_factory=list)
    now: float = 0.0
    decisions: list[Decision] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    switched: list[tuple[float, str, bool, Decision]] = field(default_factory=list)

    @classmethod
    def of(
        cls, loads: Iterable[Load], *, on: Iterable[str] = (), **arbiter: object
    ) -> House:
        """Return a house with `loads`, of which `on` are on."""
        loads = list(loads)
        return cls(
            Arbiter(loads, **arbiter),  # type: ignore[arg-type]
            {load.id: load.id in set(on) for load in loads},
        )

    def is_on(self, load_id: str) -> bool:
        """Return whether a load is on."""
        return self.on[load_id]

    def draws(self, load: Load) -> float:
        """Return the power of a load while on, W."""
        return self.levels.get(load.id) or load.nominal_power

    def powers(self) -> Mapping[Supply, float | None]:
        """Return the powers measured by the meter, W."""
        if self.stuck is not None:
            return self.stuck
        if not self.reads:
            return {phase: float("nan") for phase in Supply}
        drawn: dict[Supply, float | None] = {}
        for phase in PHASES:
            drawn[phase] = self.base[phase] + sum(
                self.draws(load) * load.share_of(phase)
                for id_, load in self.arbiter.loads.items()
                if self.on[id_] and id_ not in self.idle
            )
        drawn[Supply.TOTAL] = sum(
            value for value in drawn.values() if value is not None
        )
        return drawn

    def reading(self) -> Mapping[Supply, float | None]:
        """Return what the meter tells now: the present powers, or their means, W."""
        if not self.tells_means:
            return self.since_read[-1]
        return {
            part: sum(powers[part] or 0.0 for powers in self.since_read)
            / len(self.since_read)
            for part in self.since_read[-1]
        }

    def step(self, seconds: float = 1.0) -> list[Decision]:
        """Let `seconds` pass; loads follow commands at once."""
        self.now += seconds
        self.since_read.append(self.powers())
        if self.read is None or self.now - self.read[0] >= self.interval:
            self.read = self.now, self.reading()
            self.since_read.clear()
        read_at, powers = self.read
        made = self.arbiter.update(
            HouseView(
                now=self.now,
                guard=self.guard,
                meter_there=self.meter_there,
                powers=powers,
                read_at=read_at,
                time=None if self.starts_at is None else self.starts_at + self.now,
                loads={
                    id_: LoadView(on, None, self.levels.get(id_))
                    for id_, on in self.on.items()
                },
                cut_off=self.cut_off,
            )
        )
        for decision in made:
            id_ = decision.load_id
            if (
                decision.switch
                and decision.on is not None
                and id_ not in self.unresponsive
            ):
                self.levels[id_] = decision.level
                if decision.on is not self.on[id_]:
                    self.switched.append((self.now, id_, decision.on, decision))
                self.on[id_] = decision.on
        self.decisions += made
        self.notices += self.arbiter.pop_notices()
        return made

    def run(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.step(step)

    def person(self, load_id: str, on: bool) -> None:
        """Have a person operate the switch of a load."""
        self.on[load_id] = on
        self.arbiter.record_switch(load_id, on, self.now, by_person=True)

    def automation(self, load_id: str, on: bool) -> None:
        """Have an automation switch a load."""
        self.on[load_id] = on
        self.arbiter.record_switch(load_id, on, self.now, by_person=False)

    def what(self, load_id: str) -> tuple[str, str]:
        """Return activity and reason of a load."""
        state = self.arbiter.states[load_id]
        return state.activity.value, state.reason.word

    def notice_keys(self) -> list[str]:
        """Return the keys of all notices."""
        return [notice.key for notice in self.notices]
