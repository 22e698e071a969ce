"""The question to Claude Code: what is sent, and what is believed of the answer."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.claude.usage_query import parse_answer, query_usage
from monitor.errors import MonitorError
from monitor.model.official import ExtraUsage, Report, UsageAnswer
from monitor.process import ProcessRunner
from tests.claude.fake_claude import FakeClaude, body, limits, line, scoped
from tests.waiting import is_running, until

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
RESET = NOW + timedelta(hours=2)
WINDOW = {"utilization": 40, "resets_at": RESET.isoformat()}
NOTHING: dict[str, Any] = {"five_hour": None, "seven_day": None, "limits": []}


@pytest.fixture
def claude(tmp_path: Path) -> FakeClaude:
    return FakeClaude(tmp_path / "bin")


@pytest.fixture
def runner(tmp_path: Path) -> ProcessRunner:
    (tmp_path / "work").mkdir()
    return ProcessRunner(tmp_path / "work")


def ask(claude: FakeClaude, runner: ProcessRunner, data_dir: Path) -> UsageAnswer:
    return query_usage((str(claude.path),), runner, data_dir, datetime.now(timezone.utc))


def percents(answer: UsageAnswer) -> dict[str, float]:
    return {key: report.used_percent for key, report in answer.reports.items()}


def parsed(**windows: Any) -> dict[str, float]:
    return percents(parse_answer(body(rate_limits={**NOTHING, **windows}), NOW))


def reason(answer: Any) -> str:
    with pytest.raises(MonitorError) as caught:
        parse_answer(answer, NOW)
    return caught.value.reason


def test_every_window_is_read_with_the_subscription(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path
) -> None:
    answer = ask(claude, runner, tmp_path)
    expected = {"five_hour": 63, "seven_day": 41, "seven_day_sonnet": 12, "model:Fable": 55}
    assert percents(answer) == expected
    assert (answer.plan, answer.extra_usage) == ("max", None)


def test_only_a_line_feed_ends_the_answers_line(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path
) -> None:
    windows = {"limits": [scoped("Fable\u2028\x85 5", 55)], "seven_day_sonnet": None}
    answer = json.loads(line(body(rate_limits=limits(**windows))))
    claude.answers(json.dumps(answer, ensure_ascii=False))  # as JavaScript writes it
    assert "model:Fable\u2028\x85 5" in percents(ask(claude, runner, tmp_path))


def test_the_question_leaves_no_trace_and_starts_nothing_of_the_users(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--require=/x.js")
    monkeypatch.setenv("CLAUDECODE", "1")
    ask(claude, runner, tmp_path / "account")
    ((words, env, folder),) = claude.runs
    assert words[words.index("--setting-sources") + 1] == ""
    assert {"-p", "--strict-mcp-config", "--no-session-persistence"} <= set(words)
    assert env["CLAUDE_CONFIG_DIR"] == str(tmp_path / "account")
    assert {env[name] for name in ("DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER")} == {"1"}
    assert not {"NODE_OPTIONS", "CLAUDECODE"} & set(env)
    assert folder == str(tmp_path / "work")


def test_the_default_directory_is_not_named(
    claude: FakeClaude, runner: ProcessRunner, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/somewhere/else")
    ask(claude, runner, isolated / ".claude")
    assert "CLAUDE_CONFIG_DIR" not in claude.runs[0][1]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sys.exit('error: unknown option --no-session-persistence')", "unknown option"),
        ("sys.exit(1)", "exit code 1"),
        ("print('x' * 2**21)", "printed more than 1 MiB"),
        ("print('{\"type\":\"control_response\"', end='')", "did not answer: {"),
        ("print('hello')", "did not answer: hello"),
        ("pass", "exit code 0"),
    ],
)
def test_what_is_no_answer_is_one_line(
    code: str, expected: str, claude: FakeClaude, runner: ProcessRunner, tmp_path: Path
) -> None:
    claude.does(code)
    with pytest.raises(MonitorError, match=expected):
        ask(claude, runner, tmp_path)


def test_an_older_version_that_does_not_know_the_request_says_so(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path
) -> None:
    error = {"subtype": "error", "request_id": "1", "error": "Unsupported control request"}
    claude.answers(json.dumps({"type": "control_response", "response": error}))
    with pytest.raises(MonitorError, match="Unsupported control request"):
        ask(claude, runner, tmp_path)


def test_lines_before_the_answer_and_answers_to_others_are_passed_over(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path
) -> None:
    other = line(body(rate_limits=limits(five_hour=None)), request_id="7")
    claude.answers(f'{{"type":"system","subtype":"init"}}\nnoise\n{other}\n{line(body())}')
    assert percents(ask(claude, runner, tmp_path))["five_hour"] == 63


def test_one_that_hangs_is_ended_with_all_that_it_has_started(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.claude.usage_query.ANSWER_SECONDS", 6.0)
    claude.does(
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '1000'])\n"
        "open(os.path.join(here, 'child'), 'w').write(str(child.pid))\n"
        "time.sleep(1000)"
    )
    with pytest.raises(MonitorError, match="did not answer within 6 s"):
        ask(claude, runner, tmp_path)
    child = int((claude.folder / "child").read_text())
    until(lambda: not is_running(child), "the end of what it has started")


def test_where_the_user_has_switched_traffic_off_it_is_not_asked(
    claude: FakeClaude, runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
    with pytest.raises(MonitorError, match="DISABLE_NONESSENTIAL_TRAFFIC is set"):
        ask(claude, runner, tmp_path)
    assert not claude.runs


@pytest.mark.parametrize(("minutes", "is_old"), [(0, False), (1, False), (3, True), (9000, True)])
def test_an_answer_from_an_old_cache_is_not_believed(
    minutes: int, *, is_old: bool, claude: FakeClaude, runner: ProcessRunner, tmp_path: Path
) -> None:
    then = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    cache = {"cachedUsageUtilization": {"fetchedAtMs": int(then.timestamp() * 1000)}}
    (tmp_path / ".claude.json").write_text(json.dumps({"projects": {}, **cache}))
    if not is_old:
        assert ask(claude, runner, tmp_path).plan == "max"
        return
    with pytest.raises(MonitorError, match="could not fetch its limits since"):
        ask(claude, runner, tmp_path)


def test_without_a_login_it_says_so() -> None:
    answer = body(rate_limits_available=False, rate_limits=None, subscription_type=None)
    assert "not logged in, or uses an API key" in reason(answer)


@pytest.mark.parametrize("answer", [None, [], "x", {}, body(rate_limits=None), body(rate_limits=3)])
def test_an_answer_of_another_form_names_no_limit(answer: Any) -> None:
    assert reason(answer) == "Claude Code's answer names no limit, or has another form."


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 0.0), (63.5, 63.5), (105, 105.0), (950, None), (-1, None)]
)
def test_what_cannot_be_true_is_dropped(percent: float, expected: Optional[float]) -> None:
    windows = parsed(five_hour={**WINDOW, "utilization": percent}, seven_day=WINDOW)
    assert windows.get("five_hour") == expected


@pytest.mark.parametrize("resets_at", ["2026-11-25T11:00:00+00:00", NOW.isoformat()])
def test_a_window_that_is_over_is_dropped(resets_at: str) -> None:
    assert "five_hour" not in parsed(
        five_hour={"utilization": 9, "resets_at": resets_at}, seven_day=WINDOW
    )


def test_a_reset_that_is_no_time_or_too_far_is_not_known() -> None:
    far = (NOW + timedelta(days=40)).isoformat()
    for resets_at in (None, "soon", 7, far, "2026-11-25T13:00:00"):
        window = {"utilization": 9, "resets_at": resets_at}
        answer = parse_answer(body(rate_limits={"five_hour": window}), NOW)
        assert answer.reports == {"five_hour": Report(9.0, None)}


def test_a_model_named_in_several_lists_counts_once() -> None:
    reset = RESET.isoformat()
    again = [{"display_name": "Fable", "utilization": 56, "resets_at": reset}]
    fable = {**scoped("Fable", 55), "resets_at": reset}
    opus = {**scoped("Opus", 71), "resets_at": reset}
    windows = parsed(
        limits=[fable, opus], model_scoped=again, seven_day_opus={**WINDOW, "utilization": 72}
    )
    assert windows == {"model:Fable": 56, "seven_day_opus": 72}


def test_unknown_kinds_of_limits_are_survived() -> None:
    odd = [{"kind": "lunar", "percent": 3}, None, 5, {"kind": "weekly_scoped", "scope": None}]
    assert parsed(limits=odd, five_hour=WINDOW, someday={"utilization": 3}) == {"five_hour": 40}


def test_extra_usage_is_in_cents_of_its_currency() -> None:
    def extra(**fields: Any) -> Optional[ExtraUsage]:
        raw = {"is_enabled": True, "monthly_limit": 5000, "used_credits": 1250, **fields}
        return parse_answer(body(rate_limits=limits(extra_usage=raw)), NOW).extra_usage

    assert extra(utilization=25) == ExtraUsage(12.5, 50.0, 25.0)
    assert extra(currency="EUR", utilization=25) == ExtraUsage(None, None, 25.0)
    assert extra(monthly_limit=None) == ExtraUsage(12.5, None, None)
    assert extra(is_enabled=False) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["rate_limits", "five_hour", "utilization", "resets_at", "limits", "kind", "scope"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_answer_whatever_raises_anything_else_or_is_absurd(raw: Any) -> None:
    with suppress(MonitorError):
        answer = parse_answer({"rate_limits": raw}, NOW)
        assert all(0 <= report.used_percent <= 110 for report in answer.reports.values())


def test_the_fake_is_what_the_tests_believe_it_is(claude: FakeClaude) -> None:
    assert os.access(claude.path, os.X_OK)
