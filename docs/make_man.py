"""Write the manual page, docs/ccusage-monitor.1, from the program's options and commands.

    python docs/make_man.py

click-man is not used: it writes one page per command, shortens sentences and adds today's date.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor import __version__
from monitor.cli import cli, grouped_options

PAGE = Path(__file__).parent / "ccusage-monitor.1"
NAME = "ccusage-monitor"
SUMMARY = "a fast, honest terminal monitor of Claude Code's 5-hour blocks, over ccusage"

TEXTS = {
    "ENVIRONMENT": (
        ("CCUSAGE_MONITOR_OPTION", "Any option, such as CCUSAGE_MONITOR_PLAN=max5."),
        ("CLAUDE_CONFIG_DIR", "Claude's data directories, as for ccusage."),
        ("NO_COLOR, FORCE_COLOR", "No colours, or colours where the output is no terminal."),
    ),
    "FILES": (
        ("config.toml", "The settings file; `config --show` says where it is looked for."),
        ("~/.cache/ccusage-monitor", "On Linux: the ccusage installed on request."),
        (
            "~/.local/state/ccusage-monitor",
            "On Linux: completed blocks, the last reading, official limits.",
        ),
    ),
    "EXIT STATUS": (
        ("0", "A frame or snapshot was printed, or you left the monitor."),
        ("1", "No reading could be had; standard error says why, and what to do."),
        ("2", "Wrong use, of the settings file too."),
        ("10, 11, 20", "`check`: tight, not enough, not known."),
        ("128+N", "Ended by signal N, with the terminal given back."),
    ),
}


def page() -> str:
    """Return the manual page in the man(7) macros."""
    top = click.Context(cli, info_name=NAME, **cli.context_settings)
    lines = [f'.TH CCUSAGE\\-MONITOR 1 "" "{NAME} {__version__}" "User Commands"']
    lines += [".SH NAME", f"{_safe(NAME)} \\- {_safe(SUMMARY)}"]
    lines += [".SH SYNOPSIS", f".B {_safe(NAME)}", "[OPTIONS] [COMMAND]"]
    lines += [".SH DESCRIPTION", *_paragraphs(cli), ".SH OPTIONS"]
    for title, options in grouped_options(top):
        lines += [f".SS {_safe(title)}", *_entries(options)]
    lines += [".SH COMMANDS"]
    for name in cli.list_commands(top):
        lines += _command(name, top)
    for title, entries in TEXTS.items():
        lines += [f".SH {title}", *_entries(entries)]
    lines += [".SH SEE ALSO", "ccusage, an npm package, makes the numbers shown."]
    return "\n".join(lines) + "\n"


def _command(name: str, top: click.Context) -> Iterator[str]:
    command = cli.get_command(top, name)
    if command is None:
        raise KeyError(name)
    yield f".SS {_safe(name)}"
    yield from _paragraphs(command)
    yield from _options(click.Context(command, info_name=name, parent=top))


def _paragraphs(command: click.Command) -> Iterator[str]:
    for number, text in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        yield from [".PP"] * (number > 0)
        yield _safe(" ".join(text.split()))


def _options(ctx: click.Context) -> Iterator[str]:
    """Yield the options of a command; `--help` is among those of the program."""
    options = [option for option in ctx.command.params if "--help" not in option.opts]
    return _entries(filter(None, (option.get_help_record(ctx) for option in options)))


def _entries(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in entries:
        yield from (".TP", f".B {_safe(name)}", _safe(text))


def _safe(text: str) -> str:
    """Keep troff from reading text as its own: hyphens stay what can be typed."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    PAGE.write_text(page(), encoding="utf-8")
    print(f"docs/{PAGE.name}")


if __name__ == "__main__":
    main()
