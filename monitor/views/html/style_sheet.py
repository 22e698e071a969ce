"""The style sheet of the history page, for light and dark, wide and narrow, and paper."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1f2328; --soft: #5f6670; --rule: #dfe1e0; --faint: #eeefec;
  --bar: #6b93ad; --top: #1d5a80; --hit: #b23a2a; --heat: #1d5a80;
  --who0: #1d5a80; --who1: #fd9a3b; --who2: #2d8e52;
  --who3: #ba66b6; --who4: #7a3214; --who5: #a9afb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e6e8ea; --soft: #9aa2ab; --rule: #2d3338; --faint: #20252a;
    --bar: #4f8aab; --top: #a5d4ee; --hit: #f2806c; --heat: #7cc0e4;
    --who0: #7cc0e4; --who1: #e99853; --who2: #9cffb4;
    --who3: #be73be; --who4: #ba552b; --who5: #6b737b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 3rem 2rem 4rem; max-width: 66rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 0; font-size: 1.125rem; line-height: 1.3; font-weight: 650; }
h3 { margin: 1.25rem 0 0; font-size: .875rem; font-weight: 400; color: var(--soft); }
p { margin: .25rem 0 0; color: var(--soft); max-width: 46rem; text-wrap: pretty; }
main { overflow-x: clip; }
section { margin-top: 3.5rem; }
.figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: 1.5rem 1.5rem; margin: 2.25rem 0 0;
}
.figures div { border-top: 1px solid var(--rule); padding-top: .75rem; }
dt { font-size: .875rem; color: var(--soft); }
dd { margin: 0; font-size: 1.5rem; line-height: 1.4; font-weight: 600; letter-spacing: -0.01em; }
dd.note { font-size: .875rem; font-weight: 400; letter-spacing: 0; color: var(--soft); }
svg {
  display: block; overflow: visible;
  --left: calc(var(--labels) + 12px);
  margin: 1.5rem 0 0 var(--left); width: calc(100% - var(--left));
  font-size: .75rem; break-inside: avoid;
}
svg text { fill: var(--soft); }
svg text.y { text-anchor: end; }
line.grid { stroke: var(--rule); }
line.limit { stroke: var(--hit); stroke-width: 1.5px; stroke-dasharray: 5 3; }
.slot { fill: transparent; }
.bar { fill: var(--bar); }
.top .bar { fill: var(--top); }
.hit .bar { fill: var(--hit); }
.who0 .bar { fill: var(--who0); }
.who1 .bar { fill: var(--who1); }
.who2 .bar { fill: var(--who2); }
.who3 .bar { fill: var(--who3); }
.who4 .bar { fill: var(--who4); }
.who5 .bar { fill: var(--who5); }
svg.key {
  display: inline-block; width: 12px; height: 12px; margin: 0 .5rem 0 0;
  vertical-align: -1px;
}
g:hover .slot { fill: var(--faint); }
.cell { fill: var(--faint); }
.heat { fill: var(--heat); }
.scroll { overflow-x: auto; margin-top: 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; white-space: nowrap; }
th, td { padding: .375rem .75rem; text-align: left; border-bottom: 1px solid var(--rule); }
th { font-weight: 400; color: var(--soft); }
th:first-child, td:first-child { padding-left: 0; }
.n { text-align: right; }
.long { white-space: normal; overflow-wrap: anywhere; }
.narrow { display: none; }
tr.top td { font-weight: 600; }
tr.hit td { color: var(--hit); }
footer { margin-top: 3.5rem; padding-top: .75rem; border-top: 1px solid var(--rule); }
footer p { font-size: .875rem; }
@media (max-width: 44rem) {
  body { padding: 1.75rem 1.125rem 3rem; }
  section { margin-top: 2.75rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 1.125rem; margin-top: 1.75rem; }
  dd { font-size: 1.375rem; }
  svg { font-size: .6875rem; }
  svg text.wide { display: none; }
  th, td { padding: .375rem .3rem; }
  th:last-child, td:last-child { padding-right: 0; }
  th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); }
}
@media screen and (max-width: 52rem) {
  th.wide, td.wide { display: none; }
  p.narrow { display: block; margin-top: 1rem; font-size: .8125rem; }
  .scroll { margin-top: .5rem; }
  table { font-size: .8125rem; }
  td.share { white-space: normal; }
}
@media screen and (max-width: 23rem) {
  svg { font-size: .5625rem; }
  td:first-child { white-space: normal; }
}
@media print {
  :root {
    --paper: #fff; --ink: #000; --soft: #444; --rule: #ccc; --faint: #eee;
    --bar: #6b93ad; --top: #1d5a80; --hit: #b23a2a; --heat: #1d5a80;
    --who0: #1d5a80; --who1: #fd9a3b; --who2: #2d8e52;
    --who3: #ba66b6; --who4: #7a3214; --who5: #a9afb5;
  }
  body { padding: 0; max-width: none; font-size: 10pt; }
  .scroll { overflow: visible; }
  .figures { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); }
  dd { font-size: 1.25rem; }
  tr, .figures div { break-inside: avoid; }
  h2, h2 + p { break-after: avoid; }
}
"""
