"""Policy: when ψ is skipped, and how sure an answer is. Both follow from held-out logits, in `new_policy`.

Imports calibration, cascade and model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rulenet.base.types import Array
from rulenet.decide.calibration import Calibration, calibrate
from rulenet.decide.cascade import Cascade, choose
from rulenet.decide.per_label import LabelCalibration
from rulenet.errors import ParameterError
from rulenet.model.hybrid import Hybrid
from rulenet.model.link import AnyOf, Link


@dataclass(frozen=True)
class Policy:
    """When a fitted model skips ψ, and what its probabilities are worth."""

    mode: str  # as asked for
    risk: float  # as asked for
    cost_ratio: float | None  # time of φ over time of ψ for a text; None: not known
    cascade: Cascade  # as granted
    calibration: Calibration | LabelCalibration | None  # None without held-out texts that have labels
    link: Link

    def skips(self, phi: Array) -> Array:
        """Whether ψ is skipped for texts with these a·φ, shape (n_texts,)."""
        return np.asarray(self.link.lead(phi) > self.cascade.margin)

    def probabilities(self, logits: Array, skipped: Array) -> Array:
        """Probability of each label, shape (n_texts, n_classes), calibrated where that is possible."""
        if self.calibration is not None:
            return self.calibration.probabilities(logits, skipped)
        return self.link.proba(logits)

    def accepted(self, logits: Array, skipped: Array, *, error: float, per_class: bool = False) -> Array:
        """Which answers of a calibrated model to give: see `Calibration.accepted`."""
        calibration, proba = self.calibration, self.probabilities(logits, skipped)
        if isinstance(calibration, LabelCalibration):
            return calibration.accepted(proba, self.link.answer(logits), error=error, per_class=per_class)
        if calibration is None:
            raise ParameterError("the model has no calibration: calibrate it with labelled texts")
        return calibration.accepted(proba, error=error, per_class=per_class)


def new_policy(
    hybrid: Hybrid, mode: str = "off", risk: float = 0.005, *, cost_ratio: float | None = None,
    before: tuple[Hybrid, Policy] | None = None,
) -> Policy:  # fmt: skip
    """The policy of a fitted model.

    `before` is the model and the policy that these come from: a calibration that would be the same is not fitted again.
    """
    held_out, link = hybrid.held_out, hybrid.link
    phi = psi = None
    if held_out is not None:
        phi, psi = hybrid.phi_scale * held_out.phi, hybrid.psi_scale * held_out.psi
    cascade = choose(
        mode, risk, bound=hybrid.psi.bound if hybrid.psi else None, phi=phi, psi=psi,
        psi_scale=hybrid.psi_scale if hybrid.is_neural else 0.0, is_stale=held_out is not None and held_out.is_stale,
        cost_ratio=cost_ratio, link=link,
    )  # fmt: skip
    calibration: Calibration | LabelCalibration | None = None
    if before is not None and before[1].cascade.margin == cascade.margin and _calibrate_alike(before[0], hybrid):
        calibration = before[1].calibration
    elif held_out is not None and phi is not None and psi is not None and (held_out.y >= 0).any():
        known = (held_out.y >= 0).reshape(len(held_out.y), -1).any(axis=1)
        skipped = link.lead(phi) > cascade.margin if hybrid.is_neural else np.ones(len(phi), dtype=bool)
        logits = phi + np.where(skipped[:, None], 0.0, psi)
        found = logits[known], held_out.y[known], skipped[known]
        calibration = LabelCalibration.of(*found, link.at) if isinstance(link, AnyOf) else calibrate(*found, link)
    return Policy(mode, risk, cost_ratio, cascade, calibration, link)


def _calibrate_alike(a: Hybrid, b: Hybrid) -> bool:
    """Whether two models are calibrated by the same held-out logits."""
    if a.held_out is None or b.held_out is None:
        return False
    scales = [(hybrid.phi_scale, hybrid.psi_scale, hybrid.is_neural, hybrid.link) for hybrid in (a, b)]
    return scales[0] == scales[1] and all(
        getattr(a.held_out, name) is getattr(b.held_out, name) for name in ("phi", "psi", "y")
    )
