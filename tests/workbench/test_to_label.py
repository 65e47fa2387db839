"""Which texts are worth a label: doubt, rules that disagree, what is like what; and input that cannot be used."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from rulenet import RuleNetClassifier, RuleSet
from rulenet.errors import InputError, ParameterError
from rulenet.predictor import Predictor
from rulenet.workbench import to_label
from rulenet.workbench.to_label import ToLabel, suggest_labels

RULES = RuleSet.from_yaml("""
rulenet: 1
language: en
labels: [returns, technical]
rules:
  - {id: refund, label: returns, word: [refund, return], weight: 2}
  - {id: crash, label: technical, word: [crash, crashes], weight: 2}
  - {id: not_broken, label: technical, word: fine, sign: against}
""")
TEXTS = [
    "the app crashes at night",
    "refund my old shoes",
    "return it or it crashes again",
    "good morning everybody",
    "Good morning, everybody!",
    "order 12 please refund",
    "order 77 please refund",
    "",
]


@pytest.fixture(scope="module")
def model() -> Predictor:
    texts = ["crash of the app", "app broken", "refund it", "money back", "the app again", "money for shoes"]
    labels = ["technical", "technical", "returns", "returns", "technical", "returns"]
    return RuleNetClassifier(RULES, encoder=None).fit(texts, labels).predictor_


def quiet(source: Any, texts: list[str], n: int, **options: Any) -> list[ToLabel]:
    """Suggestions without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return suggest_labels(source, texts, n, **options)


def test_rules_alone_say_where_they_disagree_or_are_silent() -> None:
    found = {it.text: it for it in quiet(RULES, TEXTS, 5)}
    both = found["return it or it crashes again"]
    assert both.why.startswith("rules disagree: refund says returns, crash says technical")
    assert both.rules == ["refund", "crash"]
    silent = found["good morning everybody"]
    assert (silent.label, silent.rules, silent.why[:13]) == (None, [], "no rule fires")
    assert found["refund my old shoes"].label == "returns"
    assert found["refund my old shoes"].runner_up == "technical"


def test_of_texts_that_differ_only_in_case_points_and_numbers_the_first_is_chosen() -> None:
    assert sorted(it.index for it in quiet(RULES, TEXTS, 5)) == [0, 1, 2, 3, 5]


def test_a_model_says_how_unsure_it_is(model: Predictor) -> None:
    texts = ["zzz qqq", "the app", "money", "app money"]
    found = {it.text: it for it in quiet(model, texts, 4)}
    assert found["zzz qqq"].why.startswith("the model knows none of its words")
    for text, proba in zip(texts, model.predict_proba(texts), strict=True):
        assert found[text].probability == pytest.approx(proba.max())
        assert found[text].probability + found[text].runner_up_probability == pytest.approx(1)
        assert found[text].label == model.labels[proba.argmax()]
        assert ("unsure: " in found[text].why) == (proba.max() < 0.65 and text != "zzz qqq")


def test_rules_that_disagree_are_a_doubt_even_if_the_model_is_sure(model: Predictor) -> None:
    texts = ["crash refund app app broken app", "app broken again"]
    beliefs = to_label._beliefs(model, texts, "en", to_label.Progress())
    lead = np.abs(beliefs.proba[:, 0] - beliefs.proba[:, 1])
    assert beliefs.doubt()[1] == pytest.approx(1 - lead[1])
    votes = (beliefs.R @ beliefs.pull)[0]
    assert beliefs.doubt()[0] == pytest.approx(1 - lead[0] * votes.max() / votes.sum())
    assert beliefs.doubt()[0] > 1 - lead[0]


def test_labelled_texts_and_their_like_are_left_out() -> None:
    labeled = ["Refund my OLD shoes", "return it or it crashes again", "order 9 please refund"]
    found = quiet(RULES, TEXTS, 2, labeled=labeled)
    assert sorted(it.index for it in found) == [0, 3]
    assert any("unlike what is labelled so far" in it.why for it in found)


def test_the_choice_is_the_same_each_time_and_takes_a_sample_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_label, "POOL", 40)
    texts = [f"{a}{b} {c} morning" for a in "bcdfgh" for b in "aeiou" for c in ("refund", "crash", "mail")]
    first, again, other = (quiet(RULES, texts, 5, random_state=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert [texts[it.index] for it in first] == [it.text for it in first]


@pytest.mark.parametrize(
    ("texts", "n", "options", "error", "words"),
    [
        (TEXTS, 0, {}, ParameterError, "n=0: give 1 to 2,000"),
        (TEXTS, 2001, {}, ParameterError, "n=2001: give 1 to 2,000"),
        ([], 1, {}, InputError, "texts is empty"),
        ([" ", ""], 1, {}, InputError, "all 2 texts are empty"),
        ("one", 1, {}, InputError, "texts is one string"),
        (
            ["a b", "A, b"],
            1,
            {"labeled": ["a b!"]},
            InputError,
            "nothing is left to label: all 2 texts are empty or like",
        ),
    ],
)
def test_input_that_cannot_be_used(texts: Any, n: int, options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        suggest_labels(RULES, texts, n, **options)


@pytest.mark.parametrize(
    ("texts", "n", "words"),
    [
        (TEXTS, 9, "only 5 different texts without a label, all are given"),
        (["手机坏了", "我要退款"], 1, "the texts look Chinese, but the rules are for 'en'"),
        (["blue", "green", "red"], 2, "all texts are equally in doubt"),
    ],
)
def test_what_is_said_of_texts_that_are_few_foreign_or_all_alike(texts: list[str], n: int, words: str) -> None:
    with pytest.warns(UserWarning, match=words):
        found = suggest_labels(RULES, texts, n)
    assert 0 < len(found) <= n


def test_rules_with_fewer_than_two_labels_tell_nothing_apart() -> None:
    one = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: b}]}", name="one.yaml")
    with pytest.raises(ParameterError, match=r"one\.yaml: name at least two labels"):
        suggest_labels(one, ["b", "c"], 1)
