"""An account on the live screen: when it has to be measured again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from monitor.app.poller import Poller
from monitor.app.watched_account import WatchedAccount
from monitor.config.settings import AlertOptions, DataOptions, LimitOptions, Settings
from tests.app.reports import NOW


def test_the_end_of_the_block_is_news_that_no_poll_brings(poller: Poller) -> None:
    settings = Settings(LimitOptions(), DataOptions(), AlertOptions())
    watched = WatchedAccount(settings, poller, cast("Any", None))
    poller.poll()
    watched.measure(NOW)
    assert watched.usage is not None and watched.usage.reset.at is not None
    ends = watched.usage.reset.at
    second = timedelta(seconds=1)
    assert watched.news(NOW) == watched.news(ends - second)
    assert watched.news(ends - second) != watched.news(ends)
    assert watched.news(ends) == watched.news(ends + second)
