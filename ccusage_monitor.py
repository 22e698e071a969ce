"""Start the monitor: from a clone, as the command `ccusage-monitor`, or by `python -m`.

The package's name, monitor, is a common one; this file's is not. So this file imports the package
beside it, whatever else has that name, and checks that it is ours.

Python 2.7 and later can read this file, so that an old one can say which is needed.
"""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
OLDEST = (3, 9)
OWN_PLACE = "Install ccusage-monitor again, into an environment of its own (pipx does that)."
NEWER = "Make the environment again with a newer one, such as: python3.13 -m venv --clear .venv"


def main():
    # type: () -> None
    """Run the program beside this file; exit with 1 and two lines if it cannot start."""
    if sys.version_info < OLDEST:
        versions = OLDEST + tuple(sys.version_info[:2])
        reason = "Python %d.%d or newer is needed (this is %d.%d)." % versions
        sys.exit("%s\n%s" % (reason, _use_environment() or NEWER))
    try:
        _import_ours()
        from monitor.start import main as run

        run()
    except ModuleNotFoundError as error:
        sys.exit(_missing(error.name or str(error)))
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl+C before there was anything to leave


def _import_ours():
    # type: () -> None
    """Import `monitor` from beside this file, even if PYTHONPATH leads to another one first.

    It may not be ours all the same: another package's files can have been put over them.
    """
    from importlib import import_module

    sys.path.insert(0, HERE)
    try:
        package = import_module("monitor")
    finally:
        sys.path.remove(HERE)
    if getattr(package, "__title__", None) != "ccusage-monitor":
        if package.__file__ is None:  # only a folder of that name
            sys.exit(_missing("monitor.__init__"))
        sys.exit(
            "%s belongs to another program called monitor.\n%s" % (package.__file__, OWN_PLACE)
        )


def _missing(name):
    # type: (str) -> str
    """Return two lines about a module that is missing: ours, or a library."""
    if name.partition(".")[0] == "monitor":
        reason = "This installation is incomplete: there is no %s in %s." % (name, HERE)
        return "%s\n%s" % (reason, OWN_PLACE)
    advice = _use_environment() or OWN_PLACE
    if advice == OWN_PLACE and os.path.exists(os.path.join(HERE, "setup.py")):
        advice = 'Install it: "%s" -m pip install -e "%s"' % (sys.executable, HERE)
    return "The Python package %s is missing.\n%s" % (name, advice)


def _use_environment():
    # type: () -> str
    """Return how to start with the clone's virtual environment; nothing if that is in use."""
    environment = os.path.join(HERE, ".venv")
    if os.path.realpath(sys.prefix) == os.path.realpath(environment):
        return ""
    for name in (os.path.join("bin", "python"), os.path.join("Scripts", "python.exe")):
        python = os.path.join(environment, name)
        if os.path.exists(python):
            return "Use %s %s" % (_shown(python), _shown(os.path.join(HERE, "ccusage_monitor.py")))
    return ""


def _shown(path):
    # type: (str) -> str
    """Return a path as it can be typed: short in the clone's own directory."""
    if os.path.samefile(os.curdir, HERE):
        return os.path.relpath(path, HERE)
    return '"%s"' % path


if __name__ == "__main__":
    main()
