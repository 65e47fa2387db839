"""rulenet.explain.terms, also after `with_rules`: bias + Σ contributions + neural = logit, with spans of the right words."""

from __future__ import annotations

import copy
import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet import Explanation, Recipe, RuleNetClassifier, RuleSet, Term
from rulenet.errors import LabelError, RuleFileError
from rulenet.explain.label_sets import SetExplanation
from rulenet.explain.result import Token
from rulenet.explain.terms import explain
from rulenet.model.link import AnyOf

TEXTS = [
    "Lakers win the match",
    "a goal decides the match",
    "the team lost at home",
    "coach of the team fired",
    "oil price falls",
    "bank buys oil company",
    "stock market closes lower",
    "price of oil rises",
    "president visits the border",
    "peace talks begin",
]
LABELS = ["Sports"] * 4 + ["Business"] * 4 + ["World"] * 2
YAML = """
rulenet: 1
language: en
rules:
  - {id: match, label: Sports, word: [match, team]}
  - {id: oil, label: Business, phrase: oil price, weight: 2}
  - {id: talks, label: World, word: talks, weight: 1.5}
  - {id: no-oil, label: Business, word: peace, sign: against}
  - {id: absent, label: World, none: [{word: match}, {word: price}], weight: 0.5}
"""
RULES = RuleSet.from_yaml(YAML, name="news.yaml")
ZH_TEXTS = ["球队赢得了比赛", "比赛因雨推迟", "门将扑出点球", "油价再次下跌", "央行下调利率", "股市低开低走"]
ZH_RULES = RuleSet.from_yaml(
    """
rulenet: 1
language: zh
rules:
  - {id: 比赛, label: 体育, word: [比赛, 点球]}
  - {id: 油价, label: 财经, word: [油价, 央行]}
"""
)


@pytest.fixture(scope="module")
def phi() -> RuleNetClassifier:
    return RuleNetClassifier(RULES, None).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def hybrid(tiny_encoder: str) -> RuleNetClassifier:
    return RuleNetClassifier(RULES, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def zh() -> RuleNetClassifier:
    return RuleNetClassifier(ZH_RULES, None).fit(ZH_TEXTS, ["体育"] * 3 + ["财经"] * 3)


@pytest.fixture(scope="module")
def tagged() -> RuleNetClassifier:
    pytest.importorskip("textblob")
    return RuleNetClassifier(None, None, recipe=Recipe.of(pos=True)).fit(TEXTS, LABELS)


def check_sum(clf: RuleNetClassifier, texts: list[str]) -> list[Explanation]:
    """Every explanation adds up to what the model says by itself."""
    found = clf.explain(texts)
    logits, proba = clf.decision_function(texts), clf.predict_proba(texts)
    predicted = clf.predict(texts).tolist()
    names = [str(label) for label in clf.classes_]
    assert len(found) == len(texts)
    for i, e in enumerate(found):
        assert (e.text, e.label) == (texts[i], str(predicted[i]))
        assert list(e.logits) == list(e.bias) == list(e.neural) == list(e.proba) == names
        for name in names:
            total = e.bias[name] + sum(term.contributions[name] for term in e.terms) + e.neural[name]
            assert total == pytest.approx(e.logits[name], abs=1e-4)
            for term in e.terms:
                assert term.contributions[name] == pytest.approx(term.weights[name] * term.value, abs=1e-6)
        if len(names) == 2:
            assert e.logits[names[1]] - e.logits[names[0]] == pytest.approx(logits[i], abs=1e-9)
        else:
            assert list(e.logits.values()) == pytest.approx(logits[i].tolist(), abs=1e-9)
        assert list(e.proba.values()) == pytest.approx(proba[i].tolist(), abs=1e-9)
    return found


UNSEEN = [
    "",
    "peace match oil price talks",
    "OIL&nbsp;PRICE <b>match</b>",
    "ｏｉｌ ｐｒｉｃｅ",
    "nothing known",
    "\ud800 oil price",
]


def test_phi_adds_up(phi: RuleNetClassifier) -> None:
    found = check_sum(phi, TEXTS + UNSEEN)
    assert {e.path for e in found} == {"rules"}
    assert all(value == 0 for e in found for value in e.neural.values())
    assert {term.kind for e in found for term in e.terms} == {"rule", "tfidf"}


def test_hybrid_adds_up(hybrid: RuleNetClassifier) -> None:
    found = check_sum(hybrid, TEXTS + UNSEEN)
    assert {e.path for e in found} == {"hybrid"}
    fitted = hybrid.predictor_.hybrid
    assert fitted.psi is not None
    assert all(abs(value) <= fitted.psi.bound * fitted.psi_scale for e in found for value in e.neural.values())
    assert any(abs(value) > 1e-4 for e in found for value in e.neural.values())


def test_scaled_hybrid_adds_up(hybrid: RuleNetClassifier) -> None:
    clf = hybrid.with_rules(RULES)
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, phi_scale=0.5, psi_scale=2.0))
    plain, scaled = hybrid.explain(TEXTS[:1])[0], check_sum(clf, TEXTS)[0]
    assert scaled.bias["World"] == pytest.approx(0.5 * plain.bias["World"])
    assert scaled.terms[0].weights["Sports"] == pytest.approx(0.5 * plain.terms[0].weights["Sports"])
    assert scaled.neural["World"] == pytest.approx(2 * plain.neural["World"], abs=1e-6)


