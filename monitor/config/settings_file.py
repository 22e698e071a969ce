"""Read the TOML settings file; every error names the file, the key and what is allowed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Optional

import click

from monitor.config.options import DataDirectory, TokenLimit
from monitor.config.settings import Account
from monitor.config.trust import STARTS_PROGRAMS, how_to_mend
from monitor.store.paths import expand_user, open_at_once, settings_path

PLANS, ALERTS, ACCOUNTS = "plans", "alerts", "accounts"
ALERT_KEYS = {"at": "alert_at", "bell": "bell", "notify": "notify", "command": "alert_command"}
META = "monitor.config.settings_file"
NOT_IN_FILE = frozenset({"config", "json_schema", "version", "test_alert", "yes", "demo"})
"""The parameters that are about one run, or that only the user may decide."""

MAX_BYTES = 2**20

LONGEST_NAME = 20
"""Characters of an account's name: it is shown in a table."""

HIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What no value may hold: control characters, and marks that reorder text."""


class SettingsFileError(click.UsageError):
    """The settings file is wrong: click ends with exit code 2 and one line."""


class SettingsFile(NamedTuple):
    """What a settings file holds: tokens by plan, accounts, and values by parameter name."""

    path: Path
    plans: dict[str, int]
    accounts: list[Account]
    options: dict[str, Any]


class PlanName(click.Choice):
    """One of the plans, or a name of the settings file's `[plans]` table; upper or lower case."""

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the plan's name as it is listed. Raises click.BadParameter with the names."""
        names = [*self.choices, *plans_of(ctx)]
        same = [name for name in names if name.casefold() == str(value).strip().casefold()]
        if same:
            return str(value) if value in same else same[0]
        return str(click.Choice(names).convert(value, param, ctx))


def plans_of(ctx: Optional[click.Context]) -> Mapping[str, int]:
    """Return the plans that the settings file names: tokens by name."""
    file = ctx.find_root().meta.get(META) if ctx else None
    return file.plans if isinstance(file, SettingsFile) else {}


def accounts_of(ctx: Optional[click.Context]) -> tuple[Account, ...]:
    """Return the accounts that the settings file names."""
    file = ctx.find_root().meta.get(META) if ctx else None
    return tuple(file.accounts) if isinstance(file, SettingsFile) else ()


def use_settings_file(
    ctx: click.Context, _param: click.Parameter, value: Optional[str]
) -> Optional[str]:
    """Let the settings file give the defaults: click's callback of the eager `--config`."""
    path = expand_user(value) if value else settings_path()
    read = _read(path, may_wait=value is not None)
    if read is not None:
        data, info = read
        ctx.meta[META] = file = SettingsFile(path, {}, [], {})
        _Checker(ctx, file, info).check(_parsed(path, data))
        ctx.default_map = file.options
    return value


def check_named_file(ctx: click.Context) -> None:
    """Raise SettingsFileError if `--config` names no file; `config --init` is there to make it."""
    named = ctx.params.get("config")
    if named and META not in ctx.meta and ctx.invoked_subcommand != "config":
        raise SettingsFileError(f"{named}: there is no such settings file.")


