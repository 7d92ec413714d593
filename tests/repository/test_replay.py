"""Replay of recordings to the guard and the arbiter."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
import csv
from itertools import pairwise
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any
import wave

import numpy as np
import pytest

from custom_components.nrj_monitor.replay.errors import ReplayError
from custom_components.nrj_monitor.replay.moments import Row
from custom_components.nrj_monitor.replay.recording import read as read_recording
from custom_components.nrj_monitor.replay.recording_time import (
    TimeError,
    find_slash_order,
    parse,
)
from nrj_replay import firmware_guard
from nrj_replay.command import main
from tests.control.recordings import (
    DATA,
    GENERATION_LOSS,
    OVER_FREQUENCY,
    TOLEDO,
    Recorded,
)
from tests.support.skips import NOTHING_TO_DO, skip_for_good

ROOT = Path(__file__).parents[2]
HEADER = "time_s,frequency_hz,voltage_l1,voltage_l2,voltage_l3"

type Play = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def play(capsys: pytest.CaptureFixture[str]) -> Play:
    """Return a function to play a recording and get the printed lines."""

    def run(path: Path, profile: str, *options: str) -> list[dict[str, Any]]:
        assert main([str(path), "--profile", profile, *options]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., str]:
    """Return a function to play a bad file and get the error."""

    def run(
        text: str | bytes, *options: str, profile: str = "continental_europe"
    ) -> str:
        path = tmp_path / "bad.csv"
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        assert main([str(path), "--profile", profile, *options]) == 2
        printed = capsys.readouterr()
        assert not printed.out
        return printed.err

    return run


SLOW_COMPILER = """\
#!/bin/sh
echo built >>"$LOG"
while [ "$1" != -o ]; do shift; done
exec 3>"$2"
chmod +x "$2"
sleep 0.3
echo '#!/bin/sh' >&3
"""


def test_two_that_need_the_guard_at_once_build_the_guard_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run no program that another process is still writing."""
    compiler = tmp_path / "g++"
    compiler.write_text(SLOW_COMPILER)
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setattr(firmware_guard, "FOLDER", tmp_path / "build")

    def build_and_run(_: int) -> int:
        program = firmware_guard.program.__wrapped__()
        return subprocess.run([program], check=False).returncode

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(build_and_run, range(2))) == [0, 0]
    assert (tmp_path / "log").read_text() == "built\n"


