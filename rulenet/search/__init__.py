"""Choosing a recipe by trying some: `RuleNetSearch`."""

from rulenet.search.search import RuleNetSearch

__all__ = ["RuleNetSearch"]
