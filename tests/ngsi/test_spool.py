"""The queue keeps everything its bounds allow, and counts exactly what they do not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
import pytest

from custom_components.nrj_monitor.ngsi import spool as spool_module
from custom_components.nrj_monitor.ngsi.downsampling import Stored, plan
from custom_components.nrj_monitor.ngsi.sample import Sample, from_iso, iso, merged
from custom_components.nrj_monitor.ngsi.spool import (
    HISTORY,
    LIVE,
    Counts,
    Limits,
    Record,
    Spool,
)

ROOT = Path(__file__).parents[2]
WIDE = Limits()


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self, now: int = 0) -> None:
        """Begin at `now`, milliseconds."""
        self.now = now

    def __call__(self) -> int:
        """Return the time."""
        return self.now


def sample(time_: int, power: float = 1.0, energy: float = 0.0) -> Sample:
    """Return a sample with a measurement and a counter."""
    return Sample(time_, {"active_power": power, "import_energy": energy})


def test_what_was_merged_since_it_was_read_is_not_sent(tmp_path: Path) -> None:
    """Another thread may store samples between reading a batch and marking it."""
    spool = Spool(tmp_path / "queue.sqlite", Limits(rows=10), Clock())
    spool.open()
    spool.push(sample(20_000 * n) for n in range(10))
    read = spool.head(LIVE, 10)
    spool.push([sample(200_000)])
    there = spool.sending(read)
    assert there == {record.seq for record in spool.in_flight(LIVE)}
    assert 0 < len(there) < len(read)
    spool.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a spool may be."""
    return tmp_path / "folder" / "queue.sqlite"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    """Return an open spool."""
    opened = Spool(path, WIDE, Clock())
    opened.open()
    yield opened
    opened.close()


def times(records: list[Record]) -> list[int]:
    """Return the times of records."""
    return [record.sample.time for record in records]


def balanced(counts: Counts, waiting: int) -> bool:
    """Tell whether everything that was taken is accounted for."""
    return counts.taken == (
        counts.sent + counts.dropped + counts.refused + counts.thinned + waiting
    )


def test_records_come_out_in_the_order_of_measurement(spool: Spool) -> None:
    """Whatever the order they came in."""
    spool.push([sample(3000), sample(1000)])
    spool.push([sample(2000)])
    assert times(spool.head(LIVE, 10)) == [1000, 2000, 3000]
    assert times(spool.head(LIVE, 2)) == [1000, 2000]
    assert spool.newest(LIVE) == 3000
    assert spool.newest(HISTORY) is None
    assert spool.head(LIVE, 1)[0].sample == sample(1000)


def test_a_moment_is_taken_once(spool: Spool) -> None:
    """The same time again is the same measurement."""
    assert spool.push([sample(1), sample(1, 2.0)]) == 1
    assert spool.status().counts.taken == 1


def test_what_is_delivered_is_forgotten_and_counted(spool: Spool, path: Path) -> None:
    """Also by the next process."""
    spool.push([sample(n) for n in range(5)])
    records = spool.head(LIVE, 2)
    spool.sending(records)
    assert times(spool.in_flight(LIVE)) == [0, 1]
    spool.sent(records)
    spool.sent(records)
    spool.close()
    again = Spool(path, WIDE, Clock())
    again.open()
    assert again.in_flight(LIVE) == []
    assert times(again.head(LIVE, 9)) == [2, 3, 4]
    assert again.status().counts == Counts(taken=5, sent=2)
    again.close()


def test_what_was_being_sent_is_known_to_the_next_process(
    spool: Spool, path: Path
) -> None:
    """It has to ask whether it arrived."""
    spool.push([sample(1), sample(2)])
    spool.sending(spool.head(LIVE, 1))
    spool.close()
    again = Spool(path, WIDE, Clock())
    again.open()
    assert times(again.in_flight(LIVE)) == [1]
    again.not_sent(again.in_flight(LIVE))
    assert again.in_flight(LIVE) == []
    again.close()


