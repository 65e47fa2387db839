"""Explanations drawn: terminal and HTML. Knows the shape of an Explanation and nothing of models; every text is escaped.

Imports rich.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rulenet.explain.result import Explanation, Term, Token

Span = tuple[int, int]
SHOWN_TERMS = 8
SHOWN_CHARACTERS = 1200
_BAR = 12


class Percent(float):
    """A share, shown as a percentage."""


class Bar(float):
    """A number of logits, shown with a bar."""


Cell = str | int | float


@dataclass(frozen=True)
class Sheet:
    """A small table.

    Attributes
    ----------
    title
        One line above it; empty for none.
    header
        Head of each column.
    rows
        `Percent` and `Bar` are drawn as such, other floats with sign and two digits, whole numbers as they are.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Shown(ABC):
    """A result that shows itself in a terminal, on a page and in a notebook as a headline and some tables."""

    @abstractmethod
    def headline(self) -> str:
        """One line."""

    @abstractmethod
    def sheets(self) -> list[Sheet]:
        """The tables."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data, the same after a trip through JSON."""

    def to_rich(self) -> Group:
        """For a terminal."""
        sheets = [part for sheet in self.sheets() for part in _sheet_to_rich(sheet)]
        return Group(Text(_printable(self.headline()), "bold"), *sheets)

    def to_html(self) -> str:
        """A self-contained HTML fragment."""
        title = f"<h3>{html.escape(''.join(map(_shown, self.headline())))}</h3>"
        return _fragment(title + "".join(map(_sheet_to_html, self.sheets())))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return _captured(self.to_rich())


def to_text(explanation: Explanation) -> str:
    """Plain text, for `print`.

    Examples
    --------
    The first line reads ``Sports 0.93 (hybrid) over World by 2.41``.
    """
    return _captured(to_rich(explanation, coloured=False))


def _captured(drawn: Group) -> str:
    console = Console(width=100, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())


