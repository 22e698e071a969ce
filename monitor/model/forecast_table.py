"""Hold the shipped forecast table: what one person's published history says about pauses.

From the transcripts of entireio/cli, MIT, published; 70 blocks of January and February 2026.
Rebuild: `python benchmarks/build_forecast_table.py --claude-dir DIR` (prints these numbers).
"""

from __future__ import annotations

BLOCKS = 70
SOURCE = "the transcripts of entireio/cli, MIT, published"

STOP = (-2.47, 1.37, -0.55)
"""Log-odds that nothing more comes in the block: base, per ln(1 + idle minutes / 5), and per
ln(hours left + 0.1)."""

PACE = 0.85
"""How much of a pace goes on, once it goes on: below 1, since people pause."""

SHAPE = 0.6
"""Weibull shape of what is still to come. 1 would be exponential; lower is less certain, with much
weight on very little and on very much."""
