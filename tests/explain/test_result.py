"""rulenet.explain.result: what an explanation shows of itself, and that what users and rule authors wrote is never read as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from rulenet import Explanation, Term
from rulenet.base.drawing import Bar, Cell, Headline, HeatText, Mark, MarkedText, Prose, Sheet
from rulenet.draw.terminal import to_rich
from rulenet.explain.result import Token, words

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


def with_tokens(text: str = "win the cup", *attributions: float) -> Explanation:
    """Each word has its attribution."""
    found = [
        Token(m.group(), *m.span(), value) for m, value in zip(re.finditer(r"\S+", text), attributions, strict=True)
    ]
    return explanation(
        text, path="hybrid", tokens=found, token_labels=("A", "B"), token_bias=0.25, token_gap=0.001,
        neural={"A": 1.0, "B": -0.5, "C": 0.0},
    )  # fmt: skip


NASTY = '<script>alert("x")</script>\'&amp;"\x1b[31m[/red]\\'


def nasty() -> Explanation:
    """Everything a user or an author can name is hostile."""
    contributions = {NASTY: 1.0, "B": 0.0}
    bad = Term("rule", f"id {NASTY}", 1.0, contributions, contributions, [(0, 8)])
    names = {NASTY: 1.5, "B": 0.1}
    tokens = [Token(NASTY, 0, len(NASTY), 1.0)]
    return Explanation(NASTY, NASTY, names, "hybrid", names, names, [bad], names, tokens, (NASTY, "B"))


def rows(e: Explanation) -> list[tuple[Cell, ...]]:
    """The table, without its bars."""
    return [tuple(row[:-1]) for block in e.blocks() if isinstance(block, Sheet) for row in block.rows]


# What is drawn


def test_an_explanation_is_a_headline_a_marked_text_and_a_table() -> None:
    e = explanation(terms=[term("cup", 2.0, [(8, 11)]), term("win", 0.25, [(0, 3)], "tfidf")])
    head, sentence, text, sheet = e.blocks()
    assert isinstance(sentence, Prose)
    assert head == Headline("0.75", label="A", note="(rules) over B by 2.65")
    faint = Mark(0, 3, 0.25, "win", 0.9 * 0.25 / 2)
    assert text == MarkedText("win the cup", [Mark(8, 11, 2.0, "cup"), faint])
    assert isinstance(sheet, Sheet)
    assert list(sheet.header) == ["", "term", "words", "A", "B", "difference"]
    assert sheet.rows == [
        ("", "bias", "", 0.5, 0.1, Bar(0.4)),
        ("rule", "cup", "cup", 2.0, 0.0, Bar(2.0)),
        ("tfidf", "win", "win", 0.25, 0.0, Bar(0.25)),
        ("=", "logit", "", 2.75, 0.1, Bar(2.65)),
    ]


def test_the_first_sentence_names_the_strongest_reasons_each_once() -> None:
    cup, win = term("cup", 2.0, [(8, 11)]), term("win", 0.5, [(0, 3)], "tfidf")
    the, pair = term("the", 0.2, [(4, 7)], "tfidf"), term("the cup", 1.0, [(4, 11)], "tfidf")
    against, reads = term("r", -3.0, [(0, 3)]), {"A": 3.0, "B": 0.0, "C": 0.0}
    for terms, changes, why in (
        ([cup, pair, win], {}, "because of the rule cup (“cup”) and the word “win”"),
        ([the, win, against], {}, "because of the words “win” and “the”"),
        ([term("long", 1.0)], {}, "because of the rule long"),
        (
            [win, cup, the],
            {"path": "hybrid", "neural": reads},
            "because of how the transformer reads it, the rule cup (“cup”) and the word “win”",
        ),
        ([against], {}, "as nothing in the text says otherwise"),
    ):
        assert explanation(terms=terms, **changes).sentence() == f"A, {why}; B was next."


def test_words_and_hits_are_marked_in_proportion() -> None:
    terms = [term("strong", 2.0, [(8, 11)]), term("weak", -0.1, [(0, 3)]), term("silent", 0.0, [(0, 11)])]
    e = explanation(terms=[*terms, term("the", 1.0, [(4, 7)], "tfidf"), term("b", 0.05, [(4, 5)], "tfidf")])
    (text,) = [block for block in e.blocks() if isinstance(block, MarkedText)]
    marks = [(mark.name, mark.value, mark.strength) for mark in text.marks]
    assert marks == [("strong", 2.0, 1.0), ("weak", -0.1, 0.2), ("the", 1.0, 0.45), ("silent", 0.0, 1.0)]


def test_the_transformer_has_a_row_where_it_is_used() -> None:
    e = explanation(path="hybrid", neural={"A": 0.7, "B": -0.3, "C": 0.0})
    assert ("ψ", "transformer", "", 0.7, -0.3) in rows(e)


@pytest.mark.parametrize(
    ("n_rules", "n_terms", "shown_rules", "shown_terms"), [(3, 20, 3, 5), (12, 20, 8, 3), (0, 8, 0, 8)]
)
def test_weaker_terms_share_a_row_and_nothing_is_lost(
    n_rules: int, n_terms: int, shown_rules: int, shown_terms: int
) -> None:
    terms = [term(f"r{i}", 1.0) for i in range(n_rules)] + [term(f"t{i}", 0.5, kind="tfidf") for i in range(n_terms)]
    shown = rows(explanation(terms=terms))
    kinds = [row[0] for row in shown]
    assert (kinds.count("rule"), kinds.count("tfidf")) == (shown_rules, shown_terms)
    left = n_rules + n_terms - shown_rules - shown_terms
    assert [row[1] for row in shown if "weaker" in str(row[1])] == ([f"{left} weaker terms"] if left else [])
    assert sum(float(row[3]) for row in shown[:-1]) == pytest.approx(shown[-1][3])  # type: ignore[arg-type]


def test_words_are_short_and_each_is_named_once() -> None:
    text = "win win " + "x" * 40 + " b\nc d"
    assert words(text, [(0, 3), (4, 7), (8, 48), (49, 52), (53, 54)]) == "win, " + "x" * 29 + "…, b c, …"


def test_tokens_are_a_text_with_heat_and_a_line_that_says_what_they_share() -> None:
    heat = with_tokens("win the cup", 0.5, 0.0, -1.0).blocks()[-1]
    assert heat == HeatText(
        "what the transformer reads for A against B: +1.50, of which +0.25 before a word is read; error 1e-03",
        "win the cup",
        [Mark(0, 3, 0.5), Mark(4, 7, 0.0), Mark(8, 11, -1.0)],
    )


def test_a_contrast_is_a_headline_and_tables() -> None:
    found = with_tokens("win the cup", 0.5, 0.0, -1.0).contrast("B", "A")
    head, sheet, words_read = found.blocks()
    assert head == Headline("B rather than A: -0.40")
    assert isinstance(sheet, Sheet)
    assert isinstance(words_read, Sheet)
    assert [row[1] for row in sheet.rows] == ["bias", "transformer", "total"]
    assert list(words_read.rows) == [("cup", Bar(1.0)), ("win", Bar(-0.5)), ("the", Bar(0.0))]


# As it comes out


def test_as_text_it_has_label_runner_up_and_signs() -> None:
    shown = str(explanation(terms=[term("cup", 2.0, [(8, 11)]), term("bad", -1.0)]))
    assert shown.splitlines()[0] == "A 0.75 (rules) over B by 1.40"
    assert re.search(r"cup +cup +\+2\.00 +\+0\.00 +▌+ \+2\.00", shown)
    assert re.search(r"bad +-1\.00 +\+0\.00 +▌+ -1\.00", shown)
    assert re.search(r"logit +\+1\.50 +\+0\.10", shown)
    assert str(with_tokens("win the cup", 0.5, 0.0, -1.0)).splitlines()[-1] == "cup -1.00, win +0.50, the +0.00"


def test_labels_are_shown_as_they_are() -> None:
    for name in ("[/b]", "[bold]x", "a\\", "[link=file:///etc/passwd]x[/link]", "term", "体育"):
        both = {name: 1.0, "other": 0.0}
        shown = str(Explanation("t", name, both, "rules", both, both, [], both))
        assert shown.count(name) == (4 if name == "term" else 3)


def test_of_overlapping_hits_the_stronger_shows() -> None:
    e = explanation(terms=[term("strong", 2.0, [(4, 7)]), term("weak", -1.0, [(0, 11)])])
    console = Console(width=60, force_terminal=True, color_system="standard", no_color=False)
    with console.capture() as capture:
        console.print(to_rich(e.blocks()))
    assert re.search(r"\x1b\[1;31mwin \x1b\[0m\x1b\[1;32mthe\x1b\[0m\x1b\[1;31m cup\x1b\[0m", capture.get())
    marks = re.findall(r'<mark class="(\w+)"(?: style="--s:62%")? title="(\w+)">([\w ]+)<', e.to_html())
    assert marks == [("against", "weak", "win "), ("for", "strong", "the"), ("against", "weak", " cup")]


def test_hostile_names_are_inert() -> None:
    for result in (nasty(), nasty().contrast()):
        shown, fragment = str(result), result.to_html()
        assert "\x1b" not in shown + fragment
        assert "[/red]\\" in shown
        assert "<script" not in fragment
        assert "&lt;script&gt;" in fragment
        assert result._repr_html_() == fragment
