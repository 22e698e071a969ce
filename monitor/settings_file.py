"""Read the TOML settings file: every fault is named with file, line, key and what is allowed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, Optional

import click

from monitor.options import TokenLimit

PLANS_TABLE, ALERTS_TABLE = "plans", "alerts"
ALERT_KEYS = {"at": "alert_at", "bell": "bell", "notify": "notify", "command": "alert_command"}
META = "monitor.settings_file"
NEVER_IN_FILE = ("config", "help", "version")


class FileFault(click.UsageError):
    """A fault of the settings file; click ends with exit code 2 and says it in one line."""


class SettingsFile:
    """A settings file as it was read: its options, and the team's own plans."""

    def __init__(self, path: Path, text: str, data: Mapping[str, Any]) -> None:
        self.path = path
        self.plans: dict[str, int] = {}
        self.options: dict[str, Any] = {}
        self._text = text
        self._data = data

    def check(self, ctx: click.Context) -> None:
        """Check every key and value against the options there are. Raises FileFault."""
        allowed = {p.name: p for p in ctx.command.params if p.name and p.name not in NEVER_IN_FILE}
        table = self._data.get(PLANS_TABLE, {})
        if not isinstance(table, dict):
            self._fail(PLANS_TABLE, "takes a table of names and limits.")
        for name, limit in table.items():
            self.plans[name] = self._convert(ctx, name, TokenLimit(), limit)
        ctx.meta[META] = self
        for key, name, value in self._entries():
            if name not in allowed:
                self._fail(key, f"is no setting{_similar(key, allowed)}.")
            self.options[name] = self._checked(ctx, key, allowed[name], value)

    def _entries(self) -> Iterator[tuple[str, str, Any]]:
        """Yield each key, the option it is for and its value; `[alerts]` groups some options."""
        for key, value in self._data.items():
            if key == ALERTS_TABLE and isinstance(value, dict):
                for inner, item in value.items():
                    yield inner, ALERT_KEYS.get(inner, f"{key}.{inner}"), item
            elif key != PLANS_TABLE:
                yield key, key.replace("-", "_"), value

    def _checked(self, ctx: click.Context, key: str, param: click.Parameter, value: Any) -> Any:
        is_flag = isinstance(param, click.Option) and param.is_flag
        if is_flag != isinstance(value, bool):
            self._fail(key, "takes true or false." if is_flag else "takes no true or false.")
        if is_flag:
            return value
        many = isinstance(value, list)
        if (many and not param.multiple) or isinstance(value, dict):
            self._fail(key, "takes one value.")
        values = value if many else [value]
        found = [self._convert(ctx, key, param.type, item) for item in values]
        return found if param.multiple else found[0]

    def _convert(self, ctx: click.Context, key: str, kind: click.ParamType, value: Any) -> Any:
        try:
            return kind.convert(value, None, ctx)
        except click.BadParameter as error:
            self._fail(key, error.message)

    def _fail(self, key: str, why: str) -> NoReturn:
        line = _line_of(self._text, key)
        where = f"{self.path}, line {line}" if line else str(self.path)
        raise FileFault(f"{where}: {key}: {why}")


def default_path() -> Path:
    """Return where the settings file is when nothing else is said: the platform's config place."""
    from platformdirs import user_config_path

    return user_config_path("ccusage-monitor", appauthor=False) / "config.toml"


def read_settings_file(path: Path) -> Optional[SettingsFile]:
    """Read a settings file; None when there is none. Raises FileFault."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileFault(f"{path}: cannot be read: {error.strerror}.") from None
    return _parsed(path, data)


def plans_of(ctx: Optional[click.Context]) -> Mapping[str, int]:
    """Return the team's own plans that the settings file names."""
    file = ctx.find_root().meta.get(META) if ctx else None
    return file.plans if isinstance(file, SettingsFile) else {}


class PlanName(click.Choice):
    """One of the plans, or a name of the settings file's `[plans]` table."""

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the plan's name; fails with the names there are."""
        own = plans_of(ctx)
        if value in own:
            return str(value)
        return str(click.Choice([*self.choices, *own]).convert(value, param, ctx))


def use_settings_file(
    ctx: click.Context, _param: click.Parameter, value: Optional[str]
) -> Optional[str]:
    """Let the settings file give the defaults: click's callback of the eager `--config`."""
    path = Path(value).expanduser() if value else default_path()
    file = read_settings_file(path)
    if file is not None:
        file.check(ctx)
        ctx.default_map = file.options
    return value


def check_named_file(ctx: click.Context) -> None:
    """Raise FileFault when `--config` names no file; `config --init` is there to make it."""
    named = ctx.params.get("config")
    if named and META not in ctx.meta and ctx.invoked_subcommand != "config":
        raise FileFault(f"{named}: there is no such settings file.")


def _parsed(path: Path, data: bytes) -> SettingsFile:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = data.decode("utf-8")
        return SettingsFile(path, text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise FileFault(f"{path}: is no UTF-8 text (byte {error.start}).") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileFault(f"{path}: is no TOML: {error}.") from None


def _line_of(text: str, key: str) -> Optional[int]:
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=|\s*\[["']?{re.escape(key)}""")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return number
    return None


def _similar(key: str, allowed: Mapping[str, Any]) -> str:
    names = [name.replace("_", "-") for name in allowed]
    import difflib

    found = difflib.get_close_matches(key.replace("_", "-"), names, n=1)
    return f"; did you mean {found[0]}?" if found else f"; there are {', '.join(sorted(names))}"
