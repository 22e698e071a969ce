"""The history command from outside: a real ccusage, a real history, every way to show it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Optional

import pytest
import pytz

from monitor.config.options import Since
from monitor.model.formatting import TimeFormat, first_day
from tests.conftest import RunMonitor
from tests.histories import MODELS, Row, limit_message, write_messages
from tests.live.fakes import Fake

TODAY = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
OPUS, SONNET, HAIKU = MODELS

History = Callable[..., "subprocess.CompletedProcess[str]"]


def at(days_ago: int, hour: int, minute: int = 0) -> datetime:
    return TODAY - timedelta(days=days_ago) + timedelta(hours=hour, minutes=minute)


def day(days_ago: int) -> str:
    return at(days_ago, 0).strftime("%Y-%m-%d")


ROWS = (
    Row(at(4, 9, 5), 200, 1_000, model=OPUS),
    Row(at(4, 10, 35), 100, 700, model=OPUS),
    Row(at(3, 8, 10), 500, 2_500, model=SONNET),
    Row(at(3, 14, 20), 400, 8_000, model=SONNET),
    Row(at(3, 16, 20), 100, 0, model=OPUS),
    Row(at(2, 12, 0), 100, 400, model=HAIKU),
)
COUNTED = [2_000, 3_000, 8_500, 500]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four completed blocks on three days."""
    write_messages(tmp_path / "claude", ROWS)
    return tmp_path / "claude"


@pytest.fixture
def history(data: Path, real_ccusage: Callable[[str], Path], run_monitor: RunMonitor) -> History:
    """Run `history` with options on that data: `history("--daily", before=("--no-cost",))`."""

    def run(*options: object, before: tuple[object, ...] = ()) -> subprocess.CompletedProcess[str]:
        ours = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", data, "--time-format", 24)
        return run_monitor(*ours, *before, "history", *options)

    return run