def converted(recorded: Recorded, path: Path, until: float = 1e9) -> Path:
    """Write a recording in the columns the replay reads, scaled to 230 V."""
    scale = 230.0 / recorded.nominal_voltage
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time_s", "frequency_hz", "voltage_l1"])
        for sample in recorded.samples():
            if sample.time_ms / 1000 > until:
                break
            phase = sample.phases[0]
            rows.writerow(
                [sample.time_ms / 1000, phase.frequency, phase.voltage * scale]
            )
    return path


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a recording at 230 V."""
    return list(read_recording(path, 230.0).rows)


def stages(lines: Iterable[dict[str, Any]]) -> list[tuple[float, str, str]]:
    """Return the changes of the stage."""
    return [
        (line["t"], line["stage"], line["reason"])
        for line in lines
        if line.get("action") == "stage"
    ]


def test_iberian_blackout(play: Play, tmp_path: Path) -> None:
    """All sheddable loads are off in time, and without a frequency no load is restored."""
    lines = play(converted(TOLEDO, tmp_path / "toledo.csv"), "continental_europe")
    # 12:33:20 is the first sample below 49.2 Hz, 5600 s into the recording of one every
    # 2 s; the next confirms it. The voltage is gone another 2 s later.
    (_, *told) = [stage for stage in stages(lines) if stage[0] > 5580]
    assert told == [(5604.0, "invalid", "no_voltage")]
    shed = [line for line in lines if line.get("action") == "shed"]
    assert {line["t"] for line in shed} == {5602.0}
    assert {line["load"] for line in shed} == {
        "shed_1",
        "shed_2",
        "shed_3",
        "absorb",
        "surplus",
    }
    later = [line for line in lines if line.get("t", 0) > 5602]
    assert {line["action"] for line in later} <= {"stage", "hold"}
    summary = lines[-1]["summary"]
    assert summary["actions_by_kind"] == {"shed": 3}
    assert summary["off_at_the_end"] == ["shed_1", "shed_2", "shed_3"]


def test_loss_of_generation(play: Play, tmp_path: Path) -> None:
    """Each stage sheds its delay after the frequency falls below, and nothing absorbs."""
    path = converted(GENERATION_LOSS, tmp_path / "loss.csv")
    lines = play(path, "north_america")
    entered = {stage: t for t, stage, _ in reversed(stages(lines))}
    for stage, hertz, delay in (
        ("shed_1", 59.90, 1.0),
        ("shed_2", 59.80, 0.5),
    ):
        # Since when it has been below without a break.
        since: float | None = None
        for sample in GENERATION_LOSS.samples():
            if sample.time_ms / 1000 > entered[stage]:
                break
            if sample.phases[0].frequency >= hertz:
                since = None
            elif since is None:
                since = sample.time_ms / 1000
        assert since is not None
        assert 0 <= entered[stage] - since - delay <= 0.150
    assert not {"absorb", "restore"} & {line.get("action") for line in lines}
    assert "shed_3" not in entered


def test_over_frequency(play: Play, tmp_path: Path) -> None:
    """A storage load is started."""
    lines = play(converted(OVER_FREQUENCY, tmp_path / "over.csv"), "north_america")
    absorbed = [line["load"] for line in lines if line.get("action") == "absorb"]
    assert absorbed[0] in {"absorb", "surplus"}


def from_wave(path: Path) -> list[tuple[float, float]]:
    """Return frequency over 25 cycles of a recorded waveform, by its zero crossings."""
    if not path.exists():
        skip_for_good(f"the recording {path.name} is not in ../shared/data")
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    samples -= samples.mean()
    at = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    times = (at - samples[at] / (samples[at + 1] - samples[at])) / rate
    every = times[::25]
    return [
        (float(later), 25.0 / float(later - earlier))
        for earlier, later in pairwise(every)
    ]


@pytest.mark.parametrize("name", ["001_ref.wav", "070_ref.wav"])
def test_quiet_day_switches_nothing(play: Play, tmp_path: Path, name: str) -> None:
    """Minutes of an ordinary real grid cause no switching."""
    found = from_wave(DATA / "mains_waveform" / name)
    assert len(found) > 500
    path = tmp_path / "quiet.csv"
    path.write_text(
        "\n".join(["time_s,frequency_hz", *(f"{t:.4f},{f:.5f}" for t, f in found)])
    )
    lines = play(path, "continental_europe")
    assert lines[-1]["summary"]["actions"] == 0
    assert all(line["load"] is None for line in lines[:-1])
    assert stages(lines)[-1][1] == "normal"


def test_oscillations_before_the_blackout_switch_nothing(
    play: Play, tmp_path: Path
) -> None:
    """Ninety minutes of oscillations and lost samples cause no switching."""
    lines = play(
        converted(TOLEDO, tmp_path / "before.csv", until=5580), "continental_europe"
    )
    assert lines[-1]["summary"]["actions"] == 0
    assert all(line["load"] is None for line in lines[:-1])


LOADS = """
limits:
  contract: {power: 6000, tolerance: strict}
  phases: {power: 5750}
loads:
  - name: boiler
    class: surplus
    power: 2000
    phase: L1
  - name: heater
    class: shed_1
    priority: 20
    power: 2500
    phase: L2
    minimum_off: 60
  - name: router
