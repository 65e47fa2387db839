"""Statistics of rules as one HTML page. Imports draw and the statistics.

This says what is on the page; `rulenet.draw.html` knows how it looks. The page works without its script, which only sorts the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

import numpy as np

from rulenet.base.drawing import (
    Amount,
    Block,
    Card,
    Cell,
    Code,
    Fold,
    Grid,
    Heading,
    Headline,
    Line,
    Mark,
    MarkedText,
    Points,
    Prose,
    Run,
    Sheet,
    Square,
)
from rulenet.base.wording import counted, percent
from rulenet.draw import html
from rulenet.rules.file.schema import Rule
from rulenet.rules.writing.compose import rule_lines
from rulenet.workbench.diff import written
from rulenet.workbench.drift import Drift
from rulenet.workbench.findings import Finding, findings
from rulenet.workbench.samples import Example
from rulenet.workbench.stats import Neighbour, RulesetStats, RuleStats

HEAT_RULES = 40  # as many as can be read
LISTED_PAIRS = 30
STRONGEST = 0.5  # share of a rule's firings from which on squares have the strongest colour
UNKNOWN = Amount("–", None)


def to_html(stats: RulesetStats, drift: Drift | None = None) -> str:
    """The whole page."""
    return html.page(f"Rules of {PurePath(stats.name).name}", blocks(stats, drift), language=stats.language)


def blocks(stats: RulesetStats, drift: Drift | None = None) -> list[Block]:
    """Everything on the page, from top to bottom."""
    sources = {rule.id: rule for rule in stats.as_written}
    return [
        *_summary(stats),
        *(_drift(drift) if drift is not None else ()),
        *_findings(stats),
        *_table(stats),
        *_conflicts(stats),
        Heading("Rule by rule"),
        *(_card(rule, sources.get(rule.id.removesuffix(".negated"))) for rule in stats.rules),
    ]


def _summary(stats: RulesetStats) -> list[Block]:
    n = stats.n_texts
    lines = [
        f"{counted(len(stats.rules), 'rule')} on {counted(n, 'text')}. At least one rule fires on {percent(stats.reached / n)} "
        f"of the texts; on {percent(stats.disputed / n)} two rules fire that cannot both be right."
    ]
    if stats.labels is not None:
        lines.append("Texts of each label: " + ", ".join(f"{name} {k:,}" for name, k in stats.labels.items()) + ".")
    return [Prose(line) for line in (*lines, *(f"Note: {note}." for note in stats.notes))]


def _findings(stats: RulesetStats) -> list[Block]:
    found = findings(stats)
    return [Heading("Worth a look"), Points(list(map(_point, found)))] if found else []


def _point(finding: Finding) -> Line:
    line: list[str | Run] = [Run(finding.kind, "strong"), f" ({len(finding.rules):,}): {finding.sentence}: "]
    for i, name in enumerate(finding.rules):
        line += [", " if i else "", _link(name)]
        if name in finding.twins:
            line += [" (", _link(finding.twins[name]), ")"]
    return tuple(line)


def _link(name: str) -> Run:
    return Run(name, to=name)


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
OF_MODEL = ("weight", "saves", "spoils", "loss without")


def _table(stats: RulesetStats) -> list[Block]:
    has_model = any(rule.worth is not None for rule in stats.rules)
    names = [name for name in COLUMNS if has_model or name not in OF_MODEL]
    legend: list[str | Run] = ["Type to filter, click a heading to sort, a rule's name to see it with examples."]
    for name in names[2:]:
        legend += [" ", Run(name, "strong"), f": {COLUMNS[name]};" if name != names[-1] else f": {COLUMNS[name]}."]
    most = max((rule.fired for rule in stats.rules), default=0) or 1
    rows = [_row(rule, names, most) for rule in sorted(stats.rules, key=lambda rule: -rule.fired)]
    return [Heading("All rules"), Prose(tuple(legend)), Sheet("", names, rows, sorts=True, hints=COLUMNS)]


def _row(rule: RuleStats, names: Sequence[str], most: int) -> list[Cell]:
    right = percent(rule.precision)
    if rule.interval is not None:
        right += f" [{100 * rule.interval[0]:.0f}–{100 * rule.interval[1]:.0f}]"
    cells: dict[str, Cell] = {
        "rule": (_link(rule.id), *(() if rule.is_active else (Run(" (off)", "note"),))),
        "for": rule.speaks_for,
        "fires": Amount(f"{rule.fired:,}", rule.fired, rule.fired / most),
        "of texts": Amount(f"{rule.coverage:.2%}", rule.coverage, rule.coverage),
        "right": Amount(right, rule.precision, rule.precision),
        "finds": _share(rule.recall),
        "lift": Amount("–" if rule.lift is None else f"{rule.lift:.1f}×", rule.lift),
        "shared": _share(rule.overlap),
        "disputed": _share(rule.conflict),
    }
    if (worth := rule.worth) is not None:
        largest = max(worth.weights.values(), key=abs)
        cells["weight"] = Amount(", ".join(f"{w:+.2f}" for w in worth.weights.values()), largest)
        if worth.saves is not None and worth.spoils is not None and worth.log_loss is not None:
            cells["saves"], cells["spoils"] = (Amount(f"{k:,}", k) for k in (worth.saves, worth.spoils))
            cells["loss without"] = Amount(f"{worth.log_loss:+.5f}", worth.log_loss)
    return [cells.get(name, UNKNOWN) for name in names]


def _share(value: float | None) -> Amount:
    return Amount(percent(value), value, value)


# ---------------------------------------------------------------------- conflicts


def _conflicts(stats: RulesetStats) -> list[Block]:
    pairs = stats.conflicts(LISTED_PAIRS)
    total = int(stats.pairs.opposed.sum())
    if not pairs:
        return [Heading("Conflicts"), Prose("No two rules that cannot both be right fire on the same text.")]
    rows: list[list[Cell]] = []
    for pair in pairs:
        wins = [
            Amount(f"{k:,} ({percent(k / pair['texts'])})", k, k / pair["texts"]) for k in pair.get("right", ())
        ] or [UNKNOWN] * 2
        one, other = ((_link(name),) for name in pair["rules"])
        rows.append([one, wins[0], other, wins[1], pair["texts"]])
    said = f"{counted(total, 'pair')} of rules fire on the same text though they cannot both be right."
    more = f" The {len(pairs)} most frequent:" if total > len(pairs) else ""
    return [
        Heading("Conflicts"),
        *heat_map(stats),
        Prose(said + more),
        Sheet("", ("rule", "is right", "against", "is right", "both fire on"), rows),
    ]


def heat_map(stats: RulesetStats, top: int = HEAT_RULES) -> list[Block]:
    """Which rules contradict which: those with most disputed firings, next to each other by what they speak for."""
    firings = [rule.fired * (rule.conflict or 0.0) for rule in stats.rules]
    involved = [j for j in np.argsort([-k for k in firings], kind="stable").tolist() if firings[j] > 0]
    chosen = sorted(involved[:top], key=lambda j: (stats.rules[j].speaks_for, -firings[j]))
    place = {j: k for k, j in enumerate(chosen)}
    inside = np.flatnonzero(stats.pairs.opposed & np.isin(stats.pairs.a, chosen) & np.isin(stats.pairs.b, chosen))
    squares = []
    for i in inside.tolist():
        a, b = int(stats.pairs.a[i]), int(stats.pairs.b[i])
        squares += [_square(stats, i, a, b, place), _square(stats, i, b, a, place)]
    said = f"all {len(chosen)} rules that are disputed"
    if len(involved) > len(chosen):
        said = f"the {len(chosen)} rules with most disputed firings, of {len(involved):,} that are disputed; the others are in the table"
    legend = (
        f"Heat map: {said}. A square says on how many per cent of the firings of the rule on its left the rule above it fires too and "
        "cannot be right at the same time. Point at a square for its numbers."
    )
    names = [(stats.rules[j].id, stats.rules[j].speaks_for) for j in chosen]
    steps = [0.01, 0.1, 0.2, 0.3, 0.4, STRONGEST]
    scale = [(f"{share:.0%}" + (" and more" if share == STRONGEST else ""), share / STRONGEST) for share in steps]
    return [Prose((Run(legend, "note"),)), Grid("conflicts between rules", names, squares, scale)]


def _square(stats: RulesetStats, pair: int, row: int, column: int, place: dict[int, int]) -> Square:
    one, other, texts = stats.rules[row], stats.rules[column], int(stats.pairs.texts[pair])
    share = texts / one.fired
    said = (
        f"{one.id} fires on {counted(one.fired, 'text')}; on {texts:,} of them ({percent(share)}) {other.id} fires too"
    )
    if stats.pairs.right is not None:
        mine, theirs = stats.pairs.right[pair].tolist()[:: 1 if row < column else -1]
        said += f"; there {one.id} is right on {mine:,}, {other.id} on {theirs:,}"
    number = f"{100 * share:.0f}" if share >= 0.005 else "<1"
    return Square(place[row], place[column], min(1.0, share / STRONGEST), said, number)


# ---------------------------------------------------------------------- rule by rule


def _card(rule: RuleStats, source: Rule | None) -> Card:
    judged = f", right on {rule.right:,} of them ({percent(rule.precision)})" if rule.precision is not None else ""
    found: list[Block] = [
        Headline(rule.id, note=f"→ {rule.speaks_for} · {PurePath(rule.place).name}"),
        Prose(f"Fires on {counted(rule.fired, 'text')}{judged}."),
    ]
    if source is not None:
        found += [Prose((Run(source.note, "note"),))] if source.note else []
        found.append(Fold("as written", [Code("\n".join(rule_lines([written(source)], indent=0)))]))
    for what, neighbours in (("Contradicted most by ", rule.opponents), ("Fires most together with ", rule.partners)):
        if neighbours:
            found.append(Prose((what, *_neighbours(neighbours), ".")))
    return Card([*found, *map(_example, rule.examples)], name=rule.id)


def _neighbours(found: Sequence[Neighbour]) -> list[str | Run]:
    line: list[str | Run] = []
    for other in found:
        shared = counted(other.texts, "text")
        if other.right is not None:
            shared += f": this one is right on {other.right:,}, that one on {other.other_right:,}"
        line += [", " if line else "", _link(other.rule), f" ({shared})"]
    return line


def _example(example: Example) -> MarkedText:
    marks = [Mark(start, end) for start, end in example.spans]
    if example.right is None:
        return MarkedText(example.text, marks, "open")
    verdict: Literal["right", "wrong"] = "right" if example.right else "wrong"
    return MarkedText(example.text, marks, verdict, f"— {example.label}: {verdict}")


# ---------------------------------------------------------------------- drift


def _drift(drift: Drift) -> list[Block]:
    rows: list[list[Cell]] = []
    for rule in drift.flagged:
        flags = (Run(", ".join(rule.flags), "flag"),)
        fires = Amount(f"{rule.before:.2%} → {rule.now:.2%}", rule.now)
        right = Amount(f"{percent(rule.precision_before)} → {percent(rule.precision_now)}", rule.precision_now)
        rows.append([rule.id, flags, fires, right, Amount(f"{rule.p:.1g}", rule.p)])
    return [
        Heading("Drift since the baseline"),
        Prose(
            f"{drift.texts_now:,} texts now against {drift.texts_before:,} then; {drift.tests:,} tests, adjusted for their number (Holm): "
            "if nothing has changed, the chance of any flag is 5 % at most."
        ),
        Sheet("", ("rule", "has", "fires on", "right", "p"), rows) if rows else Prose("No rule has drifted."),
        *(Prose(f"Note: {line}.") for line in drift.remarks()),
    ]
