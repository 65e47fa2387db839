"""`rulenet search`: a table of trials, and a model by the best recipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rulenet import RuleNetClassifier
from tests.cli.conftest import NEWS, complaint, run, write_csv

pytest.importorskip("optuna")


@pytest.mark.slow
def test_trials_are_shown_and_kept_and_the_best_recipe_makes_a_model(here: Path) -> None:
    news = write_csv(here / "news.csv", NEWS)
    weak = ("--encoder", "none", "--folds", "2", "--set", "C=0.0001", "--set", "nb=false", "--storage", "trials.db")
    shown = run("search", news, *weak, "--trials", "2", "-o", "model").stdout
    assert "default" in shown
    assert "C=3.0" in shown
    assert "→ model/" in shown
    found = json.loads(run("search", news, *weak, "--trials", "3", "-o", "model", "--force", "--json").stdout)
    assert [trial["recipe"] for trial in found["trials"]][:2] == ["default", "C=3.0"]
    assert (len(found["trials"]), found["ended_by"]) == (3, "trials")
    assert found["trials"][0]["gain"] == 0.0
    assert RuleNetClassifier.load("model").predict(["the bank"]).tolist() == ["business"]
    assert "trials.db holds a search with other folds" in complaint(
        "search", news, *weak[:2], *weak[4:], "--trials", "3", "-o", "other"
    )


def test_complaints(here: Path) -> None:
    news = write_csv(here / "news.csv", NEWS)
    options = ("--encoder", "none", "-o", "model", "--trials", "2")
    assert "--minutes 0.0 is not a number above 0" in complaint("search", news, *options, "--minutes", "0")
    assert "--scoring f1 is no score" in complaint("search", news, *options, "--scoring", "f1")
    assert "news.csv holds no search of rulenet" in complaint("search", news, *options, "--storage", news)
    assert "unknown field 'depth'" in complaint("search", news, *options, "--set", "depth=3")
    write_csv(here / "few.csv", NEWS[:20])
    assert "20 labelled texts are too few to compare recipes by" in complaint("search", "few.csv", *options)
    assert not Path("model").exists()