"""


def test_a_contract_that_bills_a_quarter_hour(play: Play, tmp_path: Path) -> None:
    """The file of a house takes the mean of an interval as its tolerance."""
    path = tmp_path / "house.csv"
    rows = ["time_s,frequency_hz,power_l1,power_l2,power_l3"]
    rows += [f"{second},50.0,0,7000,0" for second in range(0, 900, 5)]
    path.write_text("\n".join(rows))
    loads = tmp_path / "loads.yaml"
    loads.write_text(LOADS.replace("strict", "quarter_hour"))
    lines = play(path, "continental_europe", "--loads", str(loads))
    shed = [line["t"] for line in lines[:-1] if line["action"] == "shed"]
    assert len(shed) == 1
    assert 120 < shed[0] < 600


def test_a_quarter_hour_is_that_of_the_clock(play: Play, tmp_path: Path) -> None:
    """A recording that begins at 12:07 has eight minutes until the first quarter hour."""
    path = tmp_path / "house.csv"
    rows = ["time,frequency_hz,power_l1,power_l2,power_l3"]
    rows += [
        f"2025-06-01T12:{second // 60:02}:{second % 60:02}Z,50.0,0,7000,0"
        for second in range(7 * 60, 20 * 60, 5)
    ]
    path.write_text("\n".join(rows))
    loads = tmp_path / "loads.yaml"
    loads.write_text(LOADS.replace("strict", "quarter_hour"))
    lines = play(path, "continental_europe", "--loads", str(loads))
    shed = [line["t"] for line in lines[:-1] if line["action"] == "shed"]
    # The minutes before the recording are taken to have been like it.
    assert shed[0] < 10


def test_house_with_limits_and_surplus(play: Play, tmp_path: Path) -> None:
    """Surplus heats water, an overload sheds the heater, and each line has its reason."""
    path = tmp_path / "house.csv"
    rows = ["time,frequency_hz,power_l1,power_l2,power_l3"]
    for second in range(0, 1500, 5):
        drawn = "-3000,0,0" if second < 600 else "1000,5500,500"
        rows.append(
            f"2025-06-01T12:{second // 60:02}:{second % 60:02}+02:00,50.0,{drawn}"
        )
    path.write_text("\n".join(rows))
    loads = tmp_path / "loads.yaml"
    loads.write_text(LOADS)
    lines = play(path, "continental_europe", "--loads", str(loads))
    did = {
        (line["load"], line["action"], line["reason"]): line["t"]
        for line in reversed(lines[:-1])
    }
    assert 60 <= did["boiler", "absorb", "surplus"] <= 100
    assert 600 <= did["heater", "shed", "overload"] <= 700
    assert did["boiler", "shed", "overload"] >= 600, "storage loads first"
    assert did["boiler", "shed", "overload"] <= did["heater", "shed", "overload"]
    assert "heater" in lines[-1]["summary"]["seconds_off"]


def test_charger_follows_the_surplus(play: Play, tmp_path: Path) -> None:
    """Each step of the charger is a line with its set-point."""
    path = tmp_path / "house.csv"
    rows = ["time_s,frequency_hz,power_l1,power_l2,power_l3"]
    for second in range(0, 900, 5):
        drawn = 0 if second < 300 else -2000 if second < 600 else -3000
        rows.append(f"{second},50.0,{drawn},0,0")
    path.write_text("\n".join(rows))
    loads = tmp_path / "loads.yaml"
    loads.write_text(
        "loads: [{name: car, class: surplus, power: 3680, phase: L1,"
        " least_power: 1380, power_step: 230}]"
    )
    lines = play(path, "continental_europe", "--loads", str(loads))
    powers = [line["power"] for line in lines[:-1] if "power" in line]
    assert powers == [8 * 230, 12 * 230]


def test_custom_thresholds(
    play: Play, refused: Callable[..., str], tmp_path: Path
) -> None:
    """The profile custom reads thresholds from a file, and names errors in the file."""
    custom = {
        "nominal": 50,
        "inhibit": {"frequency": 49.95, "delay": 1},
        "shed_1": {"frequency": 49.9, "delay": 0.5},
        "shed_2": {"frequency": 49.8, "delay": 0.5},
        "shed_3": {"frequency": 49.7, "delay": 0.5},
        "restore": {"frequency": 49.95, "delay": 30},
        "absorb_1": {"frequency": 50.1, "delay": 1},
        "absorb_2": {"frequency": 50.2, "delay": 1},
        "release": {"frequency": 50.0, "delay": 30},
    }
    file = tmp_path / "thresholds.yaml"
    file.write_text(json.dumps(custom))
    rows = [f"{t / 5},{50.0 if t < 100 else 49.88}" for t in range(200)]
    path = tmp_path / "sag.csv"
    path.write_text("\n".join(["time_s,frequency_hz", *rows]))
    lines = play(path, "custom", "--thresholds", str(file))
    assert (20.6, "shed_1", "under_frequency") in stages(lines)
    good = path.read_text()
    file.write_text(json.dumps(custom | {"shed_1": {"frequency": 49.5, "delay": 1}}))
    said = refused(good, "--thresholds", str(file), profile="custom")
    assert "deeper shedding stage" in said
    file.write_text("nominal: 50")
    assert "inhibit" in refused(good, "--thresholds", str(file), profile="custom")
    file.write_text("a: [")
    assert "no YAML" in refused(good, "--thresholds", str(file), profile="custom")
    assert "go together" in refused(good, profile="custom")
    missing = str(tmp_path / "none")
    assert "cannot be read" in refused(good, "--thresholds", missing, profile="custom")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs the columns"),
        ("time_s,hz\n0,50\n", "frequency_hz"),
        ("frequency_hz\n50\n", "time_s"),
        (f"{HEADER}\n0,50,230,230,230\n", "at least 2"),
        (f"{HEADER}\n0,50,230,230,230\n1,fifty,230,230,230\n", "line 3, frequency_hz"),
        (f"{HEADER}\n0,50,230,230,230\n1,50,230\n", "line 3 has 3 columns"),
        (f"{HEADER}\n1,50,230,230,230\n0,50,230,230,230\n", "goes back in time by 1 s"),
        (f"{HEADER}\nnan,50,230,230,230\n", "no time"),
        (f"{HEADER}\n0,50,230,230,230\n1e30,50,230,230,230\n", "'1e30' is no time"),
        (
            "time,frequency\n0,50,1\n1,50,2\n",
            "export with semicolons or tabs between the columns",
        ),
        (
            'time,frequency,power_l1\n"0",50.5,"1,234"\n',
            "'1,234' may be 1234 or 1.234: export with decimal points",
        ),
        ("time frequency\n0 50\n", "with commas between the columns"),
        ("time,frequency_hz\nyesterday,50\n", "line 2: 'yesterday' is no time: write"),
        ("time,frequency_hz\n03/04/2025 00:00,50\n", "either of two months"),
        ("time,frequency_hz\n2025-10-26 02:10,50\n2025-10-26 02:00,50\n", "+01:00"),
        (
            "time;frequency\n0;50,1\n1;50.1\n",
            "line 3, frequency_hz: '50.1' has another",
        ),
        ("time;frequency\n0;1.050,1\n", "nothing between thousands"),
        ("time,frequency (V)\n0,50\n", "no unit of frequency_hz"),
        ("time_s,time_s,frequency_hz\n", "twice"),
        (b"\xff\xfe\x00binary", "UTF-8"),
        ('time_s,frequency_hz\n"' + "a" * 200_000, "no CSV"),
    ],
)
def test_bad_recording_is_refused(
    refused: Callable[..., str], text: str | bytes, said: str
) -> None:
    """The error names file, line and the expected value."""
    assert said in refused(text)


def test_rows_before_a_bad_one_are_played(
    play: Play, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Read a recording while it is played: a bad last row stops nothing before it."""
    path = tmp_path / "long.csv"
    rows = [f"{t},{50.0 if t < 12_000 else 49.7}" for t in range(12_100)]
    path.write_text("\n".join(["time_s,frequency_hz", *rows, "later,50"]))
    assert main([str(path), "--profile", "continental_europe"]) == 2
    printed = capsys.readouterr()
    assert '"stage": "shed_1"' in printed.out
    assert "line 12102: 'later' is no time" in printed.err


