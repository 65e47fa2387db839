"""`rulenet evaluate`: figures that can be checked by hand, for a model whose answers are known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.cli.evaluate import judge, show_confusion
from rulenet.cli.main import app
from rulenet.model.hybrid import HeldOut
from tests.cli.conftest import run, write_csv

RULES = RuleSet.from_yaml(
    "{rulenet: 1, rules: [{id: s, label: b, word: strong, weight: 4, pin: true}, {id: w, label: b, word: weak, weight: 1, pin: true}]}"
)


@pytest.fixture
def clf() -> RuleNetClassifier:
    """Says b: for "strong" by 4, for "weak" by 1. Held-out texts: of strong ones 196 in 200 are b, of weak ones 146 in 200."""
    clf = RuleNetClassifier(RULES, None, recipe=Recipe.of(tfidf=False)).fit(["x"] * 4, ["a", "b"] * 2)
    phi = np.array([[0.0, 4.0]] * 200 + [[0.0, 1.0]] * 200)
    y = np.array([1] * 196 + [0] * 4 + [1] * 146 + [0] * 54)
    clf.predictor_ = clf.predictor_.with_hybrid(
        replace(clf.predictor_.hybrid, held_out=HeldOut(phi, np.zeros_like(phi), y))
    )
    return clf


def test_figures_by_hand(clf: RuleNetClassifier) -> None:
    # Names as they come: a is class 0, b is class 1. Three strong texts are b; of two weak ones, one is.
    texts, y = ["strong", "weak", "strong", "weak", "strong"], [1, 0, 1, 1, 1]
    found = judge(clf, texts, np.array(y))
    assert (found["texts"], found["accuracy"]) == (5, 0.8)
    assert found["labels"]["b"] == {"precision": 0.8, "recall": 1.0, "f1": pytest.approx(8 / 9), "texts": 4}
    assert found["labels"]["a"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "texts": 1}
    assert found["paths"] == {"rules": {"texts": 5, "accuracy": 0.8}}
    # Temperature 1: sure of 0.98 three times, right each time; of 0.73 twice, right once.
    strong, weak = 1 / (1 + np.exp(-4)), 1 / (1 + np.exp(-1))
    assert found["ece"] == pytest.approx((3 * (1 - strong) + 2 * (weak - 0.5)) / 5, abs=0.01)
    # At 95 % both labels are plausible for a weak text, only b for a strong one.
    assert found["label_sets"] == {"asked": 0.95, "coverage": 1.0, "mean_size": 1.4}


def test_text_and_json_say_the_same(clf: RuleNetClassifier, tmp_path: Path) -> None:
    clf.save(tmp_path / "model")
    (tmp_path / "t.csv").write_text("text,label\nstrong,b\nweak,a\nstrong,b\nweak,b\nstrong,b\n")
    runner = CliRunner()
    found = json.loads(
        runner.invoke(app, ["evaluate", str(tmp_path / "model"), str(tmp_path / "t.csv"), "--json"]).stdout
    )
    assert (found["accuracy"], found["label_sets"]["mean_size"]) == (0.8, 1.4)
    shown = runner.invoke(app, ["evaluate", str(tmp_path / "model"), str(tmp_path / "t.csv")]).stdout
    assert "accuracy 0.8000, macro F1 0.4444, 5 texts\n" in shown
    assert f"probabilities are off by {found['ece']:.1%} on average (ECE)\n" in shown
    assert (
        "label sets for a coverage of 95% contain the correct label of 100.0% of the texts, with 1.40 labels on average\n"
        in shown
    )
    assert "ψ skipped" not in shown  # there is one path only


def test_each_path_is_judged(tiny_encoder: str, tmp_path: Path) -> None:
    texts = ["strong", "strong goal", "weak", "nothing", "weak oil"] * 2
    clf = RuleNetClassifier(
        RULES, tiny_encoder, cascade="certified", recipe=Recipe.of(epochs=1, tfidf=False), device="cpu"
    )
    clf.fit(texts, ["b", "b", "a", "a", "b"] * 2)
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, phi_scale=1.0, psi_scale=0.5))
    skipped = clf.predict_with_path(texts)[1]
    assert 0 < skipped.sum() < len(texts)
    found = judge(clf, texts, np.array([1, 1, 0, 0, 1] * 2))
    right = clf.predict(texts) == np.array(["b", "b", "a", "a", "b"] * 2)
    assert found["paths"]["rules"] == {"texts": int(skipped.sum()), "accuracy": right[skipped].mean()}
    assert found["paths"]["hybrid"] == {"texts": int((~skipped).sum()), "accuracy": right[~skipped].mean()}
    assert found["label_sets"] is None
    clf.save(tmp_path / "model")
    (tmp_path / "t.csv").write_text("text,label\n" + "\n".join(f"{text},b" for text in [*texts, "b", "a"]) + "\nx,a\n")
    shown = CliRunner().invoke(app, ["evaluate", str(tmp_path / "model"), str(tmp_path / "t.csv")]).stdout
    assert "φ + ψ: " in shown
    assert "φ alone, ψ skipped: " in shown


def test_evaluate_counts_right_ones(folder: Path, tmp_path: Path) -> None:
    # Three of four right: one billing text is called delivery.
    rows = [("parcel", "delivery"), ("money", "billing"), ("money", "billing"), ("parcel", "billing")]
    data = json.loads(run("evaluate", folder / "model", write_csv(tmp_path / "t.csv", rows), "--json").stdout)
    assert (data["texts"], data["accuracy"]) == (4, 0.75)
    assert data["labels"]["billing"] == {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "texts": 3}
    assert data["labels"]["delivery"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "texts": 1}
    assert data["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    shown = run("evaluate", folder / "model", tmp_path / "t.csv").stdout
    assert re.search(r"billing +1\.000 +0\.667 +0\.800 +3", shown)
    assert "accuracy 0.7500, macro F1 0.7333, 4 texts" in shown


def test_evaluate_on_a_file_of_one_class(folder: Path, tmp_path: Path) -> None:
    data = json.loads(
        run("evaluate", folder / "model", write_csv(tmp_path / "t.csv", [("parcel", "delivery")]), "--json").stdout
    )
    assert (data["accuracy"], data["labels"]["billing"]["texts"]) == (1.0, 0)


def test_what_is_taken_for_what_and_the_surest_mistakes(clf: RuleNetClassifier, tmp_path: Path) -> None:
    clf.save(tmp_path / "model")
    rows = [
        ("strong", "b"),
        ("weak\n and  \x1b[31mred " + "x" * 200, "a"),
        ("strong again", "a"),
        ("nothing", "a"),
        ("weak", "b"),
    ]
    data = write_csv(tmp_path / "t.csv", rows)
    found = json.loads(run("evaluate", tmp_path / "model", data, "--json").stdout)
    assert found["confusion"] == [[1, 2], [0, 2]]
    assert [one["text"][:6] for one in found["mistakes"]] == ["strong", "weak\n "]
    shown = run("evaluate", tmp_path / "model", data).stdout
    assert re.search(
        r"Confusion matrix: labels on the left, answers above\n +a +b *\n *a +1 +2 *\n *b +· +2 *\n", shown
    )
    first, second = shown.partition("Surest mistakes\n")[2].splitlines()
    assert re.fullmatch(r"row \d: b \(\d\d%\), labelled a: strong again", first)
    assert second.endswith("x…")
    assert "\x1b" not in second
    assert "Surest" not in run("evaluate", tmp_path / "model", data, "--mistakes", 0).stdout


def test_of_many_labels_the_most_frequent_confusions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"label{i}" for i in range(12)]
    counts = [[5 * (i == j) + (i == 3 and j == 7) * 2 + (i == 0 and j == 1) for j in range(12)] for i in range(12)]
    show_confusion(names, counts)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "2 texts labelled label3: answer label7",
        "1 text labelled label0: answer label1",
    ]
