"""How messages name what an author wrote. Imports nothing of `rulenet`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any


def suggest(word: str, known: Sequence[str]) -> str:
    """`": did you mean 'x'?"` if a known word is close, else the list of known words.

    Examples
    --------
    >>> suggest("wieght", ["weight", "where"])
    ": did you mean 'weight'?"
    """
    close = difflib.get_close_matches(word, known, n=1) or difflib.get_close_matches(
        word.lower(), [k.lower() for k in known], n=1
    )
    if close:
        exact = next(k for k in known if k.lower() == close[0].lower())
        return f": did you mean {exact!r}?"
    shown = ", ".join(map(str, known[:40])) + (", …" if len(known) > 40 else "")
    return f"; known: {shown}" if known else "; there is none, so add it"


def quoted(value: Any) -> str:
    """A value as a message quotes it."""
    if value in (None, ""):
        return "nothing"
    return repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "…"
