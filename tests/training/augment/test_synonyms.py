"""Synonyms: which words may be replaced, by which, and that only those are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import MissingExtraError
from rulenet.text.tokenise import Tokeniser
from rulenet.training.augment import Synonyms, synonyms
from rulenet.training.augment.augmentation import changed
from rulenet.training.augment.words import WordFinder

PLACES = {  # direction of each word's vector, in degrees
    "good": 0, "great": 3, "not": 1.5, "ungood": 0.5, "hasn": 1.2, "seven": 0.9, "goal": 2, "gol": 2.5, "хорошо": 0.3, "nice": 6,
    "fine": 4.5, "fair": 7.5, "oil": 180, "bad": 100, "好吃": 200, "美味": 205, "不好吃": 203, "没": 202,
    "一百": 201, "苹果": 204, "石油": 20,
}  # fmt: skip


class Reader:
    """An encoder whose vectors of words are known."""

    def __init__(self, name: str, *, device: str) -> None:
        self.own = tuple(PLACES)

    def vectors(self, words: list[str]) -> Any:
        angles = np.deg2rad([PLACES[word] for word in words])
        return np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)


def test_a_word_may_be_any_of_the_three_nearest_that_mean_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what negates nor numbers, names of rules, opposites by prefix or words of another script; and nothing for those."""
    monkeypatch.setattr(synonyms, "WordReader", Reader)
    rules = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: a, label: x, phrase: goal kick}, {id: b, label: x, regex: go.\\b}, "
        "{id: c, label: x, none: [{word: oil}]}]}"
    )
    texts = ["good Great oil, not ungood hasn't seven goals хорошо bad goal gol"]
    found = synonyms.like_words("any", texts, WordFinder(rules=rules), "cpu")
    assert found["good"] == ["great", "fine", "nice"]
    assert set(found) == {"good", "ungood"}
    assert "good" not in found["ungood"]
    chinese = RuleSet.from_yaml("{rulenet: 1, language: zh, rules: [{id: a, label: x, word: 苹果}]}")
    finder = WordFinder(Tokeniser("zh", ["不好吃", *chinese.term_words]), chinese)
    assert synonyms.like_words("any", ["好吃没一百苹果"], finder, "cpu") == {"好吃": ["美味"]}
    assert synonyms.like_words("any", ["..."], finder, "cpu") == {}


def test_only_words_of_the_table_are_replaced() -> None:
    rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, phrase: good film}]}")
    finder = WordFinder(rules=rules, keep_spans=True, near=lambda finder: {"good": ["great", "fine"], "bad": ["poor"]})
    text, rng = finder.of("Good food, a good film and bad, good songs"), np.random.default_rng(0)
    seen = {changed(text, (Synonyms(0.5),), rng) for _ in range(100)}
    starts = "Good food, a good film and "
    assert seen == {f"{starts}{one}, {other} songs" for one in ("bad", "poor") for other in ("good", "great", "fine")}
    assert WordFinder().like == {}


def test_what_it_lacks_is_found_out_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(name: str, *, device: str) -> Any:
        raise MissingExtraError("install it")

    monkeypatch.setattr(synonyms, "WordReader", lacking)
    monkeypatch.setattr("rulenet.training.stages.read_columns", None)
    with pytest.raises(MissingExtraError, match="install it"):
        RuleNetClassifier(None, "minilm", recipe=Recipe.of(augment=[Synonyms()])).fit(["a b", "c d"], ["x", "y"])


@pytest.mark.slow
def test_training_with_it_reads_other_words(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(synonyms, "LEAST", 0.0)
    texts = ["the goal", "win the match", "oil price", "the bank"] * 12
    labels, heads = ["sport", "sport", "money", "money"] * 12, []
    for augment in ((), (Synonyms(0.9),), (Synonyms(0.9),)):
        clf = RuleNetClassifier(None, tiny_encoder, recipe=Recipe.of(epochs=1, augment=augment)).fit(texts, labels)
        heads.append(clf.predictor_.hybrid.psi.from_text.weight.detach().numpy())
    assert np.abs(heads[0] - heads[1]).max() > 0
    np.testing.assert_array_equal(heads[1], heads[2])
