"""What training makes small. Imports link; torch."""

from __future__ import annotations

from torch import Tensor

from rulenet.model.link import ONE_OF, Link


def joint_loss(
    phi: Tensor, psi: Tensor, target: Tensor, *, psi_loss: float, phi_loss: float = 0.0, link: Link = ONE_OF
) -> Tensor:
    """CE(φ + ψ) + λ₁ CE(ψ) + λ₂ CE(φ), averaged over the batch; CE is the loss of the link.

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
    loss: Tensor = link.tensor_loss(phi + psi, target)
    if psi_loss:
        loss = loss + psi_loss * link.tensor_loss(psi, target)
    if phi_loss:
        loss = loss + phi_loss * link.tensor_loss(phi, target)
    return loss
