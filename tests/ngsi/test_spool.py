"""Spool: keeps all records within its limits, and counts all others exactly."""

from collections.abc import Iterator
from contextlib import suppress
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
from custom_components.nrj_monitor.ngsi.downsampling import StoredRecord, plan_merges
from custom_components.nrj_monitor.ngsi.sample import Sample, from_iso, iso, merged
from custom_components.nrj_monitor.ngsi.spool import (
    Counts,
    Limits,
    QueueId,
    Record,
    Spool,
)

ROOT = Path(__file__).parents[2]
WIDE = Limits()


class Clock:
    """Clock set by hand."""

    def __init__(self, now: int = 0) -> None:
        """Start the clock at `now`, milliseconds."""
        self.now = now

    def __call__(self) -> int:
        """Return the time in milliseconds."""
        return self.now


def sample(time_: int, power: float = 1.0, energy: float = 0.0) -> Sample:
    """Return a sample with a measurement and a counter."""
    return Sample(time_, {"active_power": power, "import_energy": energy})


def test_nothing_is_marked_where_a_record_was_merged_since(tmp_path: Path) -> None:
    """Mark none of the records of which another thread merged some."""
    spool = Spool(tmp_path / "queue.sqlite", Limits(rows=10), Clock())
    spool.open()
    spool.push(sample(20_000 * n) for n in range(10))
    read = spool.head(QueueId.LIVE, 10)
    spool.push([sample(200_000)])
    assert not spool.mark_in_flight(read)
    assert spool.in_flight(QueueId.LIVE) == []
    assert spool.mark_in_flight(spool.head(QueueId.LIVE, 10))
    assert spool.in_flight(QueueId.LIVE) == spool.head(QueueId.LIVE, 10)
    spool.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a spool in a folder still to be made."""
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
    """Return whether the counts account for every sample."""
    return counts.taken == (
        counts.sent + counts.dropped + counts.refused + counts.thinned + waiting
    )


def test_records_come_out_in_the_order_of_measurement(spool: Spool) -> None:
    """Return records in the order of their times, not of their arrival."""
    spool.push([sample(3000), sample(1000)])
    spool.push([sample(2000)])
    assert times(spool.head(QueueId.LIVE, 10)) == [1000, 2000, 3000]
    assert times(spool.head(QueueId.LIVE, 2)) == [1000, 2000]
    assert spool.newest(QueueId.LIVE) == 3000
    assert spool.newest(QueueId.HISTORY) is None
    assert spool.head(QueueId.LIVE, 1)[0].sample == sample(1000)


def test_a_time_is_added_once(spool: Spool) -> None:
    """Treat a second sample of the same time as a duplicate."""
    assert spool.push([sample(1), sample(1, 2.0)]) == 1
    assert spool.status().counts.taken == 1


def test_delivered_records_are_removed_and_counted(spool: Spool, path: Path) -> None:
    """Keep the count for the next process."""
    spool.push([sample(n) for n in range(5)])
    records = spool.head(QueueId.LIVE, 2)
    spool.mark_in_flight(records)
    assert times(spool.in_flight(QueueId.LIVE)) == [0, 1]
    spool.remove_sent(records)
    spool.remove_sent(records)
    spool.close()
    again = Spool(path, WIDE, Clock())
    again.open()
    assert again.in_flight(QueueId.LIVE) == []
    assert times(again.head(QueueId.LIVE, 9)) == [2, 3, 4]
    assert again.status().counts == Counts(taken=5, sent=2)
    again.close()


def test_records_in_flight_are_known_to_the_next_process(
    spool: Spool, path: Path
) -> None:
    """Keep the in-flight marks on disk."""
    spool.push([sample(1), sample(2)])
    spool.mark_in_flight(spool.head(QueueId.LIVE, 1))
    spool.close()
    again = Spool(path, WIDE, Clock())
    again.open()
    assert times(again.in_flight(QueueId.LIVE)) == [1]
    again.clear_in_flight(again.in_flight(QueueId.LIVE))
    assert again.in_flight(QueueId.LIVE) == []
    again.close()


def test_history_is_added_once_even_after_its_delivery(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skip times of the journal already added before."""
    assert spool.push_history([sample(1), sample(2)]) == 2
    spool.remove_sent(spool.head(QueueId.LIVE, 9))
    assert spool.push_history([sample(1), sample(2), sample(3)]) == 1
    assert times(spool.head(QueueId.LIVE, 9)) == [3]
    # For as many as it remembers.
    monkeypatch.setattr(spool_module, "HISTORY_KNOWN", 2)
    spool.push_history([sample(4)])
    assert spool.push_history([sample(3), sample(4)]) == 0
    assert spool.push_history([sample(1)]) == 1