def test_the_path_says_that_psi_is_not_used(hybrid: RuleNetClassifier) -> None:
    clf = hybrid.with_rules(RULES)
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, psi_scale=0.0))
    assert {e.path for e in check_sum(clf, TEXTS)} == {"rules"}


def test_chinese_adds_up(zh: RuleNetClassifier) -> None:
    check_sum(zh, [*ZH_TEXTS, "", "油价！比赛", "ＮＢＡ比赛", "mixed 央行 words"])


@pytest.mark.slow
def test_tagged_texts_add_up(tagged: RuleNetClassifier) -> None:
    found = check_sum(tagged, TEXTS)
    assert {term.kind for e in found for term in e.terms} == {"tfidf", "pos"}
    e = tagged.explain(["The <i>team</i> lost"])[0]
    pieces = {term.name: [e.text[a:b] for a, b in term.spans] for term in e.terms if term.kind == "pos"}
    assert pieces["NOUN"] == ["team"]
    assert pieces["DET NOUN"] == ["The <i>team"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=()), max_size=40),
            st.lists(
                st.sampled_from([*" ".join(TEXTS).split(), "&amp;", "<br>", "ﬁ", "Ｏil", "not", "."]), max_size=12
            ).map(" ".join),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_text_adds_up_and_spans_lie_inside(phi: RuleNetClassifier, texts: list[str]) -> None:
    for e in check_sum(phi, texts):
        for term in e.terms:
            assert all(0 <= start < end <= len(e.text) for start, end in term.spans)
            assert term.spans or term.name == "absent"


# What an explanation says


def test_terms_name_their_words_in_the_text_as_given(phi: RuleNetClassifier) -> None:
    text = "Talks: Oil&nbsp;<b>price</b> of the ｍａｔｃｈ &amp; Match!"
    e = phi.explain([text])[0]
    pieces = {(term.kind, term.name): [text[a:b] for a, b in term.spans] for term in e.terms}
    assert pieces["rule", "talks"] == ["Talks"]
    assert pieces["rule", "oil"] == ["Oil&nbsp;<b>price"]
    assert pieces["rule", "match"] == ["ｍａｔｃｈ", "Match"]
    assert pieces["tfidf", "oil"] == ["Oil"]
    assert pieces["tfidf", "oil price"] == ["Oil&nbsp;<b>price"]
    assert pieces["tfidf", "match"] == ["ｍａｔｃｈ", "Match"]
    assert ("rule", "absent") not in pieces


def test_a_rule_that_fires_by_absence_has_no_words(phi: RuleNetClassifier) -> None:
    absent = next(term for term in phi.explain(["a goal"])[0].terms if term.name == "absent")
    assert (absent.kind, absent.value, absent.spans) == ("rule", 1.0, [])


def test_chinese_terms_name_their_words(zh: RuleNetClassifier) -> None:
    text = "今天<b>比赛</b>，油价＆央行"
    pieces = {(t.kind, t.name): [text[a:b] for a, b in t.spans] for t in zh.explain([text])[0].terms}
    assert pieces["rule", "比赛"] == ["比赛"]
    assert pieces["rule", "油价"] == ["油价", "央行"]
    assert pieces["tfidf", "比赛"] == ["比赛"]
    assert pieces["tfidf", "央"] == ["央"]


def test_a_rule_speaks_for_its_label_only(phi: RuleNetClassifier) -> None:
    terms = {t.name: t for t in phi.explain(["oil price peace"])[0].terms if t.kind == "rule"}
    assert terms["oil"].contributions["Business"] > 0
    assert terms["no-oil"].contributions["Business"] < 0
    for name in ("oil", "no-oil"):
        assert terms[name].contributions["Sports"] == terms[name].contributions["World"] == 0


