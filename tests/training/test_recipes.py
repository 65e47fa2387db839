"""Recipes with a name, what is said of their fields, and fields as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sklearn.base import clone

from rulenet import Recipe, RuleNetClassifier
from rulenet.errors import ParameterError
from rulenet.training import recipes
from rulenet.training.augment import Mixup, Swap
from rulenet.training.settings import settings
from rulenet.training.tuning import LoRA

DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"


def test_each_name_is_documented_and_its_changes_are_explained() -> None:
    assert len({one.name for one in recipes.NAMED}) == len(recipes.NAMED)
    for one in recipes.NAMED:
        assert f"| `{one.name}` | {one.why} |" in DOCS.read_text(encoding="utf-8")
        assert Recipe.of(**one.recipe.changes()) == one.recipe
        found = recipes.changes(one.recipe)
        assert bool(found) == (one.name != "default"), one.name
        assert all(change.does and change.value != change.default for change in found), found
    every = recipes.changes(Recipe(), every=True)
    assert {change.field for change in every} == set(Recipe().leaves())
    assert all(change.does for change in every)
    (change,) = recipes.changes(Recipe.of(tune=LoRA(r=4)))
    assert change.does.startswith("Train a low-rank change")


def test_an_estimator_takes_a_name() -> None:
    clf = clone(RuleNetClassifier(encoder=None, recipe="quick"))
    assert clf.get_params()["recipe__epochs"] == 0
    texts, labels = ["a goal", "the match", "oil price", "a bank"], ["s", "s", "b", "b"]
    assert clf.fit(texts, labels).recipe_.steps.epochs == 0
    assert clf.recipe == "quick"
    assert clf.set_params(recipe__C=3.0).recipe == Recipe.of(C=3.0, epochs=0)
    cases = (
        ("quikc", r"no recipe is called 'quikc' \(did you mean 'quick'\?\); there are default"),
        (3, "recipe=3 is not a Recipe, a name"),
    )
    for wrong, said in cases:
        wrongly = clone(clf).set_params(recipe=wrong)
        with pytest.raises(ParameterError, match=said):
            wrongly.fit(texts, labels)


READ = {
    "1e-5": 1e-5,
    "-3": -3,
    "none": None,
    "False": False,
    "'two words'": "two words",
    "org/model-x": "org/model-x",
    "(1, 2)": (1, 2),
    "[prompt, 'lora']": ["prompt", "lora"],
    "LoRA": LoRA(),
    "[Swap, Mixup(alpha=1.0)]": [Swap(), Mixup(alpha=1.0)],
}
REFUSED = {
    "LORA(r=8)": "no part of a recipe is called 'LORA' (did you mean 'LoRA'?)",
    "LoRA(r=0)": "r=0 should be at least 1",
    "LoRA(**{})": "LoRA(**{}) is no number, text, list or part of a recipe",
    "__import__('os').system('x')": "is no number, text, list or part",
    "[print('x')]": "no part of a recipe is called 'print'",
    "(lambda: 1)()": "is no number, text, list or part",
    "LoRA(r=": "this is neither a value of Python nor a part of a recipe",
    "[1j]": "1j is no number",
}


def test_fields_as_text() -> None:
    for text, value in READ.items():
        assert settings([f"x = {text}"]) == {"x": value}, text
    for text, said in REFUSED.items():
        with pytest.raises(ParameterError, match=re.escape(said)):
            settings([f"tune={text}"])
    unlike = {
        "tune=lora": "tune='lora' should be a tuning, such as LoRA()",
        "augment=Swap": "augment=Swap() should be a list",
    }
    for given, said in unlike.items():
        with pytest.raises(ParameterError, match=re.escape(said)):
            Recipe.of(**settings([given]))
