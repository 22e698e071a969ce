"""A fake `claude` for the tests: it logs its runs and answers as a file beside it says."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import json, os, sys
here = {here!r}
with open(os.path.join(here, "runs"), "a") as log:
    log.write(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]) + "\\n")
exec(open(os.path.join(here, "behaviour.py")).read())
"""

ANSWERS = "sys.stdin.readline(); print(open(os.path.join(here, 'answer')).read(), flush=True)"


def resets(hours: float) -> str:
    """Write a reset so many hours from now, as Claude Code does."""
    when = datetime.now(timezone.utc) + timedelta(hours=hours)
    return when.isoformat(timespec="seconds")


def limits(**windows: Any) -> dict[str, Any]:
    """Make `rate_limits` of an answer."""
    known = {
        "five_hour": {"utilization": 63, "resets_at": resets(2.5)},
        "seven_day": {"utilization": 41, "resets_at": resets(80)},
        "seven_day_opus": None,
        "seven_day_sonnet": {"utilization": 12, "resets_at": resets(80)},
        "limits": [
            {"kind": "session", "group": "session", "percent": 63, "resets_at": resets(2.5)},
            {"kind": "weekly_all", "group": "weekly", "percent": 41, "resets_at": resets(80)},
            scoped("Fable", 55),
        ],
        "extra_usage": {"is_enabled": False, "monthly_limit": None, "used_credits": None},
    }
    return {**known, **windows}


def scoped(name: str, percent: float) -> dict[str, Any]:
    """Make the weekly limit of one model."""
    scope = {"model": {"id": None, "display_name": name}, "surface": None}
    return {"kind": "weekly_scoped", "percent": percent, "resets_at": resets(80), "scope": scope}


def body(**fields: Any) -> dict[str, Any]:
    """Make the body of an answer."""
    known = {
        "session": {"total_cost_usd": 0},
        "subscription_type": "max",
        "rate_limits_available": True,
        "rate_limits": limits(),
        "behaviors": None,
    }
    return {**known, **fields}


def line(answer: Any, request_id: str = "1") -> str:
    """Write the line that answers the request."""
    response = {"subtype": "success", "request_id": request_id, "response": answer}
    return json.dumps({"type": "control_response", "response": response})


class FakeClaude:
    """An executable named `claude` in a directory of its own."""

    def __init__(self, home: Path) -> None:
        self.folder = home
        home.mkdir()
        self.path = home / "claude"
        self.path.write_text(SCRIPT.format(python=sys.executable, here=str(home)))
        self.path.chmod(0o755)
        self.answers(line(body()))

    def answers(self, text: str) -> None:
        """Let it answer with this text after it was asked."""
        (self.folder / "answer").write_text(text)
        self.does(ANSWERS)

    def does(self, code: str) -> None:
        """Let it do this, in Python, instead of an answer."""
        (self.folder / "behaviour.py").write_text(code)

    @property
    def runs(self) -> list[tuple[list[str], dict[str, str], str]]:
        """Arguments, environment and working directory of each run."""
        try:
            lines = (self.folder / "runs").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [tuple(json.loads(text)) for text in lines]
