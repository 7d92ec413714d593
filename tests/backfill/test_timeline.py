"""The totals over time are those of the pages, whatever order time takes."""

from datetime import UTC, datetime

import pytest

from custom_components.nrj_monitor.backfill.journal import Flag, JournalPage
from custom_components.nrj_monitor.backfill.timeline import (
    STARTS,
    BootClock,
    EnergyTimeline,
)
from tests.backfill.pages import page, record

NOON = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp())
KWH = 1_000_000
LATER = NOON + 7 * 24 * 3600
BOOTED = {"7": float(NOON)}


def gain(milliwatthours: int) -> tuple[int, ...]:
    """Return the gain of a record that imports on L1."""
    return (milliwatthours, 0, 0, milliwatthours, 0, 0, 0, 0)


def read(records: list[bytes], **overrides: object) -> JournalPage:
    """Return a page whose uptime began at noon."""
    return JournalPage.from_device(
        page(
            records,
            **{"boot_time": NOON, "begin_uptime": 0, "uptime_ms": 0, **overrides},
        )
    )


def curve_of(*pages: JournalPage) -> EnergyTimeline:
    """Return the curve of pages."""
    curve = EnergyTimeline()
    for one in pages:
        curve.take(one, BOOTED, LATER)
    return curve


def value(curve: EnergyTimeline, seconds: float) -> float | None:
    """Return the total so many seconds after noon."""
    reading = curve.reading("import_energy", NOON + seconds)
    return None if reading is None else reading.value


def test_totals_grow_in_straight_lines_between_records() -> None:
    """Half of a record's time has half of its energy."""
    curve = curve_of(read([record(60, gain(KWH)), record(60, gain(3 * KWH))]))
    assert value(curve, 0) == 0
    assert value(curve, 30) == pytest.approx(0.5)
    assert value(curve, 60) == 1.0
    assert value(curve, 80) == pytest.approx(2.0)
    reading = curve.reading("import_energy", NOON + 80)
    assert reading is not None
    assert (reading.low, reading.high) == (1.0, 4.0)
    assert value(curve, -1) is None
    assert value(curve, 121) is None


def test_a_page_that_comes_twice_changes_nothing() -> None:
    """Repetitions are recognised by their time."""
    one = read([record(60, gain(KWH))])
    curve = curve_of(one, one)
    assert value(curve, 60) == 1.0
    assert len(curve.stretches) == 1


def test_a_merged_record_over_known_ones_adds_only_what_is_new() -> None:
    """The meter merged what was acknowledged with what was not."""
    curve = curve_of(
        read([record(60, gain(KWH))]),
        read([record(120, gain(3 * KWH), count=2)], last=2, newest=2),
    )
    assert value(curve, 60) == 1.0
    assert value(curve, 120) == 3.0


def test_energy_of_a_time_without_measurement_lies_between_its_ends() -> None:
    """After a power cut the meter knows how much, not when."""
    curve = curve_of(
        read(
            [
                record(60, gain(KWH)),
                record(0, gain(2 * KWH), flags=Flag.GAP),
                record(60, gain(KWH), flags=Flag.START),
            ],
            start_uptime=3600,
        )
    )
    assert value(curve, 60) == 1.0
    assert value(curve, 60 + 3540 / 2) == pytest.approx(2.0)
    assert value(curve, 3600) == 3.0
    assert value(curve, 3660) == 4.0
    assert [stretch.begin - NOON for stretch in curve.stretches] == [0, 3600]


def test_an_earlier_start_of_the_meter_says_its_own_time() -> None:
    """Records from before a reboot carry the time they were given then."""
    curve = curve_of(
        read(
            [
                record(60, gain(KWH), flags=Flag.START, start=NOON),
                record(60, gain(KWH), flags=Flag.START),
            ],
            begin_uptime="",
            start_uptime=600,
        )
    )
    assert value(curve, 60) == 1.0
    assert value(curve, 600) == 1.0
    assert value(curve, 660) == 2.0


def test_a_start_that_we_have_seen_is_dated_by_our_clock() -> None:
    """Whatever the meter's clock told then, and until a power cut."""
    curve = EnergyTimeline()
    curve.take(
        read(
            [
                record(
                    60,
                    gain(KWH),
                    flags=Flag.START,
                    start=NOON + 7200,
                    boot=5,
                    start_uptime=20,
                ),
                record(60, gain(KWH)),
            ],
            begin_uptime="",
        ),
        BOOTED | {"5": NOON - 20.0},
        LATER,
    )
    assert [value(curve, 60 * minute) for minute in range(3)] == [0, 1, 2]


