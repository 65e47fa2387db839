"""What logits mean: torch's loss, bit for bit for one label; gradients that are gradients; a flip margin that no ψ gets across."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rulenet.model.link import ANY_OF, ONE_OF, AnyOf

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


SEVERAL = RNG.integers(0, 2, (50, 4))
SIGNED = ANY_OF.targets(SEVERAL, 4)


def test_several_labels_have_torchs_binary_loss_and_its_gradient() -> None:
    weight = np.linspace(0.1, 1.0, 50)[:, None]
    p = 1 / (1 + np.exp(-LOGITS))
    expected = -(weight * np.where(SEVERAL > 0, np.log(p), np.log(1 - p))).sum(axis=1)
    np.testing.assert_allclose(ANY_OF.losses(LOGITS, weight * SIGNED), expected)
    loss, residual = ANY_OF.loss_and_residual(LOGITS, weight * SIGNED, ANY_OF.mass(SIGNED))
    assert loss == pytest.approx(expected.sum())
    np.testing.assert_allclose(residual, weight * (p - SEVERAL))
    assert np.isfinite(ANY_OF.losses(1e5 * LOGITS, SIGNED)).all()
    torch = pytest.importorskip("torch")
    logits = torch.tensor(LOGITS, dtype=torch.float32, requires_grad=True)
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, torch.tensor(SEVERAL).float(), reduction="sum"
    )
    assert ANY_OF.tensor_loss(logits, torch.tensor(SIGNED).float()).item() == pytest.approx(
        theirs.item() / 50, rel=1e-6
    )


def test_targets_of_several_labels_know_what_is_not_known() -> None:
    y = np.array([[1, 0, -1], [0, 0, 0], [-1, -1, -1]])
    target = ANY_OF.targets(y, 3)
    assert ANY_OF.right(target).tolist() == y.tolist()
    assert ANY_OF.mass(2 * target).tolist() == [2, 2, 0]
    assert ANY_OF.positive(target).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert ANY_OF.confident(np.array([[9.0, -9.0, 0.1]]), 0.9).tolist() == [[1, -1, 0]]
    rare = np.zeros((40, 2))
    rare[:20, 0], rare[:3, 1] = 1, 1
    assert np.bincount(ANY_OF.strata(2 * rare - 1)).tolist() == [17, 0, 23]  # three texts are too few for a stratum


def test_psi_cannot_cross_the_flip_margin_of_any_label() -> None:
    link, bound, scale = AnyOf((0.5, -1.0, 0.0, 2.0)), 1.5, 0.5
    margin = link.flip_margin(bound, scale)
    assert margin == scale * bound
    assert link.flip_margin(None, scale) == math.inf
    worst = LOGITS + scale * bound * (1 - 2 * link.answer(LOGITS))
    crossed = link.changed(LOGITS, worst)
    assert crossed.any()
    assert (link.lead(LOGITS)[crossed] <= margin).all()
    assert (link.lead(LOGITS)[~crossed] >= margin).all()
    top, none = link.against(np.array([[0.6, 5.0, 0.2, 2.5]]))
    assert (top.tolist(), none.tolist()) == ([1], [-1])
