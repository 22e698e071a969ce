"""The first and last lines of the live screen: title, sentence, warnings and footer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.model import sentence
from monitor.model.formatting import age, visible
from monitor.model.usage import Usage
from monitor.views.states import role
from monitor.views.states import word as state_word
from monitor.views.style import Glyphs
from monitor.views.text import DOT, Line, Span, cells, line, sides, width_of, wrap


def header(usage: Usage, width: int, glyphs: Glyphs, tags: Sequence[str] = ()) -> Line:
    """Return the title with what the percentage rests on, and the time as far as it fits.

    `tags` come before that, such as the account's name.
    """
    sources = list(tags)
    if usage.five_hour.window is not None:
        plan = usage.official.plan
        sources += [plan.capitalize()] if plan else []
        sources += ["official", *(["carried on"] if usage.five_hour.bridge else [])]
    else:
        names = {"user": "your limit", "custom_max": "highest block"}
        sources += [
            names.get(usage.limit.source) or usage.limit.plan or "",
            *([usage.five_hour.source] if usage.status == "active" else []),
        ]
    title = line(Span(" Claude Code", "title"), *(DOT + source for source in sources))
    time_format = usage.rules.time_format
    clock = line(Span(f"{time_format.second(usage.now)} ", "dim"))
    clock_and_zone = line(Span(f"{time_format.second(usage.now)} {time_format.name} ", "dim"))
    for left, right in ((title, clock_and_zone), (title, clock), (title[:2], clock)):
        if width_of((*left, *right)) + 2 <= width:
            return sides(left, right, width, glyphs.ellipsis)
    return sides(title, (), width, glyphs.ellipsis)


def sentence_lines(usage: Usage, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Yield the sentence, with the word for its state at the right of the last line."""
    word, colour = state_word(usage), role(usage)
    strong = "strong" if colour == "dim" else colour
    text = visible(sentence.summary(usage))
    parts = wrap(text, width - 2)
    if cells(parts[-1]) + cells(word) + 4 > width:
        # The sentence makes room, unless that makes it much longer: the word must be read without
        # colours too.
        narrower = wrap(text, width - cells(word) - 4)
        parts = narrower if len(narrower) <= len(parts) + 1 else [*parts, ""]
    for part in parts[:-1]:
        yield sides(line(Span(f" {part}", strong)), (), width, glyphs.ellipsis)
    tag = line(Span(f"{word} ", colour))
    yield sides(line(Span(f" {parts[-1]}", strong)), tag, width, glyphs.ellipsis)


def warning_lines(usage: Usage, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Yield the warnings, each with a mark before its first line."""
    for text in sentence.warnings(usage):
        mark = glyphs.warning
        for part in wrap(visible(text), width - 4):
            yield line(Span(f" {mark} {part}", "warn"))
            mark = " " * cells(mark)


def footer(usage: Usage, width: int, keys: Sequence[str]) -> Line:
    """Return the ccusage in use, the age of the reading and as many of the keys as fit."""
    reading = usage.reading
    version = reading.source.ccusage_version
    program = f"ccusage {visible(version)}" if version else "ccusage"
    source = f" {program}{DOT}read {age(usage.now - reading.read_at)} ago"
    for count in (len(keys), 3, 1):
        text = f"{DOT.join(keys[-count:])} "
        if cells(source) + cells(text) + 2 <= width:
            break
    return sides(line(Span(source, "dim")), line(Span(text, "dim")) if keys else (), width)
