"""Metrics: the snapshot's numbers, for a real scrape; what is contributed uses only what exists."""

from __future__ import annotations

import http.client
import json
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional

import pytest
from prometheus_client.core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from monitor.commands import serve_metrics
from monitor.model.official import OfficialLimits
from monitor.model.reading import Reading
from monitor.model.usage import Usage, measure
from monitor.views.metrics import (
    PREFIX,
    poll_families,
    stale_families,
    usage_families,
    with_accounts,
)
from monitor.views.snapshot import snapshot
from tests.conftest import RunMonitor
from tests.live.fakes import MONITOR, Fake, active, planted, private_files
from tests.real_ccusage import ROOT
from tests.samples import (
    HISTORY,
    IDLE,
    LIMIT_REACHED,
    NOW,
    OK,
    RULES,
    RUNS_OUT,
    STALE,
    STATES,
    WARMING_UP,
    captured,
    usage_of,
)
from tests.waiting import PATIENCE, until

CONTRIB = ROOT / "contrib"
BASE_UNITS = ("_seconds", "_tokens", "_ratio", "_usd", "_tokens_per_second", "_total")
WITHOUT_UNIT = {"info", "block_active", "block_messages", "limit_reached", "reading_stale"}

Values = dict[tuple[str, tuple[str, ...]], float]


def official() -> OfficialLimits:
    """What Claude Code said a minute ago: 63.4 % of five hours, 97.2 % of the week."""
    said = {
        "five_hour": {
            "used_percentage": 63.4,
            "resets_at": (NOW + timedelta(hours=2)).timestamp(),
        },
        "seven_day": {
            "used_percentage": 97.2,
            "resets_at": (NOW + timedelta(days=3)).timestamp(),
        },
    }
    return captured(said, NOW - timedelta(minutes=1))


def with_official() -> Usage:
    return measure(OK, HISTORY, RULES, NOW, official())


