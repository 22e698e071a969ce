"""The live screen: one frame from a Usage, for any width and height."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Optional

from monitor.model import sentence
from monitor.model.blocks import SESSION
from monitor.model.formatting import (
    age,
    between,
    count,
    dollars,
    duration,
    nearest_minute,
    percent,
    plural,
    rate,
    size,
    visible,
)
from monitor.model.official import OfficialLimits, RateLimitWindow, is_fresh
from monitor.model.plans import PLAN_TOKENS
from monitor.model.usage import Usage
from monitor.views.bars import bar
from monitor.views.line import one_line
from monitor.views.screen.chart import burn_up
from monitor.views.style import Glyphs, Style
from monitor.views.text import Line, Span, cells, fit, line, sides, width_of, wrap

WIDEST = 120
"""Wider than this the eye loses the way from a label to its note."""

LABEL = 10
"""Cells of a fact's name; the longest names fill it but for one."""
DOT = " · "
CHART_ROWS = (6, 24)

SEVERITIES = {
    "ok": ("ok", "OK"),
    "tight": ("warn", "TIGHT"),
    "runs_out": ("alarm", "RUNS OUT"),
    "exceeded": ("alarm", "OVER LIMIT"),
    "unknown": ("dim", "WARMING UP"),
    "idle": ("dim", "IDLE"),
    "limit_reached": ("alarm", "LIMIT REACHED"),
    "weekly": ("alarm", "WEEKLY LIMIT"),
}

SOURCES = {
    "block_end": "end of block",
    "reset_hour": "your reset hour",
    "limit_message": "Claude's limit message",
    "official": "official",
}


Chart = Callable[[Usage, int, int, Glyphs], list[Line]]


@dataclass(frozen=True)
class DisplayOptions:
    """What the user wants to see beside the numbers."""

    style: Style
    show_cost: bool = True
    live: bool = True
    demo: bool = False
    chart: Chart = burn_up


class Row(NamedTuple):
    """A line and its rank: where the height is short, the highest ranks go first."""

    rank: int
    line: Line


BLANK: Line = ()


def frame(usage: Usage, width: int, height: int, display: DisplayOptions) -> list[Line]:
    """Draw what `usage` says in at most `height` lines of at most `width` cells."""
    width = min(width, WIDEST)
    if height <= 1:
        return [one_line(usage, width, display.style.glyphs)]
    rows = list(_rows(usage, width, display))
    spare = height - len(rows)
    charted = (
        usage.status == "active" and usage.headline.limit_tokens is not None and usage.is_settled
    )
    if charted and spare > CHART_ROWS[0] and width >= 40:
        chart = display.chart(usage, width - 2, min(spare - 1, CHART_ROWS[1]), display.style.glyphs)
        at = len(rows) - 1
        rows[at:at] = [Row(20, (Span(" "), *drawn)) for drawn in chart] + [Row(30, BLANK)]
    ellipsis = display.style.glyphs.ellipsis
    return [fit(row.line, width, ellipsis) for row in _shortened(rows, height)]


def message(
    title: str, sentences: Sequence[str], width: int, height: int, hint: str = ""
) -> list[Line]:
    """Draw a frame that has no numbers to show: still reading, or no reading to be had."""
    width = min(width, WIDEST)
    if height <= 2:
        return [fit(line(sentences[0]), width)][:height]
    text = [fit(line(f" {part}"), width) for said in sentences for part in wrap(said, width - 2)]
    body = [fit(line(Span(f" {title}", "title")), width), BLANK, *text]
    last = fit(line(Span(f" {hint}", "dim")), width)
    return [*body[: height - 1], last] if hint else body[:height]


def severity(usage: Usage) -> tuple[str, str]:
    """Return the role and the words for how serious things are."""
    if usage.status != "active":
        return SEVERITIES[usage.status]
    weekly = usage.weekly is not None and usage.weekly.comes_first
    return SEVERITIES["weekly" if weekly else usage.forecast.verdict]


def _shortened(rows: list[Row], height: int) -> list[Row]:
    kept = list(rows)
    while len(kept) > height:
        worst = max(range(len(kept)), key=lambda index: (kept[index].rank, index))
        del kept[worst]
    return kept


def _rows(usage: Usage, width: int, display: DisplayOptions) -> Iterator[Row]:
    glyphs = display.style.glyphs
    yield Row(8, _header(usage, width, display))
    yield Row(30, BLANK)
    yield from (Row(0, said) for said in _sentence(usage, width, glyphs))
    yield Row(32, BLANK)
    if usage.block:
        yield Row(1, _tokens_bar(usage, width, glyphs))
        yield Row(2, _time_bar(usage, width, glyphs))
        yield Row(31, BLANK)
    yield from _facts(usage, width, display)
    for text in sentence.warnings(usage):
        for index, part in enumerate(wrap(visible(text), width - 4)):
            mark = glyphs.warning if index == 0 else " " * cells(glyphs.warning)
            yield Row(3 + index, line(Span(f" {mark} {part}", "warn")))
    yield Row(33, BLANK)
    yield Row(10, _footer(usage, width, display))