def shown(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of a run that went well, spaces squeezed, without bars."""
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = (re.sub("[█▏▎▍▌▋▊▉░]+", "", line) for line in done.stdout.splitlines())
    return [" ".join(line.split()) for line in lines]


# --- in the terminal


def test_the_table_has_a_row_for_each_block_newest_first(history: History) -> None:
    head, *rows = shown(history(before=("--no-cost",)))
    assert head == "Start Length Messages Tokens Limit"
    assert rows == [
        f"{day(2)} 12:00 under a minute 1 500 6 %",
        f"{day(3)} 14:00 2 h 20 min 2 8,500* 100 %",
        f"{day(3)} 08:00 10 min 1 3,000 35 %",
        f"{day(4)} 09:00 1 h 35 min 2 2,000 24 %",
        "",
        "14,000 tokens in 4 completed blocks · * the highest · limit: % of 8,500",
    ]


def test_the_limit_is_the_plans(history: History) -> None:
    rows = shown(history(before=("--no-cost", "--plan", "max5")))
    assert rows[2] == f"{day(3)} 14:00 2 h 20 min 2 8,500* 24 %"
    own = shown(history(before=("--no-cost", "--plan", "custom_max")))
    assert own[2].endswith(" 8,500* 100 %") and own[4].endswith(" 2,000 24 %")


def test_costs_are_shown_unless_they_are_hidden(history: History) -> None:
    with_cost, without = shown(history()), shown(history(before=("--no-cost",)))
    assert all(re.search(r"\$\d+\.\d\d$", row) for row in with_cost[1:5])
    assert "Cost" in with_cost[0]
    assert "$" not in " ".join(without) and "Cost" not in without[0]


def test_daily_has_a_row_for_each_day_of_use(history: History) -> None:
    head, *rows = shown(history("--daily", before=("--no-cost",)))
    rows[:3] = [re.sub(r" (opus|sonnet|haiku).*", "", row) for row in rows[:3]]
    assert head.startswith("Day Blocks Messages Tokens") and "Limit" not in head
    named = [f"{day(n)} {at(n, 0):%a}" for n in (2, 3, 4)]
    assert rows == [
        f"{named[0]} 1 block 1 500",
        f"{named[1]} 2 blocks 3 11,500*",
        f"{named[2]} 1 block 2 2,000",
        "",
        "14,000 tokens in 3 days · * the highest",
    ]


def test_the_heat_map_puts_tokens_into_their_hours_of_the_week(history: History) -> None:
    done = history("--heatmap")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].split() == ["00", "03", "06", "09", "12", "15", "18", "21"]
    rows = {line.split()[0]: line[5:].rstrip() for line in lines[1:8]}
    assert list(rows) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    used = {name: {i // 3 for i, c in enumerate(row) if c != "·"} for name, row in rows.items()}
    assert used == {
        **{name: set() for name in rows},
        f"{at(4, 0):%a}": {9, 10},
        f"{at(3, 0):%a}": {8, 14, 16},
        f"{at(2, 0):%a}": {12},
    }
    assert lines[-2:] == [
        " few ░▒▓█ many tokens",
        f" Most on {at(3, 0):%a} from 14:00: 8,400 tokens.",
    ]


def test_the_timezone_moves_starts_and_days(history: History) -> None:
    rows = shown(history(before=("--no-cost", "--timezone", "Asia/Kolkata")))
    assert rows[4].startswith(f"{day(4)} 14:30 ")
    far = shown(history("--daily", before=("--no-cost", "--timezone", "Pacific/Kiritimati")))
    assert [row.split()[0] for row in far[1:5]] == [day(n) for n in (1, 2, 3, 4)]


# --- for programs


def test_json_has_every_block_with_its_counts(history: History) -> None:
    done = history("--json")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr, report["schema_version"]) == (0, "", 1)
    blocks = report["blocks"]
    assert [block["tokens"]["counted"] for block in blocks] == COUNTED
    assert [block["hourly"] for block in blocks] == [
        [1_200, 800, 0, 0, 0],
        [3_000, 0, 0, 0, 0],
        [8_400, 0, 100, 0, 0],
        [500, 0, 0, 0, 0],
    ]
    third = blocks[2]
    assert third["start"] == f"{day(3)}T14:00:00.000Z"
    assert third["end"] == f"{day(3)}T19:00:00.000Z"
    assert third["last_activity"] == f"{day(3)}T16:20:00.000Z"
    assert (third["messages"], sorted(third["models"])) == (2, sorted([SONNET, OPUS]))
    assert third["tokens"]["cache_read"] == 40_000
    assert (third["limit_hit"], third["official_percent"]) == (False, None)
    assert third["cost_usd"] > 0


def test_json_by_day_has_each_day_of_use(history: History) -> None:
    report = json.loads(history("--json", "--daily", before=("--no-cost",)).stdout)
    days = [(d["date"], d["blocks"], d["tokens"]["counted"]) for d in report["days"]]
    assert days == [(day(4), 1, 2_000), (day(3), 2, 11_500), (day(2), 1, 500)]
    middle = report["days"][1]
    assert (middle["messages"], middle["limit_hits"], middle["cost_usd"]) == (3, 0, None)
    assert set(middle["models"]) == {SONNET, OPUS}


@pytest.mark.parametrize("other", ["--json", "--daily"])
def test_the_heat_map_takes_no_other_form(history: History, other: str) -> None:
    done = history("--heatmap", other)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--heatmap goes with --since" in done.stderr


def test_json_before_the_command_means_the_same(history: History) -> None:
    assert history(before=("--json",)).stdout == history("--json").stdout


def test_json_without_costs_has_null_for_them(history: History) -> None:
    report = json.loads(history("--json", before=("--no-cost",)).stdout)
    assert [block["cost_usd"] for block in report["blocks"]] == [None] * 4


def test_a_named_directory_that_is_not_there_is_said(history: History, tmp_path: Path) -> None:
    done = history("--json", before=("--claude-dir", tmp_path / "typo"))
    assert done.returncode == 0 and len(json.loads(done.stdout)["blocks"]) == len(COUNTED)
    assert done.stderr == f"{tmp_path / 'typo'} is no directory; its usage is left out.\n"


def test_an_old_history_is_said_to_be_one_when_reading_it_anew_fails(
    tmp_path: Path, run_monitor: RunMonitor, isolated: Path
) -> None:
    fake = Fake(tmp_path / "fake")
    old = fake.data / "projects" / "p" / "old.jsonl"
    old.write_text("{}\n", encoding="utf-8")
    os.utime(old, (1_700_000_000, 1_700_000_000))  # so that a look is at a window
    words = ("--ccusage", fake.path, "--claude-dir", fake.data, "history", "--json")
    assert run_monitor(*words).stderr == ""
    (kept,) = (isolated / "state").rglob("history-*.json")
    told = json.loads(kept.read_text(encoding="utf-8"))
    told["read_at"] = "2026-01-02T12:00:00+00:00"
    kept.write_text(json.dumps(told), encoding="utf-8")
    fake.does(
        f'[ "$CLAUDE_CONFIG_DIR" = {shlex.quote(str(fake.data))} ] && exit 1; cat "$HERE/report"'
    )
    done = run_monitor(*words)
    assert done.returncode == 0
    assert "This is the history of 2026-01-02." in done.stderr


HOURS_FAIL = 'case "$*" in *"--session-length 1") echo no hours >&2; exit 1;; esac; '


def test_hours_are_read_only_where_they_are_shown(tmp_path: Path, run_monitor: RunMonitor) -> None:
    fake = Fake(tmp_path / "fake")
    fake.does(HOURS_FAIL + 'cat "$HERE/report"')
    words = ("--ccusage", fake.path, "--claude-dir", fake.data, "history")
    for options in ((), ("--daily",), ("--json", "--daily")):
        done = run_monitor(*words, *options)
        assert (done.returncode, done.stderr) == (0, "")


def test_hours_that_cannot_be_read_are_left_out_with_a_word(
    tmp_path: Path, run_monitor: RunMonitor
) -> None:
    fake = Fake(tmp_path / "fake")
    fake.does(HOURS_FAIL + 'cat "$HERE/report"')
    words = ("--ccusage", fake.path, "--claude-dir", fake.data, "history")
    report, heat = run_monitor(*words, "--json"), run_monitor(*words, "--heatmap")
    assert [block["hourly"] for block in json.loads(report.stdout)["blocks"]] == [None]
    assert (heat.returncode, heat.stdout) == (0, "No hours are known for these blocks.\n")
    for done in (report, heat):
        (text,) = done.stderr.splitlines()
        assert text.startswith("The hours could not be read: ") and "no hours" in text


# --- since


@pytest.mark.parametrize("written", [day(3), day(3).replace("-", ""), "3d"])
def test_since_leaves_out_the_blocks_of_earlier_days(history: History, written: str) -> None:
    report = json.loads(history("--json", "--since", written).stdout)
    assert [block["tokens"]["counted"] for block in report["blocks"]] == COUNTED[1:]


def test_since_a_day_after_the_last_block_shows_none(history: History) -> None:
    (said,) = shown(history("--since", "1d"))
    assert said.startswith("No completed block since ")


def test_since_today_shows_none_either(history: History) -> None:
    assert "No completed block since " in history("--since", "0d").stdout


@pytest.mark.parametrize("written", ["yesterday", "2026-02-30", "30", "3 d", "", "-3d"])
def test_what_is_no_date_is_refused_with_examples(history: History, written: str) -> None:
    done = history("--since", written)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a date; try 2026-11-01, 20261101 or 30d." in done.stderr
    assert "Traceback" not in done.stderr


def test_since_names_a_day_on_the_readers_clock_whatever_its_offset_was() -> None:
    time_format = TimeFormat(pytz.timezone("Europe/Berlin"))
    winter = datetime(2026, 11, 22, 23, 30, tzinfo=timezone.utc)  # the 23rd in Berlin
    days = {"2026-07-01": date(2026, 7, 1), "30d": date(2026, 10, 24), "0d": date(2026, 11, 23)}
    for text, day in days.items():
        assert first_day(Since().convert(text, None, None), time_format, winter) == day


# --- what is kept, and nothing at all


def test_blocks_whose_transcripts_are_gone_are_still_shown(history: History, data: Path) -> None:
    first = history("--json")
    shutil.rmtree(data / "projects")
    write_messages(data, [Row(at(1, 5), 10, 90)], session="5f0c7a52-0002-4000-8000-000000000002")
    report = json.loads(history("--json", before=("--full-scan",)).stdout)
    # Their hours are in the transcripts alone.
    old = [{**block, "hourly": None} for block in json.loads(first.stdout)["blocks"]]
    assert report["blocks"][:4] == old


def test_a_limit_message_marks_its_block(history: History, data: Path) -> None:
    limit_hit = limit_message(at(3, 16, 30), at(3, 19))
    write_messages(data, [limit_hit], session="5f0c7a52-0003-4000-8000-000000000003")
    blocks = json.loads(history("--json").stdout)["blocks"]
    assert [block["limit_hit"] for block in blocks] == [False, False, True, False]
    assert shown(history(before=("--no-cost",)))[2].endswith("8,500* hit")


@pytest.mark.parametrize("option", [None, "--daily"])
def test_a_history_without_blocks_says_so(
    history: History, data: Path, option: Optional[str]
) -> None:
    shutil.rmtree(data / "projects" / "-home-dev-project")
    assert shown(history(*[option] if option else [])) == ["No completed block yet."]
    assert json.loads(history("--json").stdout) == {
        "schema_version": 1,
        "blocks": [],
        "limit_hits": [],
    }


def test_without_a_ccusage_it_says_what_to_do(run_monitor: RunMonitor, data: Path) -> None:
    done = run_monitor("--ccusage", "/nowhere/ccusage", "--claude-dir", data, "history")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 2 and "Traceback" not in done.stderr


# --- the page


def test_html_writes_one_page_and_says_where(history: History, tmp_path: Path) -> None:
    file = tmp_path / "out" / "usage.html"
    file.parent.mkdir()
    done = history("--html", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"Wrote {re.escape(str(file))} \(\d+ kB\)\.\n", done.stdout)
    html = file.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>") and html.endswith("</html>\n")
    assert f"<p>{day(4)} to {day(2)} · 4 completed blocks · times in UTC</p>" in html
    for told in ("<dd>14,000</dd>", "<dd>8,500</dd>", "100 % · highest", "8,400 tokens"):
        assert told in html
    assert "$" in html
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_the_page_keeps_its_mode_and_a_new_one_has_that_of_the_umask(
    history: History, tmp_path: Path
) -> None:
    new, usual, private = (tmp_path / name for name in ("new.html", "usual", "private.html"))
    usual.touch()
    private.touch(0o600)
    for file in (new, private):
        assert history("--html", file).returncode == 0
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_html_keeps_to_since_zone_and_no_cost(history: History, tmp_path: Path) -> None:
    file = tmp_path / "usage.html"
    wanted = ("--no-cost", "--timezone", "Asia/Kolkata", "--plan", "max5")
    assert history("--html", file, "--since", "3d", before=wanted).returncode == 0
    html = file.read_text(encoding="utf-8")
    assert "3 completed blocks · times in Asia/Kolkata" in html
    assert "The dashed line is the limit: 35,000 tokens. No block passed it." in html
    assert "$" not in html and day(4) not in html


def test_html_of_an_empty_history_is_a_page_too(
    history: History, data: Path, tmp_path: Path
) -> None:
    shutil.rmtree(data / "projects" / "-home-dev-project")
    assert history("--html", tmp_path / "usage.html").returncode == 0
    assert "No completed block yet." in (tmp_path / "usage.html").read_text(encoding="utf-8")


def test_html_escapes_a_model_that_is_markup(history: History, data: Path, tmp_path: Path) -> None:
    evil = Row(at(2, 20), 10, 20, model="<script>alert(1)</script>")
    write_messages(data, [evil], session="5f0c7a52-0004-4000-8000-000000000004")
    assert history("--html", tmp_path / "usage.html").returncode == 0
    html = (tmp_path / "usage.html").read_text(encoding="utf-8")
    assert "<script" not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize(
    ("name", "why"), [("none/usage.html", "No such file or directory"), ("", "not a regular file")]
)
def test_a_page_that_cannot_be_written_is_said_in_two_lines(
    history: History, tmp_path: Path, name: str, why: str
) -> None:
    target = tmp_path / name
    done = history("--html", target)
    assert (done.returncode, done.stdout) == (1, "")
    reason, advice = done.stderr.splitlines()
    assert reason.startswith(f"The page could not be written to {target}: ") and why in reason
    assert advice == "Give --html a file that you can write."


@pytest.mark.skipif(sys.platform == "win32", reason="making links takes a privilege there")
def test_a_page_behind_a_link_is_replaced_and_the_link_stays(
    history: History, tmp_path: Path
) -> None:
    file, link = tmp_path / "real.html", tmp_path / "link.html"
    file.write_text("old", encoding="utf-8")
    link.symlink_to(file)
    assert history("--html", link).returncode == 0
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("other", ["--json", "--daily", "--heatmap"])
def test_html_does_not_go_with_other_ways_to_show(
    history: History, tmp_path: Path, other: str
) -> None:
    done = history("--html", tmp_path / "usage.html", other)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: --html goes with --since, not with --json, ")
    assert not (tmp_path / "usage.html").exists()
