"""Timeline of energy totals from journal pages, whatever the meter's clock had."""

from datetime import UTC, datetime

import pytest

from custom_components.nrj_monitor.backfill.journal import Flag, JournalPage
from custom_components.nrj_monitor.backfill.timeline import EnergyTimeline
from tests.backfill.journal_pages import page, record

NOON = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp())
KWH = 1_000_000
LATER = NOON + 7 * 24 * 3600
BOOTED = {"7": float(NOON)}


def gain(milliwatthours: int) -> tuple[int, ...]:
    """Return the gain of an import on L1, in the order of `COUNTERS`."""
    return (milliwatthours, 0, 0, milliwatthours, 0, 0, 0, 0)


def page_of(records: list[bytes], **overrides: object) -> JournalPage:
    """Return a decoded page of a meter started at noon."""
    return JournalPage.from_device(
        page(
            records,
            **{"boot_time": NOON, "begin_uptime": 0, "uptime_ms": 0, **overrides},
        )
    )


def timeline_of(*pages: JournalPage) -> EnergyTimeline:
    """Return the timeline of pages."""
    timeline = EnergyTimeline()
    for each in pages:
        timeline.add_page(each, BOOTED, LATER)
    return timeline


def total(timeline: EnergyTimeline, seconds: float) -> float | None:
    """Return the imported energy so many seconds after noon, kWh."""
    estimate = timeline.energy_at("import_energy", NOON + seconds)
    return None if estimate is None else estimate.value


def test_totals_grow_in_straight_lines_between_points() -> None:
    """Half of the time of a record has half of its energy."""
    timeline = timeline_of(page_of([record(60, gain(KWH)), record(60, gain(3 * KWH))]))
    assert total(timeline, 0) == 0
    assert total(timeline, 30) == pytest.approx(0.5)
    assert total(timeline, 60) == 1.0
    assert total(timeline, 80) == pytest.approx(2.0)
    estimate = timeline.energy_at("import_energy", NOON + 80)
    assert estimate is not None
    assert (estimate.low, estimate.high) == (1.0, 4.0)
    assert total(timeline, -1) is None
    assert total(timeline, 121) is None


def test_repeated_page_changes_nothing() -> None:
    """Repeated records are recognised by their time."""
    same = page_of([record(60, gain(KWH))])
    timeline = timeline_of(same, same)
    assert total(timeline, 60) == 1.0
    assert len(timeline.intervals) == 1


def test_merged_record_adds_only_its_new_part() -> None:
    """The meter has merged an acknowledged record with a new one."""
    timeline = timeline_of(
        page_of([record(60, gain(KWH))]),
        page_of([record(120, gain(3 * KWH), count=2)], last=2, newest=2),
    )
    assert total(timeline, 60) == 1.0
    assert total(timeline, 120) == 3.0


def test_energy_of_a_power_cut_lies_between_its_ends() -> None:
    """After a power cut the meter has the energy, without times."""
    timeline = timeline_of(
        page_of(
            [
                record(60, gain(KWH)),
                record(0, gain(2 * KWH), flags=Flag.GAP),
                record(60, gain(KWH), flags=Flag.START),
            ],
            start_uptime=3600,
        )
    )
    assert total(timeline, 60) == 1.0
    assert total(timeline, 60 + 3540 / 2) == pytest.approx(2.0)
    assert total(timeline, 3600) == 3.0
    assert total(timeline, 3660) == 4.0
    assert [interval.begin - NOON for interval in timeline.intervals] == [0, 3600]


def test_earlier_start_is_dated_by_its_record() -> None:
    """Records from before a reboot carry the time of the meter's clock then."""
    timeline = timeline_of(
        page_of(
            [
                record(60, gain(KWH), flags=Flag.START, start=NOON),
                record(60, gain(KWH), flags=Flag.START),
            ],
            begin_uptime="",
            start_uptime=600,
        )
    )
    assert total(timeline, 60) == 1.0
    assert total(timeline, 600) == 1.0
    assert total(timeline, 660) == 2.0