def test_lines_say_whether_anything_was_switched(play: Play, tmp_path: Path) -> None:
    """Tell a storage load that is off anyway from a load that goes off."""
    path = tmp_path / "sag.csv"
    rows = [f"{t},{50.0 if t < 20 else 49.7}" for t in range(40)]
    path.write_text("\n".join(["time_s,frequency_hz", *rows]))
    lines = play(path, "continental_europe")[:-1]
    switched = {line["load"]: line["switched"] for line in lines}
    assert switched == {None: False, "shed_1": True, "absorb": False, "surplus": False}


def test_a_limit_without_powers_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Name limit and columns before anything else, as a line and as a sentence."""
    loads = tmp_path / "loads.yaml"
    loads.write_text(LOADS)
    options = ("--profile", "continental_europe", "--loads", str(loads))
    path = tmp_path / "grid.csv"
    for powers, says in ((",power_l1", False), ("", True)):
        zero = ",0" if powers else ""
        path.write_text(
            f"time_s,frequency_hz{powers}\n"
            + "".join(f"{t},50.0{zero}\n" for t in range(30))
        )
        assert main([str(path), *options]) == 0
        printed = capsys.readouterr()
        first = json.loads(printed.out.splitlines()[0])
        assert ((first["action"], first["reason"]) == ("notice", "no_power")) is says
        sentence = "(total, L1, L2, L3): add the columns power_l1"
        assert (sentence in printed.err) is says
        assert bool(printed.err) is says


def test_the_spread_of_a_device_is_played(play: Play, tmp_path: Path) -> None:
    """Move the thresholds outwards by the spread, and take no other than a device's."""
    path = tmp_path / "sag.csv"
    rows = [f"{t},{50.0 if t < 20 else 49.79}" for t in range(40)]
    path.write_text("\n".join(["time_s,frequency_hz", *rows]))
    at_once = stages(play(path, "continental_europe"))
    assert "shed_1" in {stage for _, stage, _ in at_once}
    spread = stages(play(path, "continental_europe", "--spread", "0.015"))
    assert {stage for _, stage, _ in spread} == {"normal", "inhibit"}
    with pytest.raises(SystemExit):
        main([str(path), "--profile", "continental_europe", "--spread", "0.5"])


