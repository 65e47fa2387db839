"""New rules from labelled texts, judged on texts that neither found nor chose them. Imports everything above the workbench.

The rows are parted in three. Rules are *mined* on the first part; those that hold up on the second are *chosen*; the third only *reports*.
Texts that are the same but for case, punctuation and numbers stay in one part, so that no rule is praised for a text it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.errors import InputError, MissingExtraError, ParameterError
from rulenet.inputs import check_labels, check_rule_labels, check_texts, is_share
from rulenet.rules.conditions import atoms_of
from rulenet.rules.mine.candidates import (
    Candidate,
    Evidence,
    growth_candidates,
    pair_candidates,
    pattern_candidates,
    word_candidates,
)
from rulenet.rules.mine.contrast import discoveries, surprise
from rulenet.rules.mine.neighbours import term_vectors
from rulenet.rules.mine.paste import rule_yaml
from rulenet.rules.mine.patterns import extract_patterns
from rulenet.rules.mine.terms import Terms, extract, key_of
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, detect_language
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser
from rulenet.workbench.drafts import Ids, as_ruleset, closest_others, examples, numbered, starting_weight
from rulenet.workbench.parts import Base, Parts, part
from rulenet.workbench.selection import Rows, best_weight, greedy, lift, likelihood_change, p_values

Array = np.ndarray[Any, np.dtype[Any]]
MIN_TEXTS = 5  # a rule is mined from at least so many texts
MAX_TAGGED = 4000  # texts that are tagged for patterns
MAX_FALSE = 0.1  # share of false discoveries among the candidates that may be chosen
SAME = 0.5  # from this Jaccard overlap of what they fire on, two rules say the same
MIN_GAIN = 2.0  # log-likelihood on the choosing texts below which a rule is not worth reading


@dataclass(frozen=True)
class Suggestion:
    """A rule worth adding, with what it does on held-out texts.

    Attributes
    ----------
    rule
        Fields of the rule, as `rulenet.rules.rewrite` takes them.
    kind
        ``"words"``, ``"growth"`` (words like those of rule `like`), ``"pattern"``, ``"pair"`` or ``"exception"``.
    support
        Texts it fires on, of all that were given.
    fires, right
        Held-out texts that it fires on, and those of its label among them.
    expected
        How many of these the rules or model before it took to be of the label (sum of probabilities).
    p_value
        How likely so many right hits were if it said nothing new.
    fixed, broken
        Held-out texts whose answer turns right, and wrong, with this rule alone added.
    log_loss, log_loss_error
        By how much the summed log-loss of the held-out texts falls, and the standard error of that.
    nearest, overlap
        The existing rule that fires on most of the same texts, and the Jaccard overlap; None if no rule shares any.
    """

    rule: dict[str, Any]
    kind: str
    like: str | None
    support: int
    fires: int
    right: int
    expected: float
    p_value: float
    fixed: int
    broken: int
    log_loss: float
    log_loss_error: float
    nearest: str | None
    overlap: float

    @property
    def yaml(self) -> str:
        """The rule, ready to paste under `rules:`."""
        return rule_yaml(self.rule)


@dataclass(frozen=True)
class Suggestions:
    """What `suggest` found.

    Attributes
    ----------
    new
        Rules worth adding, in the order in which they were chosen: each gains most after those before it.
    n_mined, n_chosen, n_held_out
        Texts that rules were mined on, chosen on and judged on.
    n_tried, n_believed
        Candidates that were tried, and those that passed the test for false discoveries.
    accuracy_before, accuracy_after
        On the held-out texts, without and with all new rules.
    accuracy_error
        Standard error of the difference of the two.
    notes
        What to know before believing the figures.
    """

    new: list[Suggestion]
    n_mined: int
    n_chosen: int
    n_held_out: int
    n_tried: int
    n_believed: int
    accuracy_before: float
    accuracy_after: float
    accuracy_error: float
    notes: list[str] = field(default_factory=list)

    @property
    def yaml(self) -> str:
        """All new rules, ready to paste under `rules:`."""
        return "\n\n".join(suggestion.yaml for suggestion in self.new)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        data = asdict(self)
        for row, suggestion in zip(data["new"], self.new, strict=True):
            row["yaml"] = suggestion.yaml
        return data


def suggest(
    ruleset: RuleSet,
    texts: Sequence[str],
    labels: Sequence[Any],
    model: Any = None,
    *,
    n: int = 20,
    held_out: float = 0.3,
    random_state: int = 0,
    say: Callable[[str], None] = lambda stage: None,
) -> Suggestions:
    """Propose rules that labelled texts speak for and the present rules lack.

    Parameters
    ----------
    ruleset
        The present rules; there may be none yet.
    texts, labels
        Ones that a model, if given, was not trained on: of its own training texts it knows the answers.
    model
        A fitted `RuleNetClassifier`, or any classifier of texts with `predict_proba` and `classes_`: suggest what mends its mistakes.
        None: what mends those of the rules alone, with learned weights.
    n
        At most so many rules.
    held_out
        Share of the texts that only report.
    random_state
        Seed of the split.
    say
        Told what is being done, stage by stage.

    Raises
    ------
    InputError, LabelError, ParameterError
        For texts, labels or parameters that cannot be used.
    """
    if not is_share(held_out) or n < 1:
        raise ParameterError(f"held_out={held_out!r} must lie between 0 and 1, and n={n!r} must be 1 or more")
    found = check_texts(texts, may_be_empty=False)
    classes, y = check_labels(labels, len(found))
    names = [str(label) for label in classes.tolist()]
    check_rule_labels(ruleset, names)
    language: Language = (
        detect_language(found) if ruleset.language == "any" else "zh" if ruleset.language == "zh" else "en"
    )
    parts = part(found, held_out, random_state)
    say(f"{len(ruleset)} rules on {len(found):,} texts")
    base = Base(
        ruleset, ruleset.match(found, language=language), np.eye(len(names))[y], names,
        None if model is None else model_logits(model, names, found),
    )  # fmt: skip
    search = _Search(base, parts, found, language, say)
    candidates = search.candidates()
    if not candidates:
        return search.report([], [], 0, 0)
    say(f"{len(candidates):,} candidates on {len(found):,} texts")
    R = as_ruleset(numbered(candidates, names), ruleset, language).match(found, language=language)
    taken, believed = search.choose(candidates, R, n)
    say(f"{len(taken)} rules on {len(parts.held_out):,} held-out texts")
    return search.report([candidates[j] for j in taken], R[:, taken], len(candidates), believed)


def model_logits(model: Any, names: Sequence[str], texts: list[str]) -> Array:
    """Log-probabilities of a fitted classifier, its classes in the order of `names`.

    Raises
    ------
    InputError
        If the model does not know a label of the texts, or knows others.
    """
    known = [str(label) for label in model.classes_]
    if sorted(known) != sorted(names):
        raise InputError(f"the model tells {', '.join(known)} apart, but the texts are labelled {', '.join(names)}")
    proba = np.asarray(model.predict_proba(texts))
    return np.asarray(np.log(np.maximum(proba[:, [known.index(name) for name in names]], 1e-9)))


class _Search:
    """One search: everything that its stages share."""

    def __init__(self, base: Base, parts: Parts, texts: list[str], language: Language, say: Callable[[str], None]) -> None:
        self.base, self.parts, self.texts, self.language, self.say = base, parts, texts, language, say
        self.tokeniser = Tokeniser(language, base.ruleset.unspaced_literals)
        self.notes: list[str] = []
        self.first = base.proba(parts.mined)  # (n_texts, n_classes), from the mined rows alone
        literals = [_literals(condition) for condition, _ in base.ruleset.conditions]
        self.lists = [
            (rule.id, base.names.index(rule.label), words)
            for rule, words in zip(base.ruleset.rules, literals, strict=True)
            if rule.label is not None and rule.sign == "for"
        ]
        self.known = [
            frozenset().union(*(words for _, label, words in self.lists if label == k)) for k in range(len(base.names))
        ]

    def candidates(self) -> list[Candidate]:
        """Everything worth trying, from the mined rows alone; each condition once."""
        rows = self.parts.mined
        texts = [self.texts[i] for i in rows]
        self.say(f"words and phrases of {len(texts):,} texts")
        self.terms = extract(texts, self.tokeniser, min_texts=MIN_TEXTS)
        Y, P = self.base.Y[rows], self.first[rows]
        evidence = Evidence(self.terms, Y, P)
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
        """Numbers of the candidates that hold up on the choosing rows, and how many passed the test for false discoveries."""
        label = [candidate.label for candidate in candidates]
        mined, judging = (self._rows(rows, R) for rows in (self.parts.mined, self.parts.chosen))
        believed = np.flatnonzero(discoveries(p_values(judging, label), MAX_FALSE))
        learned = R[self.parts.learned].tocsc()
        nearest = _overlap(learned, self.base.R[self.parts.learned]).max(axis=1, initial=0)
        eligible = [j for j in believed.tolist() if nearest[j] < SAME]

        def is_new(j: int, taken: list[int]) -> bool:
            return not taken or bool(_overlap(learned[:, [j]], learned[:, taken]).max() < SAME)

        return greedy(mined, judging, label, eligible, n=n, min_gain=MIN_GAIN, is_new=is_new), len(believed)

    def _rows(self, rows: Array, R: Any) -> Rows:
        return Rows(self.base.y[rows], self.first[rows], R[rows].tocsc())

    def report(self, taken: list[Candidate], R: Any, n_tried: int, n_believed: int) -> Suggestions:
        """What those taken do on the held-out rows, by themselves and together."""
        parts, y = self.parts, self.base.y
        before = self.base.logits(parts.learned)
        after, new = before, []
        if taken:
            learned, held = (
                Rows(y[rows], _softmax(before[rows]), R[rows].tocsc()) for rows in (parts.learned, parts.held_out)
            )
            overlap, ids = _overlap(R, self.base.R), Ids(self.base.ruleset)
            rules = [self._rule(c, R[:, j], ids) for j, c in enumerate(taken)]
            new = [
                self._suggestion(c, rule, j, R, overlap[j], learned, held)
                for j, (c, rule) in enumerate(zip(taken, rules, strict=True))
            ]
            after = self.base.logits(parts.learned, R, as_ruleset(rules, self.base.ruleset, self.language))
        was, now = ((logits.argmax(axis=1) == y)[parts.held_out] for logits in (before, after))
        change = now.astype(float) - was
        return Suggestions(
            new, len(parts.mined), len(parts.chosen), len(parts.held_out), n_tried, n_believed, float(was.mean()), float(now.mean()),
            float(change.std() / np.sqrt(len(change))), self.notes,
        )  # fmt: skip

    def _rule(self, candidate: Candidate, fired: Any, ids: Ids) -> dict[str, Any]:
        """A candidate with everything an author would give it, learned without the held-out rows."""
        rows = self.parts.learned
        fires = np.asarray(fired[rows].todense()).ravel() > 0
        is_label = self.base.y[rows] == candidate.label
        label = self.base.names[candidate.label]
        rule = {
            "id": ids.new(label, candidate.terms, joined=candidate.kind in ("pair",)),
            "label": label,
            **candidate.condition,
            "weight": starting_weight(float((fires & is_label).sum()), float(fires.sum())),
        }
        mined = np.isin(rows, self.parts.mined)
        others = closest_others(self.terms.D, fires[mined], ~fires[mined] & ~is_label[mined])
        condition = {key: value for key, value in rule.items() if key != "id"}
        shown = examples(
            condition, self.texts, rows[fires & is_label].tolist(), self.parts.mined[others].tolist(), self.base.ruleset, self.language,
        )  # fmt: skip
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
        best = int(overlap.argmax()) if len(overlap) else -1
        return Suggestion(
            rule, candidate.kind, candidate.like, support=int(R[:, j].sum()), fires=len(hit), right=int(hit.sum()), expected=float(p.sum()),
            p_value=surprise(hit, p), fixed=int((now & ~was).sum()), broken=int((was & ~now).sum()),
            log_loss=float(change.sum()), log_loss_error=float(np.sqrt((change**2).sum())),
            nearest=self.base.ruleset.ids[best] if best >= 0 and overlap[best] > 0 else None,
            overlap=float(overlap[best]) if best >= 0 else 0.0,
        )  # fmt: skip


def _literals(condition: Any) -> frozenset[str]:
    """What a rule's condition looks for by the letter."""
    return frozenset(atom.pattern.strip() for atom in atoms_of([condition], denied=False) if atom.kind != "regex")


def _overlap(A: Any, B: Any) -> Array:
    """Jaccard overlap of the rows that each column of A and of B marks, shape (columns of A, columns of B)."""
    A, B = (scipy.sparse.csc_matrix(M, dtype=np.float64) for M in (A, B))
    both = np.asarray((A.T @ B).todense())
    either = np.asarray(A.sum(axis=0)).reshape(-1, 1) + np.asarray(B.sum(axis=0)).reshape(1, -1) - both
    return both / np.maximum(either, 1)


def _softmax(logits: Array) -> Array:
    from rulenet.model.hybrid import softmax

    return softmax(logits)
