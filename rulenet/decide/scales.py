"""The two scalars of f = a·φ + s·ψ, fitted on held-out texts. Imports calibration, link, numpy and scipy.

What they decide is the ratio s / a; their size is a temperature. Three things pull at the ratio. Likelihood likes it large: a bounded ψ
is the surer the more it weighs. Exits like it small: φ's lead certifies an answer above 2·s·B / a. Accuracy is flat between and falls at
both ends. So `choose_scales` takes, of the ratios that are about as likely as the likeliest and no less accurate than φ alone and than ψ
alone, the one nearest to 1, with which ψ was trained, and never more of ψ than is likeliest. On 2,000 AG News texts that is below 2
where likelihood alone says 3: no less accurate, and three times the certified exits.

A few held-out texts say little about the ratio: 15 of them chose 0.15 for 100 TREC questions, where φ + ψ is right for 66 % and ψ alone
for 76. So the logarithm of the ratio is expected around that of 2, by a factor of `DOUBT` as standard deviation; hundreds of texts overrule
it. (15 texts of AG News: 83.5 without, 85.5 with; of TREC: 66.5 and 72.6, 76.8 and 77.1; 30: 84.6 both.)

"No less accurate" is beyond chance: one text in 150 held-out ones, taken at its word, once cost 1.4 points on 1,500 others. In loss the
sum is never worse than either part, as both are among the ratios.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.optimize

from rulenet.base.types import Array
from rulenet.decide.calibration import fit_temperature
from rulenet.decide.per_label import bent_losses
from rulenet.model.link import ONE_OF, Link

USUAL, DOUBT = 2.0, math.log(1.65)  # ratio s / a that is expected, and the standard deviation of its logarithm


def cross_entropy(logits: Array, target: Array, link: Link = ONE_OF) -> float:
    """Sum over texts of the cross-entropy of their target distributions."""
    return float(link.losses(logits, target).sum())


def fit_scales(phi: Array, psi: Array, target: Array, link: Link = ONE_OF) -> tuple[float, float]:
    """The scalars a, s ≥ 0 that make a·φ + s·ψ most likely on held-out texts; s = 0 is φ alone, so never less likely than that.

    A weak pull towards a = s = 1 decides where few texts say little.

    Examples
    --------
    >>> phi = np.array([[2.0, 0.0], [0.0, 2.0]] * 20)
    >>> a, s = fit_scales(phi, -phi, np.eye(2)[[0, 1] * 20])
    >>> a > 1, s < 0.7
    (True, True)
    """

    def loss(scales: Array) -> float:
        pull = 0.5 * float(np.log(scales[0]) ** 2 + (scales[1] - 1) ** 2)
        return cross_entropy(scales[0] * phi + scales[1] * psi, target, link) + pull

    bounds = [(0.05, 20.0), (0.0, 10.0)]
    starts = [np.array([1.0, 1.0]), np.array([1.0, 0.0])]
    found = min(
        (scipy.optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts),
        key=lambda r: r.fun,
    )
    return float(found.x[0]), float(found.x[1])


def choose_scales(
    phi: Array, psi: Array, target: Array, *, prefer_exits: bool = False, link: Link = ONE_OF
) -> tuple[float, float, bool]:
    """The scalars a, s, and whether accuracy changed what likelihood alone would choose: see the module's docstring.

    "About as likely" is within half a standard error of the mean difference (Breiman et al. 1984 take a whole one); "no less accurate"
    is within one of the difference of right answers (McNemar 1947). There always is such a ratio: 0 answers as φ does, and a very large
    one as ψ does.

    Parameters
    ----------
    prefer_exits
        Let accuracy decide instead of likelihood: nearest to 1 of all ratios about as accurate as the most accurate one.
        Probabilities may get worse, as far as calibration cannot correct them.

    Examples
    --------
    >>> phi = np.array([[0.0, 9.0]] * 9 + [[1.0, 0.0]] * 36 + [[0.0, 1.0]] * 45)  # very sure of nine texts, and wrong
    >>> psi = np.array([[1.0, 0.0]] * 45 + [[0.0, 1.0]] * 45)
    >>> a, s, moved = choose_scales(phi, psi, np.eye(2)[[0] * 45 + [1] * 45])
    >>> int((a * phi + s * psi).argmax(axis=1)[0])
    0
    """
    y = link.right(target)
    ratios = [0.0, *np.geomspace(1 / 16, 16, 33).tolist(), 1e4]
    scales = [sharpened(1 / max(ratio, 1.0), min(ratio, 1.0), phi, psi, target, link) for ratio in ratios]
    losses = np.array([calibrated_losses(a * phi + s * psi, target, link) for a, s in scales])  # (n_ratios, n_texts)
    # Of several labels per text, each is an answer of its own.
    right = np.array([(link.answer(phi + ratio * psi) == y).ravel() for ratio in ratios])  # (n_ratios, n_answers)
    accurate = ~_is_worse(right, right[0]) & ~_is_worse(right, (link.answer(psi) == y).ravel())
    accurate |= right.sum(axis=1) == right.sum(axis=1).max()  # where ψ ties exactly, φ decides, for better or worse
    # What is 8 times as large as expected is as likely as what is larger still: 0 must be possible.
    pull = (np.log(np.clip(np.array(ratios) / USUAL, 1 / 8, 8)) / DOUBT) ** 2 / 2
    unlikely = losses.mean(axis=1) + pull / len(y)
    best = int(unlikely.argmin())
    spread = (losses - losses[best]).std(axis=1) / np.sqrt(len(y))
    likely = unlikely - unlikely[best] <= 0.5 * spread + 1e-12
    if prefer_exits:
        likely = ~_is_worse(right, right[right.sum(axis=1).argmax()], by=0.5)
    likely[best + 1 :] = False  # ψ never weighs more than likelihood asks for
    distance = np.abs(np.log(np.maximum(ratios, 1e-4)))
    if (likely & accurate).any():
        chosen = int(np.where(likely & accurate, distance, np.inf).argmin())
    else:
        chosen = int(np.where(accurate, unlikely, np.inf).argmin())
    moved = chosen != int(np.where(likely, distance, np.inf).argmin())
    return (*scales[chosen], moved)


def _is_worse(right: Array, part: Array, by: float = 1.0) -> Array:
    """Whether each row of right answers, (n_ratios, n_texts), falls behind another by more than `by` standard errors."""
    gained, lost = (right & ~part).sum(axis=1), (~right & part).sum(axis=1)
    return np.asarray(lost - gained > by * np.sqrt(lost + gained))


def calibrated_losses(logits: Array, target: Array, link: Link) -> Array:
    """Loss of each text after the calibration that predictions get: what that corrects, the ratio need not correct."""
    if link.several:
        return bent_losses(logits, link.right(target), target)
    temperature = fit_temperature(logits, link.right(target), link)
    return link.losses(logits / temperature.of(link.lead(logits))[:, None], target)


def sharpened(a: float, s: float, phi: Array, psi: Array, target: Array, link: Link) -> tuple[float, float]:
    """Both scalars times the factor that makes the targets likeliest, at most 5 and pulled weakly towards 1; answers stay the same."""
    logits = a * phi + s * psi
    found = scipy.optimize.minimize_scalar(
        lambda log: float(link.losses(math.exp(log) * logits, target).sum()) + 0.5 * log**2,
        bounds=(-math.log(50), math.log(5)),
        method="bounded",
    )
    factor = math.exp(found.x)
    return a * factor, s * factor
