"""What can be drawn, as plain data: headlines, prose, marked texts, tables, a grid. Imports nothing.

A result that can be drawn has a method `blocks()` that lists these, and knows nothing else of drawing. `rulenet.draw` turns a list of them
into terminal output or HTML, and knows nothing but these. They hold text as users wrote it: making it harmless is up to whoever draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a line.

    Attributes
    ----------
    text
        What it says.
    look
        ``"strong"``, ``"note"`` for what matters less, ``"flag"`` for a warning.
    to
        Name of the `Card` that it leads to; empty: no link.
    """

    text: str
    look: Literal["", "strong", "note", "flag"] = ""
    to: str = ""


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


Cell = Line | int | float | Amount


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line of a result.

    Attributes
    ----------
    text
        What it says.
    label
        The answer, which comes first and stands out; empty: there is none.
    note
        What follows and matters less.
    """

    text: str
    label: str = ""
    note: str = ""


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
    """A place in a text.

    Attributes
    ----------
    start, end
        Characters ``start`` to ``end - 1``.
    value
        Above zero where it speaks for the answer, below where it speaks against it.
    name
        What marks it, such as the id of a rule.
    """

    start: int
    end: int
    value: float = 0.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with some places marked.

    Attributes
    ----------
    text
        The text as given.
    marks
        The strongest first: where marks overlap, the first one shows.
    verdict
        What turned out of it: ``"right"``, ``"wrong"``, ``"open"``; empty: nothing is said.
    note
        A remark after the text.
    """

    text: str
    marks: Sequence[Mark]
    verdict: Literal["", "right", "wrong", "open"] = ""
    note: str = ""

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
    """A text whose words are coloured by a signed value.

    Attributes
    ----------
    title
        One line above it.
    text
        The text as given.
    words
        Each word and its value, in order and without overlap.
    """

    title: str
    text: str
    words: Sequence[Mark]

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
    """A table.

    Attributes
    ----------
    title
        One line above it; empty: no line.
    header
        Head of each column.
    rows
        `Percent`, `Bar` and `Amount` are drawn as such, other floats with sign and two digits, whole numbers as they are.
    breaks
        The only column of text that may take more than one line in a terminal; empty: each may.
    has_total
        Whether the last row is the sum of the others.
    sorts
        Whether a click on a heading sorts the rows of a page.
    hints
        What a column means, for some of them.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    breaks: str = ""
    has_total: bool = False
    sorts: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Square:
    """A filled square of a `Grid`: its row and column, how dark it is from 0 to 1, and what it stands for."""

    row: int
    column: int
    darkness: float
    hint: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Things against each other, as a square of squares.

    Attributes
    ----------
    title
        What it shows, in a word or two.
    names
        The things, and a remark on each.
    squares
        Those that are filled.
    """

    title: str
    names: Sequence[tuple[str, str]]
    squares: Sequence[Square]


@dataclass(frozen=True, slots=True)
class Card:
    """Blocks that belong together, in a frame.

    Attributes
    ----------
    blocks
        What is in it.
    name
        What a `Run` leads to; empty: nothing leads here.
    """

    blocks: Sequence[Block]
    name: str = ""


Block = Headline | Heading | Prose | Points | Code | MarkedText | HeatText | Sheet | Grid | Card


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
