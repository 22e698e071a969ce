"""Ask the user's own Claude Code what its limits are, and parse the answer.

Claude Code answers a control request, as its Agent SDK sends them, from its own login: no
credential is read here, no token is spent, and no transcript is written.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

from monitor.errors import MonitorError
from monitor.model.formatting import cut
from monitor.model.official import (
    FIVE_HOUR,
    MODEL_PREFIX,
    OF_ONE_MODEL,
    SAME_WINDOW,
    SEVEN_DAY,
    ExtraUsage,
    Report,
    UsageAnswer,
    amount,
    epoch,
    percentage,
    window_kind,
)
from monitor.process import ProcessOutput, ProcessRunner

ANSWER_SECONDS = 10.0

OPTIONS = (
    # One control request in, its answer out; without the user's hooks, MCP servers or a transcript.
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--setting-sources", "", "--strict-mcp-config", "--no-session-persistence"),
    "--disable-slash-commands",
)
QUESTION = {
    "type": "control_request",
    "request_id": "1",
    "request": {"subtype": "get_usage", "skip_behaviors": True},
}
SPARED = ("DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER")
"""Variables that spare Claude Code its side traffic."""

DROPPED = ("BUN_OPTIONS", "DEBUG", "NODE_OPTIONS")
DROPPED_PREFIX = "CLAUDECODE"
NO_TRAFFIC = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"

OWN_CACHE = timedelta(minutes=2)
"""Claude Code repeats an answer for about a minute, and for longer if it cannot fetch another."""

FETCHED_AT = re.compile(rb'"cachedUsageUtilization"\s*:\s*\{\s*"fetchedAtMs"\s*:\s*(\d{13})\b')

MAX_SCOPED = 20
"""Limits of single models in one answer; a real one has a few."""


def query_usage(
    argv: tuple[str, ...], runner: ProcessRunner, data_dir: Path, now: datetime
) -> UsageAnswer:
    """Ask `claude`, started with `argv`, for the limits of a data directory's account.

    Raises MonitorError, in one line, if there is no answer that can be believed.
    """
    if os.environ.get(NO_TRAFFIC, "").lower() not in ("", "0", "false"):
        raise MonitorError(f"{NO_TRAFFIC} is set, so Claude Code does not fetch its limits.")
    output = runner.ask(
        (*argv, *OPTIONS),
        json.dumps(QUESTION).encode() + b"\n",
        lambda line: _response(line) is not None,
        env=_environment(data_dir),
        limit_seconds=ANSWER_SECONDS,
        name="Claude Code",
    )
    answer = parse_answer(_body(output), now)
    fetched_at = _fetched_at(data_dir)
    if fetched_at is not None and now - fetched_at > OWN_CACHE:
        raise MonitorError(f"Claude Code could not fetch its limits since {fetched_at:%H:%M} UTC.")
    return answer


def parse_answer(body: Any, now: datetime) -> UsageAnswer:
    """Parse the body of an answer given at `now`. Raises MonitorError if it names no limit.

    Absent, unknown and impossible values are left out, as for the status line.
    """
    fields = _mapping(body)
    if fields.get("rate_limits_available") is False:
        reason = "Claude Code knows no limits: it is not logged in, or uses an API key."
        raise MonitorError(reason)
    limits = _mapping(fields.get("rate_limits"))
    reports = {key: report for key, report in _reports(limits, now) if report is not None}
    if not reports:
        raise MonitorError("Claude Code's answer names no limit, or has another form.")
    plan = fields.get("subscription_type")
    is_plan = isinstance(plan, str) and re.fullmatch(r"[a-z_]{1,20}", plan)
    return UsageAnswer(reports, plan if is_plan else None, _extra_usage(limits.get("extra_usage")))


def _reports(limits: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, Optional[Report]]]:
    """Yield every window once; one that is named twice has the value of its own field."""
    for scoped in _list(limits.get("limits"))[:MAX_SCOPED]:
        key = _id_of_limit(scoped)
        if key:
            yield key, _report(key, scoped.get("percent"), scoped.get("resets_at"), now)
    for scoped in _list(limits.get("model_scoped"))[:MAX_SCOPED]:
        key = _id_of_model(scoped.get("display_name"))
        if key:
            yield key, _report(key, scoped.get("utilization"), scoped.get("resets_at"), now)
    for key in (FIVE_HOUR, SEVEN_DAY, *OF_ONE_MODEL):
        if key in limits:
            window = _mapping(limits[key])
            yield key, _report(key, window.get("utilization"), window.get("resets_at"), now)


def _id_of_limit(limit: Mapping[str, Any]) -> Optional[str]:
    kind = limit.get("kind")
    if kind == "weekly_scoped":
        model = _mapping(_mapping(limit.get("scope")).get("model"))
        return _id_of_model(model.get("display_name"))
    return {"session": FIVE_HOUR, "weekly_all": SEVEN_DAY}.get(str(kind))


def _id_of_model(name: Any) -> Optional[str]:
    if not isinstance(name, str) or not name.strip():
        return None
    own = f"seven_day_{name.strip().casefold()}"
    return own if own in OF_ONE_MODEL else f"{MODEL_PREFIX}{cut(name.strip(), 40)}"


def _report(key: str, percent: Any, resets_at: Any, now: datetime) -> Optional[Report]:
    used, at = percentage(percent), _time(resets_at)
    if used is None or (at is not None and at <= now):
        return None
    length = window_kind(key).length
    if at is not None and length is not None and at - now > length + SAME_WINDOW:
        at = None  # no window is that long
    return Report(used, at)


def _extra_usage(raw: Any) -> Optional[ExtraUsage]:
    """Read what is paid beyond the limits, given in cents; None if that is switched off."""
    fields = _mapping(raw)
    if fields.get("is_enabled") is not True:
        return None
    in_dollars = fields.get("currency") in (None, "USD", "usd")
    used, limit = (amount(fields.get(name)) for name in ("used_credits", "monthly_limit"))
    return ExtraUsage(
        used_usd=used / 100 if used is not None and in_dollars else None,
        limit_usd=limit / 100 if limit is not None and in_dollars else None,
        used_percent=amount(fields.get("utilization")),
    )


def _time(value: Any) -> Optional[datetime]:
    if not isinstance(value, str):
        return epoch(value)
    try:
        when = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return when.astimezone(timezone.utc) if when.tzinfo else None
    except (OverflowError, ValueError):
        return None


def _body(output: ProcessOutput) -> Any:
    """Return the body of the answer in the output. Raises MonitorError if there is none."""
    responses = filter(None, map(_response, output.stdout.split("\n")))
    response = next(responses, None)
    if response is not None and response.get("subtype") == "success":
        return response.get("response")
    said = response.get("error") if response else None
    lines = [said] if isinstance(said, str) else (output.stderr or output.stdout).splitlines()
    text = next((line.strip() for line in lines if line.strip()), "")
    why = cut(text, 120) if text else f"exit code {output.code}"
    raise MonitorError(f"Claude Code did not answer: {why}")


def _response(line: str) -> Optional[dict[str, Any]]:
    """Return what a line answers to our request; None for any other line, and for half of one."""
    if "control_response" not in line:
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    response = _mapping(_mapping(message).get("response"))
    return response if response.get("request_id") == QUESTION["request_id"] else None


def _environment(data_dir: Path) -> dict[str, str]:
    """Return the user's environment, for the account of one data directory."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and not name.startswith(DROPPED_PREFIX)
    }
    variables.pop("CLAUDE_CONFIG_DIR", None)
    if not _is_default(data_dir):
        variables["CLAUDE_CONFIG_DIR"] = str(data_dir)
    return {**variables, **dict.fromkeys(SPARED, "1")}


def _is_default(data_dir: Path) -> bool:
    home = os.path.expanduser("~/.claude")  # noqa: PTH111 - pathlib's raises without a home
    return os.path.realpath(data_dir) == os.path.realpath(home)


def _fetched_at(data_dir: Path) -> Optional[datetime]:
    """Return when Claude Code last fetched its limits; None if it does not say.

    Of its state file only this number is searched for: an old answer names no date of its own.
    """
    place = Path("~").expanduser() if _is_default(data_dir) else data_dir
    try:
        match = FETCHED_AT.search((place / ".claude.json").read_bytes())
    except (OSError, RuntimeError):
        return None
    return epoch(int(match[1]) / 1000) if match else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
