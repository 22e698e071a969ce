"""A Usage in one line, for a screen of one row, a status bar or a prompt."""

from __future__ import annotations

from monitor.model.usage import Usage
from monitor.model.words import count, duration, percent
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, fit


def one_line(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Say the most important in one line; what comes last is cut first."""
    dot = f" {glyphs.dot} "
    return fit((Span(dot.join(_parts(usage))),), width, glyphs.ellipsis)


def _parts(usage: Usage) -> list[str]:
    clock = usage.rules.clock
    reset = clock.minute_or_day(usage.reset.at, usage.now) if usage.reset.at else None
    if usage.block is None:
        return ["no active block", *([f"resets {reset}"] if reset else [])]
    if usage.status == "limit_reached" and usage.reset.at:
        return ["limit reached", f"resets {reset}, in {duration(usage.reset.at - usage.now)}"]
    parts = [percent(usage.used_percent), f"{count(usage.tokens_left)} left"]
    if usage.exceeded:
        parts[1] = f"{count(usage.tokens.counted - usage.limit.tokens)} over"
    if usage.forecast.runs_out_at:
        parts.append(f"runs out {clock.minute(usage.forecast.runs_out_at)}")
    return [*parts, f"resets {reset}"]
