"""rulenet.draw.html: each primitive on a page. What users and rule authors wrote is never read as markup."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest

from rulenet.base.drawing import (
    Amount,
    Bar,
    Block,
    Card,
    Code,
    Curve,
    Grid,
    Heading,
    Headline,
    HeatText,
    Mark,
    MarkedText,
    Percent,
    Plot,
    Points,
    Prose,
    Run,
    Sheet,
    Square,
)
from rulenet.draw.html import fragment, page

NASTY = '<script>alert("x")</script>\'&amp;"\x1b[31m\u202e\\'
SAFE = NASTY.replace("\x1b", "␛").replace("\u202e", "\ufffd")


class Page(HTMLParser):
    """Checks that tags balance; gathers tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: dict[str, list[str | None]] = {}
        self.text = ""
        self.cells: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value)
        if tag not in ("meta", "input"):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] in (["style"], ["script"]):
            return
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data


def inside(*blocks: Block) -> str:
    """What blocks become, without the frame around them."""
    return fragment(blocks).partition('<section class="card">')[2].removesuffix("</section></div>")


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        (
            Headline("0.75", label="A", note="over B"),
            '<h3><span class="label">A</span> 0.75 <span class="note">over B</span></h3>',
        ),
        (Heading("Rules & texts"), "<h2>Rules &amp; texts</h2>"),
        (
            Prose(("see ", Run("oil price", to="oil price"), " or ", Run("x", "flag"), Run("y"))),
            '<p>see <a href="#r-oil%20price">oil price</a> or <span class="flag">x</span>y</p>',
        ),
        (
            Points(["a", ("b ", Run("c", "strong"))]),
            '<ul><li>a</li><li>b <span class="strong">c</span></li></ul>',
        ),
        (Code("- id: a\n  label: x"), "<pre>- id: a\n  label: x</pre>"),
        (
            MarkedText("a <b>win</b>", [Mark(5, 8)], "wrong", "— A: wrong"),
            '<p class="text wrong">a &lt;b&gt;<mark>win</mark>&lt;/b&gt;<span class="note"> — A: wrong</span></p>',
        ),
        (
            MarkedText("abcdef", [Mark(0, 2, 1, "x"), Mark(4, 6, -1), Mark(1, 4, 0.5, "y")]),
            '<p class="text"><mark class="for" title="x">ab</mark><mark class="for" title="y">cd</mark>'
            '<mark class="against">ef</mark></p>',
        ),
        (
            HeatText("why", "win the cup", [Mark(0, 3, 0.5), Mark(8, 11, -1.0)]),
            '<h4>why</h4><p class="text"><span style="background:rgba(58,157,99,0.50)" title="+0.500">win</span> the '
            '<span style="background:rgba(207,90,80,1.00)" title="-1.000">cup</span></p>',
        ),
        (Sheet("nothing to show", (), []), "<h4>nothing to show</h4>"),
        (Card([Prose("in")], name="oil price"), '<section class="card" id="r-oil%20price"><p>in</p></section>'),
    ],
)
def test_blocks_become_markup(block: Block, shown: str) -> None:
    assert inside(block) == shown


def test_a_table_has_its_cells_and_bars() -> None:
    row = ("oil", 1200, 0.5, Bar(-2), Percent(0.125), Amount("2×", 2), ("p ", Run("q", "flag")))
    drawn = inside(Sheet("", "abcdefg", [row, row], has_total=True))
    assert Page(drawn).cells == [*"abcdefg", *["oil", "1,200", "+0.50", " -2.00", "12.5%", "2×", "p q"] * 2]
    assert '<table class="adds">' in drawn
    assert '<span class="bar neg" style="width:6.00em"></span> -2.00' in drawn


def test_a_table_that_sorts_keeps_its_numbers_and_brings_the_script() -> None:
    sheet = Sheet("", ("rule", "right"), [("a", Amount("50%", 0.5)), ("b", Amount("–", None)), ("c", 3)], sorts=True)
    whole = page("title", [sheet])
    assert re.findall(r"data-v=\"([^\"]*)\"", whole) == ["0.5", "", "3"]
    assert whole.count("<script>") == 1
    assert "<script" not in page("title", [Sheet("", ("rule",), [("a",)])])
    hinted = inside(Sheet("", ("rule", "fires"), [("a", 1)], hints={"fires": "on how many texts"}))
    assert '<th class="n" title="on how many texts">fires</th>' in hinted


def test_a_grid_has_a_square_for_each_pair_and_two_names_for_each_thing() -> None:
    squares = [Square(0, 1, 0.5, "half", "25"), Square(1, 0, 1.0, "whole", "50")]
    drawn = inside(Grid("who", [("a", "A"), ("b" * 40, "B")], squares, [("0%", 0.0), ("50% and more", 1.0)]))
    found = re.findall(r'<td class="(square.*?)" style="--s:(\d+)%" title="(\w+)">(\d+)</td>', drawn)
    assert found == [("square", "54", "half", "25"), ("square full", "100", "whole", "50")]
    assert Page(drawn).cells == ["", "a", "b" * 40, "a", "", "25", "b" * 40, "50", ""]
    assert drawn.count('title="a: A"') == 2
    assert re.findall(r"</i> (.*?)</span>", drawn) == ["0%", "50% and more"]


