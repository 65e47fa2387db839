"""Numbers between two bounds, `at_least` and `at_most`. Imports nothing of `rulenet`."""

from __future__ import annotations


def is_between(value: float, low: float | None, high: float | None) -> bool:
    """Whether a number is within the bounds that are given."""
    slack = 1e-9  # 0.7 + 0.1 is at least 0.8
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)


def shown(low: float | None, high: float | None) -> str:
    """The bounds that are given, for people."""
    return ", ".join(f"{name} {value:g}" for name, value in (("at_least", low), ("at_most", high)) if value is not None)
