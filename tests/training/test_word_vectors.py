"""Word vectors in training: which encoder, which words, what φ makes of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.data.load import Dataset
from rulenet.features.blocks import Features
from rulenet.model import word_reader as words_module
from rulenet.training import word_vectors
from rulenet.training.word_vectors import AddedWords, scripts, word_encoder
from rulenet.workbench.hotedit import refit_phi

LABELS = ["sport", "money"] * 12
TEXTS = ["the match was a win for team", "the bank lost a price of stock"] * 12


class Reader:
    """Instead of an encoder: words of sport have one vector, words of money its opposite."""

    own = ("goal", "oil", "market", "新闻", "a")

    def __init__(self, name: str, *, device: str = "cpu") -> None: ...

    def vectors(self, words: list[str]) -> Any:
        sport, money = {"goal", "match", "win", "team"}, {"bank", "oil", "price", "stock", "market"}
        return np.array([[1.0 * (w in sport) - 1.0 * (w in money), 0.01 * len(w)] for w in words], dtype=np.float32)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, tiny_encoder: str) -> str:
    monkeypatch.setattr(words_module, "WordReader", Reader)
    return tiny_encoder


def test_words_that_no_text_has_get_a_weight_from_words_like_them(reader: str, tmp_path: Path) -> None:
    clf = RuleNetClassifier(None, None, recipe=Recipe.of(word_vectors=reader, C=1)).fit(TEXTS, LABELS)
    settled = clf.report_["settled"]
    assert (settled["tau"], settled["nb"], settled["C"]) == (3.0, False, 1.0)  # 24 texts choose nothing
    assert settled["word_vectors"] == clf.recipe_.phi.word_vectors == reader
    assert clf.predict(["goal", "oil market"]).tolist() == ["sport", "money"]
    (goal,) = clf.explain(["goal"])
    (term,) = goal.terms
    assert term.contributions["sport"] + goal.bias["sport"] == pytest.approx(goal.logits["sport"])
    assert term.shared is not None
    assert term.shared["sport"] == pytest.approx(term.contributions["sport"], rel=1e-3)  # no text has it: all is shared
    assert set(term.like[:3]) == {"match", "win", "team"}
    assert "learned from words like them" in str(goal)
    (bank,) = clf.explain(["bank"])[0].terms
    assert bank.shared is not None
    assert 0 < bank.shared["money"] < bank.contributions["money"]  # texts have it: some is its own
    names = clf.get_feature_names_out().tolist()
    assert "tfidf__新闻" not in names  # another script than that of the texts
    rules = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: a, label: sport, word: match}, {id: b, label: money, word: bank}]}"
    )
    for n in (0, 2, 6):  # fewer than folds
        some = {"y": LABELS[:n], "unlabeled": TEXTS[n:]} if n else {}
        few = RuleNetClassifier(rules, None, recipe=Recipe.of(word_vectors=reader)).fit(TEXTS[: n or 24], **some)
        assert few.report_["settled"]["tau"] == (3.0 if n else 0.0)
    again = RuleNetClassifier(None, None, recipe=Recipe.of(word_vectors=reader, C=1)).fit(TEXTS, LABELS)
    assert np.array_equal(clf.coef_, again.coef_)
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert [e.to_dict() for e in twin.explain(TEXTS)] == [e.to_dict() for e in clf.explain(TEXTS)]
    rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: sport, word: goal}]}")
    edited = twin.with_rules(rules)
    assert [t.shared for t in edited.explain(["goal"])[0].terms if t.kind == "tfidf"] == [term.shared]
    same = refit_phi(twin, Dataset(TEXTS, LABELS, "f.csv", list(range(24))))  # needs no encoder
    np.testing.assert_allclose(same.coef_, clf.coef_, atol=0.05)
    assert same.explain(["goal"])[0].terms[0].like == term.like


@pytest.mark.parametrize("recipe", [{"tau": 0}, {"word_vectors": None}, {"ngram_range": (2, 2)}])
@pytest.mark.filterwarnings("error")
def test_without_sharing_it_is_phi_as_ever(reader: str, recipe: dict[str, Any]) -> None:
    clf = RuleNetClassifier(None, None, recipe=Recipe.of(**{"word_vectors": reader, **recipe})).fit(TEXTS, LABELS)
    assert not clf.report_["settled"].get("tau")
    assert not any("goal" in name for name in clf.get_feature_names_out())


def test_nothing_is_shared_where_vectors_say_nothing(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out texts decide: then vocabulary and weights are those of φ without word vectors."""
    monkeypatch.setattr(Reader, "vectors", lambda self, words: np.ones((len(words), 8), dtype=np.float32))
    plain, alike = (
        RuleNetClassifier(None, None, recipe=Recipe.of(word_vectors=name, nb=True, C=10)).fit(4 * TEXTS, 4 * LABELS)
        for name in (None, reader)
    )
    assert alike.report_["settled"]["tau"] == 0
    np.testing.assert_allclose(plain.coef_, alike.coef_, atol=1e-5)


