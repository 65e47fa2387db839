"""Explanations drawn: terminal and HTML. Knows the shape of an Explanation and nothing of models; every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rulenet.explain import Explanation, Term

Span = tuple[int, int]
SHOWN_TERMS = 8
SHOWN_CHARACTERS = 1200
_BAR = 12


def to_text(explanation: Explanation) -> str:
    """Plain text, for `print`.

    Examples
    --------
    The first line reads ``Sports 0.93 (hybrid) over World by 2.41``.
    """
    console = Console(width=100, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(to_rich(explanation))
    return capture.get().rstrip()


def to_rich(explanation: Explanation) -> Group:
    """For a terminal: the text with its rule hits marked, and what added up."""
    e = explanation
    head = Text.assemble(
        (_printable(str(e.label)), "bold green"),
        f" {e.proba[e.label]:.2f} ({e.path}) over {_printable(str(e.runner_up))} by {e.margin:.2f}",
    )
    shown = Text(_printable(e.text[:SHOWN_CHARACTERS]) + (" …" if len(e.text) > SHOWN_CHARACTERS else ""))
    for term in reversed([term for term in e.terms if term.kind == "rule"]):  # the strongest last, on top
        colour = _colour(term.contributions[e.label] - term.contributions[e.runner_up])
        for start, end in term.spans:
            shown.stylize(colour, start, min(end, SHOWN_CHARACTERS))
    table = Table(box=None, padding=(0, 1), show_edge=False)
    # Text, not str: labels, rules and words are never read as markup.
    for name, numeric in _columns(e):
        table.add_column(
            Text(_printable(name)), justify="right" if numeric else "left", no_wrap=numeric or name != "words"
        )
    for kind, name, words, a, b in rows(e):
        table.add_row(kind, Text(_printable(name)), Text(words), f"{a:+.2f}", f"{b:+.2f}", _bar(a - b))
    return Group(head, Panel(shown, expand=False, border_style="dim"), table)


def _columns(e: Explanation) -> list[tuple[str, bool]]:
    """Head of each column of the table, and whether it holds numbers."""
    names = ("", "term", "words", str(e.label), str(e.runner_up), "difference")
    return [(name, i in (3, 4)) for i, name in enumerate(names)]


def rows(e: Explanation) -> Iterable[tuple[str, str, str, float, float]]:
    """Kind, name, words, logit of the label and of the runner-up; weak terms in one row, the sum last."""
    top, second = e.label, e.runner_up
    # A rule for a third label, or whose learned weight is 0, says nothing about these two.
    rules = [
        term for term in e.terms if term.kind == "rule" and (term.contributions[top] or term.contributions[second])
    ]
    others = [term for term in e.terms if term.kind != "rule"]
    shown = rules[:SHOWN_TERMS] + others[: max(3, SHOWN_TERMS - len(rules))]
    rest = [term for term in e.terms if not any(term is s for s in shown)]
    yield "", "bias", "", e.bias[top], e.bias[second]
    for term in shown:
        yield term.kind, term.name, _words(e.text, term), term.contributions[top], term.contributions[second]
    if rest:
        a, b = (sum(term.contributions[label] for term in rest) for label in (top, second))
        yield "", f"{len(rest)} weaker terms", "", a, b
    if e.path == "hybrid":
        yield "ψ", "transformer", "", e.neural[top], e.neural[second]
    yield "=", "logit", "", e.logits[top], e.logits[second]


def _words(text: str, term: Term) -> str:
    found = list(dict.fromkeys(_printable(text[start:end]).strip() for start, end in term.spans))
    return ", ".join(word if len(word) <= 30 else word[:29] + "…" for word in found[:3]) + (
        ", …" if len(found) > 3 else ""
    )


def _printable(text: str) -> str:
    """The same text without line breaks, control characters and lone surrogates, of the same length."""
    return "".join(char if char.isprintable() else " " for char in text)


def _colour(difference: float) -> str:
    return "bold green" if difference > 0 else "bold red" if difference < 0 else "bold"


def _bar(difference: float) -> Text:
    length = min(_BAR, max(1, round(abs(difference) * 3))) if abs(difference) > 0.005 else 0
    return Text(("▌" * length) + f" {difference:+.2f}", style=_colour(difference))


# ---------------------------------------------------------------------- HTML

STYLE = """
.rulenet{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:56rem;
margin:1rem 0;padding:1rem 1.25rem;border:1px solid #d8dbe0;border-radius:8px}
.rulenet h3{margin:0 0 .5rem;font-size:1rem}.rulenet .label{color:#0a6b3d}.rulenet .note{color:#5b6470;font-weight:400}
.rulenet p.text{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f7f9;padding:.6rem .8rem;border-radius:6px;margin:.5rem 0}
.rulenet mark{border-radius:3px;padding:0 .1em;color:inherit}
.rulenet mark.for{background:#bfe8cd}.rulenet mark.against{background:#f6c9c5}
.rulenet table{border-collapse:collapse;width:100%;font-size:.9rem}
.rulenet td,.rulenet th{padding:.15rem .5rem;text-align:left;border-bottom:1px solid #eceef1}
.rulenet td.n,.rulenet th.n{text-align:right;font-variant-numeric:tabular-nums}
.rulenet .bar{display:inline-block;height:.7em;border-radius:2px;background:#3a9d63}.rulenet .bar.neg{background:#cf5a50}
.rulenet tr:last-child td{font-weight:600;border:0}
""".replace("\n", "")

PAGE_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table.plain{border-collapse:collapse}table.plain td,table.plain th{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:left}
""".replace("\n", "")


def to_html(explanation: Explanation) -> str:
    """A self-contained fragment: own style, no script, no outside address; all text escaped."""
    e = explanation
    esc = html.escape
    body = []
    for kind, name, words, a, b in rows(e):
        width = min(6.0, abs(a - b) * 1.5)
        bar = f'<span class="bar{" neg" if a < b else ""}" style="width:{width:.2f}em"></span> {a - b:+.2f}'
        cells = f"<td>{esc(kind)}</td><td>{esc(name)}</td><td>{esc(words)}</td>"
        body.append(f'<tr>{cells}<td class="n">{a:+.2f}</td><td class="n">{b:+.2f}</td><td>{bar}</td></tr>')
    head = "".join(f"<th{' class=n' if numeric else ''}>{esc(name)}</th>" for name, numeric in _columns(e))
    return (
        f'<div class="rulenet"><style>{STYLE}</style><h3><span class="label">{esc(str(e.label))}</span> {e.proba[e.label]:.2f} '
        f'<span class="note">({esc(e.path)}) over {esc(str(e.runner_up))} by {e.margin:.2f}</span></h3>'
        f'<p class="text">{marked(e)}</p><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def marked(e: Explanation) -> str:
    """The escaped text with rule hits in <mark>; where hits overlap, the stronger rule shows."""
    owner: list[Term | None] = [None] * len(e.text)
    rules = [term for term in e.terms if term.kind == "rule"]
    for rule in reversed(rules):  # weakest first, so that the strongest stays
        for start, end in rule.spans:
            owner[start:end] = [rule] * (end - start)
    pieces = []
    at = 0
    while at < len(e.text):
        end = at
        while end < len(e.text) and owner[end] is owner[at]:
            end += 1
        piece = html.escape("".join(map(_shown, e.text[at:end])))
        term = owner[at]
        if term is not None:
            side = "for" if term.contributions[e.label] >= term.contributions[e.runner_up] else "against"
            piece = f'<mark class="{side}" title="{html.escape(term.name, quote=True)}">{piece}</mark>'
        pieces.append(piece)
        at = end
    return "".join(pieces)


def _shown(char: str) -> str:
    """A character on a page: odd spaces as spaces, joiners of emoji kept, what could mislead (bidi overrides, controls) as U+FFFD."""
    if char.isprintable() or char in "\n\t\u200c\u200d":
        return char
    return " " if char.isspace() else "\ufffd"


def to_page(title: str, sections: Iterable[str]) -> str:
    """A whole HTML page around fragments that are already HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{PAGE_STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{''.join(sections)}</body></html>\n"
    )


def table_html(header: Iterable[str], body: Iterable[Iterable[object]]) -> str:
    """A plain table, escaped."""
    head = "".join(f"<th>{html.escape(str(cell))}</th>" for cell in header)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in body)
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