def _header(usage: Usage, width: int, display: DisplayOptions) -> Line:
    glyphs = display.style.glyphs
    limit = usage.limit
    plan = "your limit" if limit.source == "user" else (limit.plan or "")
    time_format = usage.rules.time_format
    zone = usage.rules.time_format.name
    parts = [plan, *([usage.headline.source] if usage.block else [])]
    if usage.headline.window is not None:
        parts = ["official", *(["carried on"] if usage.headline.bridge else [])]
    parts = ["sample usage", *parts] if display.demo else parts
    named = line(Span(" Claude Code", "title"), *(f" {glyphs.dot} {part}" for part in parts))
    brief = named[:2]
    full = line(Span(f"{time_format.second(usage.now)} {zone} ", "dim"))
    short = line(Span(f"{time_format.second(usage.now)} ", "dim"))
    choices = ((named, full), (named, short), (brief, short))
    fitting = ((left, right) for left, right in choices if width_of((*left, *right)) + 2 <= width)
    left, right = next(fitting, (named, ()))
    return sides(left, right, width, glyphs.ellipsis)


def _sentence(usage: Usage, width: int, glyphs: Glyphs) -> Iterator[Line]:
    role, words = severity(usage)
    tag = line(Span(f"{words} ", role))
    said = visible(sentence.summary(usage))
    parts = wrap(said, width - 2)
    if cells(parts[-1]) + cells(words) + 4 > width:
        # The severity is said in words too, so the sentence makes room for them.
        parts = wrap(said, width - cells(words) - 4)
    for index, part in enumerate(parts):
        left = line(Span(f" {part}", "strong"))
        yield sides(left, tag if index == len(parts) - 1 else (), width, glyphs.ellipsis)


