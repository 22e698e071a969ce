"""What the system tells of changes, and what is done where it tells nothing. Linux only."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Optional

import pytest

if sys.platform != "linux":
    pytest.skip("only Linux has inotify", allow_module_level=True)

from monitor.transcripts import inotify, notices
from monitor.transcripts.inotify import Inotify
from monitor.transcripts.notices import Notices
from monitor.transcripts.watcher import Watcher
from tests.waiting import PATIENCE, until


class Heard:
    """Counts notices, as the thread that polls does: it wakes up, and later takes them."""

    def __init__(self) -> None:
        self.count = 0
        self._woken = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self._woken.set()

    def wait(self) -> None:
        assert self._woken.wait(PATIENCE), "no notice came"
        self._woken.clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "projects/p/a.jsonl")
    write(tmp_path / "projects/q/s/b.jsonl", days_old=30)
    return tmp_path


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watcher(root: Path, heard: Heard) -> Iterator[Watcher]:
    """A watcher that has looked once, and is not going to walk again by itself."""
    made = Watcher([root])
    made.listen(heard)
    assert made.fault is None
    assert made.poll()
    yield made
    made.close()


def write(path: Path, *, days_old: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("line\n")
    if days_old:
        when = path.stat().st_mtime - days_old * 86400
        os.utime(path, (when, when))


def names(watcher: Watcher) -> set[str]:
    return {file.relative for file in watcher.transcripts.files}


def polls_until(watcher: Watcher, wanted: set[str]) -> None:
    """Poll as often as notices come, until exactly these transcripts are known."""

    def found() -> bool:
        watcher.poll()
        return names(watcher) == wanted

    until(found, f"the transcripts are {wanted}")


def as_walked(root: Path) -> set[tuple[str, int]]:
    fresh = Watcher([root])
    fresh.poll()
    return {(file.relative, file.size) for file in fresh.transcripts.files}


def replace_project(root: Path) -> None:
    (root / Q).rename(root / "away")
    write(root / Q / "s/c.jsonl")


def link_project(root: Path) -> None:
    write(root / "else/x.jsonl")
    (root / "projects/link").symlink_to(root / "else")


def replace_all(root: Path) -> None:
    (root / "projects").rename(root / "away")
    write(root / "projects/z/z.jsonl")


def replace_file(root: Path) -> None:
    write(root / "other")
    write(root / "other")
    (root / "other").replace(root / P / "a.jsonl")


Change = Callable[[Path], object]
P, Q = Path("projects/p"), Path("projects/q")
CHANGES: dict[str, Change] = {
    "a message": lambda root: write(root / P / "a.jsonl"),
    "a message in a session of last month": lambda root: write(root / Q / "s/b.jsonl"),
    "a new session": lambda root: write(root / P / "new.jsonl"),
    "a new project": lambda root: write(root / "projects/new/a.jsonl"),
    "a new project far down": lambda root: write(root / "projects/new/s/t/a.jsonl"),
    "a session deleted": lambda root: (root / P / "a.jsonl").unlink(),
    "a session renamed": lambda root: (root / P / "a.jsonl").rename(root / P / "c.jsonl"),
    "a session moved": lambda root: (root / P / "a.jsonl").rename(root / Q / "c.jsonl"),
    "a project deleted": lambda root: shutil.rmtree(root / P),
    "a project renamed": lambda root: (root / Q).rename(root / "projects/r"),
    "a project moved into another": lambda root: (root / Q).rename(root / P / "r"),
    "a project moved away": lambda root: (root / Q).rename(root / "away"),
    "a project replaced": replace_project,
    "a linked project": link_project,
    "all projects deleted": lambda root: shutil.rmtree(root / "projects"),
    "all projects replaced": replace_all,
    "a file replaced": replace_file,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_known_without_a_walk_and_so_is_what_comes_after_it(
    change: Change, watcher: Watcher, root: Path
) -> None:
    change(root)
    wanted = as_walked(root)

    def known() -> bool:
        watcher.poll()
        return {(file.relative, file.size) for file in watcher.transcripts.files} == wanted

    until(known, f"the transcripts are {wanted}")
    assert watcher.size.files == len(wanted)
    assert watcher.size.bytes == sum(size for _, size in wanted)
    for path in sorted((root / "projects").rglob("*.jsonl")):
        write(path)
    wanted = as_walked(root)
    until(known, "what is written afterwards is known too")
    assert not watcher.poll()


def test_a_message_is_told_and_a_poll_looks_at_that_file_alone(
    watcher: Watcher, heard: Heard, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def stat(path: str) -> os.stat_result:
        looked_at.append(path)
        return os.stat(path)  # noqa: PTH116 - as the one in its place

    write(root / P / "a.jsonl")
    heard.wait()
    monkeypatch.setattr("monitor.transcripts.files.stat_path", stat)
    monkeypatch.setattr("monitor.transcripts.watcher.stat_path", stat)
    assert watcher.poll()
    assert looked_at == [str(root / "projects"), str(root / P / "a.jsonl")]


def test_a_burst_is_one_notice_until_it_is_taken(
    watcher: Watcher, heard: Heard, root: Path
) -> None:
    for _ in range(100):
        write(root / P / "a.jsonl")
    heard.wait()
    assert heard.count == 1
    assert watcher.poll()
    write(root / P / "a.jsonl")
    heard.wait()
    assert watcher.poll()
    assert watcher.size.bytes == 5 * 103


def test_other_files_are_no_change(watcher: Watcher, heard: Heard, root: Path) -> None:
    write(root / P / "notes.txt")
    heard.wait()
    assert not watcher.poll()


def test_a_directory_made_readable_again_is_read(watcher: Watcher, root: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (root / P).chmod(0)
    polls_until(watcher, {"q/s/b.jsonl"})
    assert watcher.transcripts.unreadable
    (root / P).chmod(0o755)
    polls_until(watcher, {"p/a.jsonl", "q/s/b.jsonl"})
    assert not watcher.transcripts.unreadable


def test_a_file_that_a_link_leads_to_is_looked_at_at_each_poll(root: Path, heard: Heard) -> None:
    write(root / "else.jsonl")
    (root / P / "link.jsonl").symlink_to(root / "else.jsonl")
    watcher = Watcher([root])
    watcher.listen(heard)
    watcher.poll()
    write(root / "else.jsonl")  # in a directory that nobody watches
    assert watcher.poll()
    watcher.close()


def test_one_directory_under_two_names_is_told_for_both(tmp_path: Path, heard: Heard) -> None:
    write(tmp_path / "projects/p/a.jsonl")
    (tmp_path / "projects/twin").symlink_to(tmp_path / "projects/p")
    watcher = Watcher([tmp_path])
    watcher.listen(heard)
    watcher.poll()
    write(tmp_path / "projects/p/a.jsonl")
    heard.wait()
    assert watcher.poll()
    assert {file.size for file in watcher.transcripts.files} == {10}
    watcher.close()


def test_a_data_directory_that_appears_later_is_watched(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "c").mkdir()
    watcher = Watcher([tmp_path / "c"])
    watcher.listen(heard)
    watcher.poll()
    write(tmp_path / "c/projects/p/a.jsonl")
    polls_until(watcher, {"p/a.jsonl"})
    before = heard.count
    write(tmp_path / "c/projects/p/a.jsonl")
    until(lambda: heard.count > before, "a notice")
    assert watcher.poll()
    watcher.close()


def test_lost_notices_make_it_walk(
    watcher: Watcher, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / P / "a.jsonl")
    lost = [inotify.Event(-1, inotify.OVERFLOW, "")]
    read = Inotify.read
    monkeypatch.setattr(Inotify, "read", lambda self: (read(self), lost)[1])
    assert watcher.poll()
    assert watcher.size.bytes == 15


Failure = Callable[[pytest.MonkeyPatch], None]


def failing(name: str, number: int) -> Failure:
    """At the border to the system: the call fails as inotify(7) says that it can."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        real = Inotify._call

        def call(self: Inotify, called: str, *values: object) -> int:
            if called == name:
                raise OSError(number, os.strerror(number))
            return real(self, called, *values)

        patch.setattr(Inotify, "_call", call)

    return plant