def test_history_has_a_queue_of_its_own_with_a_history_server(
    path: Path,
) -> None:
    """Merge the queues once the history server is given up."""
    first = Spool(path, WIDE, Clock(), history=True)
    first.open()
    first.push_history([sample(1), sample(2)])
    first.push([sample(2), sample(3)])
    assert times(first.head(QueueId.HISTORY, 9)) == [1, 2]
    assert times(first.head(QueueId.LIVE, 9)) == [2, 3]
    first.close()
    second = Spool(path, WIDE, Clock())
    second.open()
    assert times(second.head(QueueId.LIVE, 9)) == [1, 2, 3]
    assert second.head(QueueId.HISTORY, 9) == []
    status = second.status()
    assert balanced(status.counts, status.waiting)
    second.close()


def test_a_refused_record_becomes_a_dead_letter_with_its_reason(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count all dead letters; keep a limited number."""
    monkeypatch.setattr(spool_module, "DEAD_LETTER_LIMIT", 2)
    spool.push([sample(n) for n in range(4)])
    for record in spool.head(QueueId.LIVE, 3):
        spool.add_dead_letter(record, f"reason {record.sample.time}")
        spool.add_dead_letter(record, "again")
    assert [(s.time, s.reason) for s in spool.dead_letters()] == [
        (1, "reason 1"),
        (2, "reason 2"),
    ]
    assert spool.status().dead_letters == 2
    assert spool.clear_dead_letters() == 2
    assert spool.clear_dead_letters() == 0
    status = spool.status()
    assert status.counts.refused == 3
    assert balanced(status.counts, status.waiting)


def test_expired_records_are_dropped_and_counted(path: Path) -> None:
    """Drop expired records at the next change."""
    clock = Clock(10_000)
    small = Spool(path, replace(WIDE, age=5000), clock)
    small.open()
    small.push([sample(4000), sample(6000), sample(9000)])
    assert times(small.head(QueueId.LIVE, 9)) == [6000, 9000]
    clock.now = 12_000
    assert times(small.head(QueueId.LIVE, 9)) == [9000]
    assert small.status().counts.dropped == 2
    assert small.status().oldest == 9000
    small.close()


def test_a_full_spool_downsamples_its_oldest_records(path: Path) -> None:
    """Merge old samples to means of a minute; drop none, keep new samples."""
    small = Spool(path, replace(WIDE, rows=100), Clock())
    small.open()
    for n in range(400):
        small.push([sample(n * 10_000, power=float(n), energy=float(n))])
    records = small.head(QueueId.LIVE, 1000)
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


def test_bytes_are_limited_and_the_newest_record_is_never_dropped(path: Path) -> None:
    """Drop the oldest of records a day apart, which cannot be merged."""
    day = 86_400_000
    size = len(sample(0).body())
    small = Spool(path, replace(WIDE, size=3 * size, age=10**15), Clock())
    small.open()
    for n in range(10):
        small.push([sample(n * day)])
    assert times(small.head(QueueId.LIVE, 99)) == [7 * day, 8 * day, 9 * day]
    assert small.status().counts.dropped == 7
    # What is in flight stays, and the newest, even so.
    small.mark_in_flight(small.head(QueueId.LIVE, 3))
    small.push([sample(10 * day), sample(11 * day)])
    assert times(small.head(QueueId.LIVE, 99)) == [7 * day, 8 * day, 9 * day, 11 * day]
    status = small.status()
    assert status.counts.dropped == 8
    assert status.size == 4 * size
    small.close()


def test_a_damaged_file_is_kept_and_a_new_one_begun(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rename a damaged file, and go on with a new file."""
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 1000)
    begun = Spool(path, WIDE, Clock())
    begun.open()
    assert begun.push([sample(1)]) == 1
    begun.close()
    assert path.with_suffix(".damaged").read_bytes().startswith(b"this is no")
    assert "was damaged" in caplog.text


