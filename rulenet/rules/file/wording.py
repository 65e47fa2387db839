"""How messages name what an author wrote. Imports nothing of `rulenet`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any


def suggest(word: str, known: Sequence[str]) -> str:
    """`": did you mean 'x'?"` if a known word is close, else the list of known words."""
    return _suggest(word, tuple(known))


@lru_cache(maxsize=1000)  # the same slip is often made again and again
def _suggest(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    if close := close or get_close_matches(word.lower(), [k.lower() for k in known], n=1):
        exact = next(k for k in known if k.lower() == close[0].lower())
        return f": did you mean {exact!r}?"
    shown = ", ".join(map(str, known[:40])) + (", …" if len(known) > 40 else "")
    return f"; known: {shown}" if known else "; there is none, so add it"


def quoted(value: Any) -> str:
    """A value as a message quotes it."""
    if value in (None, ""):
        return "nothing"
    return repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "…"


def is_slip(a: str, b: str) -> bool:
    """Whether `b` is `a` with one letter less, one changed or two neighbours swapped."""
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest, other = a[same:], b[same:]
    return a != b and (
        rest[1:] == other or rest[1:] == other[1:] or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )


def meant(word: str, known: Sequence[str]) -> str | None:
    """The known word that is obviously meant: in another spelling of case, spaces and dashes, or with a single slip.

    A slip is a letter too many, missing or wrong, or two neighbours swapped.

    Examples
    --------
    >>> meant("First sentence", ["anywhere", "first_sentence"]), meant("wieght", ["weight"]), meant("weight", ["weight"])
    ('first_sentence', 'weight', None)
    """
    return _meant(word, tuple(known))


@lru_cache(maxsize=1000)
def _meant(word: str, known: tuple[str, ...]) -> str | None:
    tidy = word.strip().lower().replace("-", "_").replace(" ", "_")
    near = [name for name in known if name == tidy or is_slip(tidy, name) or is_slip(name, tidy)]
    found = tidy if tidy in near else near[0] if len(near) == 1 else None
    return found if found != word else None
