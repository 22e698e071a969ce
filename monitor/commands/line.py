"""`line`: print the usage in one line, for status bars and prompts; many share one reading."""

from __future__ import annotations

from collections.abc import Callable

import click

from monitor.app import exits
from monitor.app.session import output_style, print_missing_dirs
from monitor.app.sharing import shared_usage
from monitor.config.settings import Settings
from monitor.model.formatting import visible
from monitor.model.usage import without_costs
from monitor.views.line import FIELDS, fill_template, unknown_fields, waybar

EPILOG = (
    f"Fields: {', '.join('{' + name + '}' for name in FIELDS)}. {{verdict}} is about the 5-hour"
    " limit, as forecast.verdict of --json; {likely} is the percentage that will probably be used"
    " at the reset, as forecast.likely_percent."
)


@click.command(epilog=EPILOG)
@click.option(
    "--format",
    "template",
    default="{line}",
    show_default=True,
    help="Text with fields in braces, or `waybar` for its JSON.",
)
@click.pass_obj
def command(settings: Settings, /, template: str) -> Callable[[], int]:
    """Print the usage in one line.

    Takes the running monitor's reading when it is fresh, instead of running ccusage again.
    """
    unknown = unknown_fields(template)
    if unknown:
        there_are = ", ".join(FIELDS)
        raise click.UsageError(f"--format: {{{unknown[0]}}} is no field; there are {there_are}.")
    return lambda: _line(settings, template)


def _line(settings: Settings, template: str) -> int:
    usage = shared_usage(settings)
    print_missing_dirs(settings)
    if not settings.show_cost:
        usage = without_costs(usage)
    glyphs = output_style(settings).glyphs
    text = waybar(usage, glyphs) if template == "waybar" else fill_template(template, usage, glyphs)
    print(visible(text))
    return exits.OK