def test_strongest_terms_come_first(phi: RuleNetClassifier) -> None:
    for e in phi.explain(TEXTS):
        gaps = [abs(t.contributions[e.label] - t.contributions[e.runner_up]) for t in e.terms]
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[0] > gaps[-1]


def test_runner_up_and_margin() -> None:
    logits = {"a": 1.0, "b": 3.5, "c": 2.0}
    e = Explanation("t", "b", logits, "rules", logits, logits, [], logits)
    assert (e.runner_up, e.margin) == ("c", 1.5)


def test_a_tie_is_explained_as_it_is_predicted() -> None:
    rules = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: a, label: x, word: a}, {id: b, label: y, word: b}, {id: c, label: z, word: c}]}"
    )
    clf = RuleNetClassifier(rules, None, recipe=Recipe.of(tfidf=False)).fit(["a", "b", "c"], ["x", "y", "z"])
    clf.predictor_.hybrid.weights.bias[:] = 0
    e = clf.explain(["nothing"])[0]
    assert set(e.logits.values()) == {0.0}
    assert (clf.predict(["nothing"])[0], e.label, e.runner_up, e.margin) == ("x", "x", "y", 0)


def test_to_dict_survives_json(hybrid: RuleNetClassifier) -> None:
    e = hybrid.explain(["oil price and a match"])[0]
    data = e.to_dict()
    assert json.loads(json.dumps(data)) == data
    fields = ["text", "label", "proba", "path", "logits", "bias", "terms", "neural", "tokens"]
    assert list(data) == [*fields, "token_labels", "token_bias", "token_gap"]
    terms = [Term(**{**term, "spans": [tuple(span) for span in term["spans"]]}) for term in data["terms"]]
    assert Explanation(**{**data, "terms": terms}) == e
    assert e.terms[0].spans[0].__class__ is tuple
    shown = replace(e, tokens=[Token("oil", 0, 3, 0.5)], token_labels=("Business", "World")).to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["tokens"] == [{"text": "oil", "start": 0, "end": 3, "attribution": 0.5}]
    assert shown["token_labels"] == ["Business", "World"]


def test_str_is_one_screen_of_plain_text(hybrid: RuleNetClassifier) -> None:
    e = hybrid.explain(["oil price and a match"])[0]
    shown = str(e)
    assert shown.startswith(f"{e.label} {e.proba[e.label]:.2f} (hybrid) over {e.runner_up} by {e.margin:.2f}\n")
    assert "oil price and a match" in shown
    assert "transformer" in shown
    assert "\x1b" not in shown
    assert repr(e).startswith("Explanation(text='oil price and a match', label=")
    assert e._repr_html_() == e.to_html()


# Tokens


def heard(clf: RuleNetClassifier, texts: list[str], *, contrast: tuple[str, str] | None = None) -> list[Explanation]:
    """Explanations with tokens."""
    parts = clf.predictor_.hybrid.parts(texts)
    return explain(clf.predictor_.hybrid, texts, parts, clf.classes_.tolist(), tokens=True, contrast=contrast)


@pytest.fixture(scope="module")
def loud(hybrid: RuleNetClassifier) -> RuleNetClassifier:
    """The hybrid with a ψ that says more than two words' worth; a = 0.5, s = 2."""
    pytest.importorskip("captum")
    import torch

    clf = copy.deepcopy(hybrid)
    psi = clf.predictor_.hybrid.psi
    assert psi is not None
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        psi.from_text.weight.normal_(generator=generator)
        psi.from_phi.weight.normal_(std=0.3, generator=generator)
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, phi_scale=0.5, psi_scale=2.0))
    return clf


def test_tokens_add_up_to_what_the_transformer_adds(loud: RuleNetClassifier) -> None:
    texts = ["the Oil&nbsp;price <b>lost</b>", "a good film", *TEXTS]
    for e in heard(loud, texts):
        assert e.token_labels == (e.label, e.runner_up)
        assert e.tokens is not None
        assert e.token_bias is not None
        total = e.neural[e.label] - e.neural[e.runner_up]
        gap = sum(token.attribution for token in e.tokens) + e.token_bias - total
        assert abs(gap) == pytest.approx(e.token_gap, abs=1e-9)
        assert abs(gap) <= max(0.01 * abs(total), 1e-3) + 1e-5
        assert all(token.text == e.text[token.start : token.end] for token in e.tokens)
        ends = [0, *(token.end for token in e.tokens)]
        assert all(token.start >= end for token, end in zip(e.tokens, ends, strict=False))
    assert [token.text for token in heard(loud, texts)[0].tokens or []] == ["the", "Oil", "price", "lost"]


