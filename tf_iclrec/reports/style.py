"""How pages look: light and dark, on a telephone and on a wide screen."""

# What all pages share, the one to try a run too.
BASICS = """
:root {
  color-scheme: light dark;
  --ink: #1b2330; --muted: #56616f; --line: #dde2e9; --paper: #ffffff; --card: #f6f8fa;
  --notice: #fff6e0; --edge: #c77700; --fine: #1a7f37; --rest: #8b95a3;
  --c0: #2f6db5; --c1: #c2571a; --c2: #2e8b57; --c3: #8650b8; --c4: #b8860b; --c5: #c23b6b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e8ef; --muted: #9aa6b5; --line: #303946; --paper: #12161c; --card: #1a2029;
    --notice: #2d2412; --edge: #e0a030; --fine: #57c878; --rest: #66717f;
    --c0: #6aa5ea; --c1: #f08c4f; --c2: #5cc48d; --c3: #b98ae6; --c4: #dcb441; --c5: #f07ba3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 76rem;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
a { color: var(--c0); }
header p { margin: .25rem 0 0; color: var(--muted); overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption {
  max-width: calc(100vw - 4rem); padding-bottom: .3rem; text-align: left; font-weight: 600;
}
th, td { padding: .25rem .5rem .25rem 0; border-top: 1px solid var(--line); text-align: left; }
th, td { vertical-align: top; }
th { font-weight: 400; }
thead th, thead td { border-top: 0; font-size: .85rem; color: var(--muted); }
.number { text-align: right; white-space: nowrap; }
th.number:not(:last-child), td.number:not(:last-child) { padding-right: .75rem; }
@media (max-width: 40rem) { .minor { display: none; } }
"""

STYLE = (
    BASICS
    + """
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .25rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .75rem 0 0; padding: 0; }
nav li { list-style: none; font-size: .9rem; }
main:focus { outline: none; }
.columns { columns: 2 30rem; column-gap: 1.25rem; }
.columns > * { break-inside: avoid; margin: 0 0 1.25rem; }
.columns > p, .columns > .wide { column-span: all; }
section > div > p { max-width: 50rem; }
.facts {
  display: grid; gap: .75rem; margin: 1.25rem 0 0;
  grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr));
}
.facts div { padding: .6rem .8rem; border-radius: .5rem; background: var(--card); }
dt { font-size: .85rem; color: var(--muted); }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.notices {
  margin-top: 1.25rem; padding: .75rem 1rem; border-left: .3rem solid var(--edge);
  border-radius: .3rem; background: var(--notice);
}
.notices h2 { margin: 0; font-size: 1rem; }
.notices ul { margin: .4rem 0 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
.notices li + li { margin-top: .4rem; }
.fine { margin: 1.25rem 0 0; color: var(--fine); }
figure, .card, section > div > .scroll, .columns > .scroll, section > div > details {
  padding: .9rem 1rem; border-radius: .5rem; background: var(--card);
}
figure { margin: 0; }
summary h3 { display: inline; color: var(--ink); }
.card ul { margin: 0; padding-left: 1.2rem; }
.card li + li { margin-top: .35rem; }
.card .plain { list-style: none; padding: 0; }
.plain li + li { margin: 0; }
.items { margin: 0 0 .75rem; padding-left: 1.6rem; }
small { color: var(--muted); font-size: .85em; }
figcaption { display: flex; flex-wrap: wrap; column-gap: 1rem; justify-content: space-between; }
figcaption span { font-size: .85rem; color: var(--muted); }
.frame { padding: .9rem 1.5rem 0 2.6rem; }
.chart { display: block; width: 100%; overflow: visible; }
.chart text { font-size: .75rem; fill: var(--muted); }
.grid line { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
.bars rect { fill: var(--c0); }
.bars rect:hover { fill: var(--c1); }
.lines { overflow: visible; }
.lines polyline { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line0 { stroke: var(--c0); color: var(--c0); }
.line1 { stroke: var(--c1); color: var(--c1); }
.line2 { stroke: var(--c2); color: var(--c2); }
.line3 { stroke: var(--c3); color: var(--c3); }
.line4 { stroke: var(--c4); color: var(--c4); }
.line5 { stroke: var(--c5); color: var(--c5); }
.legend {
  display: flex; flex-wrap: wrap; gap: 0 1rem; margin: .3rem 0 0; padding: 0; list-style: none;
  font-size: .85rem;
}
.flush { padding: .9rem .25rem 0; }
.swatch {
  display: inline-block; width: 1rem; margin: 0 .4rem .25rem 0; border-top: .2rem solid;
}
.beside { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; }
.beside > * { min-width: 0; }
.beside > .chart { flex: 3 1 20rem; width: 0; }
.beside > .scroll { flex: 2 1 16rem; }
.card .beside { align-items: flex-start; margin-top: .5rem; }
.card .beside > div { flex: 1 1 13rem; }
.card .beside > .scroll { flex: 4 1 16rem; }
section > div:not(.columns) > * { margin-bottom: 1.25rem; }
.again { stroke-dasharray: 6 4; border-top-style: dashed; }
.dots line { stroke: var(--c0); stroke-width: 3; stroke-linecap: round; opacity: .45; }
.dots circle { fill: var(--c0); }
.chart .name { font-size: .85rem; fill: var(--ink); }
.map { aspect-ratio: 8 / 5; height: auto; }
.clouds path { fill: none; stroke-width: 5; stroke-linecap: round; opacity: .85; }
.clouds .rest { stroke: var(--rest); opacity: .5; }
.chart .labels text {
  font-size: .85rem; font-weight: 600; fill: var(--ink);
  stroke: var(--card); stroke-width: 4; paint-order: stroke; stroke-linejoin: round;
}
details { margin-top: .25rem; font-size: .85rem; }
summary { color: var(--muted); cursor: pointer; }
.scroll { overflow: auto; max-height: 40rem; }
.scroll tbody th, .scroll thead :first-child {
  position: sticky; left: 0; background: var(--card);
}
.scroll tr:has(> :nth-child(9)) > .number { padding-right: .4rem; }
figure .scroll, section > div > details .scroll { max-height: 20rem; }
section > div > .card .scroll { max-height: none; }
tbody th { min-width: 5.5rem; overflow-wrap: break-word; }
tbody th.number { width: 3rem; min-width: 3rem; }
td { min-width: 10rem; overflow-wrap: anywhere; }
td.number { min-width: 4rem; }
thead td { min-width: 0; }
.card tbody td { min-width: 6rem; }
.value { text-align: right; }
"""
)
