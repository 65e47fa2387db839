"""What training makes small. Imports torch."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy


def joint_loss(phi: Tensor, psi: Tensor, target: Tensor, *, psi_loss: float, phi_loss: float = 0.0) -> Tensor:
    """CE(φ + ψ) + λ₁ CE(ψ) + λ₂ CE(φ), averaged over the batch.

    Where φ is fixed, the third term has no gradient and is left out: λ₂ = 0.

    Parameters
    ----------
    phi, psi
        Shape (B, K).
    target
        Target distribution, shape (B, K); a row that sums to w < 1 counts w.
    psi_loss, phi_loss
        λ₁ and λ₂: keep each part able to stand alone.

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
    if phi_loss:
        loss = loss + phi_loss * cross_entropy(phi, target)
    return loss
