"""The commands on texts with several labels: each works, or says in one line why not."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, label_ranking_average_precision_score, precision_score
from sklearn.preprocessing import MultiLabelBinarizer

from rulenet import RuleNetClassifier
from tests.cli.conftest import complaint, run, table
from tests.test_label_sets import NEW, SETS, TEXTS, TRUE

RULES = """
rulenet: 1
rules:
  - {id: joy, label: joy, word: happy}
  - {id: love, label: love, word: [love, day]}
  - {id: not-joy, label: joy, word: blue, sign: against, weight: -1}
"""
# Some of the labels are wrong, so that figures are not all 1.
GIVEN = [["love"] if i % 9 == 0 else labels for i, labels in enumerate(TRUE)]


@pytest.fixture(scope="module")
def moods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train.csv, new.csv and new.jsonl, rules.yaml, and a model without an encoder."""
    folder = tmp_path_factory.mktemp("moods")
    for name, texts, sets in (("train", TEXTS, SETS), ("new", NEW, GIVEN)):
        with (folder / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows([("text", "label"), *zip(texts, map("|".join, sets), strict=True)])
    rows = [json.dumps({"text": text, "label": labels}) for text, labels in zip(NEW, GIVEN, strict=True)]
    (folder / "new.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "rules.yaml").write_text(RULES)
    options = ("--encoder", "none", "--set", "word_vectors=None", "--rules", folder / "rules.yaml")
    with pytest.warns(UserWarning, match="49 texts have blank cells of labels, read as texts with none of them"):
        shown = run("train", folder / "train.csv", "--several", *options, "--out", folder / "model")
    assert "a threshold for each label, by F1 on 160 texts with 0.91 labels on average\n" in shown.stdout
    return folder


def test_evaluate_agrees_with_scikit_learn(moods: Path) -> None:
    found = json.loads(run("evaluate", moods / "model", moods / "new.jsonl", "--json").stdout)
    clf, binarizer = RuleNetClassifier.load(moods / "model"), MultiLabelBinarizer().fit(SETS)
    Y, answers = binarizer.transform(GIVEN), binarizer.transform(clf.predict(NEW))
    for mean, none in (("macro", 0.0), ("micro", 0.0), ("samples", 1.0)):
        assert found["means"][mean]["f1"] == pytest.approx(f1_score(Y, answers, average=mean, zero_division=none))
    ranking = label_ranking_average_precision_score(Y, clf.predict_proba(NEW))
    assert found["ranking"]["average_precision"] == pytest.approx(ranking)
    assert found["exact_match"] == (answers == Y).all(axis=1).mean() < 1
    precisions = dict(zip(binarizer.classes_, precision_score(Y, answers, average=None), strict=True))
    assert {name: row["precision"] for name, row in found["labels"].items()} == pytest.approx(precisions)
    thresholds = [row["threshold"] for row in found["labels"].values()]
    np.testing.assert_allclose(thresholds, clf.predictor_.link.thresholds)  # type: ignore[attr-defined]
    assert found["without_label"] == sum(not labels for labels in GIVEN)
    worst = found["mistakes"][0]
    assert (worst["label"] in worst["labels"]) != (worst["label"] in worst["answer"])
    assert worst["text"] == NEW[worst["row"] - 1]
    shown = run("evaluate", moods / "model", moods / "new.csv").stdout
    assert f"macro F1 {found['means']['macro']['f1']:.4f}, micro F1" in shown
    assert f"exactly the right labels {found['exact_match']:.4f}; {found['without_label']} texts have none\n" in shown
    assert ", labelled love: " in shown.partition("Surest mistakes\n")[2]


def test_predict_writes_what_train_reads(moods: Path, tmp_path: Path) -> None:
    answers = RuleNetClassifier.load(moods / "model").predict(NEW).tolist()
    rows = table(run("predict", moods / "model", moods / "new.csv", "--all-probabilities").stdout)
    assert [row["predicted_label"] for row in rows] == ["|".join(labels) for labels in answers]
    first = next(row for row in rows if "|" in row["predicted_label"])
    names, shares = first["predicted_label"].split("|"), first["probability"].split("|")
    assert shares == [first[f"probability_{name}"] for name in names]
    lines = run("predict", moods / "model", moods / "new.jsonl", "--json", "--coverage", 0.9, "--reject", 0.05).stdout
    found = [json.loads(line) for line in lines.splitlines()]
    assert {tuple(row["predicted_label"] or ()) for row in found} <= set(answers)
    assert all(isinstance(row["label_set"], list) for row in found)
    given = [row["predicted_label"] for row in found if row["predicted_label"] is not None]
    assert 0 < len(given) <= len(found)
    texts = [
        {"text": row["text"], "label": row["predicted_label"]} for row in found if row["predicted_label"] is not None
    ]
    (tmp_path / "again.jsonl").write_text("\n".join(map(json.dumps, texts)))
    again = json.loads(run("evaluate", moods / "model", tmp_path / "again.jsonl", "--json").stdout)
    assert again["exact_match"] == 1.0
    nearest = table(run("predict", moods / "model", moods / "new.csv", "--uncertain", 3).stdout)
    leads = RuleNetClassifier.load(moods / "model").predictor_.link.lead(
        RuleNetClassifier.load(moods / "model").predictor_.parts(NEW).logits
    )
    assert nearest[0]["text"] == NEW[int(leads.argmin())]


def test_calibrate_chooses_thresholds_and_info_knows_them(moods: Path, tmp_path: Path) -> None:
    shutil.copytree(moods / "model", tmp_path / "model")
    shown = run("calibrate", tmp_path / "model", "--data", moods / "new.csv").stdout
    assert "new thresholds of the labels, by F1 on 60 texts\n" in shown
    before, after = (RuleNetClassifier.load(at / "model").predictor_.link for at in (moods, tmp_path))
    assert before != after
    assert "labels      3: anger, joy, love" in run("info", tmp_path / "model").stdout


def test_rule_statistics_count_sets(moods: Path) -> None:
    alone = json.loads(run("rules", "stats", moods / "rules.yaml", "--data", moods / "new.jsonl", "--json").stdout)
    joy = alone["rules"][0]
    has = [("happy" in text.split(), "joy" in labels) for text, labels in zip(NEW, GIVEN, strict=True)]
    assert (joy["fired"], joy["right"]) == (
        sum(fires for fires, _ in has),
        sum(fires and right for fires, right in has),
    )
    assert {tuple(pair["rules"]) for pair in alone["conflicts"]} <= {("joy", "not-joy")}
    found = json.loads(run("rules", "stats", "--model", moods / "model", "--data", moods / "new.csv", "--json").stdout)
    assert [rule["right"] for rule in found["rules"]] == [rule["right"] for rule in alone["rules"]]
    assert found["rules"][0]["worth"]["weights"]["joy"] > 0
    again = ("rules", "stats", "--model", moods / "model", "--data", moods / "train.csv", "--baseline", moods / "model")
    assert "drift found in 0 of 3 rules" in run(*again).stdout


def test_an_edit_is_previewed_and_phi_solved_again(moods: Path, tmp_path: Path) -> None:
    shutil.copytree(moods / "model", tmp_path / "model")
    (tmp_path / "edited.yaml").write_text(RULES.replace("word: happy", "word: long, weight: 20"))
    told = run(
        "rules", "apply", tmp_path / "model", tmp_path / "edited.yaml", "--sample", moods / "new.csv", "--dry-run"
    )
    assert "~ anger → anger, joy" in told.stdout
    same = run(
        "rules",
        "diff",
        moods / "rules.yaml",
        tmp_path / "edited.yaml",
        "--data",
        moods / "new.jsonl",
        "--model",
        moods / "model",
        status=1,
    )
    assert "~ anger → anger, joy" in same.stdout
    told = run("rules", "apply", tmp_path / "model", "--refit", "phi", "--data", moods / "train.csv")
    assert "φ was solved again with 160 texts" in told.stdout


@pytest.mark.slow
def test_what_does_not_work_says_why_in_one_line(moods: Path, folder: Path, tmp_path: Path) -> None:
    model, new, rules = moods / "model", moods / "new.csv", moods / "rules.yaml"
    one = "needs a model with one label per text; this one gives each text several"
    (tmp_path / "odd.jsonl").write_text('{"text": "a", "label": ["a|b", "joy"]}\n{"text": "b", "label": ["joy"]}\n' * 9)
    run("train", tmp_path / "odd.jsonl", "--encoder", "none", "--set", "word_vectors=None", "--out", tmp_path / "odd")
    cases: list[tuple[tuple[Any, ...], str]] = [
        (("train", new, "--out", tmp_path / "m"), "such as 'anger|joy': give --several, or --no-several if that is one"),
        (("train", rules, "--unlabeled", new, "--several", "--out", tmp_path / "m"), "--several says how labels are"),
        (("train", new, "--several", "--unlabeled", new, "--out", tmp_path / "m"), "needs one label per text, but y has"),
        (("predict", model, new, "--reject", 0.1), "--reject: an empty cell is an answer, no label"),
        (("predict", tmp_path / "odd", new), "the label 'a|b' has a |, which separates labels in a table"),
        (("evaluate", model, new, "--no-several"), "--no-several: the model gives each text several labels"),
        (("evaluate", folder / "model", moods / "new.jsonl"), "has lists of labels, but the model gives each text one"),
        (("evaluate", model, moods / "odd.csv"), "odd.csv has labels that the model does not know: 'fear'"),
        (("rules", "stats", rules, "--data", tmp_path / "full.csv"), "1 label looks like several, such as 'joy|love'"),
        (("suggest-labels", model, new), f"suggesting texts to label {one}"),
        (("distill", model, new, "--out", tmp_path / "m"), f"distillation {one}"),
        (("rules", "suggest", rules, "--data", moods / "new.jsonl"), "suggesting rules needs one label per text, but"),
        (("explain", model, "happy", "--what-if"), f"what_if {one}"),
    ]  # fmt: skip
    (moods / "odd.csv").write_text("text,label\na,joy|fear\n")
    (tmp_path / "full.csv").write_text("text,label\na,joy|love\nb,joy\n")
    for arguments, said in cases:
        assert said in complaint(*arguments), arguments
