"""Candidates → rules the way an author would write them: id, starting weight, examples. Imports `rulenet.rules`."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.compose import file_text
from rulenet.text.clean import clean
from rulenet.text.fold import is_unspaced
from rulenet.text.language import Language
from rulenet.text.words import word_spans

EXAMPLE_LENGTH = 140  # characters
WEIGHTS = (0.3, 4.0)
_MATCHES = 2
_NO_SLUG = re.compile(r"[^\w]+")


def as_ruleset(rules: Sequence[Mapping[str, Any]], like: RuleSet, language: Language) -> RuleSet:
    """Build a ruleset from rules given as data, with the settings of another ruleset."""
    file = like.file.model_copy(update={"language": language, "labels": []})
    return RuleSet.from_yaml(file_text(rules, like=file), name="<suggestions>")


def starting_weight(right: float, fires: float) -> float:
    """Return the log-odds of the precision, with half a hit and half a miss added, rounded to one decimal.

    Examples
    --------
    >>> starting_weight(19, 20), starting_weight(1, 20), starting_weight(900, 900)
    (2.6, 0.3, 4.0)
    """
    return round(min(max(math.log((right + 0.5) / (fires - right + 0.5)), WEIGHTS[0]), WEIGHTS[1]), 1)


class Ids:
    """Generator of new ids in the style of a ruleset.

    Examples
    --------
    >>> ids = Ids(RuleSet.from_yaml("{rulenet: 1, rules: [{id: sport.goal, label: Sports, word: goal}]}"))
    >>> ids.new("Sports", ["own goal", "foul"]), ids.new("Sports", ["Goal"]), ids.new("Sci/Tech", ["chip"])
    ('sport.own_goal', 'sport.goal_2', 'sci_tech.chip')
    """

    def __init__(self, ruleset: RuleSet) -> None:
        self._taken = set(ruleset.ids)
        self._prefixes = defaultdict[str, Counter[str]](Counter)
        for rule in ruleset.rules:
            if rule.label is not None and "." in rule.id:
                self._prefixes[rule.label][rule.id.split(".")[0]] += 1

    def new(self, label: str, terms: Sequence[str], *, joined: bool = False) -> str:
        """Return an unused id made from the first of the terms, or from all of them if `joined`."""
        prefix = next((prefix for prefix, _ in self._prefixes[label].most_common(1)), _slug(label))
        base = f"{prefix}.{_slug(' '.join(terms) if joined else terms[0])}"[:100]
        names = chain([base], (f"{base}_{n}" for n in count(2)))
        found = next(name for name in names if name not in self._taken)
        self._taken.add(found)
        return found


def _slug(text: str) -> str:
    return _NO_SLUG.sub("_", text.casefold()).strip("_") or "rule"


def examples(
    rule: Mapping[str, Any],
    texts: Sequence[str],
    right: Sequence[int],
    others: Sequence[int],
    like: RuleSet,
    language: Language,
) -> dict[str, list[str]]:
    """Cut short excerpts on which the rule fires, and one on which it does not.

    `right` are rows on which it fires correctly, `others` rows on which it does not fire, the most similar first.
    """
    ruleset = as_ruleset([{"id": "x", **rule}], like, language)
    match: dict[str, str] = {}
    for row in sorted(right, key=lambda i: (len(texts[i]), i)):
        text = clean(texts[row]).strip()
        spans = ruleset.spans(text).get("x")
        if spans is None:
            continue
        hit = text[slice(*spans[0])].casefold() if spans else ""
        excerpt = _excerpt(text, *(spans[0][0], spans[-1][1])) if spans else text[:EXAMPLE_LENGTH]
        if hit not in match and ruleset.match([excerpt])[0, 0]:
            match[hit] = excerpt
        if len(match) == _MATCHES:
            break
    reject = [
        text for row in others if (text := _excerpt(clean(texts[row]).strip(), 0, 0)) and not ruleset.match([text]).nnz
    ]
    return {"match": list(match.values()), "reject": reject[:1]}


def _excerpt(text: str, start: int, end: int) -> str:
    """Return the words around a place, or the whole text if it is short."""
    if len(text) <= EXAMPLE_LENGTH:
        return " ".join(text.split())
    room = max((EXAMPLE_LENGTH - (end - start)) // 2, 10)
    first, last = max(start - room, 0), min(max(end + room, EXAMPLE_LENGTH), len(text))
    for at, beyond in word_spans(text):  # no word is cut
        if not is_unspaced(text[at:beyond]):
            first = min(beyond, start) if at < first < beyond else first
            last = max(at, end) if at < last < beyond else last
    return " ".join(text[first:last].split())


def closest_others(D: Any, fires: Array, allowed: Array, n: int = 20) -> list[int]:
    """Find the allowed rows whose words are most similar to those of the rows on which a rule fires; D is the presence of terms."""
    if not fires.any() or not allowed.any():
        return []
    profile = np.asarray(D[fires].mean(axis=0)).ravel()
    general = np.asarray(D.mean(axis=0)).ravel()
    likeness = np.asarray(D @ np.log((profile + 1e-3) / (general + 1e-3))) / np.sqrt(1 + np.diff(D.indptr))
    likeness[~allowed] = -np.inf
    return [int(i) for i in np.argsort(-likeness, kind="stable")[:n] if allowed[i]]
