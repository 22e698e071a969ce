"""ccusage-monitor: a terminal monitor of Claude Code's 5-hour blocks, over the npm tool ccusage."""

__title__ = "ccusage-monitor"
__version__ = "1.0.0"