def test_only_the_latest_starts_are_known() -> None:
    """A meter that starts again and again fills no memory."""
    dating = BootClock({str(number): 1.0 for number in range(STARTS)})
    assert dating.take(JournalPage.from_device(page(boot="99")), NOON)
    assert len(dating.known) == STARTS
    assert "0" not in dating.known
    assert not dating.take(JournalPage.from_device(page(boot="99")), NOON)


def test_records_of_the_future_have_no_time() -> None:
    """A clock that ran ahead before a reboot puts nothing where it can not be."""
    curve = curve_of(
        read(
            [
                record(60, gain(KWH), flags=Flag.START, start=LATER + 3600),
                record(60, gain(KWH), flags=Flag.START),
            ],
            begin_uptime="",
        )
    )
    assert value(curve, 60) == 2.0
    assert curve.begin == NOON


def test_records_of_a_clock_that_was_ahead_lie_before_the_next_start() -> None:
    """A start we have not seen, an hour ahead, ended by a power cut; then one we know."""
    known = read([record(60, gain(KWH)) for _ in range(3)], boot="6")
    later = NOON + 1800
    unseen = record(60, gain(KWH), flags=Flag.START, start=NOON + 300 + 3600, boot=5)
    after = read(
        [
            unseen,
            record(60, gain(KWH)),
            record(1, flags=Flag.GAP),
            record(60, gain(KWH), flags=Flag.START),
            record(60, gain(KWH)),
        ],
        after=3,
        last=8,
        begin_uptime="",
        counters=f"{3 * KWH},0,0,{3 * KWH},0,0,0,0",
    )
    curve = EnergyTimeline()
    curve.take(known, {"6": float(NOON)}, LATER)
    for _ in range(2):
        curve.take(after, {"6": float(NOON), "7": float(later)}, LATER)
        assert value(curve, 180) == 3.0
        assert value(curve, 1800) == 5.0
        assert value(curve, 1860) == 6.0
        assert curve.end == later + 120
        assert all(one.end <= later + 120 for one in curve.stretches)


def test_a_journal_that_begins_in_the_future_begins_with_the_next_start() -> None:
    """Else nothing would be known until that time has come."""
    curve = curve_of(
        read(
            [record(60, gain(KWH)), record(60, gain(KWH), flags=Flag.START)],
            begin_time=LATER + 24 * 3600,
            begin_uptime="",
        )
    )
    assert (curve.begin, curve.end) == (NOON, NOON + 60)
    assert value(curve, 0) == 1.0


@pytest.mark.parametrize("error", [-7200, -40, 3600, 86400])
def test_a_clock_that_was_wrong_until_a_power_cut_is_put_right(error: int) -> None:
    """The records go on where those that came before the cut have ended."""
    curve = curve_of(read([record(60, gain(KWH)) for _ in range(3)]))
    curve.take(
        read(
            [record(60, gain(KWH)) for _ in range(5)],
            after=1,
            last=6,
            begin_time=NOON + 60 + error,
            begin_uptime="",
            counters=f"{KWH},0,0,{KWH},0,0,0,0",
        ),
        BOOTED,
        LATER,
    )
    assert [value(curve, 60 * minute) for minute in range(7)] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("error", [0, -40, -3600, 3600])
def test_a_merged_record_of_a_wrong_clock_is_put_right(error: int) -> None:
    """Known until minute three, in the midst of a record of five minutes."""
    curve = curve_of(read([record(60, gain(KWH)) for _ in range(3)]))
    curve.take(
        read(
            [record(300, gain(5 * KWH), count=5), record(60, gain(KWH))],
            last=6,
            begin_time=NOON + error,
            begin_uptime="",
        ),
        BOOTED,
        LATER,
    )
    assert curve.end == NOON + 360


def test_totals_that_begin_anew_begin_a_new_curve() -> None:
    """Nothing is computed across a reset of the counters."""
    curve = curve_of(
        read([record(60, gain(KWH))], counters="5,0,0,5,0,0,0,0"),
        read([record(60, gain(7))], begin_uptime=120, after=1, last=2, newest=2),
    )
    assert value(curve, 60) is None
    assert value(curve, 180) == pytest.approx(7 / KWH)


