"""The rules of the layout, checked by reading the sources; CONTRIBUTING.md says what they serve."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Optional

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "monitor").rglob("*.py"))
LONGEST_FUNCTION = 40

# Which of our modules a layer may import, by the start of their names.
_BELOW = ("monitor.model", "monitor.errors", "monitor.process", "monitor.store", "monitor.clock")
MAY_IMPORT = {
    "monitor.model": ("monitor.model",),
    "monitor.errors": ("monitor.model",),
    "monitor.process": ("monitor.errors",),
    "monitor.views": ("monitor.model", "monitor.views"),
    "monitor.store": ("monitor.model", "monitor.errors", "monitor.process", "monitor.store"),
    "monitor.ccusage": (*_BELOW, "monitor.ccusage"),
    "monitor.transcripts": (*_BELOW, "monitor.transcripts"),
    "monitor.claude": (*_BELOW, "monitor.claude"),
    "monitor.config": (*_BELOW, "monitor.config"),
    "monitor.terminal": (),
    "monitor.app": (
        *_BELOW,
        *("monitor.app", "monitor.ccusage", "monitor.claude", "monitor.config"),
        *("monitor.terminal", "monitor.transcripts", "monitor.views"),
    ),
}
MAY_IMPORT_CLI = ("monitor.start",)
MAY_RUN_PROCESSES = ("monitor.process",)
MAY_HOLD_ESCAPE_CODES = ("monitor.terminal", "monitor.views.style")

MAY_ASK_THE_CLOCK = ("monitor.clock",)

# These are pure: they know no system, no clock, no chance, and print nothing.
PURE = ("monitor.model", "monitor.views")
IMPURE_MODULES = {
    *("asyncio", "io", "locale", "logging", "os", "pathlib", "platform", "random", "secrets"),
    *("select", "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading"),
    *("time", "tzlocal", "urllib"),
}
IMPURE_CALLS = {"breakpoint", "input", "open", "print"}
CLOCK_CALLS = {".now", ".today", ".utcnow"}


@dataclass(frozen=True)
class Module:
    """One source file of ours."""

    name: str
    tree: ast.Module

    @property
    def layer(self) -> Optional[str]:
        return next((layer for layer in MAY_IMPORT if within(self.name, layer)), None)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, ast.parse(path.read_text(encoding="utf-8")))


MODULES = {found.name: found for found in map(module, FILES)}


def imported(found: Module) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function, by full name."""
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{found.name}: write imports with the full name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in names if name in MODULES]
            yield from modules
            if len(modules) < len(names):
                yield str(node.module)


def ours(found: Module) -> set[str]:
    return {name for name in imported(found) if within(name, "monitor")}


def foreign_imports(found: Module) -> list[str]:
    """Imports that the file's layer may not have."""
    allowed = MAY_IMPORT.get(found.layer or "", ("monitor",))
    strangers = [n for n in sorted(ours(found)) if not any(within(n, a) for a in allowed)]
    return [f"{found.name} imports {name}" for name in strangers]


def calls(found: Module) -> Iterator[str]:
    """The name of every function called: `print`, or `.now` of whatever object."""
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f".{node.func.attr}"


def asks_the_clock(found: Module) -> bool:
    return bool(CLOCK_CALLS.intersection(calls(found)))


def impurities(found: Module) -> list[str]:
    """What a pure module may not use."""
    modules = [name for name in imported(found) if name.partition(".")[0] in IMPURE_MODULES]
    called = [name for name in calls(found) if name in IMPURE_CALLS | CLOCK_CALLS]
    return [f"{found.name} uses {name}" for name in modules + called]


def runs_processes(found: Module) -> bool:
    return "subprocess" in {name.partition(".")[0] for name in imported(found)}


def holds_escape_codes(found: Module) -> bool:
    values = [node.value for node in ast.walk(found.tree) if isinstance(node, ast.Constant)]
    texts = [v for v in values if isinstance(v, str) and "\x1b" in v]
    return bool(texts or [v for v in values if isinstance(v, bytes) and b"\x1b" in v])


def long_functions(found: Module) -> list[str]:
    functions = [
        n for n in ast.walk(found.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    return [
        f"{found.name}.{node.name} has {length} lines"
        for node in functions
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]


def job(found: Module) -> str:
    """The first line of the module's docstring."""
    return (ast.get_docstring(found.tree) or "").partition("\n")[0]


each_module = pytest.mark.parametrize("name", sorted(MODULES))


@each_module
def test_a_layer_imports_only_what_comes_before_it(name: str) -> None:
    assert foreign_imports(MODULES[name]) == []


@pytest.mark.parametrize("name", [n for n in MODULES if any(within(n, pure) for pure in PURE)])
def test_model_and_views_have_no_system_no_clock_and_print_nothing(name: str) -> None:
    assert impurities(MODULES[name]) == []


@each_module
def test_the_clock_is_asked_in_one_place(name: str) -> None:
    assert name in MAY_ASK_THE_CLOCK or not asks_the_clock(MODULES[name])


@each_module
def test_nobody_imports_the_command_line(name: str) -> None:
    assert "monitor.cli" not in ours(MODULES[name]) or name in MAY_IMPORT_CLI


def test_no_imports_go_in_circles() -> None:
    try:
        order = TopologicalSorter({name: ours(m) - {name} for name, m in MODULES.items()})
        assert list(order.static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))


@each_module
def test_other_programs_are_started_in_few_places(name: str) -> None:
    assert name in MAY_RUN_PROCESSES or not runs_processes(MODULES[name])


@each_module
def test_escape_codes_have_one_home(name: str) -> None:
    assert name in MAY_HOLD_ESCAPE_CODES or not holds_escape_codes(MODULES[name])


@each_module
def test_a_module_says_its_only_job_in_one_sentence(name: str) -> None:
    assert job(MODULES[name]).endswith(".")


@each_module
def test_functions_are_short_enough_to_read_at_once(name: str) -> None:
    assert long_functions(MODULES[name]) == []


def planted(source: str, name: str = "monitor.model.planted") -> Module:
    return Module(name, ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "from monitor.views import style",
        "from monitor.store.json_file import load",
        "import monitor.cli",
        "def f():\n    from monitor import settings",
    ],
)
def test_a_foreign_import_in_the_model_would_be_seen(source: str) -> None:
    assert foreign_imports(planted(source))


@pytest.mark.parametrize(
    "source",
    [
        "import os.path",
        "from time import monotonic",
        "print(1)",
        "datetime.now()",
        "date.today()",
        "def f():\n    import random",
    ],
)
def test_an_impure_module_would_be_seen(source: str) -> None:
    assert impurities(planted(source))


@pytest.mark.parametrize("source", [r"'\x1b[0m'", r"'\033[0m'", r"f'\u001b[{n}m'", r"b'\x1b'"])
def test_an_escape_code_would_be_seen_however_it_is_spelt(source: str) -> None:
    assert holds_escape_codes(planted(source))


def test_a_process_started_in_the_wrong_place_would_be_seen() -> None:
    assert runs_processes(planted("def f():\n    from subprocess import run"))


def test_a_function_of_41_lines_would_be_seen() -> None:
    assert long_functions(planted("def f():\n" + "    pass\n" * 40))
    assert not long_functions(planted("def f():\n" + "    pass\n" * 39))
