"""Start the monitor as a module: `python -m monitor`."""

from ccusage_monitor import main

if __name__ == "__main__":
    main()
