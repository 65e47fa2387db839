"""What was measured on like data chooses a recipe; where nothing was, the default stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rulenet import RuleNetClassifier, RuleSet
from rulenet.errors import ParameterError
from rulenet.training import experience
from rulenet.training.experience import (
    Measured,
    Sketch,
    chosen_for,
    expected,
    promising,
    recipe_of,
    sketch_of,
    table,
    times,
)
from rulenet.training.recipe import Recipe

TREC = Sketch(500, 6, 50.0, encoder="minilm")
ONE = Measured(TREC, "TREC", "full", 3.0, 0.5, 3, 2.0, "recipes")
TEXTS = ["good film", "bad film", "a good plot", "a bad plot"] * 12
LABELS = ["pos", "neg"] * 24
RULES = RuleSet.from_yaml("rulenet: 1\nrules: [{id: good, label: pos, word: good}]")


@pytest.mark.parametrize(
    ("sketch", "chosen"),
    [
        (TREC, "full"),
        (replace(TREC, rows=700), "full"),
        (replace(TREC, rows=300), "default"),  # where the default makes no epochs
        (replace(TREC, rows=50_000), "default"),
        (replace(TREC, encoder="e5"), "default"),
        (replace(TREC, unlabeled=True), "default"),
        (replace(TREC, several=True), "default"),
        (replace(TREC, length=800.0, language="zh", coverage=0.9), "default"),
    ],
)
def test_only_data_like_those_measured_get_another_recipe(sketch: Sketch, chosen: str) -> None:
    assert chosen_for(sketch, [ONE]).method == chosen


def test_what_is_expected_shrinks_and_several_measurements_add_up() -> None:
    one, two = expected(TREC, "full", [ONE]), expected(TREC, "full", [ONE, ONE])
    assert 0 < one.gain < two.gain < 3.0
    assert two.doubt < one.doubt < experience.PRIOR
    assert expected(TREC, "full", [replace(ONE, seeds=1)]).gain < one.gain
    assert expected(TREC, "lora", [ONE]) == experience.Expected("lora")
    assert chosen_for(TREC, [replace(ONE, gain=4.0, standard_error=2.0, seeds=1)]).method == "default"
    worse = replace(ONE, method="lora", gain=-3.0)
    assert [found.method for found in promising(TREC, [worse, ONE])] == ["full", "lora"]
    assert chosen_for(TREC, [worse]).method == "default"


def test_the_table_of_the_package_can_be_used() -> None:
    assert len(table()) > 20
    for one in table():
        assert isinstance(recipe_of(one.method), Recipe)
        assert (one.standard_error >= 0, one.seeds > 0, one.times > 0) == (True, True, True), one
    assert times("never measured") == 1.0
    assert times("quick") < 1 < times("masked-lm")


def test_data_are_sketched() -> None:
    targets = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    found = sketch_of(["good film", "a bad film", "good"], targets, RULES, "en", None, several=False)
    assert found == Sketch(2, 2, 9.0, coverage=pytest.approx(2 / 3), unlabeled=True)


def test_auto_is_settled_reported_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clf = RuleNetClassifier(None, None, recipe="auto").fit(TEXTS, LABELS)
    assert clf.report_["auto"] == {"recipe": "default", "gain": 0.0, "doubt": 1.0, "likeness": 0.0, "nearest": ""}
    assert RuleNetClassifier(None, None).fit(TEXTS, LABELS).report_["auto"] == {}
    like = Sketch(48, 2, 9.5)
    method = "C=3;ngram_range=(1, 1)"
    monkeypatch.setattr(experience, "table", lambda: (Measured(like, "films", method, 5.0, 0.5, 3, 1.0, "test"),))
    clf.fit(TEXTS, LABELS).save(tmp_path / "model")
    again = RuleNetClassifier.load(tmp_path / "model")
    assert (again.recipe_.phi.C, again.recipe_.columns.ngram_range, clf.recipe) == (3.0, (1, 1), "auto")
    assert again.report_["auto"]["recipe"] == method
    assert again.report_["auto"]["nearest"] == "films"
    with pytest.raises(ParameterError, match=r"^recipe='auto' is chosen when fit sees the data, so it has no fields"):
        clf.set_params(recipe__C=3.0)
    monkeypatch.setattr(experience, "table", lambda: (replace(ONE, sketch=like, method="tfidf=false", gain=5.0),))
    with pytest.raises(ParameterError, match=r"a recipe without tfidf leave nothing to learn with$"):
        clf.fit(TEXTS, LABELS)
