"""Hold the numbers of the forecast: what one person's published history says about pauses.

They come from the transcripts of entireio/cli (published under the MIT licence): 70 blocks of
January and February 2026. `benchmarks/build_forecast_table.py` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForecastTable:
    """The numbers of the forecast. None of them is in tokens, so they suit light and heavy use."""

    stop: tuple[float, float, float]
    """Log-odds that nothing more comes in the block: base, per ln(1 + idle minutes / 5), and per
    ln(hours left + 0.1)."""
    pace: float
    """Share of a pace that goes on, if anything comes: below 1, since people take breaks."""
    shape: float
    """Weibull shape of the tokens still to come. 1 is exponential; lower is less certain."""


TABLE = ForecastTable(stop=(-2.47, 1.37, -0.55), pace=0.85, shape=0.6)