def values(families: Iterable[Family]) -> Values:
    return {
        (sample.name[len(PREFIX) :], tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def of(usage: Usage, *, show_cost: bool = True) -> Values:
    return values(usage_families(usage, "1.2.3", show_cost=show_cost))


def every_metric() -> dict[str, Family]:
    """Every metric there is, by the name that Prometheus stores."""
    usages = [*map(usage_of, STATES.values()), with_official()]
    families = [f for usage in usages for f in usage_families(usage, "1.2.3", show_cost=True)]
    families += [*stale_families(None), *poll_families(usages[0], 3)]
    return {sample.name: family for family in families for sample in family.samples}


def seconds(earlier: Any, later: Any) -> float:
    return float((later - earlier).total_seconds())


# --- what is measured


@pytest.mark.parametrize("state", STATES)
def test_the_metrics_are_the_snapshots_numbers_in_base_units(state: str) -> None:
    usage = usage_of(STATES[state])
    told, metrics = snapshot(usage), of(usage)
    single = {name: value for (name, labels), value in metrics.items() if not labels}

    def scaled(value: Optional[float], factor: float) -> Any:
        return None if value is None else pytest.approx(value * factor)

    block = told["block"] or {}
    assert single["counted_tokens"] == told["tokens"]["counted"]
    assert single["limit_tokens"] == told["limit"]["tokens"]
    assert single["estimate_used_ratio"] == scaled(told["limit"]["used_percent"], 0.01)
    per_minute = told["burn_rate"]["tokens_per_minute"]
    assert single.get("burn_rate_tokens_per_second") == scaled(per_minute, 1 / 60)
    assert single.get("time_to_reset_seconds") == scaled(told["reset"]["minutes"], 60)
    assert single.get("run_out_probability_ratio") == told["forecast"]["probability"]
    assert ("time_to_run_out_seconds" in single) == told["forecast"]["before_reset"]
    assert single.get("block_cost_usd") == block.get("cost_usd")
    assert single.get("block_messages") == block.get("messages")
    assert single["block_active"] == (told["block"] is not None)


def test_what_is_not_known_is_absent_and_never_0() -> None:
    idle = {name for name, _ in of(usage_of(IDLE))}
    gone = {"used_ratio", "block_cost_usd", "block_messages", "time_to_reset_seconds"}
    assert not idle & {*gone, "reset_timestamp_seconds", "run_out_probability_ratio"}
    assert "burn_rate_tokens_per_second" not in {name for name, _ in of(usage_of(WARMING_UP))}
    assert not [name for name, _ in of(usage_of(OK)) if name.startswith("official")]


def test_the_time_to_run_out_is_there_only_when_it_comes_before_the_reset() -> None:
    runs_out, ok = of(usage_of(RUNS_OUT)), of(usage_of(OK))
    expected = usage_of(RUNS_OUT).forecast.runs_out_at
    assert runs_out["time_to_run_out_seconds", ()] == seconds(NOW, expected)
    assert runs_out["time_to_run_out_seconds", ()] < runs_out["time_to_reset_seconds", ()]
    assert ("time_to_run_out_seconds", ()) not in ok


def test_official_percentages_have_their_window_and_the_one_that_binds_leads() -> None:
    metrics = of(with_official())
    assert metrics["used_ratio", ("official",)] == pytest.approx(0.972)  # the week's
    assert metrics["official_used_ratio", ("five_hour",)] == pytest.approx(0.634)
    assert metrics["official_used_ratio", ("seven_day",)] == pytest.approx(0.972)
    assert ("official_used_ratio", ("spend_limit",)) not in metrics
    resets_at = (NOW + timedelta(days=3)).timestamp()
    assert metrics["official_reset_timestamp_seconds", ("seven_day",)] == resets_at
    said_at = (NOW - timedelta(minutes=1)).timestamp()
    assert metrics["official_captured_timestamp_seconds", ("seven_day",)] == said_at
    five_hour = OfficialLimits({"five_hour": official().windows["five_hour"]})
    alone = of(measure(OK, HISTORY, RULES, NOW, five_hour))
    assert alone["used_ratio", ("official",)] == pytest.approx(0.634)
    assert metrics["estimate_used_ratio", ()] == pytest.approx(9_000 / 35_000)


def test_an_estimate_above_the_limit_is_no_reached_limit_while_claude_says_otherwise() -> None:
    over = STATES["exceeded"]
    assert of(usage_of(over))["limit_reached", ()] == 1
    assert of(measure(over, HISTORY, RULES, NOW, official()))["limit_reached", ()] == 0
    assert of(usage_of(LIMIT_REACHED))["limit_reached", ()] == 1


def test_hidden_costs_are_no_metric() -> None:
    assert ("block_cost_usd", ()) in of(usage_of(OK))
    assert ("block_cost_usd", ()) not in of(usage_of(OK), show_cost=False)


def test_an_old_reading_is_called_stale_and_says_its_age() -> None:
    usage = usage_of(STALE)
    assert values(stale_families(usage)) == {("reading_stale", ()): 1}
    assert values(stale_families(usage_of(OK))) == {("reading_stale", ()): 0}
    found = values(poll_families(usage, 4))
    assert found == {("reading_age_seconds", ()): 240, ("look_failures_total", ()): 4}


def test_before_the_first_reading_only_that_is_said() -> None:
    assert values(stale_families(None)) == {("reading_stale", ()): 1}
    assert values(poll_families(None, 0)) == {("look_failures_total", ()): 0}


def test_every_metric_has_a_help_text_and_ends_in_its_base_unit() -> None:
    for name, metric in every_metric().items():
        assert re.fullmatch(r"ccusage_monitor_[a-z_]+", name)
        assert len(metric.documentation) > 10 and metric.documentation.endswith(".")
        assert name.endswith(BASE_UNITS) != (name[len(PREFIX) :] in WITHOUT_UNIT), name
        assert name.endswith("_total") == (metric.type == "counter")


# --- a real scrape


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A healthy ccusage, and a directory of its own for temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return Fake(tmp_path / "fake")


def of_fake(fake: Fake) -> tuple[str, ...]:
    return "--refresh", "1", "--ccusage", str(fake.path), "--claude-dir", str(fake.data)


class Served:
    """A running `serve-metrics` and the port it says it has."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr
        self.process = process
        self.line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", self.line)
        assert found, self.line
        self.port = int(found[1])

    def text(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read().decode("utf-8")
        finally:
            connection.close()

    def scrape(self) -> dict[str, float]:
        return parsed(self.text())

    def ends_with(self, number: int) -> tuple[int, str]:
        """Send a signal; return the exit code and what stderr got after the first line."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


def parsed(text: str) -> dict[str, float]:
    """Read the text format with the official parser; labels are left out."""
    families = list(text_string_to_metric_families(text))
    assert all(f.name.startswith(PREFIX) and f.documentation for f in families)
    assert all(f.type in ("gauge", "counter") for f in families)
    return {s.name[len(PREFIX) :]: s.value for f in families for s in f.samples}


@contextmanager
def serving(
    fake: Fake, *options: str, before: Optional[Callable[[], None]] = None
) -> Iterator[Served]:
    process = subprocess.Popen(
        [*MONITOR, *of_fake(fake), "serve-metrics", "--port", "0", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=before,  # noqa: PLW1509 (it takes no lock, only calls the system)
    )
    try:
        yield Served(process)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_scrape_brings_the_numbers_and_a_signal_ends_it_cleanly(
    number: int, code: int, fake: Fake, isolated: Path, tmp_path: Path
) -> None:
    with serving(fake) as served:
        found = served.scrape()
        assert (found["counted_tokens"], found["limit_tokens"]) == (2_000, 7_000)
        assert found["used_ratio"] == found["estimate_used_ratio"] == pytest.approx(2 / 7)
        assert (found["reading_stale"], found["look_failures_total"]) == (0, 0)
        until(lambda: list(isolated.rglob("history-*.json")), "the history, read once")
        assert served.ends_with(number) == (code, "")
    assert private_files(isolated) + private_files(tmp_path) == []


def test_time_passes_at_each_scrape_without_a_run_of_ccusage(fake: Fake) -> None:
    with serving(fake) as served:
        runs = fake.runs()
        found = [served.scrape() for _ in range(20)]
        # The history is read once beside the scrapes: a few runs, not one for each of them.
        assert fake.runs() - runs < 5
        left = [each["time_to_reset_seconds"] for each in found]
        assert left == sorted(set(left), reverse=True)
        assert len({each["reset_timestamp_seconds"] for each in found}) == 1


def test_new_usage_is_in_a_later_scrape(fake: Fake) -> None:
    with serving(fake) as served:
        fake.reports(active(3_000))
        fake.changed()
        until(lambda: served.scrape()["counted_tokens"] == 3_000, "the new count")


def test_while_ccusage_fails_the_old_numbers_are_stale_and_failures_counted(fake: Fake) -> None:
    with serving(fake) as served:
        fake.prints("", err="no such thing\n", code=1)
        fake.changed()
        until(lambda: served.scrape()["reading_stale"] == 1, "the failure")
        found = served.scrape()
        assert found["look_failures_total"] >= 1
        assert found["counted_tokens"] == 2_000
        fake.reports(active(3_000))
        until(lambda: served.scrape()["reading_stale"] == 0, "the recovery")
        assert served.scrape()["counted_tokens"] == 3_000


def test_a_client_that_breaks_off_costs_nothing_and_is_not_talked_about(fake: Fake) -> None:
    with serving(fake) as served:
        for said in (b"", b"GET /metrics HTTP/1.0\r\n\r\n", b"\x00\xff\r\n\r\n", b"GET /met"):
            with socket.create_connection(("127.0.0.1", served.port)) as client:
                client.sendall(said)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert served.scrape()["counted_tokens"] == 2_000
        assert served.ends_with(signal.SIGTERM) == (143, "")


BROKEN = (
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\r\n\r\n",
    b"get /metrics HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain; version=x\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
    b"BREW /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
)


def test_broken_requests_are_answered_and_not_talked_about(fake: Fake) -> None:
    with serving(fake) as served:
        for said in BROKEN:
            with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as client:
                client.sendall(said)
                assert re.match(rb"HTTP/1\.[01] [45]\d\d ", client.recv(4096)), said
        assert served.scrape()["counted_tokens"] == 2_000
        assert served.ends_with(signal.SIGTERM) == (143, "")


def can_scrape(served: Served) -> bool:
    """On a busy machine this client, too, may be slower than others would wait."""
    try:
        return served.scrape()["counted_tokens"] == 2_000
    except (OSError, http.client.HTTPException):
        return False


def test_half_sent_requests_cost_neither_a_scrape_nor_a_poll(fake: Fake) -> None:
    # macOS lets a process have 256 descriptors; they would be used up.
    few = (256, 256)
    with serving(fake, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few)) as served:
        address = ("127.0.0.1", served.port)
        clients = [socket.create_connection(address, PATIENCE) for _ in range(300)]
        for each in clients:
            with suppress(OSError):  # the server may have closed it already
                each.sendall(b"GET /met")
        until(lambda: can_scrape(served), "a scrape")
        fake.reports(active(3_000))
        fake.changed()
        until(lambda: served.scrape()["counted_tokens"] == 3_000, "the new count")
        assert served.scrape()["look_failures_total"] == 0
        for each in clients:
            each.close()
        assert served.ends_with(signal.SIGTERM) == (143, "")


def test_a_port_in_use_costs_two_lines(fake: Fake, run_monitor: RunMonitor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_monitor(*of_fake(fake), "serve-metrics", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert first == f"Port {port} of 127.0.0.1 could not be opened: Address already in use."
    assert "--port" in second
    assert fake.runs() == 0


@pytest.mark.parametrize("address", ["192.0.2.1", "no such host", "a" * 80])
def test_an_address_that_is_not_ours_costs_two_lines(
    address: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    words = ("serve-metrics", "--port", "0", "--address", address)
    done = run_monitor(*of_fake(fake), *words)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert f"of {address} could not be opened" in first
    assert "--address" in second


def test_an_empty_address_is_wrong_use_and_opens_nothing(run_monitor: RunMonitor) -> None:
    done = run_monitor("serve-metrics", "--address", "")
    assert done.returncode == 2
    assert "127.0.0.1" in done.stderr


def test_without_a_first_reading_it_ends_with_1_as_every_command(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.prints("", err="boom\n", code=1)
    done = run_monitor(*of_fake(fake), "serve-metrics", "--port", "0")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2 and "boom" in done.stderr


@pytest.mark.parametrize("words", [("--port", "0"), ("--textfile", "usage.prom")])
@pytest.mark.parametrize("library", ["prometheus_client", "waitress"])
def test_without_a_library_it_says_what_to_install(
    library: str, words: tuple[str, ...], fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    gone = planted(tmp_path, f"import sys\nsys.modules['{library}'] = None\n")
    path = tmp_path / "usage.prom"
    words = tuple(str(path) if word == path.name else word for word in words)
    assert run_monitor("serve-metrics", "--help", env=gone).returncode == 0
    done = run_monitor(*of_fake(fake), "serve-metrics", *words, env=gone)
    if library == "waitress" and "--textfile" in words:
        assert (done.returncode, done.stderr) == (0, "")  # a file needs no server
        return
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    wanted = serve_metrics.LIBRARIES[library]
    assert first.endswith(library.replace("_", "-") + ".")
    assert second.endswith(f"{sys.executable} -m pip install '{wanted}'")
    assert f'"{wanted}"' in (ROOT / "setup.py").read_text(encoding="utf-8")


# --- the file for node_exporter


def test_the_text_file_holds_the_numbers_and_nothing_that_would_stand_still(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "usage.prom"
    path.parent.mkdir()
    path.write_text("old")
    done = run_monitor(*of_fake(fake), "serve-metrics", "--textfile", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = parsed(path.read_text(encoding="utf-8"))
    assert (found["counted_tokens"], found["reading_stale"]) == (2_000, 0)
    assert "reading_timestamp_seconds" in found
    assert not {"reading_age_seconds", "look_failures_total"} & set(found)
    assert list(path.parent.iterdir()) == [path]


def test_without_a_reading_the_text_file_keeps_no_old_numbers(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    path = tmp_path / "usage.prom"
    path.write_text("ccusage_monitor_counted_tokens 5\n")
    fake.prints("", err="boom\n", code=1)
    done = run_monitor(*of_fake(fake), "serve-metrics", "--textfile", path)
    assert done.returncode == 1 and "boom" in done.stderr
    assert parsed(path.read_text(encoding="utf-8")) == {"reading_stale": 1}


def test_a_text_file_that_cannot_be_written_costs_two_lines(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    path = tmp_path / "missing" / "usage.prom"
    done = run_monitor(*of_fake(fake), "serve-metrics", "--textfile", path)
    assert done.returncode == 1
    first, _ = done.stderr.splitlines()
    assert first == f"{path} could not be written: No such file or directory."


def test_a_text_file_that_node_exporter_would_not_read_is_wrong_use(
    run_monitor: RunMonitor, tmp_path: Path
) -> None:
    done = run_monitor("serve-metrics", "--textfile", tmp_path / "usage.txt")
    assert done.returncode == 2
    assert ".prom" in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- what is contributed


def named(text: str) -> set[str]:
    return set(re.findall(r"ccusage_monitor_[a-z_]+", text))


@pytest.mark.parametrize("name", ["ccusage-monitor.rules.yml", "rules.test.yml"])
def test_the_alert_rules_use_only_metrics_that_exist(name: str) -> None:
    used = named((CONTRIB / "prometheus" / name).read_text(encoding="utf-8"))
    assert len(used) >= 5
    assert used <= set(every_metric())


def test_the_prometheus_configuration_asks_the_default_port() -> None:
    text = (CONTRIB / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    (port,) = [p for p in serve_metrics.command.params if p.name == "port"]
    assert f'targets: ["127.0.0.1:{port.default}"]' in text
    assert "ccusage-monitor.rules.yml" in text


def test_the_dashboard_uses_only_metrics_that_exist() -> None:
    text = (CONTRIB / "grafana" / "ccusage-monitor.json").read_text(encoding="utf-8")
    used = named(text)
    assert len(used) >= 10
    assert used <= set(every_metric())


def test_the_dashboards_panels_fill_the_grid_without_overlap() -> None:
    text = (CONTRIB / "grafana" / "ccusage-monitor.json").read_text(encoding="utf-8")
    panels = json.loads(text)["panels"]
    cells: list[tuple[int, int]] = []
    for panel in panels:
        at = panel["gridPos"]
        columns, rows = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        cells += [(x, y) for x in columns for y in rows]
    assert len(set(cells)) == len(cells) == 24 * (1 + max(y for _, y in cells))
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_docs_name_exactly_the_metrics_there_are() -> None:
    text = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
    table = text.partition("| `ccusage_monitor_…` |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {PREFIX + n for row in rows for n in re.findall("`([a-z_]+)`", row)} == set(
        every_metric()
    )


def test_several_accounts_are_told_apart_by_a_label_in_one_family_each() -> None:
    def families(state: Reading) -> list[Family]:
        usage = usage_of(state, official=official())
        return [*usage_families(usage, "1.2.3", show_cost=True), *stale_families(usage)]

    joined = list(with_accounts([("work", families(RUNS_OUT)), ("own", families(OK))]))
    assert len({family.name for family in joined}) == len(joined)
    used = next(family for family in joined if family.name == f"{PREFIX}counted_tokens")
    assert [(s.labels, s.value) for s in used.samples] == [
        ({"account": "work"}, 27_900.0),
        ({"account": "own"}, 9_000.0),
    ]
    window = next(family for family in joined if family.name == f"{PREFIX}official_used_ratio")
    assert {(s.labels["account"], s.labels["window"]) for s in window.samples} == {
        (name, key) for name in ("work", "own") for key in ("five_hour", "seven_day")
    }
