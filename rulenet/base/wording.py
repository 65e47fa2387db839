"""Counts, shares and long lists in words: the one place for plurals, "and 3 more" and "did you mean". Imports nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def some(names: Sequence[str], top: int = 5) -> str:
    """List the first few of many names, and count the rest.

    Examples
    --------
    >>> some(["a", "b", "c"], top=2)
    'a, b and 1 more'
    """
    return ", ".join(names[:top]) + (f" and {len(names) - top:,} more" if len(names) > top else "")


def counted(n: int, one: str, many: str | None = None) -> str:
    """Say how many there are of something; without a plural, "s" is added to the singular.

    Examples
    --------
    >>> counted(1, "rule"), counted(2000, "rule"), counted(0, "rule has", "rules have")
    ('1 rule', '2,000 rules', '0 rules have')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def close_to(name: str, known: Iterable[str]) -> str:
    """Ask whether the closest of some names was meant, if one is close.

    Examples
    --------
    >>> close_to("learnin_rate", ["C", "learning_rate"]), close_to("x", ["C"])
    (" (did you mean 'learning_rate'?)", '')
    """
    names = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), names, n=1)
    return f" (did you mean {names[close[0]]!r}?)" if close else ""


def percent(share: float | None) -> str:
    """Format a share so that it reads 0% or 100% only if it is exactly that; None is a dash.

    Examples
    --------
    >>> percent(0.254), percent(0.0042), percent(0.999), percent(None)
    ('25%', '0.4%', '>99%', '–')
    """
    if share is None:
        return "–"
    return ">99%" if 0.995 <= share < 1 else f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"
