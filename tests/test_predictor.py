"""rulenet.predictor: what a fitted model can be asked, and that blocks, cascade, calibration and edited rules keep their promises."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.decide.cascade import texts_needed
from rulenet.errors import InputError, LabelError, ParameterError
from rulenet.estimator import NotFittedError
from rulenet.model.hybrid import HeldOut, Hybrid
from rulenet.predictor import Predictor

# The labels do not stand in the order of the rules, nor in that of the training texts.
RULES = """
rulenet: 1
rules:
  - {id: goal, label: sports, word: goal, weight: 4}
  - {id: oil, label: business, word: oil, weight: 4}
  - {id: match, label: sports, word: match, weight: 0.5}
"""
RULESET = RuleSet.from_yaml(RULES)
WORDS = {"sports": ["goal", "match", "team", "win"], "business": ["oil", "bank", "price", "stock"]}


def corpus(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts of four words; one word in four is of the other label."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["sports", "business"], size=n).tolist()
    texts = []
    for label in labels:
        other = "business" if label == "sports" else "sports"
        texts.append(" ".join(rng.choice(WORDS[label if rng.random() < 0.75 else other]) for _ in range(4)))
    return texts, labels


TEXTS, LABELS = corpus(80, 0)
FRESH, FRESH_LABELS = corpus(100, 1)


@pytest.fixture(scope="module")
def trained(tiny_encoder: str) -> RuleNetClassifier:
    return RuleNetClassifier(RULESET, tiny_encoder, recipe=Recipe.of(epochs=1), device="cpu").fit(TEXTS, LABELS)


@pytest.fixture
def hybrid(trained: RuleNetClassifier) -> RuleNetClassifier:
    """A model with a ψ that has a say, of which a test may change what it likes."""
    clf = trained.with_rules(RULESET)
    clf.predictor_ = clf.predictor_.with_hybrid(replace(trained.predictor_.hybrid, phi_scale=1.0, psi_scale=0.5))
    return clf


def by_hand() -> RuleNetClassifier:
    """φ of two rules: "strong" says b by 4, "weak" by 0.5; held-out texts that bear out the first and not the second."""
    rules = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: s, label: b, word: strong, weight: 4, pin: true},"
        " {id: w, label: b, word: weak, weight: 0.5, pin: true}]}"
    )
    clf = RuleNetClassifier(rules, None, recipe=Recipe.of(tfidf=False)).fit(["x"] * 4, ["a", "b"] * 2)
    phi = np.array([[0.0, 4.0]] * 200 + [[0.0, 0.5]] * 200)
    y = np.array([1] * 200 + [0, 1] * 100)
    clf.predictor_ = clf.predictor_.with_hybrid(
        replace(clf.predictor_.hybrid, held_out=HeldOut(phi, np.zeros_like(phi), y))
    )
    return clf


# Generators and blocks


@pytest.mark.parametrize("n", [0, 1, 4, 10, 12])
def test_a_generator_is_read_block_by_block(hybrid: RuleNetClassifier, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    texts = FRESH[:n]
    answers = hybrid.predict(texts).tolist()
    monkeypatch.setattr("rulenet.predictor.BLOCK", 4)
    read, seen = 0, []

    def generator() -> Iterator[str]:
        nonlocal read
        for text in texts:
            read += 1
            yield text

    real = Hybrid.parts

    def parts(self: Hybrid, block: Any, **options: Any) -> Any:
        seen.append((len(block), read))
        return real(self, block, **options)

    monkeypatch.setattr(Hybrid, "parts", parts)
    assert hybrid.predict(generator()).tolist() == answers
    # Whenever a block is worked on, no text after it has been read.
    assert [total for _, total in seen] == np.cumsum([size for size, _ in seen]).tolist()
    assert all(size <= 4 for size, _ in seen)
    assert read == n


def test_lists_and_generators_give_the_same(hybrid: RuleNetClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    hybrid.calibrate(TEXTS, LABELS)
    ways: list[Any] = [
        hybrid.predict,
        hybrid.predict_proba,
        hybrid.decision_function,
        hybrid.predict_set,
        lambda texts: hybrid.predict(texts, reject=0.3),
    ]
    whole = [way(FRESH[:20]) for way in ways]
    monkeypatch.setattr("rulenet.predictor.BLOCK", 7)
    for texts in (lambda: iter(FRESH[:20]), lambda: FRESH[:20], lambda: map(str, FRESH[:20])):
        for way, expected in zip(ways, whole, strict=True):
            found = way(texts())
            if isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
                np.testing.assert_allclose(found, expected, atol=1e-5)
            else:
                assert list(found) == list(expected)


@pytest.mark.parametrize("empty", [list, lambda: iter([])])
def test_no_texts_give_no_answers(hybrid: RuleNetClassifier, empty: Any) -> None:
    hybrid.calibrate(TEXTS, LABELS)
    assert hybrid.predict(empty()).shape == hybrid.decision_function(empty()).shape == (0,)
    assert hybrid.predict(empty(), reject=0.1).shape == (0,)
    assert hybrid.predict_proba(empty()).shape == (0, 2)
    assert hybrid.predict_set(empty()) == []


def test_a_generator_with_something_else_in_it_is_refused(hybrid: RuleNetClassifier) -> None:
    with pytest.raises(InputError, match=r"1 of 2 texts are not strings: texts\[1\] is 3"):
        hybrid.predict(iter(["a", 3]))


# Rejection and label sets


def test_only_what_is_sure_enough_is_answered() -> None:
    clf, texts = by_hand(), ["weak", "strong", "nothing"]
    assert clf.predict(texts).tolist()[:2] == ["b", "b"]
    # Of the 200 strong ones none is wrong; with the weak ones 100 of 400 are.
    assert clf.predict(texts, reject=0.05).tolist() == [None, "b", None]
    assert clf.predict(texts, reject=0.3).tolist()[:2] == ["b", "b"]
    assert clf.predict(texts, reject=0.001).tolist() == [None, None, None]
    assert clf.predict(texts, reject=0.05, per_class=True).tolist() == [None, "b", None]


def test_sets_hold_what_is_plausible_likeliest_first() -> None:
    clf, texts = by_hand(), ["weak", "strong"]
    assert clf.predict_set(texts, coverage=0.95) == [["b", "a"], ["b"]]
    assert clf.predict_set(texts, coverage=0.4) == [[], ["b"]]
    assert clf.predict_set(texts, coverage=0.999999) == [["b", "a"], ["b", "a"]]
    assert clf.predict_set(["strong"], coverage=0.6, per_class=True) == [["b"]]


def test_sets_cover_fresh_texts(hybrid: RuleNetClassifier) -> None:
    hybrid.calibrate(*corpus(600, 2))
    texts, labels = corpus(600, 3)
    for options in ({}, {"per_class": True}):
        hit = [label in found for label, found in zip(labels, hybrid.predict_set(texts, 0.9, **options), strict=True)]
        assert np.mean(hit) == pytest.approx(0.9, abs=0.06)  # many texts are equal, so that scores are tied
    assert expected_error(hybrid.predict(texts, reject=0.1), labels) <= 0.13
    assert expected_error(hybrid.predict(texts), labels) > 0.13


def expected_error(answers: Any, labels: list[str]) -> float:
    """Share of wrong ones among the answers given."""
    given = [(answer, label) for answer, label in zip(answers, labels, strict=True) if answer is not None]
    return float(np.mean([answer != label for answer, label in given]))


def test_probabilities_are_those_of_the_held_out_texts() -> None:
    clf = by_hand()
    # Right 200 times in 200, and 100 times in 200: a lead of 4 is believed, one of 0.5 is not.
    temperature = clf.report_["calibration"]["temperature"]["rules"]
    logits = clf.decision_function(["strong", "weak"])
    assert logits.tolist() == pytest.approx([4.0, 0.5])
    expected = 1 / (1 + np.exp(-logits / (temperature["base"] * (1 + logits) ** temperature["growth"])))
    np.testing.assert_allclose(clf.predict_proba(["strong", "weak"])[:, 1], expected)
    assert clf.report_["calibration"]["texts"] == 400


@pytest.mark.parametrize("share", [0, 1, 1.0, -0.1, "0.1", None, math.nan])
def test_shares_that_are_none_are_refused(share: Any) -> None:
    clf = by_hand()
    with pytest.raises(ParameterError, match=r"^coverage=.* is not a share between 0 and 1, such as 0\.95$"):
        clf.predict_set(["strong"], share)
    if share is not None:
        with pytest.raises(ParameterError, match=r"^reject=.* is not a share between 0 and 1, such as 0\.02$"):
            clf.predict(["strong"], reject=share)


def test_promises_need_held_out_labels(hybrid: RuleNetClassifier) -> None:
    clf = RuleNetClassifier(RULESET, None).fit(TEXTS[:20], LABELS[:20])
    assert clf.predictor_.hybrid.held_out is None
    assert clf.report_["calibration"] == {}
    for ask, purpose in ((clf.predict_set, "predict_set"), (lambda texts: clf.predict(texts, reject=0.1), "reject")):
        with pytest.raises(
            ParameterError,
            match=rf"^{purpose} needs held-out texts with labels, .*; calibrate it first, with labelled texts that it was not",
        ):
            ask(["goal"])
    hybrid.calibrate(TEXTS)
    with pytest.raises(ParameterError, match="needs held-out texts with labels"):
        hybrid.predict_set(["goal"])


# Calibrating anew


def test_calibrate_takes_labels_in_any_order_and_type() -> None:
    clf = RuleNetClassifier(None, None).fit(["uu", "vv", "ww"] * 3, [30, -1, 7] * 3)
    assert clf.calibrate(["vv", "uu", "ww", "uu"], [-1, 30, 7, 30]) is clf
    held_out = clf.predictor_.hybrid.held_out
    assert held_out is not None
    assert held_out.y.tolist() == [0, 2, 1, 2]
    assert held_out.phi.argmax(axis=1).tolist() == [0, 2, 1, 2]
    assert clf.report_["calibration"]["texts"] == 4
    # Not every label need occur.
    assert clf.calibrate(["ww", "uu"], [7, 30]).predictor_.hybrid.held_out.y.tolist() == [1, 2]


def test_calibrate_keeps_logits_before_the_scalars(hybrid: RuleNetClassifier) -> None:
    hybrid.predictor_ = hybrid.predictor_.with_hybrid(replace(hybrid.predictor_.hybrid, phi_scale=4.0, psi_scale=0.25))
    held_out = hybrid.calibrate(FRESH, FRESH_LABELS).predictor_.hybrid.held_out
    assert held_out is not None
    logits = (4.0 * held_out.phi + 0.25 * held_out.psi) @ [-1.0, 1.0]
    np.testing.assert_allclose(logits, hybrid.decision_function(FRESH), atol=1e-5)


@pytest.mark.parametrize(
    ("texts", "labels", "error", "message"),
    [
        (["a", "b"], ["sports", "spots"], LabelError, r"does not know these labels: \['spots'\]"),
        (["a"], ["spots"], LabelError, r"does not know these labels: \['spots'\]"),
        (["a", "b"], [1, 2], LabelError, r"does not know these labels: \[1, 2\]"),
        (["a", "b"], ["sports"], InputError, "2 texts but 1 label"),
        (["a", "b"], ["sports", "sports"], LabelError, "at least two classes"),
        (["a", "b"], ["sports", None], InputError, "1 label is missing"),
        ([], None, InputError, "texts is empty"),
    ],
)
def test_calibrate_refuses(
    hybrid: RuleNetClassifier, texts: list[str], labels: Any, error: type[Exception], message: str
) -> None:
    before = hybrid.predictor_.hybrid
    with pytest.raises(error, match=message):
        hybrid.calibrate(texts, labels)
    assert hybrid.predictor_.hybrid is before


def test_an_unfitted_model_says_so() -> None:
    clf = RuleNetClassifier(None, None)
    asks: list[Any] = [
        lambda: clf.predict_set(["a"]),
        lambda: clf.predict(["a"], reject=0.1),
        lambda: clf.calibrate(["a"], ["b"]),
        lambda: clf.predict(iter([])),
        lambda: RuleNetClassifier.cascade_report_.fget(clf),  # type: ignore[attr-defined]
    ]
    for ask in asks:
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            ask()


# Cascade


def test_the_cascade_can_be_changed_without_refitting(hybrid: RuleNetClassifier) -> None:
    everything = hybrid.predict(FRESH).tolist()
    assert hybrid.cascade_report_["mode"] == "off"
    assert not hybrid.predictor_.parts(FRESH).skipped.any()
    hybrid.set_params(cascade="certified")
    report = hybrid.cascade_report_
    bound = hybrid.predictor_.hybrid.psi.bound
    assert (report["mode"], report["margin"]) == ("certified", pytest.approx(2 * 0.5 * bound))
    skipped = hybrid.predictor_.parts(FRESH).skipped
    assert 0 < skipped.sum() < len(FRESH)
    assert hybrid.predict(FRESH).tolist() == everything
    assert not hybrid.set_params(cascade="off").predictor_.parts(FRESH).skipped.any()


def test_held_out_texts_take_the_path_that_they_would_take_as_new_ones(hybrid: RuleNetClassifier) -> None:
    hybrid.set_params(cascade="certified").calibrate(FRESH, FRESH_LABELS)
    proba, skipped = hybrid.predict_with_path(FRESH)
    assert 0 < skipped.sum() < len(FRESH)
    calibration = hybrid.calibration_
    assert calibration is not None
    assert calibration.skipped.tolist() == skipped.tolist()
    np.testing.assert_allclose(calibration.proba, proba, atol=1e-5)


def test_a_cascade_that_is_none_is_refused(hybrid: RuleNetClassifier) -> None:
    with pytest.raises(ParameterError, match=r"^cascade='sometimes', cascade_risk=0.005: use 'off', 'certified'"):
        hybrid.set_params(cascade="sometimes").predict(FRESH)


def test_statistical_needs_enough_texts_and_then_keeps_to_its_risk(hybrid: RuleNetClassifier) -> None:
    hybrid.set_params(cascade="statistical", cascade_risk=0.05)
    hybrid.calibrate(FRESH[:20])
    assert hybrid.cascade_report_["mode"] == "certified"
    assert f"takes {texts_needed(0.05)}" in hybrid.cascade_report_["note"]
    hybrid.calibrate(corpus(400, 5)[0])  # needs no labels
    report = hybrid.cascade_report_
    assert report["mode"] == "statistical"
    assert 0 < report["risk_bound"] <= 0.05
    assert report["margin"] < 2 * 0.5 * hybrid.predictor_.hybrid.psi.bound
    texts = corpus(400, 6)[0]
    quick = hybrid.predict(texts)
    assert hybrid.predictor_.parts(texts).skipped.mean() == pytest.approx(report["share_skipped"], abs=0.1)
    assert (quick != hybrid.set_params(cascade="off").predict(texts)).mean() <= 0.05
    assert hybrid.set_params(cascade_risk=0.0001, cascade="statistical").cascade_report_["mode"] == "certified"


def test_a_model_without_psi_has_nothing_to_skip() -> None:
    clf = RuleNetClassifier(RULESET, None, cascade="certified").fit(TEXTS, LABELS)
    assert clf.cascade_report_["note"].startswith("the model has no ψ to skip")
    assert clf.predictor_.parts(FRESH).skipped.all()
    assert set(clf.report_["calibration"]["temperature"]) == {"hybrid", "rules"}


def test_a_psi_of_scale_zero_is_not_run(hybrid: RuleNetClassifier) -> None:
    hybrid.predictor_ = hybrid.predictor_.with_hybrid(replace(hybrid.predictor_.hybrid, psi_scale=0.0))
    parts = hybrid.calibrate(FRESH, FRESH_LABELS).predictor_.parts(FRESH)
    assert parts.skipped.all()
    assert not parts.psi.any()
    assert hybrid.predict_proba(FRESH).shape == (100, 2)


# A predictor does not change


def test_every_change_gives_another_predictor(hybrid: RuleNetClassifier) -> None:
    before = hybrid.predictor_
    parts, policy, proba = before.hybrid, before.policy, before.predict_proba(FRESH)
    others = [
        before.with_rules(None),
        before.with_policy("certified"),
        before.with_device("auto"),
        before.with_hybrid(replace(parts, psi_scale=0.1)),
        before.calibrate(FRESH, FRESH_LABELS),
    ]
    assert all(isinstance(other, Predictor) and other is not before for other in others)
    assert (before.hybrid, before.policy) == (parts, policy)
    np.testing.assert_array_equal(before.predict_proba(FRESH), proba)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'policy'"):
        before.policy = others[1].policy  # type: ignore[misc]
    # Nothing that is the same is made anew.
    assert before.with_policy("off", policy.risk) is before
    assert before.with_device("cpu") is before
    assert before.with_rules(RuleSet.from_yaml(RULES)).policy.calibration is policy.calibration


def test_the_parameters_of_the_estimator_decide(hybrid: RuleNetClassifier) -> None:
    hybrid.predictor_ = hybrid.predictor_.with_policy("certified")
    assert hybrid.predictor_.policy.mode == "off"
    hybrid.set_params(cascade="certified", device="auto")
    assert (hybrid.predictor_.policy.mode, hybrid.predictor_.device) == ("certified", "auto")
    assert hybrid.predictor_ is hybrid.predictor_


def test_the_estimator_has_the_signatures_and_docstrings_of_its_predictor() -> None:
    for name in ("predict", "predict_set", "explain"):
        assert getattr(RuleNetClassifier, name).__doc__ == getattr(Predictor, name).__doc__
        assert getattr(RuleNetClassifier, name).__name__ == name
        assert signature(getattr(RuleNetClassifier, name)) == signature(getattr(Predictor, name))


def test_threads_may_share_a_predictor(hybrid: RuleNetClassifier) -> None:
    predictor = hybrid.set_params(cascade="certified").predictor_
    proba = predictor.predict_proba(FRESH)
    told = [str(e) for e in predictor.explain(FRESH[:10])]

    def ask(i: int) -> bool:
        same = np.allclose(predictor.predict_proba(FRESH), proba, atol=1e-12)
        return same and [str(e) for e in predictor.explain(FRESH[:10])] == told and bool(predictor.what_if(FRESH[i]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(16)))
    assert gc.isenabled()


# Rules that change


def test_edited_rules_fall_back_to_certified_until_calibrated_anew(hybrid: RuleNetClassifier) -> None:
    hybrid.set_params(cascade="statistical", cascade_risk=0.05).calibrate(*corpus(400, 5))
    assert (hybrid.cascade_report_["mode"], hybrid.report_["refresh_calibration"]) == ("statistical", False)
    edited = hybrid.with_rules(RuleSet.from_yaml(RULES.replace("word: oil", "word: [oil, barrel]")))
    assert edited.report_["refresh_calibration"] is True
    assert edited.cascade_report_["mode"] == "certified"
    assert "rules have changed" in edited.cascade_report_["note"]
    with pytest.warns(UserWarning, match=r"^predict_set relies on held-out texts from before the rules changed"):
        edited.predict_set(["goal"])
    # The model it came from is as it was, and rules that are the same are no change.
    assert hybrid.cascade_report_["mode"] == "statistical"
    assert hybrid.with_rules(RuleSet.from_yaml(RULES)).report_["refresh_calibration"] is False
    edited.calibrate(corpus(400, 7)[0])
    assert edited.cascade_report_["mode"] == "statistical"
    assert edited.report_["refresh_calibration"] is False
    assert edited.report_["cascade"] == edited.cascade_report_


def coef_without(clf: RuleNetClassifier, rule: str) -> Hybrid:
    """The fitted parts with the weight of one rule set to zero."""
    weights = clf.predictor_.hybrid.weights
    coef = weights.coef.copy()
    coef[[r.id for r in clf.predictor_.hybrid.features.ruleset.rules].index(rule)] = 0
    return replace(clf.predictor_.hybrid, weights=replace(weights, coef=coef))


@pytest.mark.parametrize("gone", ["goal", "oil", "match"])
def test_a_removed_rule_is_gone_from_answers_and_explanations(hybrid: RuleNetClassifier, gone: str) -> None:
    kept = [rule for rule in ("goal", "oil", "match") if rule != gone]
    lines = [line for line in RULES.splitlines() if f"id: {gone}," not in line]
    edited = hybrid.with_rules(RuleSet.from_yaml("\n".join(lines)))
    muted = hybrid.with_rules(RULESET)
    muted.predictor_ = muted.predictor_.with_hybrid(coef_without(hybrid, gone))
    np.testing.assert_allclose(edited.decision_function(FRESH), muted.decision_function(FRESH), atol=1e-6)
    assert edited.predict(FRESH).tolist() == muted.predict(FRESH).tolist()
    before, after = hybrid.explain(FRESH), edited.explain(FRESH)
    assert any(term.name == gone and term.kind == "rule" for e in before for term in e.terms)
    for old, new in zip(before, after, strict=True):
        # φ elsewhere is as it was: the same terms, with the same contributions.
        assert {(t.kind, t.name): t.contributions for t in new.terms} == {
            (t.kind, t.name): t.contributions for t in old.terms if (t.kind, t.name) != ("rule", gone)
        }
        assert new.bias == old.bias
        assert {t.name for t in new.terms if t.kind == "rule"} <= set(kept)


def test_a_text_without_the_removed_rule_keeps_its_logits(hybrid: RuleNetClassifier) -> None:
    edited = hybrid.with_rules(
        RuleSet.from_yaml("\n".join(line for line in RULES.splitlines() if "id: goal" not in line))
    )
    texts = [text for text in FRESH if "goal" not in text]
    np.testing.assert_allclose(edited.decision_function(texts), hybrid.decision_function(texts), atol=1e-6)
    with_goal = [text for text in FRESH if "goal" in text]
    assert (
        edited.predictor_.parts(with_goal).phi[:, 1] < hybrid.predictor_.parts(with_goal).phi[:, 1]
    ).all()  # sports is the second label


def test_without_any_rules_only_terms_and_psi_speak(hybrid: RuleNetClassifier) -> None:
    edited = hybrid.with_rules(None)
    assert all(term.kind == "tfidf" for e in edited.explain(FRESH) for term in e.terms)
    again = edited.with_rules(RULESET)
    added = again.predictor_.parts(["goal"]).phi - edited.predictor_.parts(["goal"]).phi
    np.testing.assert_allclose(added, [[0.0, 4.0]])  # their learned weights are gone: the author's count


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_a_new_rule_starts_at_its_authors_weight_in_logits(hybrid: RuleNetClassifier, scale: float) -> None:
    hybrid.predictor_ = hybrid.predictor_.with_hybrid(replace(hybrid.predictor_.hybrid, phi_scale=scale))
    edited = hybrid.with_rules(RuleSet.from_yaml(RULES + "  - {id: new, label: business, word: merger, weight: 2.5}\n"))
    np.testing.assert_allclose(
        edited.predictor_.parts(["merger"]).phi - hybrid.predictor_.parts(["merger"]).phi, [[2.5, 0.0]], atol=1e-9
    )
    np.testing.assert_allclose(edited.predictor_.parts(FRESH).phi, hybrid.predictor_.parts(FRESH).phi, atol=1e-9)
    term = next(term for term in edited.explain(["merger"])[0].terms if term.name == "new")
    assert term.contributions == pytest.approx({"business": 2.5, "sports": 0.0})


def test_new_conditions_keep_the_learned_weight(hybrid: RuleNetClassifier) -> None:
    edited = hybrid.with_rules(RuleSet.from_yaml(RULES.replace("word: oil", "word: barrel")))
    np.testing.assert_allclose(edited.predictor_.hybrid.weights.coef, hybrid.predictor_.hybrid.weights.coef)
    reweighted = hybrid.with_rules(RuleSet.from_yaml(RULES.replace("word: oil, weight: 4", "word: oil, weight: 3")))
    assert reweighted.predictor_.hybrid.weights.coef[1].tolist() == [3.0, 0.0]


# Keeping


def test_save_and_load_keep_cascade_held_out_and_probabilities(hybrid: RuleNetClassifier, tmp_path: Path) -> None:
    hybrid.set_params(cascade="statistical", cascade_risk=0.04).calibrate(*corpus(300, 8))
    hybrid.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model", device="cpu")
    assert (twin.cascade, twin.cascade_risk) == ("statistical", 0.04)
    assert twin.cascade_report_ == hybrid.cascade_report_
    assert (twin.cascade_report_["mode"], twin.report_) == ("statistical", hybrid.report_)
    np.testing.assert_allclose(twin.predict_proba(FRESH), hybrid.predict_proba(FRESH), atol=1e-6)
    assert twin.predict_set(FRESH) == hybrid.predict_set(FRESH)
    edited = twin.with_rules(None)
    edited.save(tmp_path / "edited")
    assert RuleNetClassifier.load(tmp_path / "edited").cascade_report_["mode"] == "certified"  # stale it stays


def test_texts_without_labels_are_kept_as_such(hybrid: RuleNetClassifier, tmp_path: Path) -> None:
    hybrid.calibrate(FRESH).save(tmp_path / "model")
    held_out = RuleNetClassifier.load(tmp_path / "model").predictor_.hybrid.held_out
    assert held_out is not None
    assert set(held_out.y.tolist()) == {-1}
