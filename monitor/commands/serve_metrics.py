"""`serve-metrics`: usage for Prometheus, over HTTP or in a file for node_exporter."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Optional

import click

from monitor import __version__
from monitor.app import exits
from monitor.app.accounts import read_each
from monitor.app.opening import PolledAccount, open_accounts, read_usage
from monitor.app.poller import Poller
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.usage import Usage
from monitor.views.metrics import (
    poll_families,
    stale_families,
    usage_families,
    with_accounts,
)

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric as Family

LIBRARIES = {
    "prometheus_client": "prometheus-client>=0.20,<1",
    "waitress": "waitress>=3.0.1,<4",
}


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=9817,
    show_default=True,
    help="The TCP port; 0 takes a free one.",
)
@click.option(
    "--address",
    default="127.0.0.1",
    metavar="ADDRESS",
    show_default=True,
    help="Where to listen. Any other than a loopback address lets the network read your usage.",
)
@click.option(
    "--textfile",
    type=click.Path(),
    metavar="FILE",
    help="Write FILE (*.prom) once for node_exporter's textfile collector, and exit.",
)
@click.pass_obj
def command(
    settings: Settings, /, *, port: int, address: str, textfile: Optional[str]
) -> Callable[[], int]:
    """Serve the usage as Prometheus metrics at /metrics until Ctrl+C."""
    if textfile is not None and not textfile.endswith(".prom"):
        raise click.BadParameter(
            f"{textfile!r} does not end in .prom: node_exporter would not read it.",
            param_hint="'--textfile'",
        )
    if not address.strip():
        raise click.BadParameter("name an address, such as 127.0.0.1.", param_hint="'--address'")
    if textfile is not None:
        return lambda: _write(settings, Path(textfile))
    return lambda: _serve(settings, address.strip(), port)


def _serve(settings: Settings, address: str, port: int) -> int:
    _need("prometheus_client", "waitress")
    try:
        with open_accounts(settings) as polled:
            metrics = [LiveMetrics(*account) for account in polled]
            with _listening(_registry(lambda: _families(metrics)), address, port) as url:
                read_each((m.account, m.read_first) for m in metrics)
                print(f"Metrics at {url} until Ctrl+C.", file=sys.stderr, flush=True)
                _poll_forever(metrics)
    except KeyboardInterrupt:
        return exits.OK


def _poll_forever(metrics: Sequence[LiveMetrics]) -> NoReturn:
    """Poll at every refresh; a signal ends it."""
    for each in metrics:
        each.start()
    try:
        while True:
            # Another thread may catch the signal: this one acts on it when it wakes up.
            time.sleep(0.5)
    finally:
        for each in metrics:
            each.poller.interrupt()
        for each in metrics:
            each.poller.stop()


def _write(settings: Settings, path: Path) -> int:
    """Write the file; without a reading it holds only that, so that no old numbers stay in it."""
    _need("prometheus_client")
    with open_accounts(settings) as polled:
        metrics = [LiveMetrics(*account) for account in polled]
        try:
            accounts = read_each((m.account, partial(read_usage, *m.polled)) for m in metrics)
        except MonitorError:
            _put(path, list(stale_families(None)))
            raise
        pairs = zip(metrics, accounts)
        _put(path, list(_joined([(m.account, m.families_of(a.usage)) for m, a in pairs])))
    return exits.OK


class LiveMetrics:
    """The metrics of one account: of its poller's last result, at any moment."""

    def __init__(self, settings: Settings, poller: Poller) -> None:
        self.polled = PolledAccount(settings, poller)
        self.account = settings.account
        self.poller = poller
        self._settings = settings
        self._failures = 0

    def read_first(self) -> Usage:
        """Read the usage once. Raises MonitorError."""
        return read_usage(self._settings, self.poller, check=False)

    def start(self) -> None:
        """Poll at every refresh, in a thread."""
        self.poller.start(self._settings.refresh, self._polled)

    def families(self) -> Iterator[Family]:
        """Yield the metrics of this moment; time passes for them without a poll."""
        usage = self.poller.result.measured(self._settings.rules, utc_now())
        yield from self.families_of(usage)
        yield from poll_families(usage, self._failures)

    def families_of(self, usage: Optional[Usage]) -> Iterator[Family]:
        """Yield the metrics of a usage; only that there is none if it is None."""
        if usage is not None:
            yield from usage_families(usage, __version__, show_cost=self._settings.show_cost)
        yield from stale_families(usage)

    def _polled(self) -> None:
        self._failures += self.poller.result.error is not None


def _families(metrics: Sequence[LiveMetrics]) -> Iterator[Family]:
    return _joined([(each.account, each.families()) for each in metrics])


def _joined(accounts: Sequence[tuple[str, Iterable[Family]]]) -> Iterator[Family]:
    """Yield the metrics of all accounts; where none is named, as they are."""
    is_named = any(name for name, _ in accounts)
    return with_accounts(accounts) if is_named else chain.from_iterable(f for _, f in accounts)


def _registry(families: Callable[[], Iterable[Family]]) -> CollectorRegistry:
    """Make a registry that asks for the metrics at each scrape, and holds nothing else."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

    class AtScrape(Collector):
        def collect(self) -> Iterable[Family]:
            return families()

    registry = CollectorRegistry()
    registry.register(AtScrape())
    return registry


@contextmanager
def _listening(registry: CollectorRegistry, address: str, port: int) -> Iterator[str]:
    """Answer scrapes beside this thread; lend the address to scrape."""
    from prometheus_client import make_wsgi_app

    from monitor.commands.metrics_server import serving

    with ExitStack() as stack:
        try:
            opened = stack.enter_context(serving(make_wsgi_app(registry), address, port))
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise MonitorError(
                f"Port {port} of {address} could not be opened: {why}.",
                "Choose another with --port or --address, or see what uses it.",
            ) from error
        host = f"[{address}]" if ":" in address else address
        yield f"http://{host}:{opened}/metrics"


def _put(path: Path, families: Sequence[Family]) -> None:
    from prometheus_client import write_to_textfile

    try:
        write_to_textfile(str(path), _registry(lambda: families))
    except OSError as error:
        raise MonitorError(
            f"{path} could not be written: {error.strerror}.",
            "Name a file in a directory that you may write to.",
        ) from error


def _need(*modules: str) -> None:
    """Raise MonitorError that names what to install if a library is missing."""
    missing = [LIBRARIES[module] for module in modules if find_spec(module) is None]
    if missing:
        names = ", ".join(library.partition(">")[0] for library in missing)
        wanted = " ".join(f"'{library}'" for library in missing)
        raise MonitorError(
            f"serve-metrics needs Python packages that are not installed: {names}.",
            f"Install with: {sys.executable} -m pip install {wanted}",
        )