def test_an_impossible_path_and_a_closed_spool_raise_errors(tmp_path: Path) -> None:
    """Raise OperationalError and ProgrammingError."""
    (tmp_path / "queue.sqlite").mkdir()
    impossible = Spool(tmp_path / "queue.sqlite", WIDE, Clock())
    with pytest.raises(sqlite3.OperationalError):
        impossible.open()
    closed = Spool(tmp_path / "other.sqlite", WIDE, Clock())
    with pytest.raises(sqlite3.ProgrammingError):
        closed.push([sample(1)])
    closed.close()


def test_a_failed_change_is_rolled_back(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep counts and records in agreement with the file."""
    spool.push([sample(1)])

    def fail(self: Sample) -> bytes:
        if self.time == 3:
            raise OSError("disk full")
        return b"{}"

    monkeypatch.setattr(Sample, "body", fail)
    with pytest.raises(OSError, match="disk full"):
        spool.push([sample(2), sample(3)])
    monkeypatch.undo()
    assert times(spool.head(QueueId.LIVE, 9)) == [1]
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


def test_stored_records_survive_a_sigkill(path: Path) -> None:
    """Keep every record whose storing was reported."""
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
    found = times(survived.head(QueueId.LIVE, 10**6))
    assert found == list(range(len(found)))
    assert len(found) - (said[-1] + 1) in (0, 1)
    assert survived.status().counts.taken == len(found)
    survived.close()


def test_samples_lost_before_they_were_stored_are_counted(spool: Spool) -> None:
    """Count lost samples as taken and dropped."""
    spool.count_dropped(3)
    spool.push([sample(1)])
    spool.drop(spool.head(QueueId.LIVE, 1))
    assert spool.status().counts == Counts(taken=4, dropped=4)


def test_a_merge_weights_means_keeps_counters_and_rotates_angles() -> None:
    """Compare a merge with a mean worked out by hand."""
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
    """Write UTC with three decimals; read any zone."""
    assert iso(1_790_000_000_007) == "2026-09-21T14:13:20.007Z"
    assert from_iso("2026-09-21T14:13:20.007Z") == 1_790_000_000_007
    assert from_iso("2026-09-21T16:13:20.007+02:00") == 1_790_000_000_007
    assert from_iso("2026-09-21T14:13:20.007") == 1_790_000_000_007


def test_the_plan_merges_no_more_than_is_needed() -> None:
    """Merge the oldest minutes first, in whole groups within a minute."""
    records = [StoredRecord(n, n * 10_000, 10) for n in range(60)]
    groups = plan_merges(records, 7, 0, 60_000)
    assert [[r.seq for r in group] for group in groups] == [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
    ]
    assert plan_merges(records[:1], 1, 1, 60_000) == []
    assert len(plan_merges(records, 1000, 0, 60_000)) == 10
    assert len(plan_merges(records, 0, 101, 60_000)) == 3


class SpoolMachine(RuleBasedStateMachine):
    """Random uses of a small spool, reopened now and then."""

    def __init__(self) -> None:
        """Start with an empty spool."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock(1_000_000)
        self.limits = Limits(rows=12, size=600, age=10_000_000)
        self.pushed = 0
        self.queues = (QueueId.LIVE, QueueId.HISTORY)
        self.open()

    def open(self) -> None:
        """Open the spool as the next process would."""
        self.spool = Spool(
            Path(self.folder.name) / "queue", self.limits, self.clock, history=True
        )
        self.spool.open()

    def teardown(self) -> None:
        """Close the spool and delete its folder."""
        self.spool.close()
        self.folder.cleanup()

    @rule(steps=st.lists(st.integers(1, 100_000), max_size=6), history=st.booleans())
    def push(self, steps: list[int], history: bool) -> None:
        """Add samples at growing times."""
        new = []
        for step in steps:
            self.clock.now += step
            new.append(sample(self.clock.now))
        self.pushed += (self.spool.push_history if history else self.spool.push)(new)

    @rule(
        count=st.integers(1, 5), queue=st.sampled_from([QueueId.LIVE, QueueId.HISTORY])
    )
    def deliver(self, count: int, queue: QueueId) -> None:
        """Send the oldest records."""
        records = self.spool.head(queue, count)
        assert times(records) == sorted(times(records))
        self.spool.mark_in_flight(records)
        self.spool.remove_sent(records)

    @rule(queue=st.sampled_from([QueueId.LIVE, QueueId.HISTORY]))
    def lose(self, queue: QueueId) -> None:
        """Send records without their arrival."""
        records = self.spool.head(queue, 2)
        self.spool.mark_in_flight(records)
        self.spool.clear_in_flight(self.spool.in_flight(queue))

    @rule()
    def refuse(self) -> None:
        """Make the oldest record a dead letter."""
        for record in self.spool.head(QueueId.LIVE, 1):
            self.spool.add_dead_letter(record, "no")

    @rule(step=st.integers(0, 20_000_000))
    def wait(self, step: int) -> None:
        """Let time pass, up to the expiry of records."""
        self.clock.now += step

    @rule()
    def kill(self) -> None:
        """Reopen the file as after a crash."""
        self.spool.close()
        self.open()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        """Check the counts of all samples, and the limits."""
        status = self.spool.status()
        waiting = [r for queue in self.queues for r in self.spool.head(queue, 1000)]
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


def test_a_hundred_thousand_records_are_stored_and_read_within_seconds(
    path: Path,
) -> None:
    """Catch a missing index, which would take minutes."""
    big = Spool(path, WIDE, Clock())
    big.open()
    begun = time.monotonic()
    big.push(sample(n) for n in range(100_000))
    for _ in range(20):
        big.remove_sent(big.head(QueueId.LIVE, 100))
        big.status()
    assert time.monotonic() - begun < 30
    assert big.status().waiting == 98_000
    big.close()


def zeroed(path: Path, page: int) -> None:
    """Overwrite a page of a closed file with zeros, as a failing card does."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(18)[16:18], "big")
        file.seek(page * size)
        file.write(bytes(size))


def filled(path: Path, count: int) -> None:
    """Store samples of some bytes each, and close the file."""
    spool = Spool(path, WIDE, Clock())
    spool.open()
    spool.push([sample(n, float(n)) for n in range(count)])
    spool.mark_in_flight(spool.head(QueueId.LIVE, 2))
    spool.close()


@pytest.mark.parametrize("page", range(1, 24))
def test_damage_found_at_any_access_leaves_what_can_be_read(
    path: Path, page: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Go on after a zeroed page, with exact counts and one line in the log."""
    filled(path, 1000)
    assert path.stat().st_size > 24 * 4096
    zeroed(path, page)
    spool = Spool(path, WIDE, Clock())
    spool.open()
    failures = 0
    delivered: list[int] = []
    for n in range(100):
        try:
            spool.push([sample(1000 + n)])
            spool.remove_sent(batch := spool.head(QueueId.LIVE, 50))
            delivered += times(batch)
            spool.dead_letters()
            status = spool.status()
        except sqlite3.DatabaseError:
            failures += 1
    assert failures <= 1
    assert balanced(status.counts, status.waiting)
    assert status.waiting == 0
    assert delivered == sorted(set(delivered))
    # What was lost was on the page: a leaf has some 80 records. Without the root of the
    # table (page 1) none is found; without that of its index (page 2) all are.
    lost = 1000 if page == 1 else 80
    assert len(delivered) >= 1000 + 100 - lost - failures
    assert status.counts.sent == len(delivered)
    assert caplog.text.count("was damaged") <= 1
    if caplog.text:
        assert path.with_suffix(".damaged").exists()
        assert not path.with_suffix(".rescue").exists()
    spool.close()


def test_what_was_on_its_way_stays_known_after_damage(path: Path) -> None:
    """Ask the broker what it has before anything is sent again."""
    filled(path, 1000)
    zeroed(path, 20)
    spool = Spool(path, WIDE, Clock())
    spool.open()
    for _ in range(3):
        with suppress(sqlite3.DatabaseError):
            spool.head(QueueId.LIVE, 1000)
    assert times(spool.in_flight(QueueId.LIVE)) == [0, 1]
    spool.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("body", body) for body in (b"{", b"[]", b"5", b"null", b'"x"', b"\\xff", 7)),
        *(
            ("body", b'{"a":' + n + b"}")
            for n in (b"NaN", b"1e999", b"9" * 400, b"true")
        ),
        ("body", b"[" * 100_000),
        *(("time", time) for time in (-1, 10**17, "soon", 1.5, b"x")),
        *(("count", count) for count in (0, -5, "many", 10**18)),
        ("lane", 7),
        ("in_flight", "x"),
    ],
)
def test_a_record_that_cannot_be_read_is_set_aside(
    path: Path, column: str, value: object
) -> None:
    """Deliver the records before and after it, whatever stands in it."""
    filled(path, 5)
    damaged = sqlite3.connect(path)
    damaged.execute(f"UPDATE records SET {column} = ? WHERE time = 3", (value,))  # noqa: S608
    damaged.commit()
    damaged.close()
    spool = Spool(path, Limits(rows=5), Clock())
    spool.open()
    delivered = spool.head(QueueId.LIVE, 100)
    assert times(delivered) == [0, 1, 2, 4]
    status = spool.status()
    assert status.counts.refused == status.dead_letters == 1
    assert "damaged" in spool.dead_letters()[0].reason
    assert balanced(status.counts, status.waiting)
    assert spool.push([sample(n * 60_000) for n in range(1, 9)]) == 8
    status = spool.status()
    assert status.waiting <= 5
    assert balanced(status.counts, status.waiting)
    spool.close()