def on_a_network_disk(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(notices, "foreign_file_system", lambda _: "nfs4")


FAULTS: dict[str, tuple[Failure, str]] = {
    "no more instances": (failing("inotify_init1", errno.EMFILE), "fs.inotify.max_user_instances"),
    "no more watches": (failing("inotify_add_watch", errno.ENOSPC), "fs.inotify.max_user_watches"),
    "no memory": (failing("inotify_add_watch", errno.ENOMEM), "Cannot allocate memory"),
    "not in this kernel": (failing("inotify_init1", errno.ENOSYS), "there is no inotify"),
    "a network disk": (on_a_network_disk, "is on nfs4, where others may write unseen"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_without_notices_it_looks_for_itself_and_says_why(
    fault: tuple[Failure, str], root: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, reason = fault
    plant(monkeypatch)
    descriptors = open_descriptors()
    watcher = Watcher([root])
    watcher.listen(heard)
    assert watcher.poll()
    assert watcher.fault is not None and reason in watcher.fault
    assert not watcher.poll()
    write(root / P / "a.jsonl")
    assert watcher.poll()
    assert open_descriptors() == descriptors
    watcher.close()


@pytest.mark.parametrize("room", [0, 1, 2])
def test_the_limit_of_open_files_ends_no_program(room: int, root: Path, heard: Heard) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    watcher = Watcher([root])
    before = open_descriptors()
    filled = fill_up_to(max(before))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(before) + 1 + room, hard))
        watcher.listen(heard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in filled:
            os.close(descriptor)
    assert watcher.fault is not None and "limit" in watcher.fault
    assert open_descriptors() == before
    assert watcher.poll()


def fill_up_to(highest: int) -> list[int]:
    """Take the free descriptors below the highest one in use."""
    taken = [os.open(os.devnull, os.O_RDONLY)]
    while taken[-1] < highest:
        taken.append(os.open(os.devnull, os.O_RDONLY))
    if taken[-1] > highest:
        os.close(taken.pop())
    return taken


def test_a_limit_reached_while_it_watches_makes_it_look_for_itself_from_then_on(
    watcher: Watcher, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing("inotify_add_watch", errno.ENOSPC)(monkeypatch)
    write(root / "projects/new/n.jsonl")
    polls_until(watcher, {"p/a.jsonl", "q/s/b.jsonl", "new/n.jsonl"})
    assert watcher.fault is not None
    write(root / "projects/new/n.jsonl")
    assert watcher.poll()


def open_descriptors() -> list[int]:
    listed = list(Path("/proc/self/fd").iterdir())
    return sorted(int(path.name) for path in listed if path.is_symlink())  # not the listing's own


def watches() -> int:
    """How many inotify watches this process has."""
    infos = [path.read_text() for path in Path("/proc/self/fdinfo").iterdir() if path.exists()]
    return sum(info.count("inotify wd:") for info in infos)


def test_nothing_is_left_after_closing(root: Path, heard: Heard) -> None:
    descriptors, threads = open_descriptors(), threading.active_count()
    for _ in range(20):
        watcher = Watcher([root])
        watcher.listen(heard)
        watcher.poll()
        watcher.close()
        watcher.close()
    assert (open_descriptors(), threading.active_count()) == (descriptors, threads)


def test_watches_stay_as_many_as_there_are_directories(watcher: Watcher, root: Path) -> None:
    before = watches()
    descriptors = open_descriptors()
    for turn in range(30):
        write(root / f"projects/turn{turn}/s/a.jsonl")
        polls_until(watcher, {"p/a.jsonl", "q/s/b.jsonl", f"turn{turn}/s/a.jsonl"})
        (root / f"projects/turn{turn}").rename(root / f"away{turn}")
        polls_until(watcher, {"p/a.jsonl", "q/s/b.jsonl"})
    assert watches() == before == 4
    assert open_descriptors() == descriptors


def test_a_notice_that_nobody_takes_does_not_keep_it_from_closing(root: Path, heard: Heard) -> None:
    made = Notices(heard)
    made.watch(str(root / "projects/p"))
    write(root / P / "a.jsonl")
    heard.wait()
    made.close()
    assert made.take() is None
    made.watch(str(root))
    made.unwatch(str(root))


def test_a_system_without_a_c_library_of_that_kind_has_no_notices(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)  # a Python that was built without it
    fault: Optional[str] = Notices(heard).fault
    assert fault is not None and "there is no inotify" in fault
