"""Read the TOML settings file: every fault is named with file, line, key and what is allowed."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Optional

import click

from monitor.config.options import TokenLimit
from monitor.store.paths import expand_user

TABLES = PLANS_TABLE, ALERTS_TABLE = "plans", "alerts"
ALERT_KEYS = {"at": "alert_at", "bell": "bell", "notify": "notify", "command": "alert_command"}
META = "monitor.config.settings_file"
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
        for name, limit in self._table(PLANS_TABLE).items():
            if name in getattr(allowed["plan"].type, "choices", ()):
                self._fail(name, "is one of the plans that there are; choose another.", PLANS_TABLE)
            if not _is_plain(limit, (str, int)):
                self._fail(name, 'takes a number of tokens, such as 60000 or "60k".', PLANS_TABLE)
            self.plans[name] = self._convert(ctx, name, TokenLimit(), limit, PLANS_TABLE)
        ctx.meta[META] = self
        for key, value in self._data.items():
            if key not in TABLES:
                self._set(ctx, key, key.replace("-", "_"), value, allowed)
        for key, value in self._table(ALERTS_TABLE).items():
            if key not in ALERT_KEYS:
                self._fail(key, f"is no setting; there are {', '.join(ALERT_KEYS)}", ALERTS_TABLE)
            self._set(ctx, key, ALERT_KEYS[key], value, allowed, ALERTS_TABLE)

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self._data.get(name, {})
        if not isinstance(table, dict):
            self._fail(name, f"takes a table: a line [{name}], its keys below.")
        return table

    def _set(
        self,
        ctx: click.Context,
        key: str,
        name: str,
        value: Any,
        allowed: Mapping[str, click.Parameter],
        table: str = "",
    ) -> None:
        param = allowed.get(name)
        if param is None:
            self._fail(key, f"is no setting{_similar(key, allowed)}.", table)
        many = isinstance(value, list)
        if many and not param.multiple:
            self._fail(key, "takes one value.", table)
        values = value if many else [value]
        found = [self._checked(ctx, key, param, item, table) for item in values]
        self.options[name] = found if param.multiple else found[0]

    def _checked(
        self, ctx: click.Context, key: str, param: click.Parameter, value: Any, table: str
    ) -> Any:
        """Return one value as the option takes it; other kinds of TOML values are no settings."""
        if isinstance(param, click.Option) and param.is_flag:
            if not isinstance(value, bool):
                self._fail(key, "takes true or false.", table)
            return value
        is_text = isinstance(param.type, (click.Path, click.types.StringParamType))
        if not _is_plain(value, (str,) if is_text else (str, int, float)):
            self._fail(key, f"takes a text{'' if is_text else ' or a number'}.", table)
        return self._convert(ctx, key, param.type, str(value), table)

    def _convert(
        self, ctx: click.Context, key: str, kind: click.ParamType, value: Any, table: str
    ) -> Any:
        try:
            return kind.convert(value, None, ctx)
        except click.BadParameter as error:
            self._fail(key, error.message, table)

    def _fail(self, key: str, why: str, table: str = "") -> NoReturn:
        from monitor.model.formatting import visible

        line = _line_of(self._text, key, table)
        where = f"{self.path}, line {line}" if line else str(self.path)
        shown = f"{table}.{key}" if table else key
        raise FileFault(visible(f"{where}: {shown}: {why}"))


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
    path = expand_user(value) if value else default_path()
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
    from monitor.model.formatting import visible

    try:
        text = data.decode("utf-8-sig")  # some editors on Windows begin a file with that mark
        return SettingsFile(path, text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise FileFault(f"{path}: is no UTF-8 text (byte {error.start}).") from None
    except (ValueError, RecursionError) as error:  # a ValueError too: a number of 5,000 digits
        raise FileFault(visible(f"{path}: is no TOML: {error}.")) from None


def _is_plain(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value of TOML can be read as the words of a command line can."""
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    if isinstance(value, int):
        return abs(value) < 2**63  # Python writes out no number of any length
    return bool(value) and "\0" not in value if isinstance(value, str) else True


def _line_of(text: str, key: str, table: str) -> Optional[int]:
    """Return the line on which a key is set; that of its table where it stands on no own line."""
    name, parent, now_in, at_table = _spelt(key), _spelt(table), "", None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        now_in = header[1].strip("\"'") if header else now_in
        dotted = re.match(rf"\s*{parent}\s*\.\s*{name}\s*=", line) if table else None
        if dotted or (now_in == table and re.match(rf"\s*{name}\s*[.=]", line)):
            return number
        if table and re.match(rf"\s*(\[\s*{parent}\s*\]|{parent}\s*=)", line):
            at_table = number
        elif not table and re.match(rf"\s*\[+\s*{name}\s*[.\]]", line):
            return number
    return at_table


def _spelt(key: str) -> str:
    return rf"""["']?{re.escape(key)}["']?"""


def _similar(key: str, allowed: Mapping[str, Any]) -> str:
    import difflib

    names = [name.replace("_", "-") for name in allowed]
    found = difflib.get_close_matches(key.replace("_", "-"), names, n=1)
    return f"; the nearest is {found[0]}" if found else f"; there are {', '.join(sorted(names))}"