def _tokens_bar(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    role = severity(usage)[0]
    likely = usage.forecast.likely_percent
    if usage.is_weekly_reached and usage.weekly:
        return _bar_row("Weekly", usage.weekly.used_percent, None, width, role, glyphs)
    name = "Limit" if usage.headline.window else "Tokens"
    used = usage.percent if usage.is_settled else None
    return _bar_row(name, used, likely, width, role, glyphs)


def _time_bar(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    return _bar_row("Time", usage.elapsed_percent or 0.0, None, width, "time", glyphs)


def _bar_row(
    name: str, used: Optional[float], likely: Optional[float], width: int, role: str, glyphs: Glyphs
) -> Line:
    said = glyphs.ellipsis if used is None else percent(used).replace("under ", "< ")
    number = " " * (9 - cells(said)) + said  # never up against the bar
    room = width - 8 - cells(number) - 1
    drawn = bar(used or 0.0, likely, room, role, glyphs) if room > 0 else ()
    return (Span(f" {name:<7}", "label"), *drawn, Span(number, "strong"), Span(" "))


def _facts(usage: Usage, width: int, display: DisplayOptions) -> Iterator[Row]:
    facts = _active_facts(usage, display) if usage.block else _idle_facts(usage)
    for rank, label, value, note in facts:
        role = "dim" if label in _stale(usage) else ""
        first, *more = (Span(part, role) for part in _broken(value, width - LABEL - 1))
        left = line(Span(f" {label:<{LABEL}}", "label"), first)
        right = line(Span(f"{note} ", "dim")) if note else ()
        beside = sides(left, right, width, display.style.glyphs.ellipsis)
        yield Row(rank, beside)
        yield from (Row(rank, line(" " * (LABEL + 1), part)) for part in more)
        if note and Span(f"{note} ", "dim") not in beside:
            # No room beside it: below it, as the first thing to go when height is short.
            for part in wrap(note, width - LABEL - 1):
                yield Row(rank + 10, line(" " * (LABEL + 1), Span(part, "dim")))


def _broken(value: str, room: int) -> list[str]:
    """Break a value where it is too long for one line: at its dots, else between words."""
    lines: list[str] = []
    for part in value.split(DOT):
        if lines and cells(lines[-1] + DOT + part) <= room:
            lines[-1] += DOT + part
        else:
            lines += wrap(part, room)
    return lines


def _active_facts(usage: Usage, display: DisplayOptions) -> Iterator[tuple[int, str, str, str]]:
    assert usage.block is not None  # noqa: S101 - the caller has looked
    if usage.headline.window is None:
        yield 5, "Used", _used(usage), _limit_note(usage)
    else:
        yield 5, "Used", _official_used(usage), _whole_note(usage)
    yield from _official_facts(usage)
    if usage.status == "active":
        yield 6, "Pace", _pace(usage), _pace_note(usage)
        yield 7, "Runs out", _runs_out(usage), _pause(usage)
    yield 4, "Resets", _resets(usage), _reset_note(usage)
    # "<synthetic>" is Claude Code's own name for a message that no model wrote.
    names = [name for name in usage.block.models if name != "<synthetic>"]
    models = ", ".join(short_model(name) for name in names)
    if display.show_cost and usage.block.cost_usd is not None:
        yield 9, "Cost", _cost(usage), models
    elif models:
        yield 9, "Models", models, ""


def _idle_facts(usage: Usage) -> Iterator[tuple[int, str, str, str]]:
    time_format = usage.rules.time_format
    if usage.last is not None:
        begun = time_format.minute_or_day(usage.last.start, usage.now)
        used = usage.last.tokens.counted
        share = percent(100 * used / usage.limit.tokens)
        yield 5, "Last", f"{count(used)} tokens{DOT}{share} of the limit", f"block of {begun}"
    yield 6, "Limit", f"{_limit_tokens(usage)} tokens", _limit_note(usage)
    yield from _official_facts(usage)
    if usage.reset.at is not None:
        yield 4, "Resets", _resets(usage), SOURCES.get(usage.reset.source or "", "")
    where = ", ".join(visible(name) for name in usage.reading.data_dirs)
    amount = f"{size(usage.reading.size.bytes)} in {plural(usage.reading.size.files, 'file')}"
    yield 7, "Data", where, amount
    if usage.last is None:
        yield 8, "Sample", "run it with --demo", "this screen on sample usage"


def _used(usage: Usage) -> str:
    if not usage.is_settled:
        return f"{count(usage.tokens.counted)} tokens"
    left = f"{count(usage.tokens_left)} left"
    if usage.exceeded:
        left = f"{count(usage.tokens.counted - usage.limit.tokens)} over"
    return f"{count(usage.tokens.counted)} of {_limit_tokens(usage)} · {left}"


def _official_used(usage: Usage) -> str:
    window, bridge = usage.headline.window, usage.headline.bridge
    assert window is not None  # noqa: S101 - the caller has looked
    if bridge is None:
        here = f"{count(usage.tokens.counted)} tokens here"
        return f"{percent(window.used_percent)} official, {_old(usage, window)}{DOT}{here}"
    seen = f"official {percent(bridge.base.used_percent)} at {_at(usage, bridge.base.at)}"
    since = f"{count(bridge.tokens_since)} tokens since"
    return f"≈ {percent(usage.percent)}: {seen}, and {since}"


def _whole_note(usage: Usage) -> str:
    """Say what the whole limit would be at the present mix: information, never a limit."""
    worth = usage.headline.tokens_per_percent
    # Two digits: whole percents were what it was learned from.
    return f"100 % ≈ {count(float(f'{100 * worth:.2g}'))} tokens at this mix" if worth else ""


def _official_facts(usage: Usage) -> Iterator[tuple[int, str, str, str]]:
    limits = usage.official
    if limits is None:
        return
    five_hour = limits.five_hour
    if five_hour is not None and (usage.block is None or usage.headline.window is None):
        yield 6, "Official", _window(usage, five_hour), _seen(usage, five_hour)
    if limits.seven_day is not None:
        yield 6, "Week", _window(usage, limits.seven_day), _seen(usage, limits.seven_day)
    if limits.spend_limit is not None:
        yield 9, "Spend", _window(usage, limits.spend_limit), _seen(usage, limits.spend_limit)


def _stale(usage: Usage) -> set[str]:
    """Return the names of official facts that are too old to be believed at once."""
    limits = usage.official or OfficialLimits()
    windows = {"Official": limits.five_hour, "Week": limits.seven_day, "Spend": limits.spend_limit}
    return {name for name, window in windows.items() if window and not is_fresh(window, usage.now)}


def _window(usage: Usage, window: RateLimitWindow) -> str:
    used = f"{percent(window.used_percent)} used"
    if not is_fresh(window, usage.now):
        used += f" {_old(usage, window)}"
    if window.resets_at is None:
        return used
    return f"{used}{DOT}resets in {duration(window.resets_at - usage.now)}"


def _seen(usage: Usage, window: RateLimitWindow) -> str:
    """Say when a window resets, and how old what is known of it is."""
    old = f"official, {_old(usage, window)}" if is_fresh(window, usage.now) else "official"
    return f"{_at(usage, window.resets_at)}{DOT}{old}" if window.resets_at else old


def _old(usage: Usage, window: RateLimitWindow) -> str:
    return f"{age(usage.now - window.captured_at)} ago"


def _limit_tokens(usage: Usage) -> str:
    return ("~" if usage.limit.source == "plan" else "") + count(usage.limit.tokens)


def _limit_note(usage: Usage) -> str:
    if usage.limit.note:
        return usage.limit.note
    if usage.limit.source == "user":
        return "your token limit"
    published = usage.limit.plan in PLAN_TOKENS
    return "plan estimate of mid-2025" if published else "plan of your settings file"


def _pace(usage: Usage) -> str:
    now = usage.burn.tokens_per_minute
    said = "warming up" if now is None else f"{rate(now)} tokens/min"
    lasts = usage.forecast.sustainable
    return said if lasts is None else f"{said} · {rate(lasts)} would last to the reset"


def _pace_note(usage: Usage) -> str:
    window = usage.burn.window_minutes
    if window is None:
        return ""
    return f"last {window:.0f} min" if usage.burn.exact else "average of the block"


def _runs_out(usage: Usage) -> str:
    forecast = usage.forecast
    if forecast.verdict == "exceeded":
        return "over" + (f" since {_at(usage, usage.crossed_at)}" if usage.crossed_at else "")
    if forecast.verdict == "unknown":
        return "not known yet"
    said = "not at this pace"
    if forecast.runs_out_at is not None:
        said = f"{_at(usage, forecast.runs_out_at)} at this pace"
    if forecast.probability is None:
        return said
    return f"{said} · {percent(100 * forecast.probability)} likely before the reset"


def _reset_note(usage: Usage) -> str:
    block, at = usage.block, usage.reset.at
    if usage.reset.source == "reset_hour" and block and at and block.end < at:
        # The count starts afresh then, and the chart ends there.
        return f"your reset hour; the block ends {_at(usage, block.end)}"
    return SOURCES.get(usage.reset.source or "", "")


def _pause(usage: Usage) -> str:
    runs_out_at, reset_at = usage.forecast.runs_out_at, usage.reset.at
    if runs_out_at is None or reset_at is None:
        return ""
    # A pause of a whole block and more is no advice.
    is_short = reset_at - runs_out_at < SESSION
    return f"pausing {between(runs_out_at, reset_at)} avoids it" if is_short else ""


def _resets(usage: Usage) -> str:
    assert usage.reset.at is not None  # noqa: S101 - callers have a reset
    until = duration(usage.reset.at - usage.now)
    at = _at(usage, usage.reset.at)
    if usage.reset.latest is not None:
        at = f"{at}–{_later(usage, usage.reset.at, usage.reset.latest)}"
    return f"{at} in {until}"


def _later(usage: Usage, first: datetime, when: datetime) -> str:
    """Write the end of a span of time; its day only where that is another than the beginning's."""
    time_format = usage.rules.time_format
    days = {time_format.day(nearest_minute(moment)) for moment in (first, when)}
    return time_format.minute(when) if len(days) == 1 else _at(usage, when)


def _at(usage: Usage, when: Optional[datetime]) -> str:
    return usage.rules.time_format.minute_or_day(when, usage.now) if when else "an unknown time"


def _cost(usage: Usage) -> str:
    assert usage.block is not None and usage.block.cost_usd is not None  # noqa: S101
    hourly = usage.burn.cost_per_hour
    per_hour = f" · {dollars(hourly)}/h" if hourly is not None else ""
    return f"{dollars(usage.block.cost_usd)} API-equivalent{per_hour}"


def short_model(name: str) -> str:
    """Return a model's name without maker and date.

    >>> short_model("claude-opus-4-20250514")
    'opus-4'
    """
    parts = visible(name).split("-")
    if parts[0] == "claude":
        parts = parts[1:]
    if len(parts) > 1 and len(parts[-1]) == 8 and parts[-1].isdecimal():
        parts = parts[:-1]
    return "-".join(parts) or visible(name)


def _footer(usage: Usage, width: int, display: DisplayOptions) -> Line:
    reading = usage.reading
    version = (
        f"ccusage {visible(reading.ccusage_version)}" if reading.ccusage_version else "ccusage"
    )
    read = f" {version} {display.style.glyphs.dot} read {age(usage.now - reading.read_at)} ago"
    keys = line(Span("q leave · ? help ", "dim")) if display.live else ()
    if display.live and width_of(keys) + cells(read) + 2 > width:
        keys = line(Span("? help ", "dim"))
    return sides(line(Span(read, "dim")), keys, width)