def test_lines_go_through_their_points() -> None:
    """The frame is 286 wide from 46 on and 130 high up from 150."""
    points = [(1, 0.5), (2, math.nan), (3, 1.0)]
    drawn = inside(
        Plot(
            "accuracy", "epoch", [Curve("all", points), Curve("b", [(2, 0.75)])], is_share=True, cuts=[(3, "φ learns")]
        )
    )
    assert re.findall(r'<polyline class="(c\d)" points="(.*?) "', drawn) == [
        ("c0", "46.0,150.0 332.0,20.0"),
        ("c1", "189.0,85.0"),
    ]
    assert re.findall(r"<title>(.*?)</title>", drawn) == [
        "all, epoch 1: 50.0%",
        "all, epoch 3: 100.0%",
        "b, epoch 2: 75.0%",
    ]
    assert '<line class="cut" x1="332.0" x2="332.0"' in drawn
    assert re.findall(r"</i> (.*?)</span>", drawn) == ["all", "b"]
    flat = inside(Plot("", "x", [Curve("a", [(1, 0.0)])], has_diagonal=True))  # neither axis is empty
    assert not re.search("nan|inf", flat)


def test_many_columns_name_their_cells_and_shares_have_bars() -> None:
    row = ("oil", Amount("50%", 0.5, 0.5), Amount("–", None), 3)
    drawn = inside(Sheet("", ("rule", "right", "lift", "fires"), [row]))
    assert '<table class="cards">' in drawn
    assert re.findall(r'data-name="(\w+)"', drawn) == ["rule", "right", "lift", "fires"]
    assert re.findall(r'style="--b:([\d.]+)">', drawn) == ["0.500"]
    assert "data-name" not in inside(Sheet("", "abc", [row[:3]]))


def test_a_card_has_its_own_language() -> None:
    assert inside(Card([Prose("包裹")], language="zh")) == '<section class="card" lang="zh"><p>包裹</p></section>'


EVERYWHERE: Sequence[Block] = [
    Headline(NASTY, NASTY, NASTY),
    Heading(NASTY),
    Prose((NASTY, Run(NASTY, "note"), Run(NASTY, to=NASTY.replace("\x1b", "")))),
    Points([NASTY, (Run(NASTY),)]),
    Code(NASTY),
    MarkedText(NASTY, [Mark(0, 8, 1, NASTY)], "open", NASTY),
    HeatText(NASTY, NASTY, [Mark(0, len(NASTY), 1)]),
    Sheet(NASTY, (NASTY, "b"), [(NASTY, Amount(NASTY, 1)), ((Run(NASTY),), 2)], sorts=True, hints={NASTY: NASTY}),
    Grid(NASTY, [(NASTY, NASTY)], [Square(0, 0, 1, NASTY)]),
    Plot(NASTY, NASTY, [Curve(NASTY, [(1, 1.0)])], cuts=[(1, NASTY)], note=NASTY),
    Card([Prose(NASTY)], name=NASTY.replace("\x1b", "")),
]


def test_what_others_wrote_is_inert_in_every_place() -> None:
    whole = page(NASTY, EVERYWHERE)
    read = Page(whole)
    assert whole.count("<script") == read.tags.count("script") == 1  # ours
    assert not {name for name in read.attributes if name.startswith("on")}
    assert "\x1b" not in whole
    assert "\u202e" not in whole
    assert read.text.count(SAFE) == 31
    assert read.attributes["title"][:2] == [SAFE, "+1.000"]
    assert {str(link).replace("%1B", "") for link in read.attributes["href"]} == {"#" + str(read.attributes["id"][0])}


def test_a_page_fetches_nothing() -> None:
    whole = page("title", [Card(block.blocks if isinstance(block, Card) else [block]) for block in EVERYWHERE])
    outside = re.sub(r"&lt;.*?&gt;", "", whole)
    assert not re.search(r"https?:|//|url\(|@import|javascript|<link|<img|\bon\w+=", outside)
    assert Page(whole).tags.count("style") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc", "a\nb\tc"),
        ("体育\u3000新闻", "体育 新闻"),
        ("a\u00a0b\r\nc", "a b \nc"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("abc\u202edef", "abc\ufffddef"),
        ("a\0b\x1bc\ud800", "a␀b␛c\ufffd"),
    ],
)
def test_odd_characters_on_a_page(text: str, shown: str) -> None:
    drawn = inside(MarkedText(text, []))
    assert drawn == f'<p class="text">{shown}</p>'
    drawn.encode()
