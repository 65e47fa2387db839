"""The training report: what curves, recipe and report say of a run, in words, tables and lines."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from rulenet import Recipe, RuleNetClassifier
from rulenet.base.drawing import Plot
from rulenet.errors import RuleNetError
from rulenet.explain.training_report import Stage, TrainingReport
from rulenet.training.objectives import MaskedLM, Supervised
from rulenet.training.report import Report


def point(stage: str, epoch: int, loss: float, score: float | None = None, **terms: float) -> dict[str, Any]:
    held_out = None if score is None else 1 - score
    found = {"stage": stage, "epoch": epoch, "train_loss": loss, "held_out_loss": held_out, "accuracy": score}
    return {**found, "macro_f1": score, "learning_rate": 1e-4 / epoch, "terms": terms}


REPORT = {
    **asdict(Report(n_texts=100, n_unlabeled=50, encoder="minilm", epochs=3, best_epoch=2, psi_scale=0.0)),
    "held_out": {"texts": 25.0, "phi": 0.7, "psi": 0.6, "hybrid": 0.8},
    "overfitting": "overfitting: after epoch 2",
    "curves": [
        point("Contrastive", 1, 2.5, Contrastive=2.5),
        point("fine-tuning", 1, 1.0, 0.5, Supervised=0.9, MaskedLM=8.0),
        point("fine-tuning", 2, 0.75, 0.8, Supervised=0.5, MaskedLM=2.0),
        point("fine-tuning + φ", 3, 1.5, 0.7, Supervised=1.0, MaskedLM=4.0),
    ],
    "unsupervised": [{"objective": "MaskedLM", "judges": 20, "before": {"perplexity": 40.0}, "after": {"perplexity": 10.0}}],
    "calibration": {"ece": 0.05, "reliability": [{"texts": 25, "confidence": 0.9, "accuracy": 0.8}], "texts": 25},
    "settled": {"C": 10.0},
    "seconds": {"psi": 3.0},
}  # fmt: skip
RECIPE = Recipe.of(objectives=[Supervised(), MaskedLM(weight=0.5)], alpha=0.75, C=10.0, max_length=64)


def test_what_a_report_says() -> None:
    found = TrainingReport.of(REPORT, RECIPE)
    assert found.stages == [
        Stage("Contrastive", 1, (2.5, 2.5), None, None, None, 1e-4, is_kept=False),
        Stage("fine-tuning", 2, (1.0, 0.75), pytest.approx(0.2), 0.8, 0.8, 1e-4, is_kept=True),
        Stage("fine-tuning + φ", 1, (1.5, 1.5), pytest.approx(0.3), 0.7, 0.7, pytest.approx(1e-4 / 3), is_kept=False),
    ]
    shares = {(one.objective, one.stage): (one.weight, one.loss, one.share) for one in found.objectives}
    assert shares["MaskedLM", "fine-tuning"] == (0.125, (8.0, 2.0), 0.4)  # 0.125 · 2 of 0.75 · 0.5 + 0.125 · 2
    assert shares["Contrastive", "Contrastive"] == (1.0, (2.5, 2.5), 1.0)
    assert found.recipe.keys() == {"objectives", "alpha", "max_length"}  # C was settled
    said = " ".join(found.findings)
    for words in (
        "The weights of epoch 2 of 3 are kept", "overfitting: after epoch 2", "+10.0 points on 25 held-out texts",
        "within about 16.0 points", "ψ is silent", "MaskedLM, on 20 texts", "perplexity 40 → 10", "off by 5.0%",
    ):  # fmt: skip
        assert words in said, words
    assert json.loads(json.dumps(found.to_dict()))["stages"][1]["train_loss"] == [1.0, 0.75]


def test_stages_one_after_another_begin_to_count_again() -> None:
    """Epoch 3 of all is the first of the second stage."""
    one, two = (
        {"name": name, "epochs": 2, "held_out_loss": None, "accuracy": None, "trained": 0.1} for name in ("a", "b")
    )
    curves = [point("Contrastive", 1, 2.0), *(point(stage, n, 1.0, 0.5) for stage in ("1. a", "2. b") for n in (1, 2))]
    changed = {"curves": curves, "epochs": 4, "best_epoch": 3, "stages": [one | {"kept": False}, two | {"kept": True}]}
    found = TrainingReport.of({**REPORT, **changed}, RECIPE)
    assert [stage.is_kept for stage in found.stages] == [False, False, True]
    assert "stage 2, b: 2 epochs, 10.00% of the encoder trained, kept" in found.findings
    student = {"teachers": 2, "texts": 30, "agreement": 0.975}
    said = "It learned from 2 teachers on 30 texts and gives their answer to 97.5% of other texts."
    assert said in TrainingReport.of({**REPORT, "distillation": student}, RECIPE).findings
    averaged = TrainingReport.of({**REPORT, "averaged": True}, RECIPE)
    assert averaged.findings[0].startswith("The average of the weights of the last steps is kept")


def test_the_courses_of_a_stage() -> None:
    """One epoch makes no line; what is another loss is a line of its own."""
    plots = {plot.title: plot for plot in TrainingReport.of(REPORT, RECIPE).courses() if isinstance(plot, Plot)}
    assert list(plots) == [
        f"fine-tuning: {what}" for what in ("loss", "loss of each objective", "held-out texts", "learning rate")
    ]
    curves = {curve.name: curve.points for curve in plots["fine-tuning: loss"].shown()}
    assert curves["training texts"] == [(1, 1.0), (2, 0.75)]
    assert curves["the same and φ's own loss"] == [(3, 1.5)]
    assert len(curves["held-out texts"]) == 3
    assert plots["fine-tuning: loss"].cuts == [(3, "φ learns")]


def test_it_is_drawn_for_every_model_also_an_older_one() -> None:
    found = TrainingReport.of(REPORT, RECIPE)
    for shown in (str(found), found.to_page(), found.to_html()):
        for words in ("Stage by stage", "MaskedLM", "60.0%", "fine-tuning + φ", "How true the probabilities are"):
            assert words in shown, words
    assert found.to_page().count("<svg") == 5
    old = {name: value for name, value in REPORT.items() if name in ("n_texts", "held_out", "settled")}
    assert "trained on 100 labelled texts φ alone" in str(TrainingReport.of(old, Recipe()))


def test_a_classifier_has_one() -> None:
    clf = RuleNetClassifier(encoder=None)
    with pytest.raises(RuleNetError, match="not fitted yet"):
        clf.training_report()
    clf.fit(["a goal", "the match", "oil price", "a bank"], ["s", "s", "b", "b"])
    assert "trained on 4 labelled texts φ alone" in str(clf.training_report())
