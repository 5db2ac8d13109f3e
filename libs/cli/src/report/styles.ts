import { Html } from './html.js';

/** The report's style sheet: one column on a phone, follows the reader's light or dark setting. */
export const styles = new Html(`
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5a6475; --paper: #fff; --tint: #f2f4f8; --line: #d5dae3;
  --accent: #1857b8; --good: #10703c; --bad: #a92626; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #a4aebf; --paper: #14181f; --tint: #1e242e;
  --line: #38404d; --accent: #7fb0ff; --good: #6fd39a; --bad: #ff9a93; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.25rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
.lead { color: var(--soft); margin: 0; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; padding: 0; list-style: none; }
.figures li { background: var(--tint); border-radius: .5rem; padding: .75rem 1rem; color: var(--soft); font-size: .9rem; }
.figures strong { display: block; color: var(--ink); font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .5rem; font-size: .9rem; }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; }
tfoot th, tfoot td { font-weight: 600; border-top: 2px solid var(--line); }
.up { color: var(--good); } .down { color: var(--bad); }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.5rem; align-items: start; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--line); }
polyline { fill: none; stroke-linejoin: round; } .each { stroke: var(--accent); opacity: .35; }
.mean { stroke: var(--accent); stroke-width: 2.5; }
figure { margin: 0; } .bar { fill: var(--accent); } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
.looks { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.25rem; padding: 0; list-style: none; }
.maps { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; font-size: .8rem; color: var(--soft); }
.maps svg { aspect-ratio: 1; border-radius: .3rem; } .maps figcaption { overflow-wrap: anywhere; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1rem; padding: 0; list-style: none; }
.gallery li { background: var(--tint); border-radius: .5rem; padding: .6rem; font-size: .9rem; }
.gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; background: #fff; border-radius: .3rem; }
.gallery p { margin: .3rem 0; } .task { color: var(--soft); font-size: .8rem; } .question { font-weight: 600; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .6rem; margin: 0; } dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; max-height: 6em; overflow-y: auto; } .right { color: var(--good); } .wrong { color: var(--bad); }
@media (max-width: 40rem) { body { padding: 1rem; } th, td { padding: .4rem .2rem; font-size: .78rem; }
  svg text { font-size: 20px; } .gallery { grid-template-columns: 1fr 1fr; gap: .6rem; } }
`);
