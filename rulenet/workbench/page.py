"""Statistics of rules as one HTML page: no outside address, every text escaped. Imports render and the statistics.

The page works without its script, which only sorts the table.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import numpy as np

from rulenet.base.wording import counted, percent
from rulenet.draw.render import to_page
from rulenet.workbench.drift import Drift
from rulenet.workbench.findings import findings
from rulenet.workbench.samples import Example
from rulenet.workbench.stats import Neighbour, RulesetStats, RuleStats

HEAT_RULES = 40  # as many as can be read
LISTED_PAIRS = 30
_CELL = 15  # pixels of the heat map
_LABEL = 230

STYLE = """<style>body{max-width:80rem}h2{margin:2rem 0 .5rem;font-size:1.2rem}.muted{color:#5b6470}.scroll{overflow-x:auto}
table.s{border-collapse:collapse;font-size:.88rem}
table.s td,table.s th{padding:.2rem .55rem;border-bottom:1px solid #e4e7eb;text-align:left;white-space:nowrap}
table.s .n{text-align:right;font-variant-numeric:tabular-nums}table.s thead th{position:sticky;top:0;background:#fff}
table.s.sorts th{cursor:pointer;text-decoration:underline dotted}
.card{border-top:1px solid #d8dbe0;padding:.6rem 0;content-visibility:auto;contain-intrinsic-size:auto 14rem}
.card h3{margin:0;font-size:1rem}
.card p{margin:.25rem 0;overflow-wrap:anywhere}.ex{padding:.15rem .5rem;border-left:3px solid #3a9d63;white-space:pre-wrap}
.ex.wrong{border-color:#cf5a50}.ex.open{border-color:#9aa3ad}mark{background:#ffe9a8;border-radius:3px}a{color:#1b4965}
.flag{background:#f6c9c5;border-radius:3px;padding:0 .3em}svg text{font:11px system-ui,sans-serif;fill:#1a1a1a}</style>"""

SCRIPT = """<script>document.querySelectorAll('table.sorts th').forEach(function(th,k){var up=false;th.onclick=function(){
var body=th.closest('table').tBodies[0],rows=[].slice.call(body.rows);up=!up;function v(r){var d=r.cells[k].dataset.v;
return d===undefined?r.cells[k].textContent:d===''?null:+d}rows.sort(function(a,b){a=v(a);b=v(b);
if(a===null||b===null)return(a===null)-(b===null);return(a<b?-1:a>b?1:0)*(up?-1:1)*(typeof a==='string'?-1:1)});
rows.forEach(function(r){body.appendChild(r)})}})</script>"""


def to_html(stats: RulesetStats, drift: Drift | None = None) -> str:
    """The whole page."""
    sections = [STYLE, _summary(stats)]
    if drift is not None:
        sections.append(_drift(drift))
    sections += [_findings(stats), _table(stats), _conflicts(stats), _cards(stats), SCRIPT]
    return to_page(f"Rules of {stats.name}", sections)


def esc(text: object) -> str:
    """Escaped, and without characters that a page cannot show or that turn the direction of reading."""
    return html.escape("".join(c if c.isprintable() or c in "\n\u200c\u200d" else " " for c in str(text)))


def _summary(stats: RulesetStats) -> str:
    n = stats.n_texts
    lines = [f"{len(stats.rules):,} rules on {n:,} texts. Some rule fires on {percent(stats.reached / n)} of the texts; on "
             f"{percent(stats.disputed / n)} two rules fire that cannot both be right."]  # fmt: skip
    if stats.labels is not None:
        lines.append("Texts of each label: " + ", ".join(f"{name} {k:,}" for name, k in stats.labels.items()) + ".")
    return "".join(f"<p>{esc(line)}</p>" for line in [*lines, *(f"Note: {note}." for note in stats.notes)])


def _findings(stats: RulesetStats) -> str:
    items = []
    for finding in findings(stats):
        names = ", ".join(
            _link(name) + (f" ({_link(finding.beside[name])})" if name in finding.beside else "")
            for name in finding.rules
        )
        items.append(f"<li><b>{finding.kind}</b> ({len(finding.rules):,}): {esc(finding.sentence)}: {names}</li>")
    return f"<h2>Worth a look</h2><ul>{''.join(items)}</ul>" if items else ""


def _link(name: str) -> str:
    return f'<a href="#{_anchor(name)}">{esc(name)}</a>'


def _anchor(name: str) -> str:
    return html.escape("r-" + quote(name, safe=""))  # ids must not hold spaces


# ---------------------------------------------------------------------- the table

COLUMNS = {
    "rule": "its id",
    "for": "the label it speaks for",
    "fires": "texts on which it fires",
    "of texts": "share of all texts on which it fires (coverage)",
    "right": "share of its firings that are right (precision), with a 95 % confidence interval",
    "finds": "share of the texts it could be right on that it fires on (recall)",
    "lift": "how many times as often right as a guess",
    "shared": "share of its firings where another rule fires too (overlap)",
    "disputed": "share of its firings where a rule fires that cannot be right at the same time (conflict)",
    "weight": "learned weight in log-odds",
    "saves": "answers that are right only because of it",
    "spoils": "answers that are wrong only because of it",
    "loss without": "by how much the model's log-loss would rise without it",
}


def _table(stats: RulesetStats) -> str:
    names = [name for name in COLUMNS if name not in ("weight", "saves", "spoils", "loss without") or _has_model(stats)]
    head = "".join(f'<th title="{esc(COLUMNS[name])}"{_numeric(name)}>{esc(name)}</th>' for name in names)
    body = "".join(f"<tr>{_row(rule, names)}</tr>" for rule in sorted(stats.rules, key=lambda rule: -rule.fired))
    legend = "; ".join(f"<b>{esc(name)}</b>: {esc(COLUMNS[name])}" for name in names[2:])
    return (
        f'<h2>All rules</h2><p class="muted">A click on a heading sorts, a rule\'s name leads to its examples. {legend}.</p>'
        f'<div class="scroll"><table class="s sorts"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _has_model(stats: RulesetStats) -> bool:
    return any(rule.worth is not None for rule in stats.rules)


def _numeric(name: str) -> str:
    return "" if name in ("rule", "for") else ' class="n"'


def _row(rule: RuleStats, names: Sequence[str]) -> str:
    right = percent(rule.precision)
    if rule.interval is not None:
        right += f" [{100 * rule.interval[0]:.0f}–{100 * rule.interval[1]:.0f}]"
    cells: dict[str, tuple[str, float | None]] = {
        "fires": (f"{rule.fired:,}", rule.fired), "of texts": (f"{rule.coverage:.2%}", rule.coverage), "right": (right, rule.precision),
        "finds": (percent(rule.recall), rule.recall), "lift": ("–" if rule.lift is None else f"{rule.lift:.1f}×", rule.lift),
        "shared": (percent(rule.overlap), rule.overlap), "disputed": (percent(rule.conflict), rule.conflict),
    }  # fmt: skip
    if (worth := rule.worth) is not None:
        first = max(worth.weights.values(), key=abs)
        cells["weight"] = (", ".join(f"{w:+.2f}" for w in worth.weights.values()), first)
        cells["saves"], cells["spoils"] = (("–" if k is None else f"{k:,}", k) for k in (worth.saves, worth.spoils))
        cells["loss without"] = ("–" if worth.log_loss is None else f"{worth.log_loss:+.5f}", worth.log_loss)
    off = "" if rule.is_active else ' <span class="muted">(off)</span>'
    texts = f"<td>{_link(rule.id)}{off}</td><td>{esc(rule.speaks_for)}</td>"
    return texts + "".join(
        f'<td class="n" data-v="{"" if cells[name][1] is None else cells[name][1]}">{esc(cells[name][0])}</td>'
        for name in names[2:]
    )


# ---------------------------------------------------------------------- conflicts


def _conflicts(stats: RulesetStats) -> str:
    pairs = stats.conflicts(LISTED_PAIRS)
    total = int(stats.pairs.opposed.sum())
    if not pairs:
        return "<h2>Conflicts</h2><p>No two rules that cannot both be right fire on the same text.</p>"
    more = f" The {len(pairs)} most frequent:" if total > len(pairs) else ""
    rows = []
    for pair in pairs:
        wins = [
            f"{pair['right'][k]:,} ({percent(pair['right'][k] / pair['texts'])})" if "right" in pair else "–"
            for k in (0, 1)
        ]
        a, b = (_link(name) for name in pair["rules"])
        numbers = [f'<td class="n">{cell}</td>' for cell in (*wins, f"{pair['texts']:,}")]
        rows.append(f"<tr><td>{a}</td>{numbers[0]}<td>{b}</td>{numbers[1]}{numbers[2]}</tr>")
    said = f"{counted(total, 'pair')} of rules fire on the same text though they cannot both be right."
    return (
        f"<h2>Conflicts</h2>{heat_map(stats)}<p>{said}{more}</p>"
        '<div class="scroll"><table class="s"><thead><tr><th>rule</th><th class="n">is right</th><th>against</th>'
        f'<th class="n">is right</th><th class="n">both fire on</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def heat_map(stats: RulesetStats, top: int = HEAT_RULES) -> str:
    """Which rules contradict which, as SVG: the rules with most disputed firings, beside each other by what they speak for."""
    firings = [rule.fired * (rule.conflict or 0.0) for rule in stats.rules]
    involved = [j for j in np.argsort([-k for k in firings], kind="stable").tolist() if firings[j] > 0]
    chosen = sorted(involved[:top], key=lambda j: (stats.rules[j].speaks_for, -firings[j]))
    place = {j: k for k, j in enumerate(chosen)}
    inside = np.flatnonzero(stats.pairs.opposed & np.isin(stats.pairs.a, chosen) & np.isin(stats.pairs.b, chosen))
    cells = []
    for i in inside.tolist():
        a, b = int(stats.pairs.a[i]), int(stats.pairs.b[i])
        cells += [_cell(stats, i, a, b, place), _cell(stats, i, b, a, place)]
    labels = []
    for j, k in place.items():
        rule, middle = stats.rules[j], _LABEL + k * _CELL + 11
        name = esc(rule.id if len(rule.id) <= 34 else rule.id[:33] + "…")
        title = f"<title>{esc(rule.id)}: {esc(rule.speaks_for)}</title>"
        labels.append(f'<text x="{_LABEL - 5}" y="{middle}" text-anchor="end">{title}{name}</text>')
        labels.append(f'<text transform="translate({middle},{_LABEL - 5}) rotate(-90)">{title}{name}</text>')
    size = _LABEL + len(chosen) * _CELL + 2
    frame = f'<rect x="{_LABEL}" y="{_LABEL}" width="{size - _LABEL}" height="{size - _LABEL}" fill="#f6f7f9"/>'
    said = f"all {len(chosen)} rules that are disputed"
    if len(involved) > len(chosen):
        said = f"the {len(chosen)} rules with most disputed firings, of {len(involved):,} that are disputed; the others are in the table"
    view = f'width="{size}" height="{size}" viewBox="0 0 {size} {size}"'
    return (
        f'<p class="muted">Heat map: {said}. The darker a square, the larger the share of the firings of the rule on its left '
        "where the rule above it fires too and cannot be right at the same time; darkest from 50 % on. Point at a square for its "
        "numbers.</p>"
        f'<div class="scroll"><svg role="img" aria-label="conflicts between rules" {view}>'
        f"{frame}{''.join(cells)}{''.join(labels)}</svg></div>"
    )


def _cell(stats: RulesetStats, pair: int, row: int, column: int, place: dict[int, int]) -> str:
    one, other, texts = stats.rules[row], stats.rules[column], int(stats.pairs.texts[pair])
    share = texts / one.fired
    said = (
        f"{one.id} fires on {counted(one.fired, 'text')}; on {texts:,} of them ({percent(share)}) {other.id} fires too"
    )
    if stats.pairs.a_right is not None and stats.pairs.b_right is not None:
        wins = int(stats.pairs.a_right[pair]), int(stats.pairs.b_right[pair])
        mine, theirs = wins if row < column else wins[::-1]
        said += f"; there {one.id} is right on {mine:,}, {other.id} on {theirs:,}"
    x, y = (_LABEL + place[j] * _CELL for j in (column, row))
    look = f'width="{_CELL - 1}" height="{_CELL - 1}" fill="#7a1f14" fill-opacity="{min(1.0, 0.08 + 1.84 * share):.2f}"'
    return f'<rect x="{x}" y="{y}" {look}><title>{esc(said)}</title></rect>'


# ---------------------------------------------------------------------- rule by rule


def _cards(stats: RulesetStats) -> str:
    return "<h2>Rule by rule</h2>" + "".join(map(_card, stats.rules))


def _card(rule: RuleStats) -> str:
    judged = (
        f", right on {rule.right:,} of them ({percent(rule.precision)})"
        if rule.right is not None and rule.fired
        else ""
    )
    head = f'<h3>{esc(rule.id)} <span class="muted">→ {esc(rule.speaks_for)} · {esc(rule.place)}</span></h3>'
    parts = [f"{head}<p>Fires on {counted(rule.fired, 'text')}{judged}.</p>"]
    if rule.opponents:
        parts.append(f"<p>Contradicted most by {_neighbours(rule.opponents)}.</p>")
    if rule.partners:
        parts.append(f"<p>Fires most together with {_neighbours(rule.partners)}.</p>")
    parts += map(_example, rule.examples)
    return f'<div class="card" id="{_anchor(rule.id)}">{"".join(parts)}</div>'


def _neighbours(found: Iterable[Neighbour]) -> str:
    said = []
    for other in found:
        wins = (
            "" if other.right is None else f": this one is right on {other.right:,}, that one on {other.other_right:,}"
        )
        said.append(f"{_link(other.rule)} ({counted(other.texts, 'text')}{wins})")
    return ", ".join(said)


def _example(example: Example) -> str:
    pieces, at = [], 0
    for start, end in sorted(example.spans):
        if start >= at:
            pieces += [esc(example.text[at:start]), f"<mark>{esc(example.text[start:end])}</mark>"]
            at = end
    pieces.append(esc(example.text[at:]))
    kind, word = {True: ("right", "right"), False: ("wrong", "wrong"), None: ("open", "")}[example.right]
    label = "" if example.label is None else f'<span class="muted"> — {esc(example.label)}: {word}</span>'
    return f'<p class="ex {kind}">{"".join(pieces)}{label}</p>'


# ---------------------------------------------------------------------- drift


def _drift(drift: Drift) -> str:
    intro = (
        f"{drift.texts_now:,} texts now against {drift.texts_before:,} then; {drift.tests:,} tests, adjusted for their number (Holm): "
        "if nothing has changed, the chance of any flag is 5 % at most."
    )
    rows = []
    for rule in drift.flagged:
        p = min(rule.p_rate, 1.0 if rule.p_precision is None else rule.p_precision)
        rows.append(
            f'<tr><td>{esc(rule.id)}</td><td><span class="flag">{esc(", ".join(rule.flags))}</span></td>'
            f'<td class="n">{rule.before:.2%} → {rule.now:.2%}</td>'
            f'<td class="n">{percent(rule.precision_before)} → {percent(rule.precision_now)}</td><td class="n">{p:.1g}</td></tr>'
        )
    head = '<tr><th>rule</th><th>has</th><th class="n">fires on</th><th class="n">right</th><th class="n">p</th></tr>'
    table = (
        f'<table class="s"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'
        if rows
        else "<p>No rule has drifted.</p>"
    )
    return f"<h2>Drift since the baseline</h2><p>{esc(intro)}</p>{table}" + "".join(
        f"<p>{esc(line)}</p>" for line in drift.remarks()
    )
