"""Predictor: a fitted model that cannot change, and all that it can be asked. Estimator, commands and services share it.

Imports everything below the estimator; scikit-learn's interface is the estimator's business.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.memory import no_garbage_collection
from rulenet.base.types import Array
from rulenet.data.check import check_texts, is_share
from rulenet.data.classes import known_indices
from rulenet.data.label_sets import as_tuples, known_sets
from rulenet.decide.calibration import Calibration
from rulenet.decide.per_label import FEWEST, LabelCalibration, with_thresholds
from rulenet.decide.policy import Policy, new_policy
from rulenet.errors import ParameterError
from rulenet.explain.overview import GlobalExplanation, explain_global
from rulenet.explain.result import Explanation
from rulenet.explain.terms import explain
from rulenet.explain.whatif import WhatIf, what_if
from rulenet.model.device import choose_device
from rulenet.model.hybrid import HeldOut, Hybrid, Parts, with_ruleset
from rulenet.model.link import AnyOf, Link
from rulenet.rules.agreement import check_rule_labels, check_rule_language
from rulenet.rules.ruleset import RuleSet

BLOCK = 8192  # texts in memory at a time, however many there are


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted model.

    Nothing here changes: `with_rules`, `calibrate` and the like give a new predictor and share what stays the same. So one
    predictor may be used from several threads at once.

    Attributes
    ----------
    hybrid
        The fitted parts.
    labels
        The labels as the user gave them, in column order.
    names
        The labels as rules have them: the same as strings, unless the user gave numbers for them.
    policy
        When ψ is skipped, and how sure an answer is.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Examples
    --------
    >>> from rulenet import RuleNetClassifier
    >>> clf = RuleNetClassifier(None, None).fit(["good", "bad", "good film"], ["pos", "neg", "pos"])
    >>> predictor = clf.predictor_
    >>> predictor.predict(["a good day"]).tolist()
    ['pos']
    >>> predictor.with_policy("certified").policy.mode, predictor.policy.mode
    ('certified', 'off')
    """

    hybrid: Hybrid
    labels: Array
    names: list[str]
    policy: Policy
    device: str = "auto"

    @classmethod
    def of(
        cls, hybrid: Hybrid, labels: Array, mode: str, risk: float, *, names: list[str], device: str,
        seconds: Mapping[str, float],
    ) -> Predictor:  # fmt: skip
        """A predictor of some fitted parts; seconds of ``"phi"`` and ``"psi"`` tell how much time a cascade saves."""
        ratio = seconds["phi"] / seconds["psi"] if seconds.get("psi") else None
        return cls(hybrid, labels, names, new_policy(hybrid, mode, risk, cost_ratio=ratio), device)

    @property
    def link(self) -> Link:
        """What the logits mean."""
        return self.hybrid.link

    # ------------------------------------------------------------------ answers

    def predict(
        self, X: Iterable[str], *, reject: float | None = None, per_class: bool = False, abstain: bool = False
    ) -> Array:
        """Label of each text, shape (n_texts,); of several labels per text tuples, or a matrix of 0 and 1 if the model learned from one.

        Parameters
        ----------
        X
            A list or a column of texts, or a generator: that is read in blocks, so that memory stays flat.
        reject
            Largest expected share of wrong answers, by held-out texts; where the model is not sure enough, the label is None.
        per_class
            Whether that share is that of each label, not only of all answers together.
        abstain
            Whether the label is None where nothing speaks: ψ is not asked, no rule fires, and no term of the vocabulary occurs. Of a
            model of rules alone: where no rule fires.
        """
        if reject is not None and not is_share(reject):
            raise ParameterError(f"reject={reject!r} is not a share between 0 and 1, such as 0.02")
        calibration = None if reject is None else self._calibration("reject")
        answers, doubtful = [], []
        for parts in self._blocks(X):
            answers.append(self.link.answer(parts.logits))
            is_silent = parts.skipped & (np.diff(parts.X.indptr) == 0)
            in_doubt = is_silent if abstain else np.zeros_like(is_silent)
            if calibration is not None and reject is not None:
                in_doubt |= ~self.policy.accepted(parts.logits, parts.skipped, error=reject, per_class=per_class)
            doubtful.append(in_doubt)
        if isinstance(self.link, AnyOf) and self.link.as_matrix:
            if reject is not None or abstain:
                raise ParameterError(
                    "reject and abstain need label sets: a matrix of 0 and 1 has no None; fit with lists of labels"
                )
            return np.concatenate(answers)
        found = np.concatenate(answers)
        labels = as_tuples(found, self.labels) if self.link.several else np.asarray(self.labels[found])
        if reject is not None or abstain:
            labels = labels.astype(object)
            labels[np.concatenate(doubtful)] = None
        return labels

    def predict_proba(self, X: Iterable[str]) -> Array:
        """Probability of each label, shape (n_texts, n_classes), in the order of `labels`; calibrated on held-out texts.

        Of several labels per text, each row is one probability for each label, and does not add up to 1.
        """
        return self.predict_with_path(X)[0]

    def predict_with_path(self, X: Iterable[str]) -> tuple[Array, Array]:
        """Probabilities as from `predict_proba`, and whether each answer is φ's alone, shape (n_texts,)."""
        found = [(self._proba(parts), parts.skipped) for parts in self._blocks(X)]
        proba, skipped = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return proba, skipped

    def score(self, X: Iterable[str], y: Any, sample_weight: Any = None) -> float:
        """Accuracy; of several labels per text, the share of texts with exactly the right ones, as scikit-learn has it."""
        from sklearn.metrics import accuracy_score

        if not self.link.several:
            return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))
        answers = np.concatenate([self.link.answer(parts.logits) for parts in self._blocks(X)])
        return float(accuracy_score(self.class_indices(y, len(answers)), answers, sample_weight=sample_weight))

    def predict_set(self, texts: Iterable[str], coverage: float = 0.95, *, per_class: bool = False) -> list[list[Any]]:
        """The labels that are plausible for each text, likeliest first.

        Of texts like those the model was trained on, the right label is in the set with this probability. A set may be empty, if no
        label is plausible enough; that is most frequent when less coverage is asked for than the model has accuracy.

        Parameters
        ----------
        coverage
            Between 0 and 1.
        per_class
            Whether that is so for the texts of each label, not only for all texts together.
        """
        if not is_share(coverage):
            raise ParameterError(f"coverage={coverage!r} is not a share between 0 and 1, such as 0.95")
        calibration, labels = self._calibration("predict_set"), self.labels.tolist()
        proba, skipped = self.predict_with_path(texts)
        sets = calibration.label_sets(proba, skipped, coverage=coverage, per_class=per_class)
        order = np.argsort(-proba, axis=1, kind="stable").tolist()
        return [[labels[k] for k in ranks if row[k]] for row, ranks in zip(sets, order, strict=True)]

    def decision_function(self, X: Iterable[str]) -> Array:
        """Logits, shape (n_texts, n_classes); for two classes the second minus the first, shape (n_texts,), as scikit-learn has it.

        Of several labels per text, how far each logit is above its label's threshold.
        """
        logits = np.concatenate([parts.logits for parts in self._blocks(X)])
        if isinstance(self.link, AnyOf):
            return np.asarray(logits - self.link.at)
        return logits[:, 1] - logits[:, 0] if len(self.labels) == 2 else logits

    def transform(self, X: Iterable[str]) -> scipy.sparse.csr_matrix:
        """Which rules fire and which terms occur, shape (n_texts, n_columns): what φ reads, one column for each of `feature_names`.

        1 where a rule fires; the TF-IDF weight of a term; the share of a part of speech.
        """
        return self.hybrid.features.transform(check_texts(X))

    @property
    def feature_names(self) -> list[str]:
        """Name of each column of φ, with its kind: ``"rule__refund"``, ``"tfidf__money back"``, ``"pos__NOUN"``."""
        columns = map(self.hybrid.features.column, range(len(self.hybrid.weights.coef)))
        return [f"{column.kind}__{column.name}" for column in columns]

    def parts(self, texts: Sequence[str], *, may_skip: bool = True) -> Parts:
        """The addends of the logits of some texts, which are not checked; ψ is skipped where the policy says so, if it `may_skip`."""
        return self.hybrid.parts(texts, device=self._device(), skips=self.policy.skips if may_skip else None)

    # ------------------------------------------------------------------ reasons

    def explain(
        self, texts: Sequence[str], *, tokens: bool = False, contrast: tuple[Any, Any] | None = None
    ) -> list[Explanation]:
        """Why each text gets its label: for every label, bias + Σ contributions + neural = logit.

        Parameters
        ----------
        tokens
            Whether to say which words moved ψ, by integrated gradients: a few texts a second on a CPU.
        contrast
            Which two labels the tokens should compare; None: the predicted one and the runner-up, or of several labels each alone.
        """
        texts = check_texts(texts)
        parts = self.parts(texts)
        with no_garbage_collection():
            return explain(
                self.hybrid, texts, parts, self.labels.tolist(), self._proba(parts), tokens=tokens, contrast=contrast,
                device=self._device(),
            )  # fmt: skip

    def explain_global(
        self, texts: Sequence[str], labels: Sequence[Any] | None = None, *, top: int = 10
    ) -> GlobalExplanation:
        """What decides on these texts: weights by label, most used and most decisive rules, what φ and ψ contribute.

        Parameters
        ----------
        labels
            The right ones, to tell what φ and ψ contribute to the accuracy.
        top
            How many terms to list for each label.
        """
        if labels is not None:
            self.only_one("explain_global with labels")
        parts = self.parts(check_texts(texts, may_be_empty=False))
        return explain_global(self.hybrid, parts, self.labels.tolist(), labels, top=top)

    def what_if(self, text: str, target: Any = None) -> WhatIf:
        """The fewest rules switched off, and the fewest terms deleted, that would change the answer to `target`, or to any other."""
        self.only_one("what_if")
        return what_if(self.hybrid, check_texts([text])[0], self.labels.tolist(), target, device=self._device())

    def report(self) -> dict[str, Any]:
        """What follows from held-out texts, as plain data: cascade, calibration, and whether rules have changed since."""
        calibration, held_out = self.policy.calibration, self.hybrid.held_out
        return {
            "cascade": self.policy.cascade.to_dict(),
            "calibration": calibration.summary() if calibration else {},
            "refresh_calibration": held_out is not None and held_out.is_stale,
        }

    # ------------------------------------------------------------------ the same with a change

    def with_hybrid(self, hybrid: Hybrid) -> Predictor:
        """The same with other fitted parts for the same labels."""
        asked = self.policy
        policy = new_policy(hybrid, asked.mode, asked.risk, cost_ratio=asked.cost_ratio, before=(self.hybrid, asked))
        return replace(self, hybrid=hybrid, policy=policy)

    def with_policy(self, mode: str, risk: float = 0.005) -> Predictor:
        """The same with another cascade: `cascade` and `cascade_risk` of `RuleNetClassifier`."""
        if (mode, risk) == (self.policy.mode, self.policy.risk):
            return self
        ratio = self.policy.cost_ratio
        policy = new_policy(self.hybrid, mode, risk, cost_ratio=ratio, before=(self.hybrid, self.policy))
        return replace(self, policy=policy)

    def with_device(self, device: str) -> Predictor:
        """The same on another device."""
        return self if device == self.device else replace(self, device=device)

    def with_rules(self, ruleset: RuleSet | None) -> Predictor:
        """The same with other rules and no retraining."""
        if ruleset is not None:
            check_rule_labels(ruleset, self.names)
            check_rule_language(ruleset, self.hybrid.features.language)
        return self.with_hybrid(with_ruleset(self.hybrid, ruleset, self.names))

    def calibrate(self, texts: Sequence[str], labels: Sequence[Any] | None = None) -> Predictor:
        """The same with these texts, which the model was not trained on, as its held-out ones, for instance after `with_rules`.

        Labels are needed for probabilities, label sets and rejection, but not for the cascade. Of several labels per text, thresholds are
        chosen by them as well, if there are at least 20 texts; a label that none of them has keeps its own.
        """
        texts, hybrid = check_texts(texts, may_be_empty=False), self.hybrid
        shape = (len(texts), len(self.labels)) if self.link.several else len(texts)
        y = np.full(shape, -1, dtype=np.intp) if labels is None else self.class_indices(labels, len(texts))
        parts = self.parts(texts, may_skip=False)
        psi = parts.psi / hybrid.psi_scale if hybrid.psi_scale else parts.psi
        changed = replace(hybrid, held_out=HeldOut(parts.phi / hybrid.phi_scale, psi, y))
        if isinstance(self.link, AnyOf) and labels is not None and len(texts) >= FEWEST:
            changed = with_thresholds(changed, np.array(self.link.thresholds))[0]
        return self.with_hybrid(changed)

    def class_indices(self, labels: Sequence[Any], n_texts: int) -> Array:
        """The column of each of some labels, several as a matrix of 0 and 1; those that the model does not know are refused."""
        if self.link.several:
            return known_sets(labels, n_texts, self.labels.tolist())
        return known_indices(labels, n_texts, self.labels.tolist())

    def only_one(self, what: str) -> None:
        """Refuse what is for one label per text if this model has several."""
        if self.link.several:
            raise ParameterError(f"{what} needs a model with one label per text; this one gives each text several")

    # ------------------------------------------------------------------ parts of the above

    def _calibration(self, purpose: str) -> Calibration | LabelCalibration:
        """The calibration, if there is one."""
        calibration, held_out = self.policy.calibration, self.hybrid.held_out
        if calibration is None or held_out is None:
            why = "this model has none (it was trained on too few texts or without labels)"
            hint = "calibrate it first, with labelled texts that it was not trained on"
            raise ParameterError(f"{purpose} needs held-out texts with labels, and {why}; {hint}")
        if held_out.is_stale:
            why = "held-out texts from before the rules changed, so it promises less"
            warnings.warn(f"{purpose} relies on {why}; calibrate the model again", stacklevel=4)
        return calibration

    def _blocks(self, texts: Iterable[str]) -> Iterator[Parts]:
        """The addends of some texts, block by block; a generator is not read ahead."""
        stream = texts if isinstance(texts, Iterator) else iter(check_texts(texts))
        yield self.parts(check_texts(islice(stream, BLOCK)))  # without texts, too: for the shape of the answer
        while block := list(islice(stream, BLOCK)):
            yield self.parts(check_texts(block))

    def _proba(self, parts: Parts) -> Array:
        return self.policy.probabilities(parts.logits, parts.skipped)

    def _device(self) -> str:
        return choose_device(self.device) if self.hybrid.is_neural else "cpu"
