"""Mining: terms, contrast, pairs, patterns, neighbours. Every expected value can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser
from rulenet.workbench.mine.candidates import Evidence, pair_candidates, words
from rulenet.workbench.mine.contrast import discoveries, expected_gain, log_odds, surprise
from rulenet.workbench.mine.neighbours import groups, term_vectors
from rulenet.workbench.mine.pairs import pairs
from rulenet.workbench.mine.patterns import extract_patterns
from rulenet.workbench.mine.terms import extract

EN, ZH = Tokeniser("en"), Tokeniser("zh")


def found(texts: list[str], tokeniser: Tokeniser = EN, min_texts: int = 1) -> set[str]:
    return set(extract(texts, tokeniser, min_texts=min_texts).names)


def test_phrases_stop_at_punctuation_and_function_words() -> None:
    assert found(["Oil prices, however, rose"]) == {"Oil", "prices", "Oil prices", "rose"}
    assert found(["the price of oil"]) == {"price", "oil", "price of oil"}


def test_hyphens_and_apostrophes_hold_words_together() -> None:
    assert "Wal-Mart" in found(["Wal-Mart opens"])


def test_addresses_digits_and_single_letters_are_no_terms() -> None:
    assert found(["see http://www.site.com/x 2004 a b"]) == set()


def test_a_term_counts_once_for_each_text_whatever_its_case() -> None:
    terms = extract(["Goal goal GOAL", "goal"], EN, min_texts=2)
    assert terms.keys == ["goal"]
    assert terms.D.toarray().tolist() == [[1.0], [1.0]]


def test_the_usual_spelling_is_kept_but_not_that_of_headlines() -> None:
    assert found(["NEW YORKERS vote", "New Yorkers vote", "NEW YORKERS vote"], min_texts=3) >= {"Yorkers", "vote"}
    assert "NASA" in found(["NASA lands"])


@pytest.mark.slow
def test_chinese_terms_are_words_and_pairs_of_words_that_touch() -> None:
    assert {"手机", "屏幕", "手机屏幕"} <= found(["手机屏幕坏了"], ZH)
    assert "手机屏幕" not in found(["手机，屏幕"], ZH)


def test_a_word_that_stands_in_one_phrase_only_is_a_fragment() -> None:
    terms = extract(["Los Angeles burns", "Los Angeles wins", "Los Angeles", "wins"], EN, min_texts=2)
    fragments = {name for name, is_part in zip(terms.names, terms.fragments(), strict=True) if is_part}
    assert fragments == {"Los", "Angeles"}


def test_log_odds_have_the_sign_of_the_label_and_grow_with_the_evidence() -> None:
    once = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    z = log_odds(once, np.eye(2)[[0, 0, 1, 1]])
    assert z[0, 0] > 0 > z[0, 1]
    assert log_odds(np.repeat(once, 10, axis=0), np.eye(2)[np.repeat([0, 0, 1, 1], 10)])[0, 0] > z[0, 0]


def test_expected_gain_is_negative_where_the_label_is_rarer_than_expected() -> None:
    assert expected_gain(np.array([3.0, -3.0]), np.array([0.5, 0.5])).tolist() == [3.0, -3.0]  # 9 / (2 · 1.5)


@pytest.mark.parametrize(
    ("hit", "p", "chance"),
    [([1, 1], [0.5, 0.5], 0.25), ([1, 0], [0.5, 0.5], 0.75), ([1, 0], [0.1, 0.2], 0.28), ([0, 0], [0.9, 0.9], 1.0)],
)
def test_surprise_is_the_tail_of_a_sum_of_coins(hit: list[int], p: list[float], chance: float) -> None:
    assert surprise(np.array(hit, dtype=bool), np.array(p)) == pytest.approx(chance)


def test_the_normal_tail_of_many_texts_is_close_to_the_exact_one() -> None:
    hit = np.arange(300) < 170
    assert surprise(np.append(hit, False), np.append(np.full(300, 0.5), 0.0)) == pytest.approx(
        surprise(hit, np.full(300, 0.5)), rel=0.05
    )


def test_discoveries_follow_benjamini_and_hochberg() -> None:
    # Limits for five p-values at 10 %: 0.02, 0.04, 0.06, 0.08, 0.10; the fourth passes and takes the third along.
    p = np.array([0.5, 0.001, 0.079, 0.07, 0.03])
    assert discoveries(p, 0.1).tolist() == [False, True, True, True, True]
    assert discoveries(np.array([]), 0.1).tolist() == []


def test_terms_that_keep_no_company_are_groups_of_one() -> None:
    V = term_vectors(scipy.sparse.csr_matrix(np.eye(3)))  # no two of them in one text
    assert not V.any()
    assert groups(V, np.array([1.0, 3.0, 2.0]), seeds=9, size=9, likeness=0.5) == [[1], [2], [0]]


def test_groups_hold_what_is_near_their_seed_and_nothing_worthless() -> None:
    V = np.array([[1.0, 0.0], [0.9, np.sqrt(0.19)], [0.9, -np.sqrt(0.19)], [0.0, 1.0]])
    assert groups(V, np.array([1.0, 5.0, 0.0, 2.0]), seeds=9, size=9, likeness=0.8) == [[1, 0], [3]]


def test_pairs_find_what_neither_word_says_alone() -> None:
    # "apple pie" is food, apple alone and pie alone are not.
    D = scipy.sparse.csr_matrix([[1, 1]] * 6 + [[1, 0]] * 6 + [[0, 1]] * 6 + [[0, 0]] * 6, dtype=float)
    hit, p = np.repeat([1, 0, 0, 0], 6), np.full(24, 0.25)
    best = pairs(D, hit, p, n=5, min_texts=3, min_share=0.5)
    assert [(pair.first, pair.second, pair.is_exception) for pair in best] == [(0, 1, False)]


def test_pairs_find_exceptions() -> None:
    # "bank" is business unless "river" stands beside it.
    D = scipy.sparse.csr_matrix([[1, 0]] * 8 + [[1, 1]] * 8 + [[0, 0]] * 8, dtype=float)
    hit, p = np.repeat([1, 0, 0], 8), np.full(24, 1 / 3)
    best = pairs(D, hit, p, n=5, min_texts=3, min_share=0.5)[0]
    assert (best.first, best.second, best.is_exception) == (0, 1, True)


def test_a_phrase_is_not_suggested_as_two_words_together() -> None:
    texts = ["grand slam"] * 8 + ["grand piano"] * 8 + ["slam poetry"] * 8
    terms = extract(texts, EN, min_texts=2)
    Y = np.eye(2)[[0] * 8 + [1] * 16]
    made = pair_candidates(Evidence(terms, Y, np.full(Y.shape, 0.5)), min_texts=2)
    assert [candidate.terms for candidate in made if candidate.kind == "pair"] == []


def test_words_and_phrases_each_get_their_kind() -> None:
    assert words(["手机屏幕"]) == {"word": ["手机屏幕"]}
    assert words(["own goal"]) == {"phrase": ["own goal"]}


def test_patterns_name_the_lemma_and_its_neighbour() -> None:
    pytest.importorskip("textblob")
    terms = extract_patterns(["Then Federer beat Roddick", "Milan beats Roma"], Tagger(EN), min_texts=2)
    assert "PROPN VERB:lemma=beat PROPN" in terms.names
    assert all("lemma=" in name for name in terms.names)


def test_chinese_patterns_need_no_extra() -> None:
    assert "NUM NOUN:lemma=" not in extract_patterns(["姚明击败湖人"], Tagger(ZH), min_texts=1).names
