"""The loop under strain: batches in parts, memory that runs out, gradients that are not finite."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.errors import RuleNetError, TrainingError  # noqa: E402
from rulenet.model.psi import Psi, is_out_of_memory  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training.objectives.supervised import Supervised, SupervisedTerm  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.run import MAX_SKIPPED, Outcome, new_optimizer  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.training.runs import state, train_run  # noqa: E402

RECIPE = Recipe.of(epochs=2, learning_rate=1e-3, tune=Full(), max_length=32, batch_texts=8, joint_epochs=1)


def train(run: dict[str, Any], recipe: Recipe = RECIPE, seed: int = 0) -> Outcome:
    return train_run(run, recipe, seed=seed)


def assert_close(one: dict[str, Any], two: dict[str, Any], atol: float) -> None:
    for name, value in state(one).items():
        torch.testing.assert_close(state(two)[name], value, atol=atol, rtol=0, msg=lambda m, n=name: f"{n}: {m}")


def out_of_memory_above(monkeypatch: pytest.MonkeyPatch, n: int, error: Exception) -> list[int]:
    """ψ of more than n texts at a time raises; the sizes that were tried."""
    real, tried = Psi.read, []

    def read(self: Psi, inputs: Any, *arguments: Any, **options: Any) -> Any:
        tried.append(len(inputs))
        if len(inputs) > n:
            raise error
        return real(self, inputs, *arguments, **options)

    monkeypatch.setattr(Psi, "read", read)
    return tried


def test_a_batch_in_parts_gives_the_step_of_the_whole(make: Callable[..., Any]) -> None:
    """8 texts in three parts are 3 + 3 + 2: their losses must be weighed by their sizes."""
    whole, parts = make(dropout=0.0), make(dropout=0.0)
    recipe = RECIPE.with_changes(phi_dropout=0.3)
    losses = train(whole, recipe).train_loss
    np.testing.assert_allclose(train(parts, recipe.with_changes(accumulate=3)).train_loss, losses, atol=1e-5)
    assert_close(whole, parts, atol=2e-5)


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_a_batch_that_does_not_fit_is_cut_and_done_again(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    whole, cut = make(dropout=0.0), make(dropout=0.0)
    train(whole)
    tried = out_of_memory_above(monkeypatch, 2, error)
    with pytest.warns(
        UserWarning, match="did not fit into the memory of cpu; batches are computed in [24] parts from now on"
    ) as said:
        train(cut)
    assert len(said) == 2  # 8 → 4 → 2, and then never again
    assert [size for size in tried if size > 2] == [8, 4]
    assert_close(whole, cut, atol=2e-5)


def test_one_text_that_does_not_fit_says_what_to_lower(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(monkeypatch, 0, RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to …"))
    with (
        pytest.warns(UserWarning, match="did not fit"),
        pytest.raises(TrainingError, match=r"a single text of \d+ word pieces .* lower max_length \(32\)"),
    ):
        train(make())


def test_other_errors_are_not_taken_for_want_of_memory(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    out_of_memory_above(monkeypatch, 0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(make())


def test_prediction_halves_its_batches(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run = make()
    rows, phi = run["train"].rows, run["train"].phi
    whole = run["psi"].predict(rows, phi, device="cpu")
    tried = out_of_memory_above(monkeypatch, 10, torch.cuda.OutOfMemoryError("CUDA out of memory"))
    with pytest.warns(UserWarning, match="half as many at a time") as said:
        halved = run["psi"].predict(rows, phi, device="cpu")
    assert [str(warning.message)[:8] for warning in said] == ["40 texts", "20 texts"]
    assert tried == [40, 20, 10, 10, 10, 10]
    np.testing.assert_allclose(halved, whole, atol=1e-6)


def test_prediction_of_one_text_that_does_not_fit(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run = make()
    out_of_memory_above(monkeypatch, 0, MemoryError())
    with pytest.raises(RuleNetError, match=r"one text of \d+ word pieces does not fit into the memory of cpu"):
        run["psi"].predict(run["train"].rows[:1], run["train"].phi[:1], device="cpu")


def spoil_gradients(psi: Psi, calls: set[int]) -> None:
    """The gradient of the head becomes infinite in these calls of backward, counted from 1; the loss stays a number."""
    count = iter(range(1, 1000))
    psi.from_text.weight.register_hook(lambda g: g * float("inf") if next(count) in calls else g)


def test_a_step_without_a_finite_gradient_is_skipped_and_said(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, before = make(), []
    spoil_gradients(run["psi"], {2})
    real = loop.train_step

    def spy(*arguments: Any) -> Any:
        before.append({name: value.clone() for name, value in state(run).items()})
        return real(*arguments)

    monkeypatch.setattr(loop, "train_step", spy)
    with pytest.warns(UserWarning, match=r"norm is (nan|inf) in epoch 1, step 2; the step is skipped"):
        train(run)
    moved = [any(not torch.equal(a[name], b[name]) for name in a) for a, b in pairwise(before)]
    assert moved[:3] == [True, False, True]
    assert all(torch.isfinite(value).all() for value in state(run).values())


def test_several_in_a_row_end_training(make: Callable[..., Any]) -> None:
    run = make()
    spoil_gradients(run["psi"], {2, 3, 5, 6, 7})
    with (
        pytest.warns(UserWarning, match="the step is skipped"),
        pytest.raises(TrainingError, match=r"3 gradients in a row .* epoch 2, step 2; lower learning_rate"),
    ):
        train(run)
    assert MAX_SKIPPED == 3


def test_fused_adamw_leaves_the_step_out_by_itself(make: Callable[..., Any]) -> None:
    """What the loop relies on where asking for the norm would wait for the GPU; fused AdamW exists on CPUs too."""
    run = make()
    terms = [SupervisedTerm(Supervised(), run["phi"])]
    optimizer = new_optimizer(run["psi"], terms, RECIPE, fused=True)
    before = {name: value.clone() for name, value in state(run).items()}
    for parameter in (*run["psi"].parameters(), *run["phi"].parameters()):
        parameter.grad = torch.full_like(parameter, float("nan"))
    optimizer.found_inf = torch.ones(())
    optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in state(run).items())


def test_random_numbers_depend_on_seed_epoch_and_step_alone(make: Callable[..., Any]) -> None:
    runs = [make() for _ in range(3)]
    train(runs[0])
    torch.rand(100)  # what was drawn elsewhere must not matter
    train(runs[1])
    train(runs[2], seed=1)
    one, two, other = map(state, runs)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