def test_a_single_word_has_all_that_masking_it_takes_away(loud: RuleNetClassifier) -> None:
    psi, phi = (
        loud.predictor_.hybrid.psi,
        loud.predictor_.hybrid.weights.logits(loud.predictor_.hybrid.features.transform(["bank"])),
    )
    assert psi is not None
    mask = psi.encoder.tokenizer.token_to_id("[MASK]")
    rows = [psi.encoder.encode(["bank"])[0], [2, mask, 3]]
    read, masked = 2.0 * psi.predict(rows, np.vstack([phi, phi]), device="cpu")
    for label, other in itertools.permutations(range(3), 2):
        names = loud.classes_.tolist()
        e = heard(loud, ["bank"], contrast=(names[label], names[other]))[0]
        change = (read[label] - read[other]) - (masked[label] - masked[other])
        assert [token.text for token in e.tokens or []] == ["bank"]
        assert e.token_bias == pytest.approx(masked[label] - masked[other], abs=1e-5)
        assert (e.tokens or [])[0].attribution == pytest.approx(
            change, abs=0.01 * abs(read[label] - read[other]) + 2e-3
        )
        assert abs(change) > 0.01


def test_each_label_of_an_answer_has_its_own_tokens(loud: RuleNetClassifier) -> None:
    classes = loud.classes_.tolist()
    hybrid = replace(loud.predictor_.hybrid, link=AnyOf((-1.0, 0.5, -0.2)))
    found = explain(hybrid, TEXTS, hybrid.parts(TEXTS), classes, tokens=True)
    assert max(len(e.labels) for e in found) > 1
    for e in found:
        assert isinstance(e, SetExplanation)
        assert e.words is not None
        assert tuple(e.words) == (e.labels or (e.label,))
        for label, share in e.words.items():
            total = sum(token.attribution for token in share.tokens) + share.bias
            assert abs(total - e.neural[label]) == pytest.approx(share.gap, abs=1e-9)
            assert share.gap <= max(0.01 * abs(e.neural[label]), 1e-3) + 1e-5
            assert f"what the transformer reads for {label}: " in str(e)
        assert (e.tokens, e.token_labels) == (e.words[e.label].tokens, (e.label,))
        assert set(e.to_dict()["words"]) == set(map(str, e.words))
    pair = explain(hybrid, TEXTS[:1], hybrid.parts(TEXTS[:1]), classes, tokens=True, contrast=("World", "Sports"))[0]
    assert pair.token_labels == ("World", "Sports")
    assert pair.words is None
    assert "what the transformer reads for World against Sports" in str(pair)
    assert pair.contrast("World", "Sports").tokens == pair.tokens


def test_tokens_between_two_labels_that_were_asked_for(loud: RuleNetClassifier) -> None:
    for e in heard(loud, TEXTS[:3], contrast=("World", "Sports")):
        assert e.token_labels == ("World", "Sports")
        total = sum(token.attribution for token in e.tokens or []) + (e.token_bias or 0)
        assert total == pytest.approx(e.neural["World"] - e.neural["Sports"], abs=0.03)
        back = e.contrast("Sports", "World")
        assert [t.attribution for t in back.tokens or []] == [-t.attribution for t in e.tokens or []]
        assert e.contrast("World", "Business").tokens is None


def test_without_psi_there_are_no_tokens(phi: RuleNetClassifier, loud: RuleNetClassifier) -> None:
    e = heard(phi, TEXTS[:1])[0]
    assert (e.tokens, e.token_bias, e.token_gap) == ([], 0, 0)
    assert phi.explain(TEXTS[:1])[0].tokens is None
    parts = loud.predictor_.hybrid.parts(TEXTS[:2])
    parts.psi[0] = 0
    parts.skipped[0] = True
    skipped, other = explain(loud.predictor_.hybrid, TEXTS[:2], parts, loud.classes_.tolist(), tokens=True)
    assert (skipped.path, skipped.tokens, other.path) == ("rules", [], "hybrid")
    assert other.tokens


