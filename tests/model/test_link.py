"""What logits mean: torch's loss bit for bit, gradients that are gradients, and a flip margin that no ψ gets across."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rulenet.model.link import ONE_OF

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(scale=3.0, size=(50, 4))
Y = RNG.integers(0, 4, 50)
TARGET = ONE_OF.targets(Y, 4)


def test_the_loss_of_tensors_is_torchs_cross_entropy_to_the_last_bit() -> None:
    torch = pytest.importorskip("torch")

    def loss_and_gradient(loss: Any, target: Any) -> tuple[Any, Any]:
        logits = torch.tensor(LOGITS, dtype=torch.float32, requires_grad=True)
        value = loss(logits, torch.tensor(target, dtype=torch.float32))
        value.backward()
        return value.detach(), logits.grad

    for target in (TARGET, ONE_OF.proba(LOGITS[::-1]), 0.3 * TARGET):
        losses = ONE_OF.tensor_loss, torch.nn.functional.cross_entropy
        ours, theirs = (loss_and_gradient(loss, target) for loss in losses)
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_losses_and_residual_by_hand_and_by_differences() -> None:
    target = TARGET * np.linspace(0.1, 1.0, 50)[:, None]
    expected = -np.log(ONE_OF.proba(LOGITS)[np.arange(50), Y]) * np.linspace(0.1, 1.0, 50)
    np.testing.assert_allclose(ONE_OF.losses(LOGITS, target), expected)
    loss, residual = ONE_OF.loss_and_residual(LOGITS, target, ONE_OF.mass(target))
    assert loss == pytest.approx(expected.sum())
    step = np.zeros_like(LOGITS)
    step[7, 2] = 1e-6
    more, less = (ONE_OF.losses(LOGITS + sign * step, target).sum() for sign in (1, -1))
    assert residual[7, 2] == pytest.approx((more - less) / 2e-6, abs=1e-6)


def test_targets_and_answers() -> None:
    assert ONE_OF.right(TARGET).tolist() == ONE_OF.strata(TARGET).tolist() == Y.tolist()
    assert ONE_OF.answer(TARGET).tolist() == Y.tolist()
    assert not ONE_OF.changed(LOGITS, 2 * LOGITS).any()
    assert ONE_OF.changed(LOGITS, -LOGITS).all()
    logits = np.array([[5.0, 0.0], [0.1, 0.0], [0.0, 3.0]])
    assert ONE_OF.confident(logits, 0.9).tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]


def test_of_equal_logits_the_first_is_the_answer_and_is_explained_against_the_second() -> None:
    first, second = ONE_OF.against(np.array([[1.0, 1.0, 0.0], [0.0, 3.0, 3.0]]))
    assert (first.tolist(), second.tolist()) == ([0, 1], [1, 2])
    assert ONE_OF.answer(np.array([[1.0, 1.0, 0.0]])).tolist() == [0]


def test_psi_cannot_cross_the_flip_margin() -> None:
    bound, scale = 3.0, 0.5
    margin = ONE_OF.flip_margin(bound, scale)
    assert margin == 2 * scale * bound
    worst = LOGITS + scale * bound * (1 - 2 * ONE_OF.targets(ONE_OF.answer(LOGITS), 4))
    crossed = ONE_OF.changed(LOGITS, worst)
    assert (ONE_OF.lead(LOGITS)[crossed] < margin).all()
    assert (ONE_OF.lead(LOGITS)[~crossed] >= margin).all()  # and it can reach as far as that
    assert ONE_OF.flip_margin(None, scale) == math.inf
