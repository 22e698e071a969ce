"""Start the monitor as a module: `python -m monitor`."""

from __future__ import annotations

from ccusage_monitor import main

if __name__ == "__main__":
    main()