def test_downsampling_sets_a_damaged_record_aside(path: Path) -> None:
    """Merge the others."""
    filled(path, 6)
    damaged = sqlite3.connect(path)
    damaged.execute("UPDATE records SET body = '{' WHERE time > 1")
    damaged.commit()
    damaged.close()
    spool = Spool(path, Limits(rows=3), Clock())
    spool.open()
    spool.push([sample(60_000)])
    status = spool.status()
    assert balanced(status.counts, status.waiting)
    assert status.dead_letters == status.counts.refused > 0
    spool.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE records; CREATE TABLE records (a)",
        (
            "DROP TABLE counts; CREATE TABLE counts (name, value);"
            " INSERT INTO counts VALUES ('taken', 'many'), (5, x'ff')"
        ),
        "UPDATE counts SET value = 'many'",
        "UPDATE counts SET value = -7",
    ],
)
def test_a_file_of_another_shape_is_put_aside_or_mended(
    path: Path, statement: str
) -> None:
    """Go on with tables and counts that are none of this project's."""
    filled(path, 5)
    other = sqlite3.connect(path)
    other.executescript(statement)
    other.close()
    spool = Spool(path, WIDE, Clock())
    spool.open()
    spool.push([sample(100)])
    assert times(spool.head(QueueId.LIVE, 9))[-1] == 100
    status = spool.status()
    assert status.counts.taken >= 1
    spool.close()


