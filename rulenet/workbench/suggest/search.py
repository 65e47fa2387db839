"""One search for rules: candidates from some rows, selection on others, evaluation on the rest. Imports mining, estimator and parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import MissingExtraError
from rulenet.estimator import RuleNetClassifier
from rulenet.model.link import ONE_OF
from rulenet.rules.conditions.condition import atoms_of
from rulenet.text.language import Language
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser
from rulenet.workbench.mine.candidates import (
    Candidate,
    Evidence,
    growth_candidates,
    pair_candidates,
    pattern_candidates,
    word_candidates,
)
from rulenet.workbench.mine.contrast import discoveries, surprise
from rulenet.workbench.mine.neighbours import term_vectors
from rulenet.workbench.mine.patterns import extract_patterns
from rulenet.workbench.mine.terms import extract
from rulenet.workbench.suggest.advice import advise
from rulenet.workbench.suggest.drafts import Ids, as_ruleset, closest_others, examples, starting_weight
from rulenet.workbench.suggest.parts import Base, Parts
from rulenet.workbench.suggest.selection import Rows, best_weight, greedy, lift, likelihood_change
from rulenet.workbench.suggest.suggestion import Suggestion, Suggestions

MIN_TEXTS = 5  # least number of texts that a rule is mined from
MAX_TAGGED = 4000  # texts that are tagged for patterns
MAX_FALSE = 0.1  # share of false discoveries among the candidates that may be selected
SAME = 0.5  # from this Jaccard overlap of their firings on, two rules are too similar
CLEAR = 0.3  # on the selection texts, precision must be this far from the label's share of all texts towards 1
SHARED = 0.3  # share of its words that a suggestion may have in common with an earlier one
GIVEN_AWAY = (0.98, 0.5)  # a word with this precision and recall is probably the label itself, written into the texts
SEEN = 0.03  # a model so much more accurate than on its own held-out texts was probably trained on these texts
MIN_GAIN = 2.0  # least gain in log-likelihood on the selection texts for a rule to be worth reading


class Search:
    """One search, with everything that its stages share."""

    def __init__(
        self, base: Base, parts: Parts, texts: list[str], language: Language, say: Callable[[str], None]
    ) -> None:
        self.base, self.parts, self.texts, self.language, self.say = base, parts, texts, language, say
        self.tokeniser = Tokeniser(language, base.ruleset.term_words)
        self.notes: list[str] = []
        self.first = base.proba(parts.mined)  # (n_texts, n_classes), learned on the mined rows only
        literals = [_literals(condition) for condition, _ in base.ruleset.conditions]
        self.lists = [
            (rule.id, base.names.index(rule.label), words)
            for rule, words in zip(base.ruleset.rules, literals, strict=True)
            if rule.label is not None and rule.sign == "for"
        ]
        self.known = [
            frozenset().union(*(words for _, label, words in self.lists if label == k)) for k in range(len(base.names))
        ]

    def check_model(self, model: Any) -> None:
        """Add a note if the model seems to have been trained on these texts."""
        judged = model.predictor_.hybrid.held_out if isinstance(model, RuleNetClassifier) else None
        if self.base.model is not None and judged is not None and (judged.y >= 0).any():
            known = float(((judged.phi + judged.psi).argmax(axis=1) == judged.y)[judged.y >= 0].mean())
            here = float((self.base.model.argmax(axis=1) == self.base.y).mean())
            chance = 3 * np.sqrt(known * (1 - known) * (1 / len(self.texts) + 1 / (judged.y >= 0).sum()))
            if here > known + max(SEEN, chance):
                self.notes.append(
                    f"the model is right on {here:.1%} of these texts, but only on {known:.1%} of the texts held out of its training: "
                    "if it was trained on these texts, its mistakes here say little about new ones, so use other texts"
                )

    def _check_words(self, evidence: Evidence) -> None:
        """Add a note for each word that gives the label away."""
        counts = np.asarray(evidence.terms.D.T @ evidence.Y)
        precision = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        recall = counts / np.maximum(evidence.Y.sum(axis=0), 1)
        for j, k in zip(*np.nonzero((precision >= GIVEN_AWAY[0]) & (recall >= GIVEN_AWAY[1])), strict=True):
            self.notes.append(
                f"{evidence.terms.names[j]!r} occurs in {recall[j, k]:.0%} of the {self.base.names[k]} texts and in hardly any other: "
                "if the label is written into the texts, remove it first"
            )

    def candidates(self) -> list[Candidate]:
        """Find everything worth trying on the mined rows, without duplicates."""
        rows = self.parts.mined
        texts = [self.texts[i] for i in rows]
        self.say(f"words and phrases of {counted(len(texts), 'text')}")
        self.terms = extract(texts, self.tokeniser, min_texts=MIN_TEXTS)
        Y, P = self.base.Y[rows], self.first[rows]
        evidence = Evidence(self.terms, Y, P)
        self._check_words(evidence)
        worth, V = evidence.worth(self.known), term_vectors(self.terms.D)
        found = [
            *word_candidates(evidence, worth, V),
            *growth_candidates(evidence, worth, V, self.lists),
            *pair_candidates(evidence, min_texts=MIN_TEXTS),
        ]
        self.say("part-of-speech patterns")
        try:
            few = slice(0, MAX_TAGGED)
            patterns = extract_patterns(texts[few], Tagger(self.tokeniser), min_texts=MIN_TEXTS)
            tagged = Evidence(patterns, Y[few], P[few])
            alone = dict(zip(self.terms.keys, worth, strict=True))
            found += pattern_candidates(tagged, tagged.worth([frozenset()] * len(self.base.names)), alone)
        except MissingExtraError as error:
            self.notes.append(f"no part-of-speech patterns: {error}")
        declared = self.base.ruleset.file.labels or self.base.names
        allowed = [c for c in found if self.base.names[c.label] in declared]
        return list({(c.label, str(c.condition)): c for c in reversed(allowed)}.values())[::-1]

    def choose(self, candidates: list[Candidate], R: Any, n: int) -> tuple[list[int], int]:
        """Select candidates on the selection rows; return their indices, and how many passed the test for false discoveries."""
        label = [candidate.label for candidate in candidates]
        mined, judging = (
            Rows(self.base.y[rows], self.first[rows], R[rows].tocsc()) for rows in (self.parts.mined, self.parts.chosen)
        )
        hits = [judging.seen_by(j, k) for j, k in enumerate(label)]
        believed = np.flatnonzero(discoveries(np.array([surprise(*hit) for hit in hits]), MAX_FALSE))
        learned = R[self.parts.learned].tocsc()
        nearest = _overlap(learned, self.base.R[self.parts.learned]).max(axis=1, initial=0)
        share = self.base.Y.mean(axis=0)
        clear = (share + CLEAR * (1 - share))[label]
        eligible = [j for j in believed.tolist() if nearest[j] < SAME and hits[j][0].mean() > clear[j]]

        def is_new(j: int, taken: list[int]) -> bool:
            terms = set(candidates[j].terms)
            if any(len(terms & set(candidates[i].terms)) > SHARED * len(terms) for i in taken):
                return False
            return not taken or bool(_overlap(learned[:, [j]], learned[:, taken]).max() < SAME)

        return greedy(mined, judging, label, eligible, n=n, min_gain=MIN_GAIN, is_new=is_new), len(believed)

    def report(self, taken: list[Candidate], R: Any, n_tried: int, n_believed: int) -> Suggestions:
        """Evaluate the selected rules on the held-out rows, one by one and together."""
        parts, y = self.parts, self.base.y
        before = self.base.logits(parts.learned)
        after, new = before, []
        if taken:
            learned, held = (
                Rows(y[rows], ONE_OF.proba(before[rows]), R[rows].tocsc()) for rows in (parts.learned, parts.held_out)
            )
            overlap, ids = _overlap(R, self.base.R), Ids(self.base.ruleset)
            rules = [self._rule(c, R[:, j], ids) for j, c in enumerate(taken)]
            pairs = enumerate(zip(taken, rules, strict=True))
            new = [self._suggestion(c, rule, j, R, overlap[j], learned, held) for j, (c, rule) in pairs]
            after = self.base.logits(parts.learned, R, as_ruleset(rules, self.base.ruleset, self.language))
        was, now = ((logits.argmax(axis=1) == y)[parts.held_out] for logits in (before, after))
        change = now.astype(float) - was
        self.say(f"advice on {counted(len(self.base.ruleset), 'rule')}")
        advice = advise(self.base, parts, self.texts, self.terms, self.language)
        return Suggestions(
            new,
            advice,
            n_mined=len(parts.mined),
            n_chosen=len(parts.chosen),
            n_held_out=len(parts.held_out),
            n_tried=n_tried,
            n_believed=n_believed,
            accuracy_before=float(was.mean()),
            accuracy_after=float(now.mean()),
            accuracy_error=float(change.std() / np.sqrt(len(change))),
            notes=self.notes,
        )

    def _rule(self, candidate: Candidate, fired: Any, ids: Ids) -> dict[str, Any]:
        """Turn a candidate into a complete rule, without using the held-out rows."""
        rows = self.parts.learned
        fires = fired[rows].toarray().ravel() > 0
        is_label = self.base.y[rows] == candidate.label
        label = self.base.names[candidate.label]
        rule = {
            "id": ids.new(label, candidate.terms, joined=candidate.kind == "pair"),
            "label": label,
            **candidate.condition,
            "weight": starting_weight(float((fires & is_label).sum()), float(fires.sum())),
        }
        mined = np.isin(rows, self.parts.mined)
        others = closest_others(self.terms.D, fires[mined], ~fires[mined] & ~is_label[mined])
        condition = {key: value for key, value in rule.items() if key != "id"}
        right, wrong = rows[fires & is_label].tolist(), self.parts.mined[others].tolist()
        shown = examples(condition, self.texts, right, wrong, self.base.ruleset, self.language)
        return {**rule, "examples": {key: found for key, found in shown.items() if found}}

    def _suggestion(
        self, candidate: Candidate, rule: dict[str, Any], j: int, R: Any, overlap: Array, learned: Rows, held: Rows
    ) -> Suggestion:
        k = candidate.label
        w = best_weight(*learned.seen_by(j, k))
        hit, p = held.seen_by(j, k)
        change = likelihood_change(hit, p, w)
        marked = held.marked(j)
        was = held.P[marked].argmax(axis=1) == held.y[marked]
        now = lift(held.P[marked], np.arange(len(marked)), k, w).argmax(axis=1) == held.y[marked]
        most = float(overlap.max(initial=0.0))
        return Suggestion(
            rule,
            candidate.kind,
            candidate.like,
            support=int(R[:, j].sum()),
            fires=len(hit),
            right=int(hit.sum()),
            expected=float(p.sum()),
            p_value=surprise(hit, p),
            fixed=int((now & ~was).sum()),
            broken=int((was & ~now).sum()),
            log_loss=float(change.sum()),
            log_loss_error=float(np.sqrt((change**2).sum())),
            nearest=self.base.ruleset.ids[int(overlap.argmax())] if most else None,
            overlap=most,
        )


def _literals(condition: Any) -> frozenset[str]:
    """Return the literals of a rule's condition."""
    return frozenset(atom.pattern.strip() for atom in atoms_of([condition], denied=False) if atom.kind != "regex")


def _overlap(A: Any, B: Any) -> Array:
    """Return the Jaccard overlap of the rows with ones in each column of A and of B, shape (columns of A, columns of B)."""
    A, B = (scipy.sparse.csc_matrix(M, dtype=np.float64) for M in (A, B))
    both = np.asarray((A.T @ B).todense())
    either = np.asarray(A.sum(axis=0)).reshape(-1, 1) + np.asarray(B.sum(axis=0)).reshape(1, -1) - both
    return np.asarray(both / np.maximum(either, 1))