START = """\
from nrj_replay.rules_alone import use_rules_alone
use_rules_alone()
import sys, nrj_replay.command
print([name for name in sys.modules if "homeassistant" in name])
"""


def test_a_start_loads_the_rules_alone(tmp_path: Path) -> None:
    """Import no Home Assistant, which takes seconds."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            START,
        ],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


FORMS = ROOT / "firmware_tests" / "cpp" / "mains_signal" / "recording_times.csv"


def test_times_are_read_as_the_simulated_meter_reads_them() -> None:
    """Take and refuse the forms of time that the firmware's reader takes and refuses."""
    _, *lines = FORMS.read_text().splitlines()
    assert len(lines) > 40
    for line in lines:
        text, expected = line.split("|")
        try:
            seconds = parse(text, find_slash_order(text)).seconds
        except TimeError:
            assert expected == "refused", text
        else:
            assert seconds == pytest.approx(float(expected), abs=1e-6), text


AUTUMN = [300.0, 300.0, 300.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Time;Frequency (Hz)\n30.03.2025 00:00:00;50,1\n30.03.2025 00:05;50\n", [300]),
        ("TIME,FREQUENCY_HZ\n1743285600000,50.1\n1743285660000,50\n", [60]),
        (
            (
                "time,frequency\n2014-10-26 02:50,50.1\n2014-10-26 02:55,50\n"
                "2014-10-26 02:00,50\n2014-10-26 02:05,50\n"
            ),
            AUTUMN,
        ),
        (
            (
                "time,frequency\n2014-10-26T02:50+02:00,50.1\n2014-10-26T02:55+02:00,50\n"
                "2014-10-26T02:00+01:00,50\n2014-10-26T02:05+01:00,50\n"
            ),
            AUTUMN,
        ),
        ("time,frequency (mHz)\n0,50100\n1,50000\n", [1]),
        ("time_s\tfrequency_hz\n0\t50,1\n1,5\t50\n", [1.5]),
        ('time_s,frequency_hz\n0,"50,1"\n"1,5","50,000"\n', [1.5]),
    ],
)
def test_unambiguous_forms_are_read(
    tmp_path: Path, text: str, expected: list[float]
) -> None:
    """Read what has one meaning, as spreadsheets and portals of the world write it."""
    path = tmp_path / "recording.csv"
    path.write_text(text)
    samples = rows_of(path)
    assert samples[0].frequency == pytest.approx(50.1)
    assert [
        later.seconds - sample.seconds for sample, later in pairwise(samples)
    ] == pytest.approx(expected)


