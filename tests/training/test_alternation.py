"""Stages: what is trained from where, what is kept, when it ends, and how it goes on after a break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.errors import ParameterError  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training.job import has_checkpoint, remove  # noqa: E402
from rulenet.training.objectives.objective import Judged  # noqa: E402
from rulenet.training.tuning import LoRA  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import TARGET, TEXTS  # noqa: E402

LABELS = np.where(TARGET[:, 0] > 0, "money", "sport")
RECIPE = Recipe.of(
    stages=["prompt", LoRA(r=2), "prompt", LoRA(r=2)], epochs=2, batch_texts=16, max_length=32, joint_epochs=1, precision="float32",
    word_vectors=None, learning_rate=1e-2,
)  # fmt: skip


def fit(
    encoder: str, recipe: Recipe = RECIPE, work_dir: Path | None = None, *, resume: bool = False, n: int = 80
) -> Any:
    clf = RuleNetClassifier(None, encoder, recipe=recipe, random_state=0, work_dir=work_dir)
    return clf.fit((TEXTS * 2)[:n], np.tile(LABELS, 2)[:n], resume=resume)


@pytest.mark.parametrize(
    ("losses", "kept"),
    [
        # Of the start, then of both epochs, then the same of the next stage.
        ([1.0, 0.9, 0.8, 0.8, 0.7, 0.7, 0.7, 0.6, 0.6, 0.6, 0.5, 0.5], [True] * 4),
        ([1.0, 1.1, 1.1, 1.0, 0.7, 0.7, 0.7, 0.6, 0.6, 0.6, 0.9, 0.9], [False, True, True, False]),
        ([1.0, 1.1, 1.1, 1.0, 1.2, 1.2], [False, False]),  # nothing helps: the others are not tried
        ([1.0, 0.9, 0.8, 0.8, 1.0, 1.0, 0.8, 1.0, 1.0], [True, False, False]),  # nor is LoRA again
    ],
)
def test_a_stage_goes_on_from_the_best_and_counts_if_it_helps(
    tiny_encoder: str, monkeypatch: pytest.MonkeyPatch, losses: list[float], kept: list[bool]
) -> None:
    script, seen = iter(losses), []

    def scripted(run: Any, _: Any) -> Judged:
        seen.append((run.stage, run.at.steps, run.psi.from_text.weight.detach().clone()))
        return Judged(np.full(4, next(script)), 0.5, 0.4)

    monkeypatch.setattr(loop, "evaluate", scripted)
    clf = fit(tiny_encoder, RECIPE.with_changes(joint_epochs=0))
    assert list(script) == []
    lines = clf.report_["stages"]
    assert [line["kept"] for line in lines] == kept
    assert [line["name"] for line in lines] == ["prompt", "lora", "prompt", "lora"][: len(kept)]
    assert all(0 < line["trained"] < 0.3 for line in lines)
    begun = {stage: weight for stage, steps, weight in seen if not steps}
    epochs = [(stage, weight) for stage, steps, weight in seen if steps]
    best = next(iter(begun.values()))
    for number, (line, start) in enumerate(zip(lines, begun.values(), strict=True)):
        assert torch.equal(start, best)
        best = epochs[2 * number + 1][1] if line["kept"] else best  # of equal epochs the later one is kept
    assert clf.report_["best_epoch"] == 2 * max((i for i, helped in enumerate(kept, start=1) if helped), default=0)


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [3, 4])  # the first of the second stage, of which nothing is kept yet, and the second
def test_a_run_goes_on_in_the_stage_where_it_was_broken_off(
    tiny_encoder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, epoch: int
) -> None:
    whole, stages = fit(tiny_encoder), []
    train_epoch = loop.train_epoch

    def noted(run: Any, train: Any) -> float:
        stages.append(run.stage)
        return train_epoch(run, train)

    work = tmp_path / "work"
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_epoch", before_call(epoch, train_epoch, raising(OSError("broken off"))))
        with pytest.raises(OSError, match="broken off"):
            fit(tiny_encoder, work_dir=work)
    assert has_checkpoint(work)
    monkeypatch.setattr(loop, "train_epoch", noted)
    resumed = fit(tiny_encoder, work_dir=work, resume=True)
    assert stages[0] == "2. lora"
    assert resumed.report_["stages"] == whole.report_["stages"]
    np.testing.assert_array_equal(resumed.decision_function(TEXTS), whole.decision_function(TEXTS))
    remove(work)
    assert not has_checkpoint(work)
    resumed.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    np.testing.assert_allclose(twin.decision_function(TEXTS), whole.decision_function(TEXTS), atol=1e-5)
    assert twin.report_["stages"] == whole.report_["stages"]


def test_what_cannot_be_judged_or_would_learn_nothing_is_refused(tiny_encoder: str) -> None:
    with pytest.raises(
        ParameterError, match=r"of 30 labelled texts none are held out \(40 are needed\); use tune instead"
    ):
        fit(tiny_encoder, n=30)
    for fields, what in (
        ({"epochs": None}, "stages"),
        ({"epochs": None, "stages": (), "prompt_tokens": 2}, "a soft prompt"),
    ):
        with pytest.raises(
            ParameterError, match=rf"fewer than 80 labelled texts get no epochs .* {what} would .* give epochs"
        ):
            fit(tiny_encoder, RECIPE.with_changes(**fields), n=50)
    with pytest.raises(ParameterError, match=r"stages with SoftPrompt\(\) adapts what an encoder knows"):
        fit("scratch")
