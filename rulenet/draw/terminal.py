"""Blocks drawn in a terminal. Imports base and rich; knows the primitives only.

Text is never read as rich's markup and has no control characters when it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rulenet.base.console import SafeConsole, printable
from rulenet.base.drawing import (
    Bar,
    Block,
    Card,
    Code,
    Fold,
    Grid,
    Heading,
    Headline,
    HeatText,
    Mark,
    MarkedText,
    Plot,
    Points,
    Prose,
    Sheet,
    cell_text,
    plain,
)

SHOWN_CHARACTERS = 1200
SHOWN_WORDS = 8
WIDTH = 100  # of plain text
FAINT = 0.5  # strength of a mark below which it is not bold
_BAR = 12
_SHADES = " ░▒▓█"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def to_rich(blocks: Sequence[Block], *, coloured: bool = True) -> Group:
    """Blocks for rich to print; if there are no colours, a `HeatText` only names its strongest words."""
    return Group(*(part for block in blocks for part in _drawn(block, coloured)))


def to_text(blocks: Sequence[Block]) -> str:
    """Blocks as plain text, for `print`.

    Examples
    --------
    >>> print(to_text([Headline("0.93", label="Sports", note="over World"), Prose("two rules fired")]))
    Sports 0.93 over World
    two rules fired
    """
    console = SafeConsole(width=WIDTH, is_plain=True)
    with console.capture() as capture:
        console.print(to_rich(blocks, coloured=False))
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())


def _drawn(block: Block, coloured: bool) -> Iterable[RenderableType]:
    match block:
        case Headline():
            yield _headline(block)
        case Heading(text):
            yield from (Text(), printable(text, "bold"))
        case Prose(line):
            yield printable(plain(line))
        case Points(lines):
            yield from (printable(f"• {plain(line)}") for line in lines)
        case Code(text):
            yield from (printable(line, "dim") for line in text.split("\n"))
        case MarkedText():
            yield _panel(block.text, [(mark.start, mark.end, _mark(mark)) for mark in reversed(block.marks)])
            if block.note:
                yield printable(block.note)
        case HeatText():
            yield from _heat(block, coloured)
        case Sheet():
            yield from _sheet(block)
        case Grid():
            yield from _grid(block)
        case Plot():
            yield from _plot(block)
        case Card(blocks) | Fold(_, blocks):
            yield from (part for inner in blocks for part in _drawn(inner, coloured))


def _headline(block: Headline) -> Text:
    words = [(block.label, "bold green"), (block.text, "" if block.label else "bold"), (block.note, "")]
    return Text(" ").join(printable(word, style) for word, style in words if word)


def _panel(text: str, styles: Iterable[tuple[int, int, str]]) -> Panel:
    """The beginning of a text in a frame; later styles cover earlier ones."""
    flowing = re.sub(r"\s", " ", text[:SHOWN_CHARACTERS])  # its line breaks are no part of the answer
    shown = printable(flowing + (" …" if len(text) > SHOWN_CHARACTERS else ""))
    for start, end, style in styles:
        shown.stylize(style, start, min(end, SHOWN_CHARACTERS))
    return Panel(shown, expand=False, border_style="dim")


def _heat(block: HeatText, coloured: bool) -> Iterable[RenderableType]:
    yield printable(block.title)
    if coloured:
        styles = []
        for word, strength in zip(block.words, block.strengths(), strict=True):
            style = ("green" if strength > 0 else "red") + (" bold reverse" if abs(strength) > 0.5 else "")
            styles += [(word.start, word.end, style)] if abs(strength) >= 0.1 else []
        yield _panel(block.text, styles)
    named = [f"{block.text[word.start : word.end]} {word.value:+.2f}" for word in block.strongest(SHOWN_WORDS)]
    yield printable(", ".join(named))


def _sheet(sheet: Sheet) -> Iterable[Text | Table]:
    if sheet.title:
        yield printable(sheet.title, "bold")
    if not sheet.rows:
        return
    table = Table(box=None, padding=(0, 1), show_edge=False)
    for name, numeric in zip(sheet.header, sheet.numeric(), strict=True):
        stays = numeric or sheet.breaks not in ("", name)
        table.add_column(printable(name), justify="right" if numeric else "left", no_wrap=stays)
    for number, row in enumerate(sheet.rows, start=1):
        cells = (_bar(cell) if isinstance(cell, Bar) else printable(cell_text(cell)) for cell in row)
        table.add_row(*cells, style="bold" if sheet.has_total and number == len(sheet.rows) else "")
    yield table


def _grid(grid: Grid) -> Iterable[Text]:
    """A line for each thing, with a block for each square: the darker, the fuller."""
    yield printable(grid.title, "bold")
    rows = [[0] * len(grid.names) for _ in grid.names]
    for square in grid.squares:
        rows[square.row][square.column] = max(1, round(square.darkness * (len(_SHADES) - 1)))
    for row, (name, _) in zip(rows, grid.names, strict=True):
        yield printable("".join(_SHADES[shade] for shade in row) + f"  {name}")


def _plot(plot: Plot) -> Iterable[Text | Table]:
    """A line for each curve: its course in blocks, each curve on a scale of its own, and where it begins and ends."""
    yield printable(plot.title, "bold")
    table = Table(box=None, padding=(0, 1), show_edge=False, show_header=False)
    for curve in plot.shown():
        values = [y for _, y in curve.points]
        low, high = min(values), max(values)
        steps = [round((y - low) / (high - low) * (len(_HEIGHTS) - 1)) if high > low else 0 for y in values]
        ends = dict.fromkeys(map(plot.written, (values[0], values[-1])))
        table.add_row(*map(printable, (curve.name, "".join(_HEIGHTS[step] for step in steps), " → ".join(ends))))
    yield table
    if plot.note:
        yield printable(plot.note, "dim")


def _mark(mark: Mark) -> str:
    """Bold is what counts most."""
    return _colour(mark.value) if mark.strength < FAINT else f"bold {_colour(mark.value)}".strip()


def _colour(difference: float) -> str:
    return "green" if difference > 0 else "red" if difference < 0 else ""


def _bar(difference: float) -> Text:
    length = min(_BAR, max(1, round(abs(difference) * 3))) if abs(difference) > 0.005 else 0
    return Text(("▌" * length) + f" {difference:+.2f}", style=_colour(difference))
