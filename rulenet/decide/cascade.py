"""When ψ may be skipped: φ's margin says whether ψ could change the answer at all, or often enough to matter.

Imports errors, link, numpy and scipy.

Certified: |s·ψ_k| ≤ s·B for every label k, so ψ can move the difference of two logits by 2·s·B at most. Where a·φ leads by more than
that, its answer is final.

Statistical: the least margin above which skipping ψ changes at most a share ε of all answers, with 95 % confidence. The share that
changes falls as the margin rises, so one binomial bound for the chosen margin is enough (risk-controlling prediction sets, Bates
et al. 2021): the upper Clopper-Pearson limit of the changes seen on held-out texts.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.stats

from rulenet.base.types import Array
from rulenet.errors import ParameterError
from rulenet.model.link import ONE_OF, Link

MODES = ("off", "certified", "statistical")
CONFIDENCE = 0.95
ROUNDING = 1e-9  # far above what the sums of logits lose to it, far below any margin of use


@dataclass(frozen=True)
class Cascade:
    """When ψ is skipped, and what that is expected to cost and save."""

    mode: str  # ``"off"``, ``"certified"`` or ``"statistical"``, which may be stricter than what was asked for
    margin: float  # ψ is skipped where the largest logit of a·φ leads the second by more than this
    share_skipped: float | None = None  # of the held-out texts, if there are any
    changed: float | None = None  # share of the held-out texts whose answer skipping changes
    risk_bound: float = 0.0  # upper limit of that share, with 95 % confidence
    speed_up: float | None = None  # expected, if φ and ψ were timed
    note: str = ""  # what a user should know, such as why "statistical" could not be granted

    def to_dict(self) -> dict[str, Any]:
        """Plain data; an infinite margin is None, as JSON knows no infinity."""
        return {**asdict(self), "margin": self.margin if math.isfinite(self.margin) else None}


def statistical_margin(phi: Array, psi: Array, risk: float, link: Link = ONE_OF) -> tuple[float, float]:
    """The least margin of φ above which skipping ψ changes at most `risk` of all answers, and the bound there.

    Both follow from a·φ and s·ψ of held-out texts; they are infinite and 1 if there are too few texts to promise anything.

    Examples
    --------
    >>> phi = np.stack([np.linspace(0, 10, 1001), np.zeros(1001)], axis=1)
    >>> margin, bound = statistical_margin(phi, np.where(phi[:, :1] < 2, -3.0, 0.0) * [1.0, 0.0], risk=0.01)
    >>> 1.9 < margin < 2.0, bound <= 0.01
    (True, True)
    """
    n, margin = len(phi), link.lead(phi)
    changed = link.changed(phi, phi + psi)
    order = np.argsort(-margin, kind="stable")
    counts = np.cumsum(changed[order])  # answers changed when the first 1, 2, … texts skip ψ
    allowed = most_changes(n, risk)
    if allowed < 0:
        return math.inf, 1.0
    # Strictly above the margin of the first text that would go too far; ties with it are not skipped.
    stop = int(np.searchsorted(counts, allowed, side="right"))
    at = float(margin[order[stop]]) if stop < n else 0.0
    skipped = margin > at
    return at, upper_limit(int(changed[skipped].sum()), n)


def most_changes(n: int, risk: float) -> int:
    """How many changes among n texts still bound their share by `risk`; -1 if even 0 are too many."""
    return bisect_right(range(n), risk, key=lambda k: upper_limit(k, n)) - 1


def upper_limit(k: int, n: int) -> float:
    """Upper Clopper-Pearson limit, 95 %, one-sided, of a share that was k in n.

    Examples
    --------
    >>> round(upper_limit(0, 598), 4)
    0.005
    """
    return 1.0 if k >= n else float(scipy.stats.beta.ppf(CONFIDENCE, k + 1, n - k))


def texts_needed(risk: float) -> int:
    """Held-out texts without any change from which `risk` can be promised.

    Examples
    --------
    >>> texts_needed(0.005)
    598
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - risk))


def choose(
    mode: str, risk: float, *, bound: float | None, phi: Array | None, psi: Array | None, psi_scale: float,
    is_stale: bool = False, cost_ratio: float | None = None, link: Link = ONE_OF,
) -> Cascade:  # fmt: skip
    """When to skip ψ.

    Parameters
    ----------
    phi, psi
        a·φ and s·ψ of held-out texts, if there are any.
    is_stale
        Rules have changed since the held-out texts were scored, so they no longer promise anything.
    cost_ratio
        Time of φ over time of ψ for a text.
    """
    if mode not in MODES or not 0 < risk < 1:
        raise ParameterError(
            f"cascade={mode!r}, cascade_risk={risk!r}: use 'off', 'certified' or 'statistical', and a share between 0 and 1"
        )
    if mode == "off":
        return Cascade("off", math.inf)
    if psi_scale == 0:
        return Cascade("off", math.inf, note="the model has no ψ to skip: every answer is φ's alone")
    margin, limit, note = link.flip_margin(bound, psi_scale) + ROUNDING, 0.0, ""
    if mode == "statistical":
        if is_stale:
            note = "rules have changed since the margin was chosen; calibrate the model again. Until then only certified exits are taken"
        elif phi is None or psi is None or len(phi) < texts_needed(risk):
            note = (
                f"{0 if phi is None else len(phi)} held-out texts cannot promise a risk of {risk:g}: that takes "
                f"{texts_needed(risk)}; calibrate the model with more texts, which need no labels for this, or allow more risk. "
                "Until then only certified exits are taken"
            )
        else:
            at, at_limit = statistical_margin(phi, psi, risk, link)
            if at < margin:
                margin, limit = at, at_limit
            else:
                note = "certified exits already skip as much as the risk allows, and change nothing"
    granted = "statistical" if limit else "certified"
    if phi is None or psi is None or not len(phi):
        return Cascade(granted, margin, risk_bound=limit, note=note)
    skipped = link.lead(phi) > margin
    changed = skipped & link.changed(phi, phi + psi)
    share = float(skipped.mean())
    speed_up = None if cost_ratio is None else (1 + cost_ratio) / (1 - share + cost_ratio)
    return Cascade(granted, margin, share, float(changed.mean()), limit, speed_up, note)
