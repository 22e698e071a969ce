"""Tell on what kind of file system a directory is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

MOUNTS = Path("/proc/self/mountinfo")

LOCAL = frozenset(
    {
        *("bcachefs", "btrfs", "ecryptfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs"),
        *("hfsplus", "jfs", "nilfs2", "ntfs3", "overlay", "ramfs", "reiserfs", "rootfs"),
        *("squashfs", "tmpfs", "udf", "vfat", "xfs", "zfs"),
    }
)
"""File systems on which every change is made by this system's own kernel.

On others (NFS, CIFS, 9p, drvfs, FUSE, virtiofs) another machine or program may write, and nobody
tells this system. One that is not listed here counts as such.
"""

ESCAPED = re.compile(r"\\([0-7]{3})")


def foreign_file_system(path: str) -> Optional[str]:
    """Return the kind of file system of `path` if others may write to it unseen; None if not.

    It is "unknown" where Linux does not say.
    """
    kind = _kind_of(os.path.realpath(path), _mounts())
    return None if kind in LOCAL else kind


def _mounts() -> str:
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _kind_of(path: str, mounts: str) -> str:
    r"""Return the kind of the mount that is nearest above a path; of two in one place, the later.

    >>> _kind_of("/mnt/c/u", "1 0 8:1 / / rw - ext4 /d rw\n2 1 0:9 / /mnt/c rw - 9p C: rw")
    '9p'
    """
    found, kind = -1, "unknown"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        place = ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4]).rstrip("/")
        if f"{path}/".startswith(f"{place}/") and len(place) >= found:
            found, kind = len(place), after.split(" ")[0]
    return kind
