"""rulenet.draw.terminal: each primitive in a terminal."""

from __future__ import annotations

import math
import re

import pytest
from rich.console import Console

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
from rulenet.draw.terminal import to_rich, to_text

NASTY = "\x1b[31m[/red]\\ \u202e"


def coloured(block: Block) -> str:
    console = Console(width=100, force_terminal=True, color_system="standard", no_color=False)
    with console.capture() as capture:
        console.print(to_rich([block]))
    return capture.get()


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        (Headline("0.75", label="A", note="over B"), "A 0.75 over B"),
        (Heading("Rules"), "\nRules"),
        (Prose(("see ", Run("oil", to="oil"), "!")), "see oil!"),
        (Points(["a", ("b", Run("c", "strong"))]), "• a\n• bc"),
        (Code("- id: a\n  label: x"), "- id: a\n  label: x"),
        (MarkedText("win it", [Mark(0, 3)], "right", "— A: right"), "╭────────╮\n│ win it │\n╰────────╯\n— A: right"),
        (HeatText("why", "win it", [Mark(0, 3, 0.5), Mark(4, 6, -1.0)]), "why\nit -1.00, win +0.50"),
        (Sheet("nothing to show", (), []), "nothing to show"),
        (Grid("who", [("a", ""), ("b", "")], [Square(0, 1, 1.0, ""), Square(1, 0, 0.1, "")]), "who\n █  a\n░   b"),
        (
            Plot("loss", "epoch", [Curve("train", [(1, 1.0), (2, 0.5), (3, 0.0)]), Curve("no", [(1, math.nan)])]),
            "loss\n train  █▅▁  1 → 0",
        ),
        (Plot("right", "epoch", [Curve("a", [(1, 0.5)])], is_share=True, note="few"), "right\n a  ▁  50.0%\nfew"),
        (Card([Prose("in a card")], name="x"), "in a card"),
    ],
)
def test_as_plain_text(block: Block, shown: str) -> None:
    assert to_text([block]) == shown


def test_a_table_has_its_cells_and_bars() -> None:
    row = ("oil", 1200, 0.5, Bar(-2), Percent(0.125), Amount("2×", 2), ("p ", Run("q", "flag")))
    shown = to_text([Sheet("", "abcdefg", [row])])
    assert re.search(r"oil +1,200 +\+0\.50 +▌+ -2\.00 +12\.5% +2× +p q$", shown)


def test_one_column_can_be_the_only_one_that_breaks() -> None:
    rows = [("a" * 90, "b " * 40)]
    alone = to_text([Sheet("", ("x", "y"), rows, breaks="y")])
    assert "a" * 90 in alone
    assert "a" * 90 not in to_text([Sheet("", ("x", "y"), rows)])


@pytest.mark.parametrize(
    "block",
    [
        Headline(NASTY, NASTY, NASTY),
        Heading(NASTY),
        Prose((NASTY, Run(NASTY))),
        Points([NASTY]),
        Code(NASTY),
        MarkedText(NASTY, [Mark(0, 4, 1, NASTY)], "open", NASTY),
        HeatText(NASTY, NASTY, [Mark(0, len(NASTY), 1)]),
        Sheet(NASTY, (NASTY, "b"), [(NASTY, Amount(NASTY, 1))]),
        Grid(NASTY, [(NASTY, NASTY)], []),
        Plot(NASTY, NASTY, [Curve(NASTY, [(1, 1.0)])], cuts=[(1, NASTY)], note=NASTY),
    ],
)
def test_escapes_and_markup_are_inert(block: Block) -> None:
    for shown in (to_text([block]), re.sub(r"\x1b\[[\d;]*m", "", coloured(block))):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[31m[/red]\\" in shown


def test_long_texts_and_line_breaks_are_cut_to_fit() -> None:
    shown = to_text([MarkedText("line\nbreak " + "y" * 5000, [Mark(4000, 4010, 1.0, "late")])])
    assert "line break" in shown
    assert "…" in shown
    assert shown.count("y") < 1300


def test_colours_tell_for_from_against() -> None:
    marks = [Mark(4, 7, 2.0), Mark(0, 11, -1.0)]
    assert "\x1b[1;31mwin \x1b[0m\x1b[1;32mthe\x1b[0m\x1b[1;31m cup\x1b[0m" in coloured(
        MarkedText("win the cup", marks)
    )
    heat = HeatText("", "win the cup", [Mark(0, 3, 0.3), Mark(4, 7, 0.0), Mark(8, 11, -1.0)])
    assert "\x1b[32mwin\x1b[0m the \x1b[1;7;31mcup\x1b[0m" in coloured(heat)