def test_probabilities_are_taken_as_they_are_given(phi: RuleNetClassifier) -> None:
    parts = phi.predictor_.hybrid.parts(TEXTS[:2])
    proba = np.array([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
    found = explain(phi.predictor_.hybrid, TEXTS[:2], parts, phi.classes_.tolist(), proba)
    assert [list(e.proba.values()) for e in found] == proba.tolist()


# Contrast


def test_a_contrast_adds_up_for_any_two_labels(hybrid: RuleNetClassifier) -> None:
    for e in hybrid.explain([*TEXTS, *UNSEEN]):
        for label, other in itertools.permutations(e.logits, 2):
            c = e.contrast(label, other)
            assert c.total == pytest.approx(e.logits[label] - e.logits[other], abs=1e-9)
            assert c.bias + sum(t.difference for t in c.terms) + c.neural == pytest.approx(c.total, abs=1e-4)
            assert len(c.terms) == len(e.terms)
            strengths = [abs(t.difference) for t in c.terms]
            assert strengths == sorted(strengths, reverse=True)


def test_a_contrast_says_which_way_a_rule_speaks(phi: RuleNetClassifier) -> None:
    c = phi.explain(["oil price talks"])[0].contrast("World", "Business")
    rules = {t.name: t.difference for t in c.terms if t.kind == "rule"}
    assert rules["talks"] > 0 > rules["oil"]
    assert str(c).startswith(f"World rather than Business: {c.total:+.2f}\n")
    assert json.loads(json.dumps(c.to_dict())) == c.to_dict()
    assert c._repr_html_() == c.to_html()


def test_labels_of_a_contrast_default_to_the_two_strongest(phi: RuleNetClassifier) -> None:
    e = phi.explain(["oil price"])[0]
    assert (e.contrast().label, e.contrast().other) == (e.label, e.runner_up)
    last = min(e.logits, key=e.logits.__getitem__)
    assert (e.contrast(last).label, e.contrast(last).other) == (last, e.label)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("Sport", "World"), r"no label 'Sport'; it has 'Business', 'Sports', 'World'$"),
        (("World", "World"), r"two labels, but both are 'World'$"),
    ],
)
def test_a_contrast_needs_two_labels_of_the_model(phi: RuleNetClassifier, pair: tuple[str, str], message: str) -> None:
    e = phi.explain(["oil"])[0]
    with pytest.raises(LabelError, match=message):
        e.contrast(*pair)
    with pytest.raises(LabelError, match=message):
        heard(phi, ["oil"], contrast=pair)


# Editing rules after training


def bare(*rules: str) -> RuleSet:
    return RuleSet.from_yaml("rulenet: 1\nrules:\n" + "\n".join(f"  - {rule}" for rule in rules), name="edited.yaml")


MATCH = "{id: match, label: Sports, word: [match, team]}"
OIL = "{id: oil, label: Business, phrase: oil price, weight: 2}"
TALKS = "{id: talks, label: World, word: talks, weight: 1.5}"
PROBE = ["oil price match", "talks", "team", ""]


@pytest.fixture(scope="module")
def three() -> RuleNetClassifier:
    """Rules match, oil and talks; classes Business, Sports, World."""
    return RuleNetClassifier(bare(MATCH, OIL, TALKS), None).fit(TEXTS, LABELS)


def weights(clf: RuleNetClassifier) -> dict[str, list[float]]:
    ids = clf.predictor_.hybrid.features.ruleset.ids if clf.predictor_.hybrid.features.ruleset else []
    return {name: clf.predictor_.hybrid.weights.coef[i].tolist() for i, name in enumerate(ids)}


def test_removing_a_rule_takes_exactly_its_evidence(three: RuleNetClassifier) -> None:
    before = three.decision_function(PROBE)
    learned = weights(three)["oil"][0]
    after = three.with_rules(bare(MATCH, TALKS))
    expected = before.copy()
    expected[0, 0] -= learned
    assert learned > 1
    np.testing.assert_allclose(after.decision_function(PROBE), expected, atol=1e-9)
    assert {t.name for t in after.explain(PROBE[:1])[0].terms if t.kind == "rule"} == {"match"}


def test_the_original_stays_as_it_was(three: RuleNetClassifier) -> None:
    before, kept = three.decision_function(PROBE), weights(three)
    params = three.get_params()
    other = three.with_rules(None)
    other.with_rules(bare(OIL))
    np.testing.assert_array_equal(three.decision_function(PROBE), before)
    assert weights(three) == kept
    assert three.get_params() == params
    assert other.rules is None