def test_a_rescue_that_was_cut_short_is_done_at_the_next_start(path: Path) -> None:
    """Find the damaged file of a process that ended before it was read."""
    filled(path, 5)
    path.rename(path.with_suffix(".rescue"))
    spool = Spool(path, WIDE, Clock())
    spool.open()
    assert times(spool.head(QueueId.LIVE, 9)) == [0, 1, 2, 3, 4]
    assert spool.status().counts.taken == 5
    spool.close()


def test_records_in_memory_move_to_the_disk(path: Path) -> None:
    """Add what was counted and what waits to the file's own."""
    filled(path, 3)
    spool = Spool(path, WIDE, Clock())
    spool.open()
    spool.open_in_memory()
    spool.push([sample(n) for n in (2, 100, 101, 102)])
    spool.push_history([sample(50)])
    assert times(spool.head(QueueId.LIVE, 9)) == [2, 50, 100, 101, 102]
    sent = spool.head(QueueId.LIVE, 9)[2:3]
    spool.mark_in_flight(sent)
    spool.remove_sent(sent)
    spool.add_dead_letter(spool.head(QueueId.LIVE, 9)[3], "no")
    spool.open()
    status = spool.status()
    assert times(spool.head(QueueId.LIVE, 9)) == [0, 1, 2, 50, 101]
    assert balanced(status.counts, status.waiting)
    assert (status.counts.taken, status.counts.sent) == (8, 1)
    # A time that the file has already is no second record.
    assert status.counts.dropped == 1
    assert status.dead_letters == status.counts.refused == 1
    assert spool.push_history([sample(50)]) == 0
    spool.close()
    again = Spool(path, WIDE, Clock())
    again.open()
    assert again.status() == status
    again.close()


def test_memory_is_bounded_and_kept_while_there_is_no_disk(path: Path) -> None:
    """Drop the oldest beyond a thousand, and stay in memory where the disk is not back."""
    path.mkdir(parents=True)
    spool = Spool(path, WIDE, Clock())
    with pytest.raises(sqlite3.OperationalError):
        spool.open()
    spool.open_in_memory()
    spool.push([sample(n * 86_400_000) for n in range(1200)])
    with pytest.raises(sqlite3.OperationalError):
        spool.open()
    status = spool.status()
    assert status.waiting == 1000
    assert balanced(status.counts, status.waiting)
    path.rmdir()
    spool.open()
    assert spool.status().waiting == 1000
    assert path.exists()
    spool.close()
