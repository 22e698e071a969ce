"""Command line › environment › settings file › default, into one frozen Settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

if TYPE_CHECKING:
    from monitor.model.plans import Rules


# Named tuples, since a dataclass takes ten times as long to define: each status line pays for it.


class LimitOptions(NamedTuple):
    """Which limit applies, when it resets, and the clock for all times.

    `is_plan_chosen` is false if `plan` is only the default. `own_plans` are those of the settings
    file: tokens by name.
    """

    plan: str = "pro"
    is_plan_chosen: bool = False
    token_limit: Optional[int] = None
    reset_hour: Optional[int] = None
    timezone: Optional[str] = None
    time_format: Optional[str] = None
    own_plans: Mapping[str, int] = MappingProxyType({})


class DataOptions(NamedTuple):
    """Which data to read, and how."""

    ccusage: Optional[str] = None
    claude_dirs: tuple[Path, ...] = ()
    online: bool = False
    full_scan: bool = False

    @property
    def key(self) -> str:
        """The options that change the numbers; part of the cache key."""
        return repr((self.ccusage, self.online, self.full_scan))


class Account(NamedTuple):
    """A Claude account: the name that the settings file gives it, and its data directory."""

    name: str
    data_dir: Path


class OfficialOptions(NamedTuple):
    """Where official limits come from, `statusline`, `ask` or `off`; the `claude` to ask."""

    mode: str = "statusline"
    claude: Optional[str] = None


STATUS_LINE_ONLY = OfficialOptions()


class AlertOptions(NamedTuple):
    """When to alert, in percent of the limit, and how; without any way there are no alerts."""

    percents: tuple[float, ...] = (80.0, 95.0)
    bell: bool = False
    notify: bool = False
    command: Optional[str] = None

    @property
    def enabled(self) -> bool:
        """Whether any way to alert was chosen."""
        return self.bell or self.notify or bool(self.command)


@dataclass(frozen=True)
class Settings:
    """What the user chose, checked; `output` is `live`, `once`, `json` or `follow`.

    `accounts` are to be shown; `account` names the one that these settings are about, if any.
    """

    limit: LimitOptions
    data: DataOptions
    alerts: AlertOptions
    official: OfficialOptions = STATUS_LINE_ONLY
    output: str = "live"
    refresh: float = 3.0
    show_cost: bool = True
    ascii: bool = False
    no_color: bool = False
    yes: bool = False
    demo: bool = False
    accounts: tuple[Account, ...] = ()
    account: str = ""

    def each_account(self) -> tuple[Settings, ...]:
        """Return the settings of each account; these alone if data directories are named."""
        if self.demo or self.data.claude_dirs:
            return (self,)
        return tuple(map(self._of_account, self.accounts)) or (self,)

    def _of_account(self, account: Account) -> Settings:
        data = self.data._replace(claude_dirs=(account.data_dir,))
        return replace(self, data=data, accounts=(), account=account.name)

    @cached_property
    def rules(self) -> Rules:
        """The settings that the model needs; made at first use, since time zones load slowly."""
        import pytz

        from monitor.config.time_zones import local_zone
        from monitor.model.plans import PLAN_TOKENS, Rules

        limit = self.limit
        return Rules(
            plan=limit.plan,
            is_plan_chosen=limit.is_plan_chosen,
            token_limit=limit.token_limit,
            reset_hour=limit.reset_hour,
            zone=pytz.timezone(limit.timezone) if limit.timezone else local_zone(),
            twelve_hour=is_twelve_hour(limit.time_format),
            plan_tokens={**PLAN_TOKENS, **limit.own_plans},
        )


def settings_from(
    params: Mapping[str, Any], own_plans: Mapping[str, int], *, is_plan_chosen: bool
) -> Settings:
    """Build the settings from click's parameters, all present and converted.

    `is_plan_chosen` says that an option, the environment or the settings file names the plan.
    """
    return Settings(
        limit=LimitOptions(
            plan=params["plan"],
            is_plan_chosen=is_plan_chosen,
            token_limit=params["token_limit"],
            reset_hour=params["reset_hour"],
            timezone=params["timezone"],
            time_format=params["time_format"],
            own_plans=own_plans,
        ),
        data=DataOptions(
            ccusage=params["ccusage"],
            claude_dirs=params["claude_dir"],
            online=params["online"],
            full_scan=params["full_scan"],
        ),
        alerts=AlertOptions(
            percents=params["alert_at"] or AlertOptions().percents,
            bell=params["bell"],
            notify=params["notify"],
            command=params["alert_command"],
        ),
        official=OfficialOptions(params["official"], params["claude"]),
        output=_output(params),
        refresh=params["refresh"],
        show_cost=not params["no_cost"],
        ascii=params["ascii"],
        no_color=params["no_color"],
        yes=params["yes"],
        demo=params["demo"],
    )


def _output(params: Mapping[str, Any]) -> str:
    return next((name for name in ("follow", "json", "once") if params[name]), "live")


def is_twelve_hour(chosen: Optional[str]) -> bool:
    """Return whether times are on a 12-hour clock: as chosen, else as in the user's locale."""
    if chosen is not None:
        return chosen == "12"
    import locale

    try:
        locale.setlocale(locale.LC_TIME, "")
        return any(code in locale.nl_langinfo(locale.T_FMT) for code in ("%r", "%p", "%I"))
    except (locale.Error, AttributeError):
        return False  # an unknown locale, or Windows
