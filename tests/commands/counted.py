"""A fake ccusage that counts how often it was asked for a report."""

from __future__ import annotations

from tests.live.fakes import Fake


class Counted(Fake):
    """A Fake whose every run leaves a line."""

    def does(self, script: str, version: str = "20.0.24") -> None:
        """Do this from now on when asked for a report."""
        super().does(f'echo run >>"$HERE/runs"; {script}', version)

    def runs(self) -> int:
        """Return how often it was asked for a report."""
        path = self.home / "runs"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