class _Checker:
    """Checks every key and value against the program's options, and fills a SettingsFile."""

    def __init__(self, ctx: click.Context, file: SettingsFile, info: os.stat_result) -> None:
        self._ctx = ctx
        self._file = file
        self._info = info
        params = {param.name: param for param in ctx.command.params if param.name}
        self._params = {name: p for name, p in params.items() if name not in NOT_IN_FILE}

    def check(self, data: Mapping[str, Any]) -> None:
        """Fill in plans, accounts and options. Raises SettingsFileError."""
        # The plans and accounts first: options may name one of them.
        for name, limit in self._table(data, PLANS):
            self._file.plans[name] = self._plan(name, limit)
        for name, directory in self._table(data, ACCOUNTS):
            self._file.accounts.append(self._account(name, directory))
        for key, value in data.items():
            if key not in (PLANS, ALERTS, ACCOUNTS):
                self._set(key, key.replace("-", "_"), value)
        for key, value in self._table(data, ALERTS):
            if key not in ALERT_KEYS:
                self._fail(f"{ALERTS}.{key}", f"is not a setting{_similar(key, ALERT_KEYS)}")
            self._set(f"{ALERTS}.{key}", ALERT_KEYS[key], value)

    def _table(self, data: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
        table = data.get(name, {})
        if not isinstance(table, dict):
            self._fail(name, f"takes a table: a line [{name}] and its keys below.")
        yield from table.items()

    def _plan(self, name: str, limit: Any) -> int:
        key = f"{PLANS}.{name}"
        if not name.isprintable():
            self._fail(key, "is no name: it holds a character that cannot be seen.")
        if name.casefold() in getattr(self._params["plan"].type, "choices", ()):
            self._fail(key, "is the name of a plan already; choose another.")
        if not _is_plain(limit, str, int):
            self._fail(key, 'takes a number of tokens, such as 60000 or "60k".')
        return int(self._convert(key, TokenLimit(), limit))

    def _account(self, name: str, directory: Any) -> Account:
        key = f"{ACCOUNTS}.{name}"
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            self._fail(key, f"is no name: 1 to {LONGEST_NAME} characters that can be seen.")
        if not _is_plain(directory, str) or HIDDEN.search(directory):
            self._fail(key, 'takes a data directory, such as "~/.claude-work".')
        account = Account(name, self._convert(key, DataDirectory(), directory))
        for other in self._file.accounts:
            if other.name.casefold() == name.casefold():
                self._fail(key, f"differs from {other.name} only in upper and lower case.")
            if _real(other.data_dir) == _real(account.data_dir):
                self._fail(key, f"has the data directory of {other.name}.")
        return account

    def _set(self, key: str, name: str, value: Any) -> None:
        param = self._params.get(name)
        if name in NOT_IN_FILE:
            ways = f"--{name.replace('_', '-')} or CCUSAGE_MONITOR_{name.upper()}"
            self._fail(key, f"is not a setting in a file; use {ways} in the environment.")
        if isinstance(value, dict):
            tables = [f"[{table}]" for table in (PLANS, ALERTS, ACCOUNTS)]
            self._fail(key, f"is no table here{_similar(f'[{key.casefold()}]', tables)}")
        if param is None:
            names = [name.replace("_", "-") for name in self._params]
            self._fail(key, f"is not a setting{_similar(key.replace('_', '-'), names)}")
        if name in STARTS_PROGRAMS:
            self._check_trust(key)
        if param.multiple:
            values = value if isinstance(value, list) else [value]
            self._file.options[name] = [self._value(key, param, item) for item in values]
        elif isinstance(value, list):
            self._fail(key, "takes one value.")
        else:
            self._file.options[name] = self._value(key, param, value)

    def _value(self, key: str, param: click.Parameter, value: Any) -> Any:
        """Return one value as the option takes it; other types of TOML are not settings."""
        if isinstance(value, str) and HIDDEN.search(value):
            self._fail(key, "holds a control character, or one that reorders text; leave it out.")
        if isinstance(param, click.Option) and param.is_flag:
            if not isinstance(value, bool):
                self._fail(key, "takes true or false.")
            return value
        if isinstance(param.type, (click.Path, click.types.StringParamType)):
            if not _is_plain(value, str):
                self._fail(key, "takes a string.")
        elif not _is_plain(value, str, int, float):
            self._fail(key, "takes a string or a number.")
        return self._convert(key, param.type, str(value))

    def _check_trust(self, key: str) -> None:
        """Raise SettingsFileError if others can change the file: it must not start programs."""
        try:
            command = how_to_mend(self._file.path, self._info)
        except OSError as error:
            self._fail(key, f"starts a program, and {error.filename} cannot be checked.")
        if command:
            only = "starts a program, so only you and root may be able to change this file"
            self._fail(key, f"{only}. Read it, then run: {command}")

    def _convert(self, key: str, kind: click.ParamType, value: Any) -> Any:
        try:
            return kind.convert(value, None, self._ctx)
        except click.BadParameter as error:
            self._fail(key, error.message)

    def _fail(self, key: str, reason: str) -> NoReturn:
        _fail(self._file.path, f"{key}: {reason}")


def _read(path: Path, *, may_wait: bool) -> Optional[tuple[bytes, os.stat_result]]:
    """Return the bytes of the file, and whose it is; None if there is none.

    It `may_wait` for a shell that writes to a pipe, as in `--config <(…)`. Raises
    SettingsFileError.
    """
    try:
        opener = None if may_wait else open_at_once
        with open(path, "rb", opener=opener) as file:
            return file.read(MAX_BYTES), os.fstat(file.fileno())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        _fail(path, f"cannot be read: {error.strerror}.")


def _parsed(path: Path, data: bytes) -> Mapping[str, Any]:
    """Return what the file holds. Raises SettingsFileError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        # Some editors on Windows begin a file with a byte order mark.
        content: dict[str, Any] = tomllib.loads(data.decode("utf-8-sig"))
        return content
    except UnicodeDecodeError as error:
        _fail(path, f"is not UTF-8 text (byte {error.start}).")
    except (ValueError, RecursionError) as error:  # a ValueError too: a number of 5,000 digits
        _fail(path, f"is not valid TOML: {error}.")


def _fail(path: Path, reason: str) -> NoReturn:
    raise SettingsFileError(f"{path}: {reason}") from None


def _is_plain(value: Any, *kinds: type) -> bool:
    """Return whether a value of TOML can be read as the words of a command line can."""
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    if isinstance(value, int):
        return abs(value) < 2**63  # Python refuses to print numbers of thousands of digits
    return value != ""


def _real(directory: Path) -> str:
    """Return what is the same for two names of a data directory."""
    return os.path.realpath(expand_user(directory)).removesuffix(f"{os.sep}projects")


def _similar(key: str, names: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(key, list(names), n=1)
    return (
        f"; did you mean {near[0]}?" if near else f"; the settings are {', '.join(sorted(names))}."
    )
