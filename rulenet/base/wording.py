"""How counts, shares and long lists are put into words. Imports nothing."""

from __future__ import annotations

from collections.abc import Sequence


def some(names: Sequence[str], top: int = 5) -> str:
    """The first few of many names.

    Examples
    --------
    >>> some(["a", "b", "c"], top=2)
    'a, b and 1 more'
    """
    return ", ".join(names[:top]) + (f" and {len(names) - top:,} more" if len(names) > top else "")


def counted(n: int, what: str = "rule") -> str:
    """A number of things, in singular or plural.

    Examples
    --------
    >>> counted(1), counted(2000)
    ('1 rule', '2,000 rules')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(share: float | None) -> str:
    """A share that never looks like none or all unless it is; a dash where there is none.

    Examples
    --------
    >>> percent(0.254), percent(0.0042), percent(0.999), percent(None)
    ('25%', '0.4%', '>99%', '–')
    """
    if share is None:
        return "–"
    return ">99%" if 0.995 <= share < 1 else f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"
