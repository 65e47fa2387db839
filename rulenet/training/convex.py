"""The convex start: ψ's head over h(x) of the encoder as it comes, solved exactly, before anything of the encoder is trained.

While the encoder stands still and B does not bite, ψ = W_h h(x) + b_1 is linear, and the loss of ψ's training is convex:

    minimise  Σ_n [CE(y_n, φ(x_n) + ψ(x_n)) + λ₁ CE(y_n, ψ(x_n))]  +  |W_h|² / 2v        h centred, of mean length 1

φ is out-of-fold, as for all of ψ's training. v is chosen by the loss of φ + ψ on texts that neither saw.

Why not one problem for both, φ's weights and the head's over [X | h(x)], which `PhiProblem.solve_with` solves as well? Together they are no
more accurate, and φ, which the cascade, edits of rules and explanations rely on, is worse alone. Accuracy on other training texts, means of
3 seeds, both with their best variances: one problem | φ first, then the head | φ alone in the one | in the other:
AG News 200 labels 85.9 | 85.8 | 79.0 | 83.1, 1,000: 89.0 | 88.7 | 81.9 | 87.1; IMDB 200: 78.7 | 78.3 | 76.2 | 77.9, 800: 83.3 | 83.4 |
80.9 | 82.4; TREC 200: 75.0 | 75.5 | 65.7 | 69.9, 1,000: 87.0 | 86.3 | 73.8 | 81.1. 8 labels a class 77.6 | 77.4, 61.8 | 62.2, 60.4 | 60.9.

From 100 texts on epochs from there pay (MiniLM, 3 layers frozen, one or two seeds): TREC 100 texts 70.8 → 75.2, 300: 80.0 → 87.6; AG News
100: 83.7 → 85.1. Below `FEW_TEXTS` there are none. The head's learning rate is 1e-4, as it starts from its best place: 1e-3 was no better.

With fewer than `FEW_TEXTS` texts and no rules, φ knows little of single words: the head is solved without it,
and nothing can be held out to fit the two scalars. So ψ's values are made to spread a fixed number of times as far as φ's, over the texts:
1.5 times with MiniLM, 16 times with e5, whose vectors of words know less than those of texts. Of 5 and 8 labels a class, this is 3 points
above the frozen probe with MiniLM (four sets), and as good with e5 (waimai_10k and ChnSentiCorp). A ratio that ten texts chose
themselves, by folds, was 16 points below it on one sample of waimai_10k. How sure the sum is, texts outside their folds do tell: of 12
samples of 10 to 60 texts, mean probability and accuracy differ by 0.07 on average, by 0.01 the same way. All labels count
alike in ψ, or how frequent they are would be made larger as well: from 30 TREC questions at random 53.0 % right instead of 42.0 (φ alone
46.8, probe 30.7), YouTube comments 87.8 instead of 85.1.

Where contrastive steps have moved the encoder, h(x) of a text tells its label, whatever fold it is in. So these texts are judged, and it is
decided how sure to be, by ψ of the encoder as it came, made as large as the new ψ. The ratio is at least 4 (TREC 77, with 1.5 72; AG News
and YouTube comments the same), up to 400 texts: as these texts choose it, it is too low (two samples of 120 TREC texts 80.4, 71.3, with 4
85.9, 85.6). As it is right more often than that, both are raised by 1.4, which was likelier in 8 of 9 samples.

Beside rules φ may know much more than ψ, or less, so the labels choose the ratio, and from 40 on they can: after contrastive steps ψ is
that of two encoders, each moved by one half of the labels and judged by the other (300 TREC questions 86.1 → 87.4, 100 YouTube comments
94.8 → 96.4, against an encoder that has not moved). Of n labels, if fewer, ψ counts n / (n + 16). Counted in full, 8 labels beside our
AG News pack 85.4 → 77.2, 20 84.9 → 83.1, 20 beside our IMDB pack 90.0 → 89.1, but 30 TREC questions 56.9 → 69.3, 10 YouTube comments
92.2 → 94.8.

Imports phi_problem, the link, scales and neighbours; no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.decide.scales import calibrated_losses
from rulenet.model.link import Link
from rulenet.model.phi_problem import PhiProblem, folds
from rulenet.training.corpus import Corpus
from rulenet.training.phi_stage import MIN_HELD_OUT
from rulenet.training.recipe import MANY_TEXTS

VARIANCES = (0.3, 1.0, 3.0, 10.0, 30.0)
USUAL = 1.0  # where there is too little to choose by
FOLDS = 5
LEAST_BOUND = 1.5
# Least ratio of ψ's spread to φ's, and what both are raised by, where contrastive steps have moved the encoder.
MOVED_RATIO, MOVED_SURER = 4.0, 1.4
HALF_HEARD = 16  # labels beside rules of which ψ counts half


@dataclass(frozen=True)
class Linear:
    """A linear head: ψ = h · weight + bias."""

    weight: Array  # (H, n_classes)
    bias: Array  # (n_classes,)

    def __call__(self, h: Array) -> Array:
        """ψ, shape (n_texts, n_classes)."""
        return np.asarray(h @ self.weight + self.bias, dtype=np.float64)


@dataclass(frozen=True)
class Start:
    """What was found: the head, v, and ψ of texts that the head of their fold never saw."""

    head: Linear
    variance: float
    judged: Corpus  # these texts
    psi: Array  # theirs, (n_judged, n_classes)
    is_moved: bool = False  # whether the head is of an encoder that has learned from these texts since

    def moved(self, head: Linear, h: Array) -> Start:
        """With another head over h(x) of a moved encoder: it would know all labels of the judged texts, so the first one answers for it.

        ψ of the judged texts only becomes as large as that of all texts.
        """
        return replace(self, head=head, psi=self.psi * (_spread(head(h)) / (_spread(self.psi) or 1.0)), is_moved=True)


@dataclass(frozen=True)
class View:
    """h(x) of an encoder that has not seen the labels of some texts: rows to learn from, these rows, and h(x) of all."""

    train: Array
    test: Array
    h: Array


def solve_start(
    h: Array, corpus: Corpus, held_out: Array, link: Link, *, psi_loss: float | None, variance: float | None, seed: int,
    others_taught: bool = False, views: Sequence[View] = (),
) -> Start:  # fmt: skip
    """The head of all texts with a target, and what it is worth.

    Parameters
    ----------
    h
        Of each text of the corpus, (n_texts, H).
    held_out
        Indices of the held-out texts. From 1,000 texts on they alone are judged, by a head without them; of fewer, all are, in folds.
    psi_loss, variance
        λ₁ and v. None: the head is solved without φ, and v is chosen.
    others_taught
        Whether guesses know the labels of all texts but the held-out ones, so that these alone can judge.
    views
        What judges instead of `h`, if the encoder of `h` has learned from all labels.
    """
    known = corpus.with_target
    if not views:
        splits = _splits(corpus, held_out, link, seed, others_taught=others_taught)
        views = [View(train, test, h) for train, test in splits]
    judged = np.concatenate([view.test for view in views])

    def outside(v: float) -> Array:
        """ψ of the judged texts."""
        how: dict[str, Any] = {"psi_loss": psi_loss, "variance": v}
        heads = [solve_head(view.h[view.train], corpus.take(view.train), link, **how) for view in views]
        return np.vstack([head(view.h[view.test]) for head, view in zip(heads, views, strict=True)])

    if variance is None and len(judged) < MIN_HELD_OUT:
        variance = USUAL
    psi = outside(VARIANCES[0] if variance is None else variance)
    if variance is None:
        target, variance = corpus.Y[judged], VARIANCES[0]
        least = _losses(corpus.phi[judged] + psi, target, link)
        for v in VARIANCES[1:]:
            trial = outside(v)
            losses = _losses(corpus.phi[judged] + trial, target, link)
            if any(now >= before for now, before in zip(losses, least, strict=True)):
                break
            variance, psi, least = v, trial, losses
    head = solve_head(h[known], corpus.take(known), link, psi_loss=psi_loss, variance=variance)
    return Start(head, variance, corpus.take(judged), psi)


def solve_head(h: Array, corpus: Corpus, link: Link, *, psi_loss: float | None, variance: float) -> Linear:
    """The head that minimises the loss of the module's docstring on all rows of a corpus; without λ₁, that of ψ alone.

    All labels then count alike, and how frequent they are is left to φ: ψ is about to be made several times as large.
    """
    centre = h.mean(axis=0)
    spread = float(np.sqrt(((h - centre) ** 2).sum(axis=1).mean())) or 1.0
    H = ((h - centre) / spread).astype(np.float32)
    Y, offset = corpus.Y, np.zeros_like(corpus.phi) if psi_loss is None else corpus.phi
    if psi_loss is None:
        Y = link.balanced(Y)
    elif psi_loss:  # the second part of the loss is that of the same texts once more, without φ
        H, Y, offset = np.vstack([H, H]), np.vstack([Y, psi_loss * Y]), np.vstack([offset, np.zeros_like(offset)])
    nothing = scipy.sparse.csr_matrix((len(H), 0), dtype=np.float32)
    weights, head = PhiProblem(head_variance=variance, link=link).solve_with(nothing, H, Y, offset=offset)
    seen = link.positive(corpus.Y).sum(axis=0) > 0  # of the other classes ψ says nothing
    weight = head * seen / spread
    return Linear(weight, weights.bias * seen - centre @ weight)


def few_scales(phi: Array, psi: Array, ratio: float) -> tuple[float, float]:
    """The scalars a and s, the larger of them 1, that make s·ψ spread over texts so many times as far as a·φ.

    Examples
    --------
    >>> few_scales(np.array([[2.0, -2.0], [-2.0, 2.0]]), np.array([[0.75, -0.75], [-0.75, 0.75]]), 1.5)
    (0.25, 1.0)
    """
    far, wanted = _spread(psi), ratio * _spread(phi)
    s = wanted / far if far and wanted else 1.0
    return min(1.0, 1.0 / s), min(1.0, s)


def settled_bound(psi: Array) -> float:
    """B that leaves these values of an unbounded ψ nearly as they are: B · tanh(ψ / B) is at least 0.92 ψ for 99 of 100.

    Examples
    --------
    >>> settled_bound(np.array([[0.1, -0.1]])), settled_bound(np.array([[4.0, -4.0]]))
    (1.5, 8.0)
    """
    return max(LEAST_BOUND, round(2 * float(np.quantile(np.abs(psi), 0.99)), 1))


def _spread(logits: Array) -> float:
    """How far logits lie from what they are on average over texts; what all classes have in common does not count."""
    apart = logits - logits.mean(axis=1, keepdims=True)
    return float(np.sqrt(((apart - apart.mean(axis=0)) ** 2).mean()))


def _losses(logits: Array, target: Array, link: Link) -> tuple[float, float]:
    """Before and after calibration: without it, what makes ψ surer looks too good (see `rulenet.training.phi_choice`)."""
    return float(link.losses(logits, target).sum()), float(calibrated_losses(logits, target, link).sum())


def _splits(
    corpus: Corpus, held_out: Array, link: Link, seed: int, *, others_taught: bool
) -> Sequence[tuple[Array, Array]]:
    """Texts with a target to learn from, and those with a given label, if there are any, to judge by."""
    known = corpus.with_target
    if len(held_out) and (others_taught or len(known) >= MANY_TEXTS):
        return [(np.setdiff1d(known, held_out), held_out)]
    is_judge = corpus.is_given if corpus.is_given.any() else np.ones(len(corpus), dtype=bool)
    parts = folds(link.strata(corpus.Y[known]), min(FOLDS, len(known)), seed)
    return [(known[train], known[test][is_judge[known[test]]]) for train, test in parts]
