"""Hybrid rule-plus-neural text classification: f(x) = φ(x) + ψ(x).

Public names load on first use, so that ``import rulenet`` stays light: no torch, no scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulenet.base.version import __version__ as __version__

__all__ = ["Explanation", "Recipe", "RuleNetClassifier", "RuleNetSearch", "RuleSet", "Term", "distill", "soup"]

if TYPE_CHECKING:
    from rulenet.ensemble.distil import distill
    from rulenet.ensemble.soup import soup
    from rulenet.estimator import RuleNetClassifier
    from rulenet.explain.result import Explanation, Term
    from rulenet.rules.ruleset import RuleSet
    from rulenet.search.search import RuleNetSearch
    from rulenet.training.recipe import Recipe

_HOME = {
    "RuleSet": "rulenet.rules.ruleset",
    "RuleNetClassifier": "rulenet.estimator",
    "RuleNetSearch": "rulenet.search.search",
    "distill": "rulenet.ensemble.distil",
    "soup": "rulenet.ensemble.soup",
    "Recipe": "rulenet.training.recipe",
    "Explanation": "rulenet.explain.result",
    "Term": "rulenet.explain.result",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'rulenet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
