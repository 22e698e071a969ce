"""`serve-metrics`: usage for Prometheus, over HTTP or in a file for node_exporter."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Optional

import click

from monitor import __version__
from monitor.app import exits
from monitor.app.poller import Poller
from monitor.app.session import open_session, read_usage
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.usage import Usage
from monitor.views.metrics import poll_families, stale_families, usage_families

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
        with open_session(settings) as (settings, poller):  # noqa: PLR1704 - the demo changes them
            metrics = LiveMetrics(settings, poller)
            with _listening(_registry(metrics.families), address, port) as url:
                read_usage(settings, poller, check=False)
                print(f"Metrics at {url} until Ctrl+C.", file=sys.stderr, flush=True)
                metrics.poll_forever()
    except KeyboardInterrupt:
        return exits.OK


def _write(settings: Settings, path: Path) -> int:
    """Write the file; without a reading it holds only that, so that no old numbers stay in it."""
    _need("prometheus_client")
    with open_session(settings) as (settings, poller):  # noqa: PLR1704 - the demo changes them
        try:
            usage = read_usage(settings, poller)
        except MonitorError:
            _put(path, list(stale_families(None)))
            raise
        families = usage_families(usage, __version__, show_cost=settings.show_cost)
        _put(path, [*families, *stale_families(usage)])
    return exits.OK


class LiveMetrics:
    """Polls at every refresh; returns the metrics of the last result at any moment."""

    def __init__(self, settings: Settings, poller: Poller) -> None:
        self._settings = settings
        self._poller = poller
        self._failures = 0

    def poll_forever(self) -> NoReturn:
        """Poll at every refresh; a signal ends it."""
        self._poller.start(self._settings.refresh, self._polled)
        try:
            while True:
                # Another thread may catch the signal: this one acts on it when it wakes up.
                time.sleep(0.5)
        finally:
            self._poller.stop()

    def families(self) -> Iterator[Family]:
        """Yield the metrics of this moment; time passes for them without a poll."""
        usage = self._usage()
        if usage is not None:
            yield from usage_families(usage, __version__, show_cost=self._settings.show_cost)
        yield from stale_families(usage)
        yield from poll_families(usage, self._failures)

    def _usage(self) -> Optional[Usage]:
        return self._poller.result.measured(self._settings.rules, utc_now())

    def _polled(self) -> None:
        self._failures += self._poller.result.error is not None


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
