"""Hostile queue files: whatever is in one, forwarding goes on with exact counts."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import sqlite3
import tempfile
from typing import Any

from hypothesis import example, given, strategies as st

from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.spool import Limits, QueueId, Spool
from tests.support.attack import examples, watched
from tests.support.hostile import json_values

RECORDS = 120
NOW = 10_000_000

CELLS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20).filter(lambda t: t.isprintable()),
    st.binary(max_size=40),
    st.sampled_from((b"[" * 50_000, b'{"a":' + b"9" * 400 + b"}", b'{"a":NaN}', b"[]")),
    json_values().map(lambda value: str(value).encode("utf-8", "replace")),
)

type Damage = Callable[[Path], None]


def _bytes(place: float, content: bytes) -> Damage:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(int(place * path.stat().st_size))
            file.write(content)

    return damage


def _truncated(place: float) -> Damage:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.truncate(int(place * path.stat().st_size))

    return damage


def _cell(place: tuple[str, str], row: int, value: Any) -> Damage:
    table, column = place

    def damage(path: Path) -> None:
        db = sqlite3.connect(path)
        try:
            db.execute(
                f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid ="  # noqa: S608
                f" (SELECT rowid FROM {table} LIMIT 1 OFFSET ?)",
                (value, row),
            )
            db.commit()
        except sqlite3.Error:
            # The table takes no such value, or is damaged already.
            pass
        finally:
            db.close()

    return damage


COLUMNS = (
    *(("records", c) for c in ("lane", "time", "count", "in_flight", "body")),
    *(("set_aside", c) for c in ("time", "body", "reason")),
    *(("unconfirmed", c) for c in ("count", "sent", "body")),
    *(("counts", c) for c in ("name", "value")),
    *(("notes", "value"), ("history_known", "time")),
)
DAMAGES: st.SearchStrategy[Damage] = st.one_of(
    st.builds(
        _cell,
        st.sampled_from(COLUMNS),
        st.integers(0, 20),
        CELLS,
    ),
    st.builds(_bytes, st.floats(0, 1), st.sampled_from((bytes(4096), b"\xff" * 64))),
    st.builds(_bytes, st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    st.builds(_truncated, st.floats(0, 1)),
)


def _stored(folder: Path) -> Path:
    path = folder / "queue.sqlite"
    spool = _spool(path)
    spool.open()
    spool.push(Sample(n * 1000, {"active_power": float(n)}) for n in range(RECORDS))
    spool.push_history(
        Sample(n * 1000 + 500, {"import_energy": 1.0}) for n in range(20)
    )
    spool.add_dead_letter(spool.head(QueueId.LIVE, 1)[0], "no")
    sent = spool.head(QueueId.LIVE, 5)
    spool.mark_in_flight(sent)
    spool.remove_sent(sent[:3])
    spool.remember_notify_url("http://x/v2/notify")
    spool.close()
    return path


def _spool(path: Path) -> Spool:
    return Spool(path, Limits(rows=500), lambda: NOW, history=True, confirms=True)


def _check(damages: list[Damage]) -> None:
    """Damage a file, use it, and check the books."""
    with tempfile.TemporaryDirectory() as name:
        path = _stored(Path(name))
        for damage in damages:
            damage(path)
        spool = _spool(path)
        failures = 0
        new: list[int] = []
        for n in range(12):
            try:
                spool.open()
                time = NOW - 1000 + n
                if spool.push([Sample(time, {"active_power": 1.0})]):
                    new.append(time)
                for queue in QueueId:
                    flying = spool.in_flight(queue)
                    spool.clear_in_flight(flying)
                    batch = spool.head(queue, 200)
                    assert all(record.sample.values is not None for record in batch)
                    spool.mark_in_flight(batch)
                    spool.remove_sent(batch)
                spool.confirm(spool.unconfirmed(2**60, 99), set())
                spool.notify_url()
                spool.dead_letters()
                status = spool.status()
                counts = status.counts
                met = counts.sent + counts.dropped + counts.refused + counts.thinned
                assert counts.taken == met + status.waiting
            except sqlite3.Error:
                failures += 1
        # Each kind of damage is found once; nothing fails for ever.
        assert failures <= 6
        assert new[-1] == NOW - 1000 + 11
        spool.close()
        again = _spool(path)
        again.open()
        assert again.push([Sample(NOW, {"active_power": 1.0})]) == 1
        again.close()
        size = sum(file.stat().st_size for file in Path(name).iterdir())
        assert size < 2_000_000


async def test_whatever_is_in_a_queue_forwarding_goes_on() -> None:
    """After any damage: what is new is stored and sent, counts are exact, files bounded."""
    with watched("queue") as promises:

        @examples(30)
        # SQLite quotes the damaged name in its error, which is no UTF-8 then.
        @example([_bytes(0.06839888220198433, b"\xb4\xaa\x0c4\xae$\xef\xcb")])
        # Names of counts that are no UTF-8.
        @example([_bytes(0.7835775282873352, b"\xff" * 64)])
        @given(st.lists(DAMAGES, min_size=1, max_size=4))
        def run(damages: list[Damage]) -> None:
            _check(damages)
            promises.inputs += len(damages)

        await asyncio.to_thread(run)
