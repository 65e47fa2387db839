"""What ψ is trained to make small. Imports torch."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy


def joint_loss(phi: Tensor, psi: Tensor, target: Tensor, *, psi_loss: float) -> Tensor:
    """CE(φ + ψ) + λ₁ CE(ψ), averaged over the batch.

    φ is out-of-fold and fixed here, so a third term λ₂ CE(φ) would have no gradient.

    Parameters
    ----------
    phi, psi
        Shape (B, K).
    target
        Target distribution, shape (B, K); a row that sums to w < 1 counts w.
    psi_loss
        λ₁.

    Examples
    --------
    >>> import torch
    >>> phi, psi = torch.zeros(1, 2), torch.tensor([[0.0, 0.0]])
    >>> round(float(joint_loss(phi, psi, torch.tensor([[0.0, 1.0]]), psi_loss=1.0)), 4)  # 2 ln 2
    1.3863
    """
    loss = cross_entropy(phi + psi, target)
    if psi_loss:
        loss = loss + psi_loss * cross_entropy(psi, target)
    return loss