def test_which_encoder(monkeypatch: pytest.MonkeyPatch, tiny_encoder: str) -> None:
    monkeypatch.setattr(word_vectors, "MOST", 10_000)
    en, zh = Features(None, language="en"), Features(None, language="zh")
    auto, words = Recipe(), ["the goal of the match"]
    assert word_encoder(auto, tiny_encoder, en, words, 100) == tiny_encoder
    assert word_encoder(auto, "scratch", en, words, 100) == word_encoder(auto, None, en, words, 100) == "minilm"
    assert word_encoder(auto, None, en, words, 9) is word_encoder(auto, None, en, words, 10_001) is None
    assert word_encoder(Recipe.of(word_vectors="minilm"), None, zh, words, 0) == "minilm"
    monkeypatch.setitem(sys.modules, "transformers", None)  # as if it were not installed
    assert word_encoder(auto, None, en, words, 100) is word_encoder(auto, None, zh, words, 100) is None


def test_terms_of_unlabelled_texts_count(reader: str) -> None:
    features = Features(None, language="en")
    added = AddedWords.of(reader, TEXTS, features, "cpu")
    assert added.words == ["goal", "oil", "market"]  # "a" is too short to be a term
    X = features.fit_transform([*TEXTS, "team and market"], added.words)
    plain, words = added.columns(features, X, np.arange(25) < 24, np.arange(25))
    assert words is not None
    assert "goal" not in plain.features.terms.names  # type: ignore[union-attr]
    terms = words.features.terms
    assert terms is not None
    given = {name for name, is_given in zip(terms.names, terms.given.tolist(), strict=True) if is_given}
    assert {"goal", "oil", "market", "team", "and"} <= given
    assert words.vectors is not None
    assert words.vectors[terms.names.index("team and")].any() == False  # noqa: E712
    assert np.square(words.vectors[terms.given]).sum() > 0


def test_scripts_that_hardly_occur_do_not_count() -> None:
    assert scripts(["word " * 100, "字"]) == {"LATIN"}
    assert scripts(["字 word"]) == {"LATIN", "CJK"}


def test_the_cache_is_used_bounded_and_mended(
    tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RULENET_CACHE", str(tmp_path))
    words = ["goal", "match", "zebra"]
    reader = words_module.WordReader(tiny_encoder)
    assert {"goal", "oil"} <= set(reader.own)
    first = reader.vectors(words)
    (file,) = (tmp_path / "rulenet" / "words").iterdir()
    monkeypatch.setattr(words_module, "load_encoder", None)  # from now on everything is in the cache
    again = words_module.WordReader(tiny_encoder)
    np.testing.assert_array_equal(again.vectors(words[::-1]), first[::-1])
    assert again.own == reader.own
    monkeypatch.undo()
    monkeypatch.setenv("RULENET_CACHE", str(tmp_path))
    alone = words_module.WordReader(tiny_encoder).vectors(["oil", "goal"])[1]
    np.testing.assert_array_equal(alone, first[0])  # whatever is read beside it
    for damage in (b"", b"not safetensors", file.read_bytes()[:-10]):
        file.write_bytes(damage)
        with pytest.warns(UserWarning, match="the word vectors are made again"):
            np.testing.assert_array_equal(words_module.WordReader(tiny_encoder).vectors(words), first)
    monkeypatch.setattr(words_module, "MAX_KEPT", 2)
    words_module.WordReader(tiny_encoder).vectors(["price", "stock", "market"])
    assert len(words_module.WordReader(tiny_encoder)._known.index) == 2
