"""The average of the last steps' weights: what is averaged, when it is kept, and that a resumed run has the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.training import loop  # noqa: E402
from rulenet.training.objectives.objective import Judged  # noqa: E402
from tests.training import test_checkpoint as resuming  # noqa: E402
from tests.training.runs import state, train_run  # noqa: E402

PLAIN = resuming.RECIPE
RECIPE = PLAIN.with_changes(average=0.6)  # 9 of 15 steps


def test_the_last_steps_count_alike(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen, real = make(), [], loop.add_to_average

    def add(training: Any) -> None:
        real(training)
        seen.append({name: parameter.detach().clone() for name, parameter in training.parameters.items()})

    monkeypatch.setattr(loop, "add_to_average", add)
    outcome = train_run(run, RECIPE)
    assert (outcome.averaged, outcome.best_epoch, len(seen)) == (True, 3, 15)
    for name, value in seen[0].items():
        mean = torch.stack([step[name] for step in seen[6:]]).mean(0)
        now = dict(run["psi"].named_parameters("psi")) | dict(run["phi"].named_parameters("phi"))
        torch.testing.assert_close(now[name].detach(), mean, atol=1e-6, rtol=0, msg=lambda m, n=name: f"{n}: {m}")
        assert value.shape == mean.shape


@pytest.mark.parametrize("worse", [True, False])
def test_it_is_kept_if_held_out_texts_prefer_it(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, worse: bool
) -> None:
    plain, run = make(), make()
    held_out = run["train"].take(np.arange(0, 40, 3))
    before = train_run(plain, PLAIN, held_out)
    real, calls = loop.evaluate, []

    def evaluate(training: Any, rows: Any) -> Judged | None:
        calls.append(1)
        judged = real(training, rows)
        return judged._replace(losses=judged.losses + (9 if worse else -9)) if judged and len(calls) == 4 else judged

    monkeypatch.setattr(loop, "evaluate", evaluate)
    outcome = train_run(run, RECIPE, held_out)
    assert (outcome.averaged, outcome.held_out_loss) == (not worse, before.held_out_loss)
    assert all(torch.equal(value, state(plain)[name]) for name, value in state(run).items()) == worse


@pytest.mark.slow
def test_a_resumed_run_has_the_same_average(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Broken off after 8 of 15 steps, 2 of them in the average."""
    monkeypatch.setattr(resuming, "RECIPE", RECIPE)
    whole, broken, resumed = make(), make(), make()
    outcome = resuming.train(whole)
    resuming.break_off(monkeypatch, 8, broken, tmp_path)
    assert resuming.train(resumed, tmp_path, resume=True) == outcome
    assert all(torch.equal(value, state(whole)[name]) for name, value in state(resumed).items())
