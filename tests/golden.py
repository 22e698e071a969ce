"""Compare what is drawn with what was recorded, as readable text."""

from __future__ import annotations

import os
from pathlib import Path

SCREENS = Path(__file__).parent / "screens"


def assert_as_recorded(name: str, drawn: str) -> None:
    """Fail if a text is not the one recorded; `UPDATE_SCREENS=1` records it anew."""
    path = SCREENS / f"{name}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")
