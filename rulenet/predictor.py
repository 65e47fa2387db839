"""What a fitted classifier can be asked: labels, probabilities, label sets, explanations. `RuleNetClassifier` adds fitting and keeping.

Imports everything below the estimator.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from rulenet.base.memory import no_garbage_collection
from rulenet.base.types import Array
from rulenet.data.check import check_labels, check_texts, is_share
from rulenet.decide.calibration import Calibration, calibrate, uncalibrated
from rulenet.decide.cascade import Cascade, choose
from rulenet.errors import LabelError, ParameterError, RuleNetError
from rulenet.explain.overview import GlobalExplanation, explain_global
from rulenet.explain.result import Explanation
from rulenet.explain.terms import explain
from rulenet.explain.whatif import WhatIf, what_if
from rulenet.model.device import choose_device
from rulenet.model.hybrid import HeldOut, Hybrid, Parts, lead
from rulenet.training.recipe import Recipe

BLOCK = 8192  # texts in memory at a time, however many there are


class NotFittedError(RuleNetError, SklearnNotFittedError):  # type: ignore[misc]
    """The estimator was used before `fit`. Not in errors.py because importing scikit-learn is slow."""


def _calibrate_alike(a: Hybrid, b: Hybrid) -> bool:
    """Whether two models go by the same held-out logits."""
    if a.held_out is None or b.held_out is None:
        return False
    scales = [(hybrid.phi_scale, hybrid.psi_scale, hybrid.is_neural) for hybrid in (a, b)]
    return scales[0] == scales[1] and all(
        getattr(a.held_out, name) is getattr(b.held_out, name) for name in ("phi", "psi", "y")
    )


class Answers:
    """Methods of a fitted classifier; expects `classes_`, `hybrid_`, `recipe_`, `report_` and the constructor's parameters."""

    classes_: Array
    hybrid_: Hybrid
    recipe_: Recipe
    report_: dict[str, Any]
    device: str
    cascade: str
    cascade_risk: float

    # ------------------------------------------------------------------ answers

    def predict(self, texts: Iterable[str], *, reject: float | None = None, per_class: bool = False) -> Array:
        """Label of each text, shape (n_texts,).

        Parameters
        ----------
        texts
            A list, or a generator: that is read in blocks, so that memory stays flat.
        reject
            Give an answer only where the expected share of wrong answers stays within this; None stands for the others. Chosen on
            held-out texts.
        per_class
            Keep to `reject` among the answers of each label, not only among all.
        """
        if reject is None:
            best = np.concatenate([parts.logits.argmax(axis=1) for parts in self._blocks(texts)])
            return np.asarray(self.classes_[best])
        if not is_share(reject):
            raise ParameterError(f"reject={reject!r} is not a share between 0 and 1, such as 0.02")
        calibration = self._calibration("reject")
        proba = self.predict_proba(texts)
        labels = np.array(self.classes_[proba.argmax(axis=1)], dtype=object)
        labels[~calibration.accepted(proba, error=reject, per_class=per_class)] = None
        return labels

    def predict_proba(self, texts: Iterable[str]) -> Array:
        """Probability of each label, shape (n_texts, n_classes), in the order of `classes_`; calibrated on held-out texts."""
        return np.concatenate([self._proba(parts) for parts in self._blocks(texts)])

    def predict_with_path(self, texts: Iterable[str]) -> tuple[Array, Array]:
        """Probabilities as from `predict_proba`, and whether each answer is φ's alone, shape (n_texts,)."""
        found = [(self._proba(parts), parts.skipped) for parts in self._blocks(texts)]
        proba, skipped = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return proba, skipped

    def predict_set(self, texts: Iterable[str], coverage: float = 0.95, *, per_class: bool = False) -> list[list[Any]]:
        """The labels that are plausible for each text, likeliest first.

        Of texts like those the model was trained on, the right label is in the set with this probability. A set may be empty: no label
        is plausible enough, which is most frequent when less coverage is asked for than the model has accuracy.

        Parameters
        ----------
        coverage
            Between 0 and 1.
        per_class
            Hold the coverage for the texts of each label, not only for all texts together.
        """
        if not is_share(coverage):
            raise ParameterError(f"coverage={coverage!r} is not a share between 0 and 1, such as 0.95")
        calibration, found, labels = self._calibration("predict_set"), [], self.classes_.tolist()
        for parts in self._blocks(texts):
            proba = self._proba(parts)
            sets = calibration.label_sets(proba, parts.skipped, coverage=coverage, per_class=per_class)
            for row, order in zip(sets, np.argsort(-proba, axis=1, kind="stable"), strict=True):
                found.append([labels[k] for k in order.tolist() if row[k]])
        return found

    def decision_function(self, texts: Iterable[str]) -> Array:
        """Logits, shape (n_texts, n_classes); for two classes the second minus the first, shape (n_texts,), as scikit-learn has it."""
        logits = np.concatenate([parts.logits for parts in self._blocks(texts)])
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

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
            Which two labels the tokens should speak for and against; None: the predicted one and the runner-up.
        """
        texts = check_texts(texts)
        parts = self._parts(texts)
        with no_garbage_collection():
            return explain(
                self.hybrid_, texts, parts, self.classes_.tolist(), self._proba(parts), tokens=tokens, contrast=contrast,
                device=self._device(),
            )  # fmt: skip

    def explain_global(
        self, texts: Sequence[str], labels: Sequence[Any] | None = None, *, top: int = 10
    ) -> GlobalExplanation:
        """What the model rests on, on these texts: weights by label, most used and most decisive rules, what φ and ψ carry.

        Parameters
        ----------
        labels
            The right ones, to tell how much of the accuracy φ and ψ carry; None: nothing is said of that.
        top
            How many terms to list for each label.
        """
        return explain_global(
            self.hybrid_, self._parts(check_texts(texts, may_be_empty=False)), self.classes_.tolist(), labels, top=top
        )

    def what_if(self, text: str, target: Any = None) -> WhatIf:
        """The fewest rules switched off, and the fewest terms deleted, that would change the answer.

        Parameters
        ----------
        target
            The answer wanted; None: any other.
        """
        self._check_is_fitted()
        return what_if(self.hybrid_, check_texts([text])[0], self.classes_.tolist(), target, device=self._device())

    # ------------------------------------------------------------------ trust

    @property
    def cascade_report_(self) -> dict[str, Any]:
        """When ψ is skipped: margin, share skipped, expected speed-up, and the bound on changed answers, from held-out texts."""
        self._check_is_fitted()
        return self._policy()[0].to_dict()

    @property
    def calibration_(self) -> Calibration | None:
        """What probabilities, label sets and rejection go by; None without held-out texts that have labels."""
        self._check_is_fitted()
        return self._policy()[1]

    def calibrate(self, texts: Sequence[str], labels: Sequence[Any] | None = None) -> Any:
        """Take these texts, which the model was not trained on, in place of the held-out ones, for instance after `with_rules`.

        Parameters
        ----------
        labels
            Needed for probabilities, label sets and rejection; the cascade can do without.
        """
        self._check_is_fitted()
        texts = check_texts(texts, may_be_empty=False)
        y = np.full(len(texts), -1, dtype=np.intp) if labels is None else self._class_indices(labels, len(texts))
        hybrid = self.hybrid_
        parts = hybrid.parts(texts, device=self._device())
        psi = parts.psi / hybrid.psi_scale if hybrid.psi_scale else parts.psi
        self.hybrid_ = replace(hybrid, held_out=HeldOut(parts.phi / hybrid.phi_scale, psi, y))
        self._complete_report()
        return self

    def _class_indices(self, labels: Sequence[Any], n_texts: int) -> Array:
        """Where each label stands in `classes_`."""
        known, indices = check_labels(labels, n_texts)
        unknown = [label for label in known.tolist() if label not in self.classes_.tolist()]
        if unknown:
            raise LabelError(f"the model does not know these labels: {unknown}; it knows {self.classes_.tolist()}")
        return np.asarray(np.searchsorted(self.classes_, known)[indices], dtype=np.intp)

    def _policy(self) -> tuple[Cascade, Calibration | None]:
        """When ψ is skipped, and the calibration that goes with it; worked out anew when a parameter or the model changes."""
        kept: tuple[Any, ...] | None = self.__dict__.get("_kept_policy")
        if kept is None or kept[0] is not self.hybrid_ or kept[1:3] != (self.cascade, self.cascade_risk):
            kept = self._kept_policy = (self.hybrid_, self.cascade, self.cascade_risk, self._new_policy(kept))
        policy: tuple[Cascade, Calibration | None] = kept[3]
        return policy

    def _new_policy(self, kept: tuple[Any, ...] | None) -> tuple[Cascade, Calibration | None]:
        hybrid, held_out = self.hybrid_, self.hybrid_.held_out
        phi = psi = None
        if held_out is not None:
            phi, psi = hybrid.phi_scale * held_out.phi, hybrid.psi_scale * held_out.psi
        timed = self.report_.get("seconds_per_text", {})
        cascade = choose(
            self.cascade, self.cascade_risk, bound=hybrid.psi.bound if hybrid.psi else None, phi=phi, psi=psi,
            psi_scale=hybrid.psi_scale if hybrid.is_neural else 0.0, is_stale=held_out is not None and held_out.is_stale,
            cost_ratio=timed["phi"] / timed["psi"] if timed.get("psi") else None,
        )  # fmt: skip
        if held_out is None or phi is None or psi is None or not (held_out.y >= 0).any():
            return cascade, None
        if kept is not None and kept[3][0].margin == cascade.margin and _calibrate_alike(kept[0], hybrid):
            return cascade, kept[3][1]  # as after `with_rules`
        known = held_out.y >= 0
        skipped = lead(phi) > cascade.margin if hybrid.is_neural else np.ones(len(phi), dtype=bool)
        logits = phi + np.where(skipped[:, None], 0.0, psi)
        return cascade, calibrate(logits[known], held_out.y[known], skipped[known])

    def _calibration(self, purpose: str) -> Calibration:
        """The calibration, or an error where there is none."""
        self._check_is_fitted()
        calibration, held_out = self._policy()[1], self.hybrid_.held_out
        if calibration is None or held_out is None:
            raise ParameterError(
                f"{purpose} needs held-out texts with labels, and this model has none (it was trained on too few texts or without labels); "
                "call calibrate(texts, labels) first"
            )
        if held_out.is_stale:
            warnings.warn(
                f"{purpose} goes by held-out texts from before the rules were changed, so it promises less; call calibrate(texts, labels)",
                stacklevel=3,
            )
        return calibration

    def _complete_report(self) -> None:
        """Put into `report_` what follows from held-out texts: calibration, cascade, and whether rules have changed since."""
        cascade, calibration = self._policy()
        self.report_["cascade"] = cascade.to_dict()
        self.report_["calibration"] = calibration.summary() if calibration else {}
        held_out = self.hybrid_.held_out
        self.report_["refresh_calibration"] = held_out is not None and held_out.is_stale

    # ------------------------------------------------------------------ logits

    def _proba(self, parts: Parts) -> Array:
        calibration = self.calibration_ or uncalibrated(len(self.classes_))
        return calibration.probabilities(parts.logits, parts.skipped)

    def _blocks(self, texts: Iterable[str]) -> Iterator[Parts]:
        """The addends of some texts, block by block; what is no list is read only as far as the block that is worked on."""
        self._check_is_fitted()
        if isinstance(texts, Iterator):
            block = list(islice(texts, BLOCK))
            yield self._parts(check_texts(block))
            while block := list(islice(texts, BLOCK)):
                yield self._parts(check_texts(block))
            return
        texts = check_texts(texts)
        for at in range(0, max(len(texts), 1), BLOCK):
            yield self._parts(texts[at : at + BLOCK])

    def _parts(self, texts: Sequence[str]) -> Parts:
        self._check_is_fitted()
        margin = self._policy()[0].margin
        return self.hybrid_.parts(texts, device=self._device(), skip_above=margin)

    def _device(self) -> str:
        return choose_device(self.device) if self.hybrid_.is_neural else "cpu"

    def _check_is_fitted(self) -> None:
        if not hasattr(self, "hybrid_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet; call fit(texts, labels) or load(folder) first"
            )
