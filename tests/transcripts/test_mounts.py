"""On what kind of file system a directory is."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.transcripts import mounts
from monitor.transcripts.mounts import foreign_file_system

TABLE = r"""
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:20 / /home/me/My\040Drive rw - fuse.sshfs me@host: rw
24 22 0:21 / /mnt/c rw,noatime - 9p C:\134 rw,aname=drvfs
25 22 0:22 / /data rw - xfs /dev/vdb rw
26 25 0:23 / /data/team rw - nfs4 server:/team rw
27 22 0:24 / /over rw - nfs server:/over rw
28 27 0:25 / /over rw - tmpfs none rw
29 22 0:26 / /odd rw - madeupfs none rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/.claude", None),
        ("/home/me/My Drive/claude", "fuse.sshfs"),
        ("/mnt/c/Users/me/.claude", "9p"),
        ("/mnt/cc", None),
        ("/data/claude", None),
        ("/data/team/claude", "nfs4"),
        ("/over/claude", None),
        ("/odd", "madeupfs"),
    ],
)
def test_the_nearest_mount_above_a_directory_decides(
    path: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    monkeypatch.setattr(mounts, "MOUNTS", table)
    assert foreign_file_system(path) == kind


def test_where_the_system_tells_nothing_no_notice_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "none")
    assert foreign_file_system("/home/me") == "unknown"
