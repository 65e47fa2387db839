"""What can be drawn, as plain data: headlines, prose, marked texts, tables, a grid, lines. Imports nothing.

A result that can be drawn has a method `blocks()` that lists these, and knows nothing else of drawing. `rulenet.draw` turns a list of them
into terminal output or HTML, and knows nothing but these. Their text is as users wrote it: whoever draws it makes it harmless.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a line."""

    text: str
    look: Literal["", "strong", "note", "flag", "for", "against", "neither"] = ""  # a note matters less, a flag warns
    to: str = ""  # name of the `Card` that it leads to; empty: no link


Line = str | tuple[str | Run, ...]


class Percent(float):
    """A share, written as a percentage."""


class Bar(float):
    """A number of logits, drawn with a bar."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in words of its own, and what a table that can be sorted sorts it by; None comes last."""

    text: str
    value: float | None
    share: float | None = None  # length of a bar behind it, from 0 to 1


Cell = Line | int | float | Amount


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line of a result."""

    text: str
    label: str = ""  # the answer, which comes first in bold
    note: str = ""  # what follows and matters less


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part of a page."""

    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    line: Line


@dataclass(frozen=True, slots=True)
class Points:
    """A list of short paragraphs."""

    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of a file, shown as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text."""

    start: int  # characters ``start`` to ``end - 1``
    end: int
    value: float = 0.0  # positive: evidence for the answer; negative: against it
    name: str = ""  # what marks it, such as the id of a rule
    strength: float = 1.0  # of the strongest mark, from 0 to 1


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with some places marked."""

    text: str  # as given
    marks: Sequence[Mark]  # the strongest first: where marks overlap, the first one shows
    verdict: Literal["", "right", "wrong", "open"] = ""  # on the answer
    note: str = ""  # a remark after the text

    def pieces(self) -> list[tuple[str, Mark | None]]:
        """The text cut where the mark that shows changes.

        Examples
        --------
        >>> [(piece, mark and mark.name) for piece, mark in MarkedText("oil price", [Mark(4, 9, name="b"), Mark(0, 6, name="a")]).pieces()]
        [('oil ', 'a'), ('price', 'b')]
        """
        owner: list[Mark | None] = [None] * len(self.text)
        for mark in reversed(self.marks):
            owner[mark.start : mark.end] = [mark] * len(owner[mark.start : mark.end])
        cuts = [i for i in range(len(owner)) if i == 0 or owner[i] is not owner[i - 1]]
        return [(self.text[i:j], owner[i]) for i, j in zip(cuts, [*cuts[1:], len(owner)], strict=True)]


@dataclass(frozen=True, slots=True)
class HeatText:
    """A text whose words are coloured by a signed value."""

    title: str
    text: str  # as given
    words: Sequence[Mark]  # in order and without overlap

    def strengths(self) -> list[float]:
        """Value of each word on a scale from -1 to 1 on which the strongest is at an end.

        Examples
        --------
        >>> HeatText("", "oil price", [Mark(0, 3, 2.0), Mark(4, 9, -0.5)]).strengths()
        [1.0, -0.25]
        """
        most = max((abs(word.value) for word in self.words), default=0.0)
        return [word.value / most if most else 0.0 for word in self.words]

    def strongest(self, n: int) -> list[Mark]:
        """The words with the largest values, whatever their sign."""
        return sorted(self.words, key=lambda word: -abs(word.value))[:n]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]  # floats other than `Percent` and `Bar` have a sign and two digits
    breaks: str = ""  # the only column of text that may take more than one line in a terminal; empty: each may
    has_total: bool = False  # whether the last row is the sum of the others
    sorts: bool = False  # whether a click on a heading sorts the rows of a page
    hints: Mapping[str, str] = field(default_factory=dict)  # what some of the columns mean

    def numeric(self) -> list[bool]:
        """Whether each column holds numbers.

        Examples
        --------
        >>> Sheet("", ("rule", "fires", "weight"), [("a", 3, Bar(1.5))]).numeric()
        [False, True, False]
        """
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.header)
        return [
            any(isinstance(c, (int, float, Amount)) and not isinstance(c, Bar) for c in column) for column in columns
        ]

    def widest(self) -> float:
        """The largest number with a bar, to which the others are in proportion; 1 without bars."""
        return max((abs(c) for row in self.rows for c in row if isinstance(c, Bar)), default=0.0) or 1.0


