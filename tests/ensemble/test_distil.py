"""Distillation: a student learns the answers of teachers, keeps their rules, and is judged by texts that it did not learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet, distill
from rulenet.ensemble.distil import _held_out
from rulenet.errors import EncoderError, InputError, LabelError, RuleNetError
from rulenet.estimator import NotFittedError

RULES = RuleSet.from_yaml(
    """
rulenet: 1
rules:
  - {id: goal, label: Sports, word: goal}
  - {id: oil, label: Business, word: oil, weight: 1.3, pin: true}
  - {id: market, label: Sports, word: market}
  - {id: match, label: Business, word: match, sign: against}
"""
)
WORDS = {"Sports": ["goal", "match", "team", "win"], "Business": ["oil", "market", "price", "bank"]}
PLAIN = Recipe.of(word_vectors=None, C=10.0, nb=False)


def data(n: int, seed: int, noise: float = 0.0) -> tuple[list[str], list[str]]:
    """Texts of three words, mostly of their label."""
    rng, texts, labels = np.random.default_rng(seed), [], []
    for i in range(n):
        label = ("Sports", "Business")[i % 2]
        other = ("Business", "Sports")[i % 2]
        words = [*rng.choice(WORDS[label], 2), rng.choice(WORDS[other]), f"w{rng.integers(30)}"]
        texts.append(" ".join(words))
        labels.append(other if rng.random() < noise else label)
    return texts, labels


@pytest.fixture(scope="module")
def teacher() -> RuleNetClassifier:
    return RuleNetClassifier(RULES, None, recipe=PLAIN, random_state=0).fit(*data(200, 0))


@pytest.mark.slow
def test_phi_learns_what_a_hybrid_knows(tiny_encoder: str, tmp_path: Path) -> None:
    recipe = PLAIN.with_changes(epochs=1)
    teacher = RuleNetClassifier(RULES, tiny_encoder, recipe=recipe, random_state=0).fit(*data(60, 0))
    texts, labels = data(400, 1)
    student = teacher.distill(texts, labels=[label if i % 4 else float("nan") for i, label in enumerate(labels)])
    about = student.report_["distillation"]
    assert (about["texts"], about["held_out"], about["labels"], about["held_out_labels"]) == (340, 60, 255, 45)
    assert (student.report_["n_texts"], student.report_["n_unlabeled"]) == (255, 85)
    assert min(about["agreement"], about["accuracy"]) > 0.9
    assert not student.predictor_.hybrid.is_neural
    assert (student.classes_.tolist(), student.rules) == (["Business", "Sports"], RULES)
    new = data(50, 2)[0]
    assert (student.predict(new) == teacher.predict(new)).mean() > 0.9
    assert student.report_["rule_tally"]["texts"] == 255
    student.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert twin.report_["distillation"] == about
    np.testing.assert_array_equal(twin.predict_proba(new), student.predict_proba(new))
    edited = student.with_rules(
        RuleSet.from_yaml("{rulenet: 1, rules: [{id: new, label: Sports, word: oil, weight: 9}]}")
    )
    assert edited.predict(["oil"]).tolist() == ["Sports"]
    for e in student.explain(new[:5]):
        for label, logit in e.logits.items():
            total = e.bias[label] + sum(term.contributions.get(label, 0.0) for term in e.terms) + e.neural[label]
            assert abs(total - logit) < 1e-4


def test_alpha_1_is_fitting_to_the_labels(teacher: RuleNetClassifier) -> None:
    texts, labels = data(120, 3, noise=0.3)
    student = distill([teacher], texts, labels=labels, alpha=1.0, recipe=PLAIN)
    kept = np.setdiff1d(np.arange(120), _held_out(np.zeros(120), 0.15, 0)).tolist()
    plain = RuleNetClassifier(RULES, None, recipe=PLAIN, random_state=0)
    plain.fit([texts[i] for i in kept], [labels[i] for i in kept])
    np.testing.assert_array_equal(student.predictor_.hybrid.weights.coef, plain.predictor_.hybrid.weights.coef)
    soft = distill([teacher], texts, labels=labels, alpha=0.0, recipe=PLAIN)
    none = distill([teacher], texts, recipe=PLAIN)
    np.testing.assert_array_equal(soft.predictor_.hybrid.weights.coef, none.predictor_.hybrid.weights.coef)
    agreement = [model.report_["distillation"]["agreement"] for model in (student, soft)]
    assert agreement[1] > agreement[0]  # labels of which 30 % are wrong agree less with the teacher


def test_rules_keep_signs_pins_and_priors(teacher: RuleNetClassifier) -> None:
    for temperature in (1.0, 4.0):
        check_rules(teacher, temperature)


def check_rules(teacher: RuleNetClassifier, temperature: float) -> None:
    student = distill([teacher], data(300, 4)[0], temperature=temperature, recipe=PLAIN.with_changes(tfidf=False))
    coef = student.predictor_.hybrid.phi_scale * student.predictor_.hybrid.weights.coef  # columns: Business, Sports
    assert coef[1, 0] == 1.3
    assert coef[0, 1] > 0
    assert coef[2, 1] == 0.0  # speaks for Sports, and may not speak against it
    assert coef[3, 0] < 0
    few = distill([teacher], ["cat"] * 40, temperature=temperature, recipe=PLAIN)  # where no rule fires
    assert few.predictor_.hybrid.weights.coef[0, 1] == pytest.approx(1.0, abs=1e-3)


def test_the_temperature_changes_how_is_learned_and_not_how_sure_the_student_is(teacher: RuleNetClassifier) -> None:
    texts, recipe = data(400, 5)[0], PLAIN.with_changes(C=1000.0)
    logits = {T: distill([teacher], texts, temperature=T, recipe=recipe).decision_function(texts) for T in (1.0, 3.0)}
    spread = {T: np.abs(found).mean() for T, found in logits.items()}
    assert 0.7 < spread[3.0] / spread[1.0] < 1.4
    assert not np.allclose(logits[1.0], logits[3.0], atol=0.01)


def test_without_labels_it_is_as_sure_as_its_teacher(teacher: RuleNetClassifier) -> None:
    doubtful = RuleNetClassifier(None, None, recipe=PLAIN).fit(*data(400, 6, noise=0.3))
    texts = data(2000, 7)[0]
    student = distill([doubtful], texts)
    sure = [model.predict_proba(texts).max(axis=1).mean() for model in (doubtful, student)]
    assert sure[0] < 0.8
    assert abs(sure[0] - sure[1]) < 0.05
    assert student.report_["held_out"] == {}
    assert "accuracy" not in student.report_["distillation"]


def test_several_teachers_answer_together(teacher: RuleNetClassifier) -> None:
    wrong = RuleNetClassifier(None, None, recipe=PLAIN).fit(*data(200, 8, noise=0.95))
    texts = data(300, 9)[0]
    both = distill([wrong, teacher], texts, recipe=PLAIN)
    mean = (wrong.predict_proba(texts) + teacher.predict_proba(texts)) / 2
    assert (both.predict(texts) == both.classes_[mean.argmax(axis=1)]).mean() > 0.9
    assert (both.report_["distillation"]["teachers"], both.rules) == (2, None)  # the rules of the first


@pytest.mark.slow
def test_into_an_encoder_gives_a_hybrid(teacher: RuleNetClassifier, tiny_encoder: str) -> None:
    texts, labels = data(120, 10)
    recipe = PLAIN.with_changes(epochs=1)
    one, two = (teacher.distill(texts, tiny_encoder, labels=labels, temperature=2.0, recipe=recipe) for _ in range(2))
    assert one.predictor_.hybrid.psi is not None
    assert one.report_["phi_scale"] == one.predictor_.hybrid.phi_scale
    np.testing.assert_array_equal(one.predict_proba(texts), two.predict_proba(texts))
    assert one.score(texts, labels) > 0.9


TEXTS = data(40, 11)[0]


COMPLAINTS: list[tuple[Any, dict[str, Any], type[RuleNetError], str]] = [
    (lambda clf: [], {}, InputError, r"a list of fitted models, such as \[a, b\]"),
    (lambda clf: clf, {}, InputError, r"a list of fitted models, such as \[a, b\]"),
    (lambda clf: [RuleNetClassifier()], {}, NotFittedError, "not fitted yet"),
    (lambda clf: [clf, other()], {}, LabelError, r"teacher 2 has the labels \['a', 'b'\], but the first one has"),
    (lambda clf: [clf, several()], {}, InputError, "distillation needs a model with one label per text"),
    (lambda clf: [clf], {"texts": []}, InputError, "texts is empty"),
    (lambda clf: [clf], {"texts": ["one"]}, InputError, "1 text to distil from are too few: at least 40"),
    (lambda clf: [clf], {"alpha": 0.5}, InputError, "alpha=0.5 weighs labels against teachers, but there are none"),
    (lambda clf: [clf], {"alpha": 1.5, "labels": TEXTS}, InputError, "alpha=1.5 is not a number from 0 to 1"),
    (lambda clf: [clf], {"temperature": 0}, InputError, "temperature=0 is not a number above 0"),
    (lambda clf: [clf], {"labels": ["Sports"]}, InputError, "40 texts but 1 label"),
    (lambda clf: [clf], {"labels": [None] * 40}, InputError, "no label is known: leave labels out"),
    (lambda clf: [clf], {"labels": ["Sports", "Art"] * 20}, LabelError, "does not know these labels: .'Art'"),
    (lambda clf: [clf], {"labels": ["Sports", None, "Business", None] * 10, "alpha": 1}, InputError, "20 texts to"),
    (lambda clf: [clf], {"into": None}, InputError, "into=None is neither 'phi' nor an encoder"),
    (lambda clf: [clf], {"into": "no/such/folder"}, EncoderError, "no/such/folder"),
]


def test_complaints(teacher: RuleNetClassifier) -> None:
    for models, options, kind, message in COMPLAINTS:
        with pytest.raises(kind, match=message):
            distill(models(teacher), **{"texts": TEXTS, **options})


def several() -> RuleNetClassifier:
    return RuleNetClassifier(None, None).fit(["x y", "z w", "x w", "z y"], [["a"], ["b"], ["a", "b"], ["b"]])


def other() -> RuleNetClassifier:
    return RuleNetClassifier(None, None).fit(["x y", "z w"], ["a", "b"])
