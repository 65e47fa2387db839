"""Sample texts on which each rule fires, with the hits. Imports rules and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.rules.conditions.condition import Span
from rulenet.rules.engine.tally import Right, is_right
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language

EXCERPT = 240  # characters


@dataclass(frozen=True)
class Example:
    """A text on which a rule fires; label and right are None without labels."""

    index: int  # position of the text
    text: str  # the text, or the part around the first hit with … where it is cut
    spans: list[Span]  # hits in `text`
    label: str | None = None
    right: bool | None = None  # whether the rule is right on it


def firings(
    ruleset: RuleSet,
    language: Language,
    texts: Sequence[str],
    R: scipy.sparse.csr_matrix,
    *,
    right: Right,
    classes: list[str],
    y: Array | None,
    n: int,
) -> list[list[Example]]:
    """Return at most `n` correct and `n` wrong firings of each rule, spread over all texts because neighbours are often alike.

    R, right and y as in `rulenet.rules.engine.tally.count`; `classes` are the labels in the order of their indices.
    """
    columns, matcher = R.tocsc(), ruleset.matcher(language)
    found = []
    for j in range(R.shape[1]):
        rows = np.sort(columns.indices[columns.indptr[j] : columns.indptr[j + 1]])
        wins = np.ones(len(rows), dtype=bool) if y is None else is_right(right, j, y[rows])
        examples = []
        for part, won in ((rows[wins], True), (rows[~wins], False)):
            for i in part[np.unique(np.linspace(0, len(part) - 1, min(n, len(part))).astype(int))].tolist():
                doc = matcher.doc(texts[i])
                spans = [doc.cleaned.original_span(*span) for span in matcher.find(doc, [j])[0] or []]
                text, spans = excerpt(texts[i], spans)
                known = (None, None) if y is None else (_label(y[i], classes), won)
                examples.append(Example(i, text, spans, *known))
        found.append(examples)
    return found


def _label(y: Any, classes: list[str]) -> str:
    """The label of a text, or its labels."""
    if np.ndim(y):
        return ", ".join(classes[k] for k in np.flatnonzero(y).tolist()) or "no label"
    return str(classes[y])


def excerpt(text: str, spans: Sequence[Span], width: int = EXCERPT) -> tuple[str, list[Span]]:
    """Cut about `width` characters out of a text, from a little before the first hit, and return them with the hits inside.

    Examples
    --------
    >>> excerpt("one two three four five six", [(14, 18)], width=12)
    ('… four …', [(2, 6)])
    """
    if len(text) <= width:
        return text, list(spans)
    first = max(0, min(spans[0][0] - width // 3 if spans else 0, len(text) - width))
    last = first + width
    if first:  # at a word boundary, if one is near
        first = min(max(first, text.find(" ", first, first + 15) + 1), spans[0][0] if spans else first)
    if last < len(text):
        last = max(text.rfind(" ", last - 15, last), 0) or last
    before, after = "… " if first else "", " …" if last < len(text) else ""
    shift = len(before) - first
    inside = [
        (max(start, first) + shift, min(end, last) + shift) for start, end in spans if start < last and end > first
    ]
    return before + text[first:last] + after, inside