def test_a_curve_goes_on_from_where_it_was_kept() -> None:
    """The anchor stands for all that was used before."""
    curve = EnergyTimeline((float(NOON), (KWH,) * 8))
    curve.take(
        read(
            [record(60, gain(KWH))], begin_uptime=60, counters=",".join(["2000000"] * 8)
        ),
        BOOTED,
        LATER,
    )
    assert value(curve, 30) == pytest.approx(1.5)
    assert value(curve, 120) == 3.0


def test_what_is_used_is_forgotten_and_the_rest_stays() -> None:
    """Only the point before and what follows are kept."""
    curve = curve_of(read([record(60, gain(KWH))] * 5))
    curve.forget_before(NOON + 130)
    assert curve.begin == NOON + 120
    assert value(curve, 130) == pytest.approx(2 + 1 / 6)
    assert value(curve, 119) is None
    assert len(curve.stretches) == 3
    assert curve.counters_at(NOON + 120) == (2 * KWH, 0, 0, 2 * KWH, 0, 0, 0, 0)
    assert curve.counters_at(NOON + 121) is None


def test_the_sequence_follows_the_time() -> None:
    """What ended before a time is what may be forgotten."""
    curve = curve_of(read([record(60), record(120, count=2)], last=3, newest=3))
    assert curve.sequence_at(NOON - 1) == 0
    assert curve.sequence_at(NOON + 61) == 1
    assert curve.sequence_at(NOON + 180) == 3


def test_mean_power_is_what_was_counted_over_its_time() -> None:
    """Import less export, divided by the seconds that were measured."""
    net = (1000, 0, 0, 400, 0, 0, 0, 100)
    records = [
        record(60, net, powers=(None, None, None, (-5, 40))),
        record(60, net, powers=(None, None, None, (7, 90))),
    ]
    told = curve_of(read(records)).summary("active_power", NOON, NOON + 3600)
    assert told is not None
    summary, seconds = told
    assert seconds == 120
    assert summary.mean == pytest.approx(300 * 3.6 / 60)
    assert (summary.minimum, summary.maximum) == (-5, 90)


def test_an_hour_has_only_its_own_part_of_a_record() -> None:
    """A record over the hour lends its mean for the time on each side."""
    records = [
        record(60, voltages=((11500, 11400, 11600), None, None)),
        record(60, voltages=((11000, 10900, 11100), None, None)),
    ]
    curve = curve_of(read(records))
    told = curve.summary("voltage_l1", NOON + 30, NOON + 90)
    assert told is not None
    assert told[0].mean == pytest.approx(225.0)
    assert curve.summary("voltage_l1", NOON + 120, NOON + 180) is None
    assert curve.summary("voltage_l2", NOON, NOON + 60) is None


def dated(dating: BootClock, page: JournalPage, now: float) -> float:
    """Return when the start of a page was, once it has come."""
    dating.take(page, now)
    return dating.known[page.boot]


def test_the_meters_clock_is_believed_where_it_agrees() -> None:
    """Then the same records get the same times each time they come."""
    dating = BootClock()
    for late in (0.0, 0.7, 15.0):
        uptime = 100 + late
        told = JournalPage.from_device(page(boot_time=NOON, uptime_ms=100_000))
        assert dated(dating, told, NOON + uptime) == NOON


def test_a_clock_that_is_wrong_is_replaced_by_ours() -> None:
    """Uptime tells when a record was made; the fastest page tells it best."""
    dating = BootClock()
    wrong = JournalPage.from_device(page(boot_time=NOON + 3600, uptime_ms=100_000))
    assert dated(dating, wrong, NOON + 103.0) == NOON + 3
    assert dated(dating, wrong, NOON + 100.5) == NOON + 0.5
    assert dated(dating, wrong, NOON + 102.0) == NOON + 0.5
    unset = JournalPage.from_device(page(boot="8", uptime_ms=50_000))
    assert dated(dating, unset, NOON + 100.0) == NOON + 50


def test_a_curve_of_another_journal_keeps_its_last_totals() -> None:
    """A meter that began its journal anew has gone on counting."""
    curve = curve_of(read([record(60, gain(KWH))])).continued()
    assert curve.begin == NOON + 60
    assert curve.sequence_at(NOON + 60) == 0
    assert EnergyTimeline().continued().begin is None
