"""rulenet.draw.render: explanations in a terminal and in HTML. What users and rule authors wrote is never read as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from rulenet import Explanation, Term
from rulenet.draw import render
from rulenet.explain.result import Token

Span = tuple[int, int]


def term(name: str, gap: float, spans: Sequence[Span] = (), kind: str = "rule") -> Term:
    """A term that speaks for label A by `gap`."""
    both = {"A": gap, "B": 0.0}
    return Term(kind, name, 1.0, both, both, list(spans))


def explanation(text: str = "win the cup", terms: Sequence[Term] = (), **changes: object) -> Explanation:
    """A was chosen over B; C is far behind."""
    total = 0.5 + sum(t.contributions["A"] for t in terms)
    e = Explanation(
        text=text,
        label="A",
        proba={"A": 0.75, "B": 0.2, "C": 0.05},
        path="rules",
        logits={"A": total, "B": 0.1, "C": -2.0},
        bias={"A": 0.5, "B": 0.1, "C": -2.0},
        terms=list(terms),
        neural={"A": 0.0, "B": 0.0, "C": 0.0},
    )
    return replace(e, **changes)  # type: ignore[arg-type]


class Page(HTMLParser):
    """Checks that tags balance; gathers tags, attributes and text."""

    VOID = ("meta",)

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.marks: list[tuple[str, str]] = []
        self.cells: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "mark":
            self.marks.append((str(dict(attrs)["class"]) + " " + str(dict(attrs)["title"]), ""))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            return
        self.text += data
        if "mark" in self.open:
            self.marks[-1] = (self.marks[-1][0], self.marks[-1][1] + data)
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data


NASTY = '<script>alert("x")</script>\'&amp;"\x1b[31m[/red]\\'


def nasty() -> Explanation:
    """Everything a user or an author can name is hostile."""
    contributions = {NASTY: 1.0, "B": 0.0}
    bad = Term("rule", f"id {NASTY}", 1.0, contributions, contributions, [(0, 8)])
    names = {NASTY: 1.5, "B": 0.1}
    return Explanation(NASTY, NASTY, names, "rules", names, names, [bad], names)


# The table


def test_rows_are_bias_terms_and_their_sum() -> None:
    e = explanation(terms=[term("cup", 2.0, [(8, 11)]), term("win", 0.25, [(0, 3)], "tfidf")])
    assert list(render.rows(e)) == [
        ("", "bias", "", 0.5, 0.1),
        ("rule", "cup", "cup", 2.0, 0.0),
        ("tfidf", "win", "win", 0.25, 0.0),
        ("=", "logit", "", 2.75, 0.1),
    ]


def test_the_transformer_has_a_row_where_it_had_a_say() -> None:
    e = explanation(path="hybrid", neural={"A": 0.7, "B": -0.3, "C": 0.0})
    assert ("ψ", "transformer", "", 0.7, -0.3) in list(render.rows(e))


@pytest.mark.parametrize(
    ("n_rules", "n_terms", "shown_rules", "shown_terms"), [(3, 20, 3, 5), (12, 20, 8, 3), (0, 8, 0, 8)]
)
def test_weaker_terms_share_a_row_and_nothing_is_lost(
    n_rules: int, n_terms: int, shown_rules: int, shown_terms: int
) -> None:
    terms = [term(f"r{i}", 1.0) for i in range(n_rules)] + [term(f"t{i}", 0.5, kind="tfidf") for i in range(n_terms)]
    rows = list(render.rows(explanation(terms=terms)))
    kinds = [row[0] for row in rows]
    assert (kinds.count("rule"), kinds.count("tfidf")) == (shown_rules, shown_terms)
    left = n_rules + n_terms - shown_rules - shown_terms
    assert [row[1] for row in rows if "weaker" in row[1]] == ([f"{left} weaker terms"] if left else [])
    assert sum(row[3] for row in rows[:-1]) == pytest.approx(rows[-1][3])


def test_words_are_short_and_each_stands_once() -> None:
    text = "win win " + "x" * 40 + " b c"
    spans = [(0, 3), (4, 7), (8, 48), (49, 50), (51, 52)]
    assert next(r for r in render.rows(explanation(text, [term("w", 1, spans)])) if r[1] == "w")[2] == (
        "win, " + "x" * 29 + "…, b, …"
    )


# Terminal


def test_text_shows_label_runner_up_and_signs() -> None:
    shown = render.to_text(explanation(terms=[term("cup", 2.0, [(8, 11)]), term("bad", -1.0)]))
    assert shown.splitlines()[0] == "A 0.75 (rules) over B by 1.40"
    assert re.search(r"cup +cup +\+2\.00 +\+0\.00 +▌+ \+2\.00", shown)
    assert re.search(r"bad +-1\.00 +\+0\.00 +▌+ -1\.00", shown)
    assert re.search(r"logit +\+1\.50 +\+0\.10", shown)


def test_terminal_escapes_and_markup_are_inert() -> None:
    shown = render.to_text(nasty())
    assert "\x1b" not in shown
    assert "[/red]\\" in shown
    assert "<script>" in shown


@pytest.mark.parametrize("name", ["[/b]", "[bold]x", "a\\", "[link=file:///etc/passwd]x[/link]", "term", "体育"])
def test_labels_are_shown_as_they_are(name: str) -> None:
    both = {name: 1.0, "other": 0.0}
    shown = render.to_text(Explanation("t", name, both, "rules", both, both, [], both))
    assert shown.count(name) == (3 if name == "term" else 2)


def test_long_texts_and_line_breaks_are_cut_to_fit() -> None:
    shown = render.to_text(explanation("line\nbreak " + "y" * 5000, [term("late", 1.0, [(4000, 4010)])]))
    assert "line break" in shown
    assert "…" in shown
    assert shown.count("y") < 1300


def test_of_overlapping_hits_the_stronger_shows() -> None:
    strong, weak = term("strong", 2.0, [(4, 7)]), term("weak", -1.0, [(0, 11)])
    e = explanation(terms=[strong, weak])
    console = Console(width=60, force_terminal=True, color_system="standard", no_color=False)
    with console.capture() as capture:
        console.print(render.to_rich(e))
    shown = capture.get()
    assert re.search(r"\x1b\[1;31mwin \x1b\[0m\x1b\[1;32mthe\x1b\[0m\x1b\[1;31m cup\x1b\[0m", shown)
    assert Page(render.to_html(e)).marks == [("against weak", "win "), ("for strong", "the"), ("against weak", " cup")]


# HTML


def test_html_is_a_table_and_the_marked_text() -> None:
    e = explanation("win the cup & <more>", [term("cup", 2.0, [(8, 11)]), term("bad", -1.0, [(0, 3)])])
    page = Page(render.to_html(e))
    assert page.marks == [("against bad", "win"), ("for cup", "cup")]
    assert "win the cup & <more>" in page.text
    assert page.cells[:6] == ["", "term", "words", "A", "B", "difference"]
    assert page.cells[12:18] == ["rule", "cup", "cup", "+2.00", "+0.00", " +2.00"]
    assert page.cells[-6:] == ["=", "logit", "", "+1.50", "+0.10", " +1.40"]


def test_html_escapes_what_others_wrote() -> None:
    fragment = render.to_html(nasty())
    page = Page(fragment)
    assert "script" not in page.tags
    assert {name for name, _ in page.attributes} <= {"class", "style", "title"}
    assert page.marks == [(f"for id {NASTY}", NASTY[:8])]
    assert page.cells[3] == NASTY


def test_html_fetches_nothing_and_runs_nothing() -> None:
    whole = render.to_page("title", [render.to_html(explanation(terms=[term("cup", 1.0, [(8, 11)])]))])
    page = Page(whole)
    assert not re.search(r"https?:|//|url\(|@import|javascript|<script|<link|<img|\bon\w+=", whole)
    assert page.tags.count("style") == 2
    assert page.tags[:2] == ["html", "head"]


def test_page_and_table_escape_too() -> None:
    page = Page(render.to_page(NASTY, [render.table_html([NASTY], [[NASTY, 3]])]))
    assert "script" not in page.tags
    assert page.cells == [NASTY, NASTY, "3"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc", "a\nb\tc"),
        ("体育\u3000新闻", "体育 新闻"),
        ("a\u00a0b\r\nc", "a b \nc"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("abc\u202edef", "abc\ufffddef"),
        ("a\0b\x1bc\ud800", "a\ufffdb\ufffdc\ufffd"),
    ],
)
def test_odd_characters_on_a_page(text: str, shown: str) -> None:
    assert render.marked(explanation(text)) == shown
    render.to_html(explanation(text)).encode()


def test_marks_beside_each_other_and_at_the_ends() -> None:
    e = explanation("abcdef", [term("x", 1.0, [(0, 2), (4, 6)]), term("y", 0.5, [(2, 4)])])
    assert Page(render.to_html(e)).marks == [("for x", "ab"), ("for y", "cd"), ("for x", "ef")]


# Tokens


def with_tokens(text: str = "win the cup", *attributions: float) -> Explanation:
    """Each word has its attribution."""
    found = [
        Token(m.group(), *m.span(), value) for m, value in zip(re.finditer(r"\S+", text), attributions, strict=True)
    ]
    return explanation(
        text, path="hybrid", tokens=found, token_labels=("A", "B"), token_bias=0.25, token_gap=0.001,
        neural={"A": 1.0, "B": -0.5, "C": 0.0},
    )  # fmt: skip


def test_a_heat_map_colours_by_sign_and_strength() -> None:
    shown = render.heat_map(with_tokens("win the cup", 0.5, 0.0, -1.0))
    assert re.findall(r"rgba\((\d+),\d+,\d+,([\d.]+)\)\" title=\"([+\-.\d]+)\">(\w+)<", shown) == [
        ("58", "0.50", "+0.500", "win"),
        ("207", "0.00", "+0.000", "the"),
        ("207", "1.00", "-1.000", "cup"),
    ]
    assert Page(f"<p>{shown}</p>").text == "win the cup"


def test_text_names_the_strongest_words_and_what_was_there_before() -> None:
    lines = render.to_text(with_tokens("win the cup", 0.5, 0.0, -1.0)).splitlines()
    assert lines[-2] == (
        "what the transformer reads for A against B: +1.50, of which +0.25 before a word is read; error 1e-03"
    )
    assert lines[-1] == "cup -1.00, win +0.50, the +0.00"


def test_a_terminal_colours_words() -> None:
    console = Console(width=100, force_terminal=True, color_system="standard", no_color=False)
    with console.capture() as capture:
        console.print(render.to_rich(with_tokens("win the cup", 0.3, 0.0, -1.0)))
    shown = capture.get()
    assert "\x1b[32mwin\x1b[0m the \x1b[1;7;31mcup\x1b[0m" in shown


def test_hostile_tokens_are_inert() -> None:
    e = replace(nasty(), path="hybrid", tokens=[Token(NASTY, 0, len(NASTY), 1.0)], token_labels=(NASTY, "B"))
    page = Page(render.to_html(e))
    assert "script" not in page.tags
    assert {name for name, _ in page.attributes} <= {"class", "style", "title"}
    assert "\x1b" not in render.to_text(e)
    assert "[/red]\\" in render.to_text(e)


# Results that are a headline and tables


class Result(render.Shown):
    """Whatever a user or an author can name, in every place."""

    def headline(self) -> str:
        return NASTY

    def to_dict(self) -> dict[str, object]:
        return {}

    def sheets(self) -> list[render.Sheet]:
        row: tuple[render.Cell, ...] = (NASTY, 1200, 0.5, render.Bar(-2), render.Percent(0.125))
        return [render.Sheet(NASTY, ("a", "b", "c", "d", NASTY), [row]), render.Sheet("nothing to show", (), [])]


def test_tables_are_drawn_from_their_cells() -> None:
    page = Page(Result().to_html())
    assert page.cells == [
        "a",
        "b",
        "c",
        "d",
        NASTY,
        NASTY.replace("\x1b", "\ufffd"),
        "1,200",
        "+0.50",
        " -2.00",
        "12.5%",
    ]
    shown = str(Result())
    assert re.search(r"1,200 +\+0\.50 +▌+ -2\.00 +12\.5%", shown)
    assert shown.splitlines()[-1] == "nothing to show"


def test_tables_of_hostile_names_are_inert() -> None:
    page = Page(Result().to_html())
    assert "script" not in page.tags
    assert {name for name, _ in page.attributes} <= {"class", "style"}
    assert Result()._repr_html_() == Result().to_html()
    assert "\x1b" not in str(Result())
    assert "[/red]\\" in str(Result())
