"""The version of ccusage that the monitor installs and recommends, and its hashes."""

from __future__ import annotations

PINNED = "20.0.24"
"""The version that is installed, and tested the most."""

INSTALL = f"npm install -g ccusage@{PINNED}"
"""What a user may type instead; the newest version may lack its native program."""

INTEGRITY = {
    "ccusage": (
        "sha512-sHq7axM0ucbFS4m5xFzS7NxYSmOP1+PSDup3nVb+pitI3eEuwEiGObhsXvu47DSvB2hHpEts/quA3/0EE5i1Zw=="
    ),
    "@ccusage/ccusage-linux-x64": (
        "sha512-ydXM6AEUTO/T5dZK04GFGy6ePYBOjv3euQmJt0mDNg+/8SJDLWpg5GCtF9pnBrRR2GVA6b4PGouHe+ObLokBIw=="
    ),
}
"""The hashes of PINNED's packages as published: `npm view NAME@VERSION dist.integrity`.

npm itself compares a package only with what the registry says of it now. A native package that is
not listed is accepted.
"""
