"""Start the monitor from a clone: `python ccusage_monitor.py`."""

from __future__ import annotations

from monitor.cli import main

if __name__ == "__main__":
    main()
