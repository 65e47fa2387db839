"""Distillation: one model, smaller or faster, that answers as one or several others do. Imports the estimator and below; no torch.

    minimise  α L_hard + (1 − α) L_soft  =  Σ_n CE(α y_n + (1 − α) q_n, softmax(f(x_n) / T)),    q ∝ p^(1/T)

p are the calibrated probabilities of the teachers, their mean if there are several, and y a label where there is one. Cross-entropy is
linear in the target, so hard and soft targets at one temperature T are mixed before training, and everything that learns from targets
(the convex φ with signs, pins and priors of rules, the joint loss of φ and ψ) distils as it is. In the end logits are multiplied by T.

The student never sees some of the texts. By these it is judged and calibrated: by their labels or, where there are none, by labels drawn
with the teachers' probabilities, so that it promises as much as the teachers do and no more.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.data.check import check_texts, is_missing
from rulenet.errors import InputError, LabelError, ParameterError
from rulenet.estimator import RuleNetClassifier, fit_task
from rulenet.model.encoders.load import check_encoder
from rulenet.model.hybrid import HeldOut
from rulenet.predictor import Predictor
from rulenet.training.phi_stage import MIN_HELD_OUT
from rulenet.training.recipe import Recipe
from rulenet.training.recipes import chosen
from rulenet.training.stages import Task, rule_tally

PHI = "phi"
ALPHA = 0.5  # where there are labels
MOST_HELD_OUT = 2000  # texts: enough to judge and calibrate by
BLOCK = 512  # texts that teachers answer at a time
HOTTEST = 100.0


def distill(
    models: Sequence[RuleNetClassifier], texts: Sequence[str], into: str | os.PathLike[str] = PHI, *, labels: Sequence[Any] | None = None,
    alpha: float | None = None, temperature: float = 1.0, recipe: Recipe | str | None = None,
) -> RuleNetClassifier:  # fmt: skip
    """A new model that learns what others say of many texts, and keeps the rules of the first.

    Parameters
    ----------
    models
        The teachers: fitted models with the same labels, whose probabilities are averaged.
    texts
        At least 40 and best thousands, like those that are to be classified later, not those that the teachers learned from. They
        need no labels. 15 %, but at most 2,000, are held out.
    into
        ``"phi"``: a linear model, whose weights of rules and terms say what the teachers know. Or an encoder, for a smaller hybrid.
    labels
        For each text its label, or None where it is not known.
    alpha
        How much a label counts against what the teachers say of that text: 0, nothing; 1, only labels are learned from. None: 0.5.
    temperature
        Above 1, what the teachers think of less likely labels counts more.
    recipe
        How the student is trained, or a name of `rulenet recipes`. None: `Recipe()`, with the kinds of columns of the first teacher.

    Returns
    -------
    RuleNetClassifier
        The student. ``report_["distillation"]`` has its agreement with the teachers on held-out texts, and accuracies where these
        have labels.

    Raises
    ------
    InputError, LabelError, ParameterError, NotFittedError
        If teachers differ in their labels or are not fitted, or an argument cannot be used.

    Examples
    --------
    >>> texts = [f"{word} {n}" for n in "abcdefghij" for word in ("good", "fine", "bad", "poor")]
    >>> teacher = RuleNetClassifier(None, None).fit(["good fine", "bad poor"], ["pos", "neg"])
    >>> student = distill([teacher], texts)
    >>> student.predict(["good", "poor"]).tolist(), student.report_["distillation"]["agreement"]
    (['pos', 'neg'], 1.0)
    """
    predictors = _teachers(models)
    first, texts = models[0], check_texts(texts, may_be_empty=False)
    _check_request(texts, labels, alpha, temperature, into)
    texts, y, alpha = _weighed(predictors[0], texts, labels, alpha)
    recipe = student_recipe(first) if recipe is None else chosen(recipe)
    student = _new_student(first, predictors[0], into, recipe)
    proba = _answers(predictors, texts, Progress(first.verbose))
    held_out = _held_out(y, recipe.held_out, first.random_state or 0)
    learned = np.setdiff1d(np.arange(len(texts)), held_out)
    hard = np.eye(proba.shape[1])[y] * (y >= 0)[:, None]
    Y = alpha * hard + (1 - alpha) * softened(proba, temperature)
    task = Task([texts[i] for i in learned.tolist()], Y[learned], predictors[0].names, temperature=float(temperature))
    features, classes = predictors[0].hybrid.features, predictors[0].labels
    fit_task(student, task, features.ruleset, features.language, recipe.resolved(len(learned)), classes)
    about = {"teachers": len(models), "alpha": alpha if labels is not None else None, "temperature": float(temperature)}
    return _judged(student, texts, y, proba, held_out, about)


def softened(proba: Array, temperature: float) -> Array:
    """Probabilities at a temperature: the softmax of their logarithms divided by it.

    Examples
    --------
    >>> softened(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    powers = (proba / proba.max(axis=1, keepdims=True)) ** (1.0 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _teachers(models: Sequence[RuleNetClassifier]) -> list[Predictor]:
    """The fitted parts of the teachers, if these have the same labels."""
    if isinstance(models, RuleNetClassifier) or not models:
        raise ParameterError("models should be a list of fitted models, such as [a, b]")
    predictors = [model.predictor_ for model in models]
    for predictor in predictors:
        predictor.only_one("distillation")
    known = predictors[0].labels.tolist()
    for number, predictor in enumerate(predictors[1:], start=2):
        if (other := predictor.labels.tolist()) != known:
            raise LabelError(
                f"teacher {number} has the labels {other}, but the first one has {known}: they must be the same"
            )
    return predictors


def _check_request(texts: list[str], labels: Any, alpha: Any, temperature: Any, into: Any) -> None:
    """Refuse arguments that cannot be used, before any work."""
    _check_number(texts)
    if alpha is not None and (isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 <= alpha <= 1):
        raise ParameterError(f"alpha={alpha!r} is not a number from 0 to 1")
    if alpha is not None and labels is None:
        raise ParameterError(f"alpha={alpha!r} weighs labels against teachers, but there are none: pass labels as well")
    is_number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not is_number or not 0 < temperature <= HOTTEST:
        raise ParameterError(f"temperature={temperature!r} is not a number above 0 and at most {HOTTEST:.0f}")
    if not isinstance(into, str | os.PathLike):
        raise ParameterError(f"into={into!r} is neither 'phi' nor an encoder: a name or a folder")
    if into != PHI:
        check_encoder(os.fspath(into))


def _check_number(texts: list[str]) -> None:
    if len(texts) < MIN_HELD_OUT:
        what = f"{counted(len(texts), 'text')} to distil from are too few"
        raise InputError(f"{what}: at least {MIN_HELD_OUT}, better thousands; they need no labels")


def _weighed(teacher: Predictor, texts: list[str], labels: Any, alpha: float | None) -> tuple[list[str], Array, float]:
    """The texts that say anything, class indices with −1 where no label is known, and α."""
    y = _known_labels(teacher, labels, len(texts))
    alpha = 0.0 if labels is None else ALPHA if alpha is None else float(alpha)
    if alpha == 1.0:  # texts without a label weigh nothing then
        texts, y = [texts[i] for i in np.flatnonzero(y >= 0).tolist()], y[y >= 0]
        _check_number(texts)
    return texts, y, alpha


def _known_labels(teacher: Predictor, labels: Any, n_texts: int) -> Array:
    """Class index of each text, −1 where its label is not known."""
    y = np.full(n_texts, -1, dtype=np.intp)
    if labels is None:
        return y
    given = list(labels)
    if len(given) != n_texts:
        raise InputError(
            f"{counted(n_texts, 'text')} but {counted(len(given), 'label')}: give each one, None if it is not known"
        )
    known = [i for i, label in enumerate(given) if not is_missing(label)]
    if not known:
        raise InputError("no label is known: leave labels out")
    y[known] = teacher.class_indices([given[i] for i in known], len(known))
    return y


def student_recipe(first: RuleNetClassifier) -> Recipe:
    """The usual recipe of a student of this teacher: the same kinds of columns, and all that depends on data open again."""
    columns = first.recipe_.columns
    return Recipe.of(tfidf=columns.tfidf, pos=columns.pos, ngram_range=columns.ngram_range)


def _new_student(first: RuleNetClassifier, teacher: Predictor, into: Any, recipe: Recipe) -> RuleNetClassifier:
    """The student before it learns."""
    features = teacher.hybrid.features
    if into == PHI and features.ruleset is None and not (recipe.columns.tfidf or recipe.columns.pos):
        raise ParameterError("a teacher without rules and a recipe without tfidf leave φ nothing to learn with")
    return RuleNetClassifier(
        features.ruleset, None if into == PHI else into, language=features.language, classes=first.classes, recipe=recipe,
        device=first.device, n_jobs=first.n_jobs, random_state=first.random_state, verbose=first.verbose,
    )  # fmt: skip


def _answers(teachers: list[Predictor], texts: list[str], progress: Progress) -> Array:
    """Mean probabilities of the teachers, (n_texts, n_classes)."""
    blocks = [texts[at : at + BLOCK] for at in range(0, len(texts), BLOCK)]
    progress.say(f"{counted(len(teachers), 'teacher')}: {counted(len(texts), 'text')}")
    tracked = progress.track(blocks, "teachers")
    return np.concatenate([np.mean([one.predict_proba(block) for one in teachers], axis=0) for block in tracked])


def _held_out(y: Array, share: float, seed: int) -> Array:
    """Texts that the student is judged by, of those with labels and of the others the same share."""
    rng, share = np.random.default_rng(seed), min(share, MOST_HELD_OUT / len(y))
    parts = [rng.permutation(rows) for rows in (np.flatnonzero(y >= 0), np.flatnonzero(y < 0))]
    return np.sort(np.concatenate([rows[: round(share * len(rows))] for rows in parts]))


def _judged(
    student: RuleNetClassifier, texts: list[str], y: Array, proba: Array, held_out: Array, about: dict[str, Any]
) -> RuleNetClassifier:
    """The student with logits at temperature 1, calibrated by the held-out texts, with what they say of it in its report."""
    made = student.predictor_.with_hybrid(student.predictor_.hybrid.times(about["temperature"]))
    hybrid, taught, known = made.hybrid, proba[held_out], y[held_out]
    parts = made.parts([texts[i] for i in held_out.tolist()], may_skip=False)
    point = np.random.default_rng([student.random_state or 0, 1]).random((len(held_out), 1))
    drawn = (point < taught.cumsum(axis=1)).argmax(axis=1)
    psi = parts.psi / hybrid.psi_scale if hybrid.psi_scale else parts.psi
    judges = HeldOut(parts.phi / hybrid.phi_scale, psi, np.where(known >= 0, known, drawn))
    learned = np.setdiff1d(np.arange(len(texts)), held_out)
    about |= {"texts": len(learned), "labels": int((y[learned] >= 0).sum())}
    about |= _shares(hybrid.link.answer(parts.logits), hybrid.link.answer(taught), known)
    # What training itself held out was judged by the teachers' answers, and so were rules.
    student.report_ |= {"distillation": about, "held_out": {}, "start": {}}
    student.report_ |= {"n_texts": about["labels"], "n_unlabeled": about["texts"] - about["labels"]}
    student.report_ |= {"phi_scale": hybrid.phi_scale, "psi_scale": hybrid.psi_scale}
    if (rules := hybrid.features.ruleset) is not None:
        seen = learned[y[learned] >= 0] if about["labels"] else learned
        targets = np.eye(proba.shape[1])[y[seen]] * (y[seen] >= 0)[:, None]
        task = Task([texts[i] for i in seen.tolist()], targets, made.names)
        student.report_["rule_tally"] = rule_tally(hybrid.features, rules.match(task.texts), task)
    student.predictor_ = made.with_hybrid(replace(hybrid, held_out=judges))
    return student


def _shares(answers: Array, theirs: Array, y: Array) -> dict[str, Any]:
    """How often a student answers as its teachers do and, where labels are known, how often both are right."""
    has_label = y >= 0
    found = {
        "held_out": len(y),
        "held_out_labels": int(has_label.sum()),
        "agreement": float((answers == theirs).mean()),
    }
    if has_label.any():
        found["accuracy"] = float((answers == y)[has_label].mean())
        found["teacher_accuracy"] = float((theirs == y)[has_label].mean())
    return found
