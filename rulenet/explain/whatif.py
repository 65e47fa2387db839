"""How the answer could change: the fewest rules to switch off, or columns to delete, for another one. Imports draw, terms and model.

Deleting a column does what `with_rules` does to a deleted rule: it is removed from φ, both in the logit and where ψ reads φ (W_1 φ). The
words stay in the text, where the transformer still reads them. Every answer that is reported was computed by running ψ again
with the changed φ, in full precision: a model exported with 8 bits may differ slightly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, islice
from math import comb
from typing import Any

import numpy as np

from rulenet.base.drawing import Bar, Block, Headline, Sheet
from rulenet.base.types import Array
from rulenet.draw.shown import Shown
from rulenet.explain.result import Explanation, Label, Term, check_known, plain, words
from rulenet.explain.terms import explain
from rulenet.model.hybrid import Hybrid

SEARCHED = 50_000  # sets that are tried one by one
_BY_A_HAIR = 1e-4  # a smaller lead, in logits, is rounding


@dataclass(frozen=True)
class Flip:
    """A set of columns without which the answer changes."""

    terms: list[Term]  # the columns, most important first
    label: Label  # the answer without them
    logits: dict[Label, float]  # without them
    is_smallest: bool  # whether it is certain that no smaller set is enough: each was tried, or ruled out by arithmetic


@dataclass(frozen=True)
class WhatIf(Shown):
    """What would have to be missing for another answer.

    Attributes
    ----------
    text, label
        The text as given, and its answer.
    target
        The answer asked for; None: any other.
    rules
        The smallest set of rules that was found; None if switching off rules cannot change the answer, as far as the search can tell
        where ψ reads φ.
    terms
        The same for columns of any kind.
    """

    text: str
    label: Label
    target: Label | None
    rules: Flip | None
    terms: Flip | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back."""
        data: dict[str, Any] = plain(asdict(self))
        for part in (data, data["rules"], data["terms"]):
            if part is not None:
                part.update({name: str(part[name]) for name in ("label", "target") if part.get(name) is not None})
        return data

    def blocks(self) -> list[Block]:
        """Return a table for rules, and one for columns of any kind."""
        aim = "another label" if self.target is None else self.target
        return [
            Headline(f"{self.label}: what it would take to be {aim}"),
            self._sheet("switching off rules", self.rules),
            self._sheet("deleting any terms", self.terms),
        ]

    def _sheet(self, what: str, flip: Flip | None) -> Sheet:
        if flip is None:
            return Sheet(f"{what}: cannot be flipped this way", (), [])
        these = "this one" if len(flip.terms) == 1 else f"these {len(flip.terms)}"
        title = f"{what}: {flip.label} without {these}" + ("" if flip.is_smallest else " (fewer may be enough)")
        rows = []
        for term in flip.terms:
            difference = term.contributions[self.label] - term.contributions[flip.label]
            rows.append((term.kind, term.name, words(self.text, term.spans), Bar(difference)))
        return Sheet(title, ("", "term", "words", f"for {self.label} against {flip.label}"), rows)


def what_if(
    hybrid: Hybrid, text: str, classes: Sequence[Label], target: Label | None = None, *, device: Any = "cpu"
) -> WhatIf:
    """Find the fewest rules or terms without which the answer changes.

    Parameters
    ----------
    classes
        The labels as the user gave them, in column order.
    target
        The answer wanted; None: any other.

    Raises
    ------
    LabelError
        If the model has no label `target`.

    Examples
    --------
    >>> from rulenet import Recipe, RuleNetClassifier, RuleSet
    >>> rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: a}, {id: b, label: y, word: b}]}")
    >>> clf = RuleNetClassifier(rules, None, recipe=Recipe.of(tfidf=False)).fit(["a", "b", "a"], ["x", "y", "x"])
    >>> [term.name for term in what_if(clf.predictor_.hybrid, "a b", ["x", "y"]).rules.terms]
    ['a']
    """
    classes = list(classes)
    check_known([] if target is None else [target], classes)
    if hybrid.psi is not None and hybrid.is_neural:
        from rulenet.model.onnx.engine import in_torch

        hybrid = replace(hybrid, psi=in_torch(hybrid.psi))
    parts = hybrid.parts([text], device=device)
    before: Explanation = explain(hybrid, [text], parts, classes)[0]
    if target == before.label:
        same = Flip([], before.label, before.logits, True)
        return WhatIf(text, before.label, target, same, same)
    goal = None if target is None else classes.index(target)
    search = _Search(hybrid, text, parts.phi[0] / hybrid.phi_scale, device, classes.index(before.label), goal)

    def flip(terms: list[Term]) -> Flip | None:
        D = np.array([list(term.contributions.values()) for term in terms]).reshape(-1, len(classes)) / hybrid.phi_scale
        chosen, is_smallest = search.smallest(D)
        if chosen is None:
            return None
        phi = search.phi - D[chosen].sum(axis=0)
        logits = _run_again(hybrid, text, phi, device)
        answer = classes[int(hybrid.link.answer(logits[None])[0])]
        return Flip([terms[j] for j in chosen], answer, dict(zip(classes, logits.tolist(), strict=True)), is_smallest)

    rules = flip([term for term in before.terms if term.kind == "rule"])
    return WhatIf(text, before.label, target, rules, flip(before.terms))