CASES = DATA / "cases" / "recordings"
REPORTED = pytest.mark.skipif(not CASES.exists(), reason=f"{CASES}: {NOTHING_TO_DO}")


@REPORTED
@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("c17a_sma_dots", 300),
        ("c17b_decimal_comma", 300),
        ("c17c_offset", 7500),
        ("c17d_dst_local", 900),
        ("c17e_no_seconds", 300),
        ("c17f_epoch_ms", 60),
        ("c17g_us_date", None),
        ("c17h_header_units", 300),
    ],
)
def test_reported_forms_are_read_as_the_simulated_meter_reads_them(
    tmp_path: Path, name: str, seconds: float | None
) -> None:
    """Read the times of files from reports, with the frequency that the files lack."""
    header, *rows = (CASES / f"{name}.csv").read_text().splitlines()
    mark = ";" if ";" in header else ","
    lines = [f"{header}{mark}frequency_hz", *(f"{row}{mark}50" for row in rows)]
    path = tmp_path / "recording.csv"
    path.write_text("\n".join(lines))
    if seconds is None:
        with pytest.raises(ReplayError, match="either of two months"):
            rows_of(path)
        return
    samples = rows_of(path)
    assert len(samples) == len(rows)
    assert samples[-1].seconds == pytest.approx(seconds)


@REPORTED
def test_a_reported_supply_is_lost_with_its_last_phase(play: Play) -> None:
    """Keep the guard's state while one phase of three still has a frequency."""
    told = stages(play(CASES / "c23_tasmota2315_phases_go.csv", "continental_europe"))
    assert told == [(14.0, "normal", "valid_again"), (42.01, "invalid", "no_voltage")]


GOOD = f"{HEADER}\n0,50,230,230,230\n\n1,,230,nan,\n2,50,230,230,230\n"


@pytest.mark.parametrize(
    ("loads", "said"),
    [
        ("loads: 5", "needs a list"),
        ("a: [", "no YAML"),
        ("loads: []\nlimit: {}", "'limit' is not known"),
        ("loads: [{class: shed_1}]", "load 1 has no name"),
        ("loads: [{name: a, colour: red}]", "'colour' is not known"),
        ("loads: [{name: a, class: shed_9}]", "'shed_9' is none of never_shed"),
        ("loads: [{name: a, phase: L4}]", "no phase"),
        ("loads: [{name: a, priority: 1000}]", "not 0 to 100"),
        ("loads: [{name: a, power: much}]", "could not convert"),
        ("loads: [{name: a}, {name: a}]", "two loads"),
        ("loads: []\nlimits: {roof: {power: 5}}", "takes contract and phases"),
        ("loads: []\nlimits: {contract: {power: -5}}", "power in W"),
        ("loads: []\nlimits: {contract: 5}", "power in W"),
    ],
)
def test_bad_loads_are_refused(
    refused: Callable[..., str], tmp_path: Path, loads: str, said: str
) -> None:
    """The error names the load and the known values."""
    path = tmp_path / "loads.yaml"
    path.write_text(loads)
    assert said in refused(GOOD, "--loads", str(path))


def test_missing_files_are_errors(
    refused: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing files and an invalid voltage are errors."""
    assert "cannot be read" in refused(GOOD, "--loads", str(tmp_path / "none"))
    assert "no nominal voltage" in refused(GOOD, "--nominal-voltage", "0")
    assert main([str(tmp_path / "none"), "--profile", "island_50"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_script_runs(tmp_path: Path) -> None:
    """The script runs as a person starts the script."""
    path = tmp_path / "good.csv"
    path.write_text(GOOD)
    done = subprocess.run(
        [ROOT / "scripts" / "replay", path, "--profile", "continental_europe"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "summary" in json.loads(done.stdout.splitlines()[-1])
