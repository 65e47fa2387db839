"""`rulenet distill`: a saved model teaches another one."""

from __future__ import annotations

import json
from pathlib import Path

from rulenet import RuleNetClassifier
from tests.cli.conftest import NEWS, complaint, run, write_csv


def test_a_student_is_saved_and_says_how_good_it_is(model: Path, tmp_path: Path) -> None:
    half = write_csv(tmp_path / "half.csv", [(text, "" if i % 3 else label) for i, (text, label) in enumerate(NEWS)])
    options = ("--beside", model, "--set", "ngram_range=(1, 1)", "--output", tmp_path / "fast")
    shown = run("distill", model, half, *options).stdout
    assert "100.0% of the answers are the teacher's, on 9 texts held out" in shown
    assert "100.0% right on the 3 of them that have a label; the teacher 100.0%" in shown
    clf = RuleNetClassifier.load(tmp_path / "fast")
    assert clf.recipe_.columns.ngram_range == (1, 1)
    assert (clf.report_["distillation"]["teachers"], clf.report_["distillation"]["labels"]) == (2, 17)
    assert "2 teachers: agrees with 100.0% of its answers" in run("info", tmp_path / "fast").stdout
    assert clf.predict(["the bank"]).tolist() == ["business"]
    again = run("distill", model, half, "--alpha", "1", "--output", tmp_path / "fast", "--force", "--json", status=2)
    assert "20 texts to distil from are too few" in again.stderr
    found = json.loads(run("distill", model, half, "--output", tmp_path / "fast", "--force", "--json").stdout)
    assert found["report"]["distillation"]["alpha"] == 0.5


def test_complaints(model: Path, tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "plain.csv", [(text, "") for text, _ in NEWS])
    out = ("--output", tmp_path / "fast")
    assert "is a finished model; with --force" in complaint("distill", model, plain, "--output", model)
    assert "alpha=0.5 weighs labels against teachers, but there are none" in complaint(
        "distill", model, plain, "--alpha", "0.5", *out
    )
    assert "--temperature 0.0 is not a number above 0" in complaint("distill", model, plain, "--temperature", "0", *out)
    assert "unknown field 'depth'" in complaint("distill", model, plain, "--set", "depth=3", *out)
    assert not (tmp_path / "fast").exists()
