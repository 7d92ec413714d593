"""Replay the obvious way: the whole file in memory, the arbiter asked at each row."""

import csv
from pathlib import Path
import subprocess

from custom_components.nrj_monitor.control.arbiter import Arbiter
from custom_components.nrj_monitor.control.house import HouseView, LoadView
from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.frequency_guard.grid_view import GridView
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from nrj_replay import firmware_guard, house_file as reader


def main(recording: Path, house_file: Path) -> None:
    """Play a recording of plain numbers in Continental Europe; print the number of actions."""
    house = reader.read(house_file)
    with recording.open(newline="") as file:
        rows = [
            {name: float(cell) for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]
    lines = [
        f"{round(1000 * row['time_s'])} {row['voltage_l1']} {row['frequency_hz']}"
        for row in rows
    ]
    played = subprocess.run(
        [firmware_guard.program(), "--profile", "continental_europe"],
        input="\n".join(lines),
        capture_output=True,
        check=True,
        text=True,
    )
    changes = [line.split() for line in played.stdout.splitlines()]
    arbiter = Arbiter(house.loads, house.monitors)
    on = {load.id: load.id in house.on for load in house.loads}
    grid, at, decided = GridView(state=GuardState.INVALID), 0, 0
    for row in rows:
        while at < len(changes) and int(changes[at][0]) <= 1000 * row["time_s"]:
            state = GuardState(changes[at][1])
            held = grid.held if state is GuardState.INVALID else state
            may_restore = changes[at][4] == "1"
            grid = GridView(state=state, held=held, may_restore=may_restore)
            at += 1
        powers = {part: row[f"power_{part.lower()}"] for part in PHASES}
        for load in house.loads:
            more = on[load.id] - (load.id in house.on)
            for part in PHASES:
                powers[part] += more * load.nominal_power * load.share_of(part)
        view = HouseView(
            now=row["time_s"],
            guard=grid,
            powers=powers | {Supply.TOTAL: sum(powers.values())},
            loads={id_: LoadView(is_on) for id_, is_on in on.items()},
        )
        for decision in arbiter.update(view):
            if decision.switch and decision.on is not None:
                on[decision.load_id] = decision.on
                decided += 1
    print(decided)
