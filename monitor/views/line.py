"""A Usage in one line, for a screen of one row, a status bar or a prompt."""

from __future__ import annotations

from monitor.model.formatting import age, count, duration, percent
from monitor.model.usage import Usage
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, fit


def one_line(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Say the most important in one line; what comes last is cut first."""
    dot = f" {glyphs.dot} "
    parts = _parts(usage)
    if usage.reading.error:
        parts.append(f"{glyphs.warning} read {age(usage.now - usage.reading.read_at)} ago")
    return fit((Span(dot.join(parts)),), width, glyphs.ellipsis)


def _parts(usage: Usage) -> list[str]:
    time_format = usage.rules.time_format
    reset = time_format.minute_or_day(usage.reset.at, usage.now) if usage.reset.at else None
    if usage.status == "limit_reached":
        at = usage.goes_on_at
        again = (
            f"{time_format.minute_or_day(at, usage.now)}, in {duration(at - usage.now)}"
            if at
            else ""
        )
        name = "weekly limit" if usage.is_weekly_reached else "limit"
        return [f"{name} reached", *([f"resets {again}"] if again else [])]
    if usage.block is None:
        ended = time_format.minute_or_day(usage.last.end, usage.now) if usage.last else None
        own = usage.official.five_hour if usage.official else None
        if own is not None:
            said = ["no active block", f"{percent(own.used_percent)} official"]
            return [*said, *([f"resets {reset}"] if reset else [])]
        said = ["no active block", f"last ended {ended}" if ended else "", f"resets {reset}"]
        return [part for part in said[: 3 if reset else 2] if part]
    if not usage.is_settled:
        return [f"{count(usage.tokens.counted)} used", f"resets {reset}"]
    parts = [percent(usage.percent)]
    left = usage.headline.tokens_left
    if usage.forecast.verdict == "exceeded":
        parts.append(f"{count(usage.tokens.counted - usage.limit.tokens)} over")
    elif left is not None:
        parts.append(f"{count(left)} left")
    if usage.weekly is not None and usage.weekly.comes_first and usage.weekly.runs_out_at:
        when = time_format.minute_or_day(usage.weekly.runs_out_at, usage.now)
        parts.append(f"weekly limit runs out {when}")
    elif usage.forecast.runs_out_at:
        parts.append(f"runs out {time_format.minute_or_day(usage.forecast.runs_out_at, usage.now)}")
    elif usage.forecast.probability and usage.forecast.verdict != "ok":
        parts.append(f"{percent(100 * usage.forecast.probability)} likely to run out")
    return [*parts, f"resets {reset}"]
