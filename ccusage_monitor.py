"""Start the monitor: from a clone, as the command `ccusage-monitor`, or by `python -m`.

The package's name, monitor, is a common one; this file's is not. So it is here that the package
beside this file is imported, whatever else of that name can be, and that it is told to be ours.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN_PLACE = "Install ccusage-monitor again, into an environment of its own (pipx does that)."


def main() -> None:
    """Run the program beside this file; end with 1 and two lines when it cannot start."""
    try:
        _import_ours()
        from monitor.cli import main as run

        run()
    except ModuleNotFoundError as error:
        sys.exit(_what_is_missing(error.name or str(error)))
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl+C before there was anything to leave


def _import_ours() -> None:
    """Import `monitor` from beside this file, even if PYTHONPATH leads to another one first.

    It may not be ours all the same: another package's files can have been put over them.
    """
    sys.path.insert(0, str(HERE))
    try:
        found = import_module("monitor")
    finally:
        sys.path.remove(str(HERE))
    if getattr(found, "__title__", None) != "ccusage-monitor":
        if found.__file__ is None:  # only a folder of that name
            sys.exit(_what_is_missing("monitor.__init__"))
        sys.exit(f"{found.__file__} belongs to another program called monitor.\n{OWN_PLACE}")


def _what_is_missing(name: str) -> str:
    if name.partition(".")[0] == "monitor":
        return f"This installation is incomplete: there is no {name} in {HERE}.\n{OWN_PLACE}"
    in_clone = (HERE / "setup.py").exists()
    how = f'Install it: "{sys.executable}" -m pip install -e "{HERE}"' if in_clone else OWN_PLACE
    return f"The Python package {name} is missing.\n{how}"


if __name__ == "__main__":
    main()
