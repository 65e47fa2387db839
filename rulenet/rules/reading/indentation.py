"""A line with too many or too few spaces before it: where it can belong. Imports nothing of rulenet but wording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from rulenet.base.wording import counted

_MAX_TRIES = 4
_NOWHERE = 1_000_000
_SPACES = re.compile(" *")
_DASHES = re.compile(r" *(?:- +)+")


def shifted(text: str, start: int) -> Iterator[tuple[str, str]]:
    """The text with the line at a place, and those below that belong to it, in the column of a line above; and what was done.

    The nearest column comes first; the lines keep their numbers.

    Examples
    --------
    >>> list(shifted("a: 1\\n  b: 2\\n  c: 3\\nd: 4\\n", 5))
    [('a: 1\\nb: 2\\nc: 3\\nd: 4\\n', 'no spaces')]
    """
    above, below = text[:start].splitlines(), text[start:].splitlines(keepends=True)
    if not below:
        return
    row, column = below[0], _column(below[0])
    dash = row.startswith("-", column)
    # A field does not own the list items in its own column; a list item may be followed by more of them.
    inside = takewhile(lambda row: _column(row) > column - (dash or not row.startswith("-", column)), below[1:])
    block = [row, *inside]
    end = start + sum(map(len, block))
    columns = {len(begin[0]) for row in above for begin in (_SPACES.match(row), _DASHES.match(row)) if begin}
    for new in sorted(columns - {column}, key=lambda new: (abs(new - column), -new))[:_MAX_TRIES]:
        moved = [" " * new + row[column:] if row.strip() else row for row in block]
        yield text[:start] + "".join(moved) + text[end:], counted(new, "space") if new else "no spaces"


def _column(row: str) -> int:
    """Where a line begins; a line without text begins nowhere."""
    return len(row) - len(row.lstrip(" ")) if row.strip() else _NOWHERE