def test_history_is_taken_once_even_after_it_was_delivered(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal may tell the same again."""
    assert spool.push_history([sample(1), sample(2)]) == 2
    spool.sent(spool.head(LIVE, 9))
    assert spool.push_history([sample(1), sample(2), sample(3)]) == 1
    assert times(spool.head(LIVE, 9)) == [3]
    # For as many as it remembers.
    monkeypatch.setattr(spool_module, "HISTORY_KNOWN", 2)
    spool.push_history([sample(4)])
    assert spool.push_history([sample(3), sample(4)]) == 0
    assert spool.push_history([sample(1)]) == 1


def test_history_has_a_lane_of_its_own_where_it_has_a_place_of_its_own(
    path: Path,
) -> None:
    """And joins the others when that place is given up."""
    first = Spool(path, WIDE, Clock(), history=True)
    first.open()
    first.push_history([sample(1), sample(2)])
    first.push([sample(2), sample(3)])
    assert times(first.head(HISTORY, 9)) == [1, 2]
    assert times(first.head(LIVE, 9)) == [2, 3]
    first.close()
    second = Spool(path, WIDE, Clock())
    second.open()
    assert times(second.head(LIVE, 9)) == [1, 2, 3]
    assert second.head(HISTORY, 9) == []
    status = second.status()
    assert balanced(status.counts, status.waiting)
    second.close()


def test_a_refused_record_is_out_of_the_way_with_its_reason(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted for good, kept for a person, up to a number."""
    monkeypatch.setattr(spool_module, "SET_ASIDE_KEPT", 2)
    spool.push([sample(n) for n in range(4)])
    for record in spool.head(LIVE, 3):
        spool.set_aside(record, f"reason {record.sample.time}")
        spool.set_aside(record, "again")
    assert [(s.time, s.reason) for s in spool.refused()] == [
        (1, "reason 1"),
        (2, "reason 2"),
    ]
    assert spool.status().set_aside == 2
    assert spool.empty_set_aside() == 2
    assert spool.empty_set_aside() == 0
    status = spool.status()
    assert status.counts.refused == 3
    assert balanced(status.counts, status.waiting)


def test_what_is_too_old_is_dropped_and_counted(path: Path) -> None:
    """At the next occasion."""
    clock = Clock(10_000)
    small = Spool(path, replace(WIDE, age=5000), clock)
    small.open()
    small.push([sample(4000), sample(6000), sample(9000)])
    assert times(small.head(LIVE, 9)) == [6000, 9000]
    clock.now = 12_000
    assert times(small.head(LIVE, 9)) == [9000]
    assert small.status().counts.dropped == 2
    assert small.status().oldest == 9000
    small.close()


def test_a_full_spool_becomes_coarser_from_its_old_end(path: Path) -> None:
    """Minutes' means of what is old, every sample of what is new, nothing dropped."""
    small = Spool(path, replace(WIDE, rows=100), Clock())
    small.open()
    for n in range(400):
        small.push([sample(n * 10_000, power=float(n), energy=float(n))])
    records = small.head(LIVE, 1000)
    status = small.status()
    assert len(records) <= 100
    assert status.counts.dropped == 0
    assert balanced(status.counts, status.waiting)
    assert sum(record.sample.count for record in records) == 400
    # The newest is whole, the oldest is not.
    assert records[-1].sample == sample(3_990_000, 399.0, 399.0)
    oldest = records[0].sample
    assert oldest.count >= 6
    # A counter is its last value at its own time, a power the mean since the one before.
    assert oldest.values["import_energy"] == oldest.time / 10_000
    assert oldest.values["active_power"] == pytest.approx((oldest.count - 1) / 2)
    weighted = sum(r.sample.values["active_power"] * r.sample.count for r in records)
    assert weighted / 400 == pytest.approx(199.5)
    small.close()


def test_bytes_are_bounded_too_and_the_newest_is_never_dropped(path: Path) -> None:
    """Days that cannot be merged any further give way, the oldest first."""
    day = 86_400_000
    size = len(sample(0).body())
    small = Spool(path, replace(WIDE, size=3 * size, age=10**15), Clock())
    small.open()
    for n in range(10):
        small.push([sample(n * day)])
    assert times(small.head(LIVE, 99)) == [7 * day, 8 * day, 9 * day]
    assert small.status().counts.dropped == 7
    # What is in flight stays, and the newest, even so.
    small.sending(small.head(LIVE, 3))
    small.push([sample(10 * day), sample(11 * day)])
    assert times(small.head(LIVE, 99)) == [7 * day, 8 * day, 9 * day, 11 * day]
    status = small.status()
    assert status.counts.dropped == 8
    assert status.size == 4 * size
    small.close()


def test_a_damaged_file_is_kept_and_a_new_one_begun(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Forwarding goes on."""
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 1000)
    begun = Spool(path, WIDE, Clock())
    begun.open()
    assert begun.push([sample(1)]) == 1
    begun.close()
    assert path.with_suffix(".damaged").read_bytes().startswith(b"this is no")
    assert "was damaged" in caplog.text


def test_a_place_that_is_none_and_a_closed_spool_are_said(tmp_path: Path) -> None:
    """As errors of their kind."""
    (tmp_path / "queue.sqlite").mkdir()
    impossible = Spool(tmp_path / "queue.sqlite", WIDE, Clock())
    with pytest.raises(sqlite3.OperationalError):
        impossible.open()
    closed = Spool(tmp_path / "other.sqlite", WIDE, Clock())
    with pytest.raises(sqlite3.ProgrammingError):
        closed.push([sample(1)])
    closed.close()


def test_half_a_change_is_none(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails in the middle, counts and records agree with the file."""
    spool.push([sample(1)])

    def fail(self: Sample) -> bytes:
        if self.time == 3:
            raise OSError("disk full")
        return b"{}"

    monkeypatch.setattr(Sample, "body", fail)
    with pytest.raises(OSError, match="disk full"):
        spool.push([sample(2), sample(3)])
    monkeypatch.undo()
    assert times(spool.head(LIVE, 9)) == [1]
    assert spool.status().counts.taken == 1


WRITER = """
import itertools, sys
from pathlib import Path
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Limits, Spool
spool = Spool(Path(sys.argv[1]), Limits(), lambda: 0)
spool.open()
for n in itertools.count():
    spool.push([Sample(n, {"active_power": 1.0})])
    print(n, flush=True)
"""


def test_what_was_stored_survives_a_sigkill(path: Path) -> None:
    """Every record the process said it had, and no other but the one on its way."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 50:
            pass
        process.send_signal(signal.SIGKILL)
        said = [50, *map(int, process.stdout.read().split())]
    survived = Spool(path, WIDE, Clock())
    survived.open()
    found = times(survived.head(LIVE, 10**6))
    assert found == list(range(len(found)))
    assert len(found) - (said[-1] + 1) in (0, 1)
    assert survived.status().counts.taken == len(found)
    survived.close()


def test_samples_lost_before_they_were_stored_are_counted(spool: Spool) -> None:
    """As taken and dropped."""
    spool.count_dropped(3)
    spool.push([sample(1)])
    spool.drop(spool.head(LIVE, 1))
    assert spool.status().counts == Counts(taken=4, dropped=4)


def test_means_are_weighted_counters_last_and_angles_go_round() -> None:
    """By hand."""
    mean = merged(
        [
            Sample(1, {"active_power": 10.0, "phase_angle_l1": 170.0}, 3),
            Sample(2, {"active_power": 20.0, "phase_angle_l1": -150.0}, 3),
            Sample(9, {"active_power": 90.0, "import_energy": 5.0, "unknown": 1.0}, 6),
        ]
    )
    assert mean.time == 9
    assert mean.count == 12
    assert mean.values["active_power"] == pytest.approx(52.5)
    assert mean.values["phase_angle_l1"] == pytest.approx(-170.0)
    assert mean.values["import_energy"] == 5.0
    assert mean.values["unknown"] == 1.0


def test_times_are_written_and_read_as_brokers_do() -> None:
    """UTC with three decimals; any zone is understood."""
    assert iso(1_790_000_000_007) == "2026-09-21T14:13:20.007Z"
    assert from_iso("2026-09-21T14:13:20.007Z") == 1_790_000_000_007
    assert from_iso("2026-09-21T16:13:20.007+02:00") == 1_790_000_000_007
    assert from_iso("2026-09-21T14:13:20.007") == 1_790_000_000_007


def test_the_plan_merges_no_more_than_is_needed() -> None:
    """The oldest minutes first, in whole groups, none across a minute's end."""
    records = [Stored(n, n * 10_000, 10) for n in range(60)]
    groups = plan(records, 7, 0, 60_000)
    assert [[r.seq for r in group] for group in groups] == [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
    ]
    assert plan(records[:1], 1, 1, 60_000) == []
    assert len(plan(records, 1000, 0, 60_000)) == 10
    assert len(plan(records, 0, 101, 60_000)) == 3


class SpoolMachine(RuleBasedStateMachine):
    """Any use at all of a small spool, opened anew now and then."""

    def __init__(self) -> None:
        """Begin with an empty one."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock(1_000_000)
        self.limits = Limits(rows=12, size=600, age=10_000_000)
        self.pushed = 0
        self.lanes = (LIVE, HISTORY)
        self.open()

    def open(self) -> None:
        """Open it as the next process would."""
        self.spool = Spool(
            Path(self.folder.name) / "queue", self.limits, self.clock, history=True
        )
        self.spool.open()

    def teardown(self) -> None:
        """Close it."""
        self.spool.close()
        self.folder.cleanup()

    @rule(steps=st.lists(st.integers(1, 100_000), max_size=6), history=st.booleans())
    def push(self, steps: list[int], history: bool) -> None:
        """Measure."""
        new = []
        for step in steps:
            self.clock.now += step
            new.append(sample(self.clock.now))
        self.pushed += (self.spool.push_history if history else self.spool.push)(new)

    @rule(count=st.integers(1, 5), lane=st.sampled_from([LIVE, HISTORY]))
    def deliver(self, count: int, lane: int) -> None:
        """Send some."""
        records = self.spool.head(lane, count)
        assert times(records) == sorted(times(records))
        self.spool.sending(records)
        self.spool.sent(records)

    @rule(lane=st.sampled_from([LIVE, HISTORY]))
    def lose(self, lane: int) -> None:
        """Do not know whether some arrived, and learn that they did not."""
        records = self.spool.head(lane, 2)
        self.spool.sending(records)
        self.spool.not_sent(self.spool.in_flight(lane))

    @rule()
    def refuse(self) -> None:
        """Have one refused."""
        for record in self.spool.head(LIVE, 1):
            self.spool.set_aside(record, "no")

    @rule(step=st.integers(0, 20_000_000))
    def wait(self, step: int) -> None:
        """Let time pass."""
        self.clock.now += step

    @rule()
    def kill(self) -> None:
        """Begin anew with the same file."""
        self.spool.close()
        self.open()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        """Everything pushed is waiting, or counted once; the bounds hold."""
        status = self.spool.status()
        waiting = [r for lane in self.lanes for r in self.spool.head(lane, 1000)]
        status = self.spool.status()
        assert status.counts.taken == self.pushed
        assert balanced(status.counts, len(waiting))
        assert status.waiting == len(waiting) <= self.limits.rows
        assert status.size == sum(len(r.sample.body()) for r in waiting)
        assert status.size <= self.limits.size


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None
)


def test_a_hundred_thousand_are_stored_and_found_in_little_time(path: Path) -> None:
    """A generous bound: minutes would be a mistake in an index."""
    big = Spool(path, WIDE, Clock())
    big.open()
    begun = time.monotonic()
    big.push(sample(n) for n in range(100_000))
    for _ in range(20):
        big.sent(big.head(LIVE, 100))
        big.status()
    assert time.monotonic() - begun < 30
    assert big.status().waiting == 98_000
    big.close()
