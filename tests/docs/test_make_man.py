from __future__ import annotations

from pathlib import Path

from docs.make_man import PAGE, page
from tests.scripts import output_of


def test_the_manual_page_says_the_options_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "renew it with `python docs/make_man.py`"


def test_the_script_writes_the_page_into_its_clone(clone: Path) -> None:
    written = clone / "docs" / PAGE.name
    written.unlink()
    assert output_of(clone / "docs" / "make_man.py") == f"docs/{PAGE.name}\n"
    assert written.read_text(encoding="utf-8") == page()