@dataclass(frozen=True, slots=True)
class Square:
    """A filled square of a `Grid`: its row and column, how strong its colour is from 0 to 1, what it means and says."""

    row: int
    column: int
    darkness: float
    hint: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Things against each other, as a square of squares."""

    title: str
    names: Sequence[tuple[str, str]]  # the things, each of which leads to its `Card`, and a remark on each
    squares: Sequence[Square]  # those that are filled
    scale: Sequence[tuple[str, float]] = ()  # what some strengths of the colour mean

    def rows(self) -> list[list[Square | None]]:
        """The squares in their places.

        Examples
        --------
        >>> [[square and square.text for square in row] for row in Grid("", ["ab"] * 2, [Square(0, 1, 0.5, "", "50")]).rows()]
        [[None, '50'], [None, None]]
        """
        filled = {(square.row, square.column): square for square in self.squares}
        every = range(len(self.names))
        return [[filled.get((row, column)) for column in every] for row in every]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a `Plot`."""

    name: str
    points: Sequence[tuple[float, float]]  # from left to right


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over one axis."""

    title: str
    x: str  # what is counted to the right
    curves: Sequence[Curve]
    is_share: bool = False  # whether the values are shares
    cuts: Sequence[tuple[float, str]] = ()  # places on the axis, and what is there
    has_diagonal: bool = False  # whether the line of equal values is drawn, too
    note: str = ""  # what to mind in reading it

    def shown(self) -> list[Curve]:
        """The curves without points that are no finite numbers."""
        finite = [Curve(c.name, [p for p in c.points if all(map(math.isfinite, p))]) for c in self.curves]
        return [curve for curve in finite if curve.points]

    def frame(self) -> tuple[float, float, float, float]:
        """The least and the largest of both axes; neither is empty.

        Examples
        --------
        >>> Plot("", "epoch", [Curve("loss", [(1, 0.5), (2, 0.25)]), Curve("flat", [(2, 0.5)])]).frame()
        (1, 2, 0.25, 0.5)
        """
        points = [point for curve in self.shown() for point in curve.points] or [(0.0, 0.0)]
        xs, ys = zip(*points, strict=True)
        if self.has_diagonal:
            xs = ys = (*xs, *ys)
        low, high, least, most = min(xs), max(xs), min(ys), max(ys)
        return low, high if high > low else low + 1, least, most if most > least else least + (abs(least) or 1) / 10

    def written(self, value: float) -> str:
        """A value in the digits that tell it from others."""
        small = 0 < abs(value) < 0.001
        return f"{value:.1%}" if self.is_share else f"{value:.1e}" if small else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Card:
    """Blocks that belong together, in a frame."""

    blocks: Sequence[Block]
    name: str = ""  # what a `Run` leads to
    language: str = ""  # of its texts, if it is another than the page's


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that a page shows on a click."""

    title: str
    blocks: Sequence[Block]


Block = Headline | Heading | Prose | Points | Code | MarkedText | HeatText | Sheet | Grid | Plot | Card | Fold


def plain(line: Line) -> str:
    """A line without its looks.

    Examples
    --------
    >>> plain(("Contradicted by ", Run("oil", "strong"), "."))
    'Contradicted by oil.'
    """
    return line if isinstance(line, str) else "".join(run if isinstance(run, str) else run.text for run in line)


def cell_text(cell: Cell) -> str:
    """What a cell says.

    Examples
    --------
    >>> cell_text("oil"), cell_text(1200), cell_text(0.5), cell_text(Bar(-0.25)), cell_text(Percent(0.125)), cell_text(Amount("2×", 2))
    ('oil', '1,200', '+0.50', '-0.25', '12.5%', '2×')
    """
    if isinstance(cell, (str, tuple)):
        return plain(cell)
    if isinstance(cell, Amount):
        return cell.text
    if isinstance(cell, Percent):
        return f"{cell:.1%}"
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:+.2f}"