def test_unchanged_rules_keep_what_they_learned_in_any_order(three: RuleNetClassifier) -> None:
    kept = weights(three)
    reordered = three.with_rules(bare(TALKS, MATCH, OIL))
    assert weights(reordered) == kept
    assert list(weights(reordered)) == ["talks", "match", "oil"]
    np.testing.assert_allclose(reordered.decision_function(PROBE), three.decision_function(PROBE), atol=1e-9)
    widened = three.with_rules(bare(MATCH.replace("match, team", "match, team, talks"), OIL))
    assert weights(widened)["match"] == kept["match"]


STARTING = [
    ("{id: new, label: World, word: match, weight: 2.5}", 2, 2.5),
    ("{id: new, label: Sports, word: match}", 1, 1.0),
    ("{id: new, label: Sports, word: match, sign: against}", 1, -1.0),
    ("{id: new, label: Sports, word: match, confidence: 0.9}", 1, np.log(9)),
    ("{id: oil, label: Business, phrase: oil price, weight: 3}", 0, 3.0),
    ("{id: oil, label: Business, phrase: oil price, weight: 2, pin: true}", 0, 2.0),
    ("{id: oil, label: Business, phrase: oil price, weight: 2, sign: free}", 0, 2.0),
    ("{id: oil, label: Sports, phrase: oil price, weight: 2}", 1, 2.0),
]


def test_new_and_reweighted_rules_start_at_their_authors_weight(three: RuleNetClassifier) -> None:
    before = three.with_rules(None).decision_function(["oil price match"])
    for rule, label, weight in STARTING:
        other = three.with_rules(bare(TALKS, rule))
        expected = np.eye(3)[label] * weight
        assert list(weights(other).values())[1] == pytest.approx(expected)
        assert (other.decision_function(["oil price match"]) - before)[0] == pytest.approx(expected)


def test_the_authors_weight_is_in_logits_whatever_the_scale(three: RuleNetClassifier) -> None:
    clf = three.with_rules(bare(OIL))
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, phi_scale=4.0))
    other = clf.with_rules(bare(OIL, "{id: new, label: World, word: match, weight: 2.5}"))
    term = next(t for t in other.explain(["match"])[0].terms if t.name == "new")
    assert term.contributions == pytest.approx({"Business": 0, "Sports": 0, "World": 2.5})
    assert weights(other)["oil"] == weights(clf)["oil"]


def test_none_removes_all_rules(three: RuleNetClassifier) -> None:
    other = three.with_rules(None)
    assert weights(other) == {}
    assert {t.kind for e in other.explain(TEXTS) for t in e.terms} == {"tfidf"}
    check_sum(other, TEXTS)


def test_rules_can_be_added_to_a_model_without_any(tmp_path: Any) -> None:
    clf = RuleNetClassifier(None, None).fit(TEXTS, LABELS)
    file = tmp_path / "edited.yaml"
    file.write_text(bare(OIL).source, encoding="utf-8")
    other = clf.with_rules(str(file))
    gap = other.decision_function(["oil price"]) - clf.decision_function(["oil price"])
    assert gap[0].tolist() == pytest.approx([2, 0, 0])
    check_sum(other, TEXTS)


def test_edits_of_a_hybrid_add_up(hybrid: RuleNetClassifier) -> None:
    clf = hybrid.with_rules(bare(MATCH, "{id: new, label: World, word: oil, weight: 8}"))
    assert {e.label for e in check_sum(clf, ["oil price", "oil"])} == {"World"}
    assert clf.predictor_.hybrid.psi is hybrid.predictor_.hybrid.psi


@pytest.mark.parametrize(
    ("rules", "error", "message"),
    [
        (bare("{id: a, label: sports, word: b}"), LabelError, r"label 'sports' of edited\.yaml .* \(did you mean 'Sports'"),
        ("no-such.yaml", RuleFileError, r"no-such\.yaml: no such file"),
    ],
)  # fmt: skip
def test_wrong_rules_are_refused(three: RuleNetClassifier, rules: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        three.with_rules(rules)


@pytest.mark.parametrize("labels", [[7, 3], [True, False], ["b", "a"]])
def test_labels_are_those_the_user_gave(labels: list[Any]) -> None:
    clf = RuleNetClassifier(encoder=None).fit(["goal win", "oil price"] * 3, labels * 3)
    (e,) = clf.explain(["goal"])
    assert e.label == clf.predict(["goal"])[0] == labels[0]
    assert set(e.logits) == set(labels)
    assert str(labels[0]) in str(e)
    data = e.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["label"] == str(labels[0])
    assert data["logits"][data["label"]] == e.logits[e.label]