def test_start_with_a_known_boot_time_is_dated_by_home_assistant() -> None:
    """The boot time counts, whatever the meter's own clock had."""
    timeline = EnergyTimeline()
    timeline.add_page(
        page_of(
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
    assert [total(timeline, 60 * minute) for minute in range(3)] == [0, 1, 2]


def test_records_in_the_future_are_undated() -> None:
    """Records of a clock ahead of time before a reboot add no points."""
    timeline = timeline_of(
        page_of(
            [
                record(60, gain(KWH), flags=Flag.START, start=LATER + 3600),
                record(60, gain(KWH), flags=Flag.START),
            ],
            begin_uptime="",
        )
    )
    assert total(timeline, 60) == 2.0
    assert timeline.begin == NOON


def test_records_dated_after_the_next_start_are_undated() -> None:
    """A start with an unknown clock an hour ahead is followed by a known start."""
    known = page_of([record(60, gain(KWH)) for _ in range(3)], boot="6")
    later = NOON + 1800
    unseen = record(60, gain(KWH), flags=Flag.START, start=NOON + 300 + 3600, boot=5)
    after = page_of(
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
    timeline = EnergyTimeline()
    timeline.add_page(known, {"6": float(NOON)}, LATER)
    for _ in range(2):
        timeline.add_page(after, {"6": float(NOON), "7": float(later)}, LATER)
        assert total(timeline, 180) == 3.0
        assert total(timeline, 1800) == 5.0
        assert total(timeline, 1860) == 6.0
        assert timeline.end == later + 120
        assert all(interval.end <= later + 120 for interval in timeline.intervals)


def test_journal_that_begins_in_the_future_begins_with_the_next_start() -> None:
    """No point could otherwise be added before the journal's begin."""
    timeline = timeline_of(
        page_of(
            [record(60, gain(KWH)), record(60, gain(KWH), flags=Flag.START)],
            begin_time=LATER + 24 * 3600,
            begin_uptime="",
        )
    )
    assert (timeline.begin, timeline.end) == (NOON, NOON + 60)
    assert total(timeline, 0) == 1.0


@pytest.mark.parametrize("error", [-7200, -40, 3600, 86400])
def test_clock_that_was_wrong_until_a_power_cut_is_corrected(error: int) -> None:
    """The records continue where the records from before the cut have ended."""
    timeline = timeline_of(page_of([record(60, gain(KWH)) for _ in range(3)]))
    timeline.add_page(
        page_of(
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
    assert [total(timeline, 60 * minute) for minute in range(7)] == list(range(7))


@pytest.mark.parametrize("error", [0, -40, -3600, 3600])
def test_merged_record_of_a_wrong_clock_is_corrected(error: int) -> None:
    """The timeline ends at minute three, amid a merged record of five minutes."""
    timeline = timeline_of(page_of([record(60, gain(KWH)) for _ in range(3)]))
    timeline.add_page(
        page_of(
            [record(300, gain(5 * KWH), count=5), record(60, gain(KWH))],
            last=6,
            begin_time=NOON + error,
            begin_uptime="",
        ),
        BOOTED,
        LATER,
    )
    assert timeline.end == NOON + 360


def test_reset_of_the_totals_begins_a_new_timeline() -> None:
    """No total is interpolated across a reset of the counters."""
    timeline = timeline_of(
        page_of([record(60, gain(KWH))], counters="5,0,0,5,0,0,0,0"),
        page_of([record(60, gain(7))], begin_uptime=120, after=1, last=2, newest=2),
    )
    assert total(timeline, 60) is None
    assert total(timeline, 180) == pytest.approx(7 / KWH)


def test_timeline_continues_from_its_anchor() -> None:
    """The anchor stands for all earlier records."""
    timeline = EnergyTimeline((float(NOON), (KWH,) * 8))
    timeline.add_page(
        page_of(
            [record(60, gain(KWH))], begin_uptime=60, counters=",".join(["2000000"] * 8)
        ),
        BOOTED,
        LATER,
    )
    assert total(timeline, 30) == pytest.approx(1.5)
    assert total(timeline, 120) == 3.0


def test_discarding_keeps_the_point_before_a_time() -> None:
    """The last point before the time and all later points are kept."""
    timeline = timeline_of(page_of([record(60, gain(KWH))] * 5))
    timeline.discard_before(NOON + 130)
    assert timeline.begin == NOON + 120
    assert total(timeline, 130) == pytest.approx(2 + 1 / 6)
    assert total(timeline, 119) is None
    assert len(timeline.intervals) == 3
    assert timeline.counters_at(NOON + 120) == (2 * KWH, 0, 0, 2 * KWH, 0, 0, 0, 0)
    assert timeline.counters_at(NOON + 121) is None


def test_sequence_is_that_of_the_last_ended_record() -> None:
    """The meter may drop the records ending by a time."""
    timeline = timeline_of(
        page_of([record(60), record(120, count=2)], last=3, newest=3)
    )
    assert timeline.sequence_at(NOON - 1) == 0
    assert timeline.sequence_at(NOON + 61) == 1
    assert timeline.sequence_at(NOON + 180) == 3


def test_mean_power_is_net_energy_over_measured_time() -> None:
    """Import less export is divided by the measured seconds."""
    net = (1000, 0, 0, 400, 0, 0, 0, 100)
    records = [
        record(60, net, powers=(None, None, None, (-5, 40))),
        record(60, net, powers=(None, None, None, (7, 90))),
    ]
    known = timeline_of(page_of(records)).summary("active_power", NOON, NOON + 3600)
    assert known is not None
    summary, seconds = known
    assert seconds == 120
    assert summary.mean == pytest.approx(300 * 3.6 / 60)
    assert (summary.minimum, summary.maximum) == (-5, 90)


def test_summary_has_only_its_own_part_of_a_record() -> None:
    """A record across a limit lends its mean for the time within."""
    records = [
        record(60, voltages=((11500, 11400, 11600), None, None)),
        record(60, voltages=((11000, 10900, 11100), None, None)),
    ]
    timeline = timeline_of(page_of(records))
    known = timeline.summary("voltage_l1", NOON + 30, NOON + 90)
    assert known is not None
    assert known[0].mean == pytest.approx(225.0)
    assert timeline.summary("voltage_l1", NOON + 120, NOON + 180) is None
    assert timeline.summary("voltage_l2", NOON, NOON + 60) is None


def test_timeline_of_a_new_journal_keeps_the_last_totals() -> None:
    """A meter with a new journal has gone on counting."""
    timeline = timeline_of(page_of([record(60, gain(KWH))])).for_new_journal()
    assert timeline.begin == NOON + 60
    assert timeline.sequence_at(NOON + 60) == 0
    assert EnergyTimeline().for_new_journal().begin is None


@pytest.mark.parametrize("energy", [10**15, 300 * KWH])
def test_impossible_record_adds_nothing(energy: int) -> None:
    """No meter counts that much in a minute; the totals of the next page are true."""
    timeline = timeline_of(
        page_of([record(60, gain(KWH)), record(60, gain(energy))]),
        page_of(
            [record(60, gain(KWH))],
            after=2,
            last=3,
            begin_uptime=120,
            counters=",".join(map(str, gain(2 * KWH))),
        ),
    )
    assert total(timeline, 180) == 3.0


def test_impossible_totals_are_no_points() -> None:
    """Whatever follows them in the same page is left out too."""
    timeline = timeline_of(
        page_of([record(60, gain(KWH))]),
        page_of(
            [record(60, gain(KWH))],
            after=1,
            last=2,
            begin_uptime=60,
            counters=",".join(map(str, gain(10**15))),
        ),
    )
    assert timeline.end == NOON + 60


def test_impossible_measurement_is_left_out() -> None:
    """The record's energy and its other measurements stay."""
    page = page_of(
        [
            record(
                60,
                gain(KWH),
                powers=(None, None, None, (-(10**12), 2000)),
                voltages=((11500, 11400, 11600), None, None),
            )
        ]
    )
    assert set(page.records[0].measured) == {"voltage_l1"}
    assert page.records[0].refused == {"active_power": -(10**12)}
    assert page.records[0].energy == gain(KWH)


def test_time_between_dropped_records_is_not_recorded() -> None:
    """Records of any length tell of their time; short times without one count as told."""
    timeline = timeline_of(
        page_of([record(60, gain(KWH))]),
        page_of(
            [record(6 * 3600, gain(KWH), count=360)],
            after=100,
            last=460,
            begin_uptime=5 * 3600,
            counters=",".join(map(str, gain(2 * KWH))),
        ),
        page_of(
            [record(60, gain(KWH))],
            after=500,
            last=501,
            begin_uptime=12 * 3600,
            counters=",".join(map(str, gain(3 * KWH))),
        ),
    )
    recorded = [hour for hour in range(14) if timeline.is_recorded(NOON + hour * 3600)]
    assert recorded == [0, *range(5, 14)]


@pytest.mark.parametrize(
    ("span", "flags"),
    [
        pytest.param(3601, Flag(0), id="longer than a record can be"),
        pytest.param(365 * 24 * 3600, Flag.HOLE, id="over a clock a year ahead"),
    ],
)
def test_record_that_is_too_long_has_no_time(span: int, flags: Flag) -> None:
    """Its energy falls before the next start."""
    timeline = EnergyTimeline()
    timeline.add_page(
        page_of(
            [
                record(span, gain(KWH), flags=flags),
                record(60, gain(KWH), flags=Flag.START),
            ],
            start_uptime=3600,
        ),
        BOOTED,
        LATER + 390 * 24 * 3600,
    )
    assert total(timeline, 3660) == 2.0
    assert timeline.end == NOON + 3660