class _Search:
    """Search for the smallest set of columns whose deletion changes the answer for one text, with the unscaled φ of shape (n_classes,).

    `answer` and `target` are class indices: the present answer, and the one wanted; None: any other.
    """

    def __init__(self, hybrid: Hybrid, text: str, phi: Array, device: Any, answer: int, target: int | None) -> None:
        self.phi, self.answer, self.target = phi, answer, target
        self.phi_scale, self.psi_scale = hybrid.phi_scale, hybrid.psi_scale
        self.psi: Callable[[Array], Array] | None = None
        self.psi_reads_phi = False
        if hybrid.psi is not None and hybrid.is_neural:
            from rulenet.explain.tokens import psi_of_phi

            psi: Any = hybrid.psi
            self.psi = psi_of_phi(psi, text, device=device)
            self.psi_reads_phi = bool(psi.from_phi.weight.abs().max() > 0)

    def lead(self, phi: Array, rival: int) -> Array:
        """Return how far the rival leads for several values of φ: over all labels if it is the target, else over the present answer."""
        logits = self.phi_scale * phi + (0 if self.psi is None else self.psi_scale * self.psi(phi))
        others = np.delete(logits, rival, axis=1).max(axis=1) if self.target is not None else logits[:, self.answer]
        return np.asarray(logits[:, rival] - others)

    def smallest(self, D: Array) -> tuple[list[int] | None, bool]:
        """Return the smallest set found, if any, and whether there is certainly no smaller one; D is what each column adds to φ."""
        rivals = [k for k in range(len(self.phi)) if k != self.answer] if self.target is None else [self.target]
        found = [chosen for rival in rivals if (chosen := self._greedy(D, rival)) is not None]
        best = min(found, key=len, default=None)
        most = len(D) if best is None else len(best) - 1
        for size in range(1, most + 1):
            if self.target is None and not self.psi_reads_phi:
                break  # the largest differences first: nothing smaller can add up to more
            if sum(comb(len(D), k) for k in range(1, size + 1)) > SEARCHED:
                return best, False
            if (smaller := self._any_of(D, size, rivals)) is not None:
                return smaller, True
        return best, True

    def _greedy(self, D: Array, rival: int) -> list[int] | None:
        """Delete the column that helps the rival most, again and again, until it leads; None if no further column helps."""
        phi, chosen, left = self.phi, [], list(range(len(D)))
        lead = float(self.lead(phi[None], rival)[0])
        while lead <= _BY_A_HAIR:
            if not left:
                return None
            leads = self.lead(phi - D[left], rival)
            best = int(leads.argmax())
            if leads[best] <= lead:
                return None
            lead = float(leads[best])
            chosen.append(left.pop(best))
            phi = phi - D[chosen[-1]]
        for j in chosen[:-1]:  # because of ψ and third labels, an early one may not be necessary
            fewer = [k for k in chosen if k != j]
            if self.lead(self.phi[None] - D[fewer].sum(axis=0), rival)[0] > _BY_A_HAIR:
                chosen = fewer
        return chosen

    def _any_of(self, D: Array, size: int, rivals: list[int]) -> list[int] | None:
        """Return the set of `size` columns without which a rival leads most, if one leads."""
        best: tuple[float, list[int]] | None = None
        for sets in _blocks(len(D), size):
            phi = self.phi - D[sets].sum(axis=1)  # (n_sets, K)
            for rival in rivals:
                leads = self.lead(phi, rival)
                i = int(leads.argmax())
                if leads[i] > (_BY_A_HAIR if best is None else best[0]):
                    best = float(leads[i]), sets[i].tolist()
        return None if best is None else best[1]


def _blocks(n: int, size: int, block: int = 8192) -> Iterator[Array]:
    """Yield all sets of `size` of `n` indices, some thousands at a time, shape (n_sets, size)."""
    every = combinations(range(n), size)
    while part := list(islice(every, block)):
        yield np.array(part, dtype=np.intp)


def _run_again(hybrid: Hybrid, text: str, phi: Array, device: Any) -> Array:
    """Return the logits of a text for another φ, computed as predictions are, shape (n_classes,)."""
    psi: Any = np.zeros((1, len(phi)))
    if hybrid.psi is not None and hybrid.is_neural:
        psi = hybrid.psi.predict(hybrid.psi.encoder.encode([text]), phi[None], device=device)
    return np.asarray(hybrid.phi_scale * phi + hybrid.psi_scale * psi[0])
