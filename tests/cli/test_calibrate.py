"""`rulenet calibrate` and `rulenet info`: a saved model is changed without training, and says what it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rulenet import RuleNetClassifier
from tests.cli.conftest import NEWS, complaint, run, write_csv


def test_calibration_is_a_step_of_the_history(model: Path, tmp_path: Path) -> None:
    new = write_csv(tmp_path / "new.csv", [*NEWS[:40], *((text, "sports") for text, _ in NEWS[:20])])
    before = RuleNetClassifier.load(model).predict_proba(["the bank"])
    shown = run("calibrate", model, "--data", new).stdout
    assert "60 held-out texts" in shown
    assert "the state before is kept (1 earlier state)" in shown
    after = RuleNetClassifier.load(model).predict_proba(["the bank"])
    assert after.max() < before.max()  # of the new texts, ten are labelled otherwise
    assert (after.argmax(1) == before.argmax(1)).all()
    assert "nothing was written" in run("calibrate", model, "--data", new).stdout
    run("history", model, "--undo")
    assert (RuleNetClassifier.load(model).predict_proba(["the bank"]) == before).all()


def test_a_cascade_is_switched_on_a_saved_model(model: Path) -> None:
    found = json.loads(run("calibrate", model, "--cascade", "certified", "--cascade-risk", "0.1", "--json").stdout)
    assert found["is_written"]
    clf = RuleNetClassifier.load(model)
    assert (clf.cascade, clf.cascade_risk) == ("certified", 0.1)
    assert "cascade off" not in run("info", model).stdout
    assert "cascade: off, every answer is that of φ + ψ" in run("calibrate", model, "--cascade", "off").stdout
    assert [state["cascade"] for state in json.loads(run("history", model, "--json").stdout)["states"]] == [
        *("off", "certified", "off"),
    ]


def test_complaints(model: Path, tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "plain.csv", [("text", "")])
    assert "give --data FILE, --cascade, or both" in complaint("calibrate", model)
    assert "--cascade sometimes" in complaint("calibrate", model, "--cascade", "sometimes")
    assert "--cascade-risk 2" in complaint("calibrate", model, "--cascade-risk", "2")
    assert "labels are missing, so probabilities" in complaint("calibrate", model, "--data", plain)
    assert "no such folder" in complaint("info", tmp_path / "no")


def test_info_says_what_a_model_is(model: Path, folder: Path) -> None:
    shown = run("info", model).stdout
    for line in (
        r"labels +2: business, sports",
        r"φ +0 rules, \d+ terms",
        r"ψ +no transformer",
        r"trained on +60 labelled texts",
        r"saved +\d{4}-.*Z, trained and saved, by rulenet ",
        r"size +[\d.]+ .B",
        r"history +0 earlier states",
        r"probabilities: off by .* 9 held-out texts",
    ):
        assert re.search(rf"^{line}", shown, re.M), line
    found = json.loads(run("info", folder / "model", "--json").stdout)
    assert (found["labels"], found["n_rules"], found["n_texts"]) == (["billing", "delivery"], 2, 8)


def test_version_and_short_help() -> None:
    assert re.fullmatch(r"rulenet \d+\.\d+.*\n", run("--version").stdout)
    for command in ((), ("train",), ("rules",), ("rules", "lint")):
        assert run(*command, "-h").stdout == run(*command, "--help").stdout