def _cell(value: Cell) -> str:
    """
    Examples
    --------
    >>> _cell("oil"), _cell(1200), _cell(0.5), _cell(Bar(-0.25)), _cell(Percent(0.125))
    ('oil', '1,200', '+0.50', '-0.25', '12.5%')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Percent):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:+.2f}"


def _numeric(sheet: Sheet) -> list[bool]:
    """Whether each column holds numbers."""
    columns = list(zip(*sheet.rows, strict=True)) or [()] * len(sheet.header)
    return [any(isinstance(c, (int, float)) and not isinstance(c, Bar) for c in column) for column in columns]


def _sheet_to_rich(sheet: Sheet) -> list[Text | Table]:
    table = Table(box=None, padding=(0, 1), show_edge=False)
    for name, numeric in zip(sheet.header, _numeric(sheet), strict=True):
        table.add_column(Text(_printable(name)), justify="right" if numeric else "left", no_wrap=numeric)
    for row in sheet.rows:
        table.add_row(*(_bar(c) if isinstance(c, Bar) else Text(_printable(_cell(c))) for c in row))
    title = [Text(_printable(sheet.title), "bold")] if sheet.title else []
    return [*title, table] if sheet.rows else list(title)


def _sheet_to_html(sheet: Sheet) -> str:
    numeric = _numeric(sheet)
    title = f"<h4>{html.escape(sheet.title)}</h4>" if sheet.title else ""
    head = "".join(
        f"<th{' class=n' * n}>{html.escape(name)}</th>" for name, n in zip(sheet.header, numeric, strict=True)
    )
    lines = []
    for row in sheet.rows:
        cells = (_bar_html(c) if isinstance(c, Bar) else html.escape("".join(map(_shown, _cell(c)))) for c in row)
        lines.append("".join(f"<td{' class=n' * n}>{cell}</td>" for cell, n in zip(cells, numeric, strict=True)))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return title if not body else f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def to_rich(explanation: Explanation, *, coloured: bool = True) -> Group:
    """For a terminal: the text with its rule hits marked, what added up, and in colours what the transformer reads."""
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
    for kind, name, where, a, b in rows(e):
        table.add_row(kind, Text(_printable(name)), Text(where), f"{a:+.2f}", f"{b:+.2f}", _bar(a - b))
    return Group(head, Panel(shown, expand=False, border_style="dim"), table, *_tokens_to_rich(e, coloured))


def _tokens_to_rich(e: Explanation, coloured: bool) -> list[Text | Panel]:
    """The text with its words coloured by what they tell the transformer, and the strongest of them."""
    if not e.tokens:
        return []
    shown = Text(_printable(e.text[:SHOWN_CHARACTERS]) + (" …" if len(e.text) > SHOWN_CHARACTERS else ""))
    strengths = _strengths(e.tokens)
    for token, strength in zip(e.tokens, strengths, strict=True):
        if abs(strength) >= 0.1:
            style = ("green" if strength > 0 else "red") + (" bold reverse" if abs(strength) > 0.5 else "")
            shown.stylize(style, token.start, min(token.end, SHOWN_CHARACTERS))
    strongest = sorted(e.tokens, key=lambda token: -abs(token.attribution))[:SHOWN_TERMS]
    words = ", ".join(f"{_printable(token.text)} {token.attribution:+.2f}" for token in strongest)
    panel = [Panel(shown, expand=False, border_style="dim")] if coloured else []
    return [Text(token_line(e)), *panel, Text(words)]


def token_line(e: Explanation) -> str:
    """What the tokens share out."""
    label, other = e.token_labels or (e.label, e.runner_up)
    line = f"what the transformer reads for {label} against {other}: {e.neural[label] - e.neural[other]:+.2f}"
    if e.token_bias is not None and e.token_gap is not None:
        line += f", of which {e.token_bias:+.2f} before a word is read; error {e.token_gap:.0e}"
    return _printable(line)


def _strengths(tokens: Sequence[Token]) -> list[float]:
    """Attributions from -1 to 1, the strongest at an end."""
    most = max((abs(token.attribution) for token in tokens), default=0.0)
    return [token.attribution / most if most else 0.0 for token in tokens]


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
        yield term.kind, term.name, words(e.text, term.spans), term.contributions[top], term.contributions[second]
    if rest:
        a, b = (sum(term.contributions[label] for term in rest) for label in (top, second))
        yield "", f"{len(rest)} weaker terms", "", a, b
    if e.path == "hybrid":
        yield "ψ", "transformer", "", e.neural[top], e.neural[second]
    yield "=", "logit", "", e.logits[top], e.logits[second]


def words(text: str, spans: Iterable[Span]) -> str:
    """What stands at some places, each once and short.

    Examples
    --------
    >>> words("oil, oil and gas", [(0, 3), (5, 8), (13, 16)])
    'oil, gas'
    """
    found = list(dict.fromkeys(_printable(text[start:end]).strip() for start, end in spans))
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
.rulenet h3{margin:0 0 .5rem;font-size:1rem}.rulenet h4{margin:.8rem 0 .2rem;font-size:.9rem}
.rulenet .label{color:#0a6b3d}.rulenet .note{color:#5b6470;font-weight:400}
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
    for kind, name, where, a, b in rows(e):
        cells = f"<td>{esc(kind)}</td><td>{esc(name)}</td><td>{esc(where)}</td>"
        body.append(
            f'<tr>{cells}<td class="n">{a:+.2f}</td><td class="n">{b:+.2f}</td><td>{_bar_html(a - b)}</td></tr>'
        )
    head = "".join(f"<th{' class=n' if numeric else ''}>{esc(name)}</th>" for name, numeric in _columns(e))
    return _fragment(
        f'<h3><span class="label">{esc(str(e.label))}</span> {e.proba[e.label]:.2f} '
        f'<span class="note">({esc(e.path)}) over {esc(str(e.runner_up))} by {e.margin:.2f}</span></h3>'
        f'<p class="text">{marked(e)}</p><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
        + (f'<h4>{esc(token_line(e))}</h4><p class="text">{heat_map(e)}</p>' if e.tokens else "")
    )


def _fragment(body: str) -> str:
    return f'<div class="rulenet"><style>{STYLE}</style>{body}</div>'


def _bar_html(difference: float) -> str:
    width = min(6.0, abs(difference) * 1.5)
    side = " neg" if difference < 0 else ""
    return f'<span class="bar{side}" style="width:{width:.2f}em"></span> {difference:+.2f}'


def heat_map(e: Explanation) -> str:
    """The escaped text, each word coloured by its share of what the transformer adds: green for, red against."""
    pieces, at = [], 0
    for token, strength in zip(e.tokens or [], _strengths(e.tokens or []), strict=True):
        colour = "58,157,99" if strength > 0 else "207,90,80"
        pieces += [
            html.escape("".join(map(_shown, e.text[at : token.start]))),
            f'<span style="background:rgba({colour},{abs(strength):.2f})" title="{token.attribution:+.3f}">'
            f"{html.escape(''.join(map(_shown, token.text)))}</span>",
        ]
        at = token.end
    return "".join([*pieces, html.escape("".join(map(_shown, e.text[at:])))])


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
