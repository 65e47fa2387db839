"""X = [R | T | P]: which columns, in which order, and where in the text they come from."""

from __future__ import annotations

import numpy as np
import pytest

from rulenet.features.blocks import Column, Features
from rulenet.features.tfidf import TermFeatures
from rulenet.rules.ruleset import RuleSet
from rulenet.text.tokenise import Tokeniser

RULES = RuleSet.from_yaml("""
rulenet: 1
rules:
  - {id: up, label: good, word: [rises, rose]}
  - {id: down, label: bad, phrase: fell sharply}
""")


def test_columns_are_rules_then_terms_then_tags_with_names() -> None:
    features = Features(RULES, language="en", pos=True)
    X = features.fit_transform(["oil rises", "oil fell sharply"])
    assert [features.column(j) for j in (0, 1)] == [Column("rule", "up"), Column("rule", "down")]
    assert [features.column(j).name for j in range(2, 2 + features.n_terms)] == sorted(
        ["oil", "rises", "fell", "sharply", "oil rises", "oil fell", "fell sharply"]
    )
    assert features.column(X.shape[1] - 1) == Column("pos", "X X")
    assert X[:, :2].toarray().tolist() == [[1, 0], [0, 1]]


def test_a_term_absent_from_training_has_no_column() -> None:
    features = Features(None, language="en")
    features.fit_transform(["oil rises", "gold falls"])
    assert features.transform(["silver"]).nnz == 0


def test_tfidf_equals_the_formula() -> None:
    """Two texts; 'oil' is in both (idf 1), 'up' in one (idf ln(3/2)+1): rows of unit length."""
    features = TermFeatures(Tokeniser("en"), ngram_range=(1, 1))
    T = features.fit_transform(["oil up", "oil"])
    assert features.names == ["oil", "up"]
    up = np.log(3 / 2) + 1
    length = np.hypot(1, up)
    np.testing.assert_allclose(T.toarray(), [[1 / length, up / length], [1, 0]], rtol=1e-6)


def test_min_df_drops_rare_terms() -> None:
    features = TermFeatures(Tokeniser("en"), ngram_range=(1, 1), min_df=2)
    features.fit_transform(["oil up", "oil down"])
    assert features.names == ["oil"]


@pytest.mark.parametrize("texts", [["", " "], ["!", "?"]])
def test_texts_without_words_give_no_columns(texts: list[str]) -> None:
    features = TermFeatures(Tokeniser("en"))
    assert features.fit_transform(texts).shape == (2, 0)
    assert features.transform(["oil"]).shape == (1, 0)


def test_chinese_terms_are_words_word_pairs_and_characters() -> None:
    features = TermFeatures(Tokeniser("zh"))
    features.fit_transform(["手机坏了"])
    assert {"手机", "坏", "手机 坏", "手", "机", "手机坏"} <= set(features.names)


def test_rule_words_enter_the_dictionary_of_their_model_only() -> None:
    rules = RuleSet.from_yaml("{rulenet: 1, language: zh, rules: [{id: a, label: x, word: 蓝三角灯}]}")
    with_rules, without = Features(rules, language="zh"), Features(None, language="zh")
    text = "出现蓝三角灯"
    assert "蓝三角灯" in [token.text for token in with_rules.tokeniser.tokens(text)]
    assert "蓝三角灯" not in [token.text for token in without.tokeniser.tokens(text)]


def test_spans_lead_back_to_the_original_text() -> None:
    features = Features(RULES, language="en", pos=True)
    text = "<b>Oil</b> &amp; gas ｒｏｓｅ"
    features.fit_transform([text, "oil"])
    X = features.transform([text])
    columns = X.indices.tolist()
    spans = dict(
        zip(((c.kind, c.name) for c in map(features.column, columns)), features.spans(text, columns), strict=True)
    )
    slices = {key: [text[start:end] for start, end in places] for key, places in spans.items()}
    assert slices[("rule", "up")] == ["ｒｏｓｅ"]
    assert slices[("tfidf", "oil")] == ["Oil"]
    assert slices[("tfidf", "gas rose")] == ["gas ｒｏｓｅ"]
    assert all(places for places in slices.values())


def test_with_ruleset_keeps_vocabulary_and_dictionary() -> None:
    features = Features(RULES, language="en")
    X = features.fit_transform(["oil rises", "oil fell sharply"])
    fewer = features.with_ruleset(
        RuleSet.from_yaml("{rulenet: 1, rules: [{id: down, label: bad, phrase: fell sharply}]}")
    )
    Z = fewer.transform(["oil fell sharply"])
    assert fewer.column(0) == Column("rule", "down")
    assert Z[:, 1:].toarray().tolist() == X[1, 2:].toarray().tolist()
    assert features.n_rules == 2


def test_as_fitted_on_is_what_a_vocabulary_of_those_rows_alone_gives() -> None:
    texts = ["oil up", "oil down", "gold up", "gold oil silver silver"]
    features = Features(RULES, language="en", ngram_range=(1, 1), min_df=1)
    X = features.as_fitted_on(features.fit_transform(texts), np.array([0, 1, 2]))
    terms = [features.column(2 + j).name for j in range(features.n_terms)]
    last = dict(zip(terms, X[3, 2:].toarray()[0].tolist(), strict=True))
    assert last["silver"] == 0.0  # only the row that was held out brings it
    assert np.hypot(last["oil"], last["gold"]) == pytest.approx(1.0)  # so it takes no share of the row's length
    assert X.shape[1] == 2 + len(terms)


def test_as_fitted_on_keeps_rules_and_what_has_no_terms() -> None:
    texts = ["oil rises", "oil fell sharply", "rose"]
    features = Features(RULES, language="en")
    whole = features.fit_transform(texts)
    X = features.as_fitted_on(whole, np.array([0]))
    np.testing.assert_array_equal(X[:, :2].toarray(), whole[:, :2].toarray())
    bare = Features(RULES, language="en", tfidf=False)
    assert bare.as_fitted_on(R := bare.fit_transform(texts), np.array([0])) is R
