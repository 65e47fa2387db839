"""From texts to a fitted model, stage by stage. Imports everything below; torch only where there is an encoder.

columns → φ out-of-fold → ψ against it → two scalars on held-out texts → φ on all texts
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import counted, some
from rulenet.decide.per_label import with_thresholds
from rulenet.errors import InputError
from rulenet.features.blocks import Features
from rulenet.model.device import choose_device
from rulenet.model.encoders.encoder import Traits
from rulenet.model.encoders.load import AUTO
from rulenet.model.hybrid import Hybrid
from rulenet.model.link import ONE_OF, UNSEEN, Link
from rulenet.model.phi import Weights, rule_columns
from rulenet.model.phi_problem import PhiProblem
from rulenet.rules.engine.tally import tally
from rulenet.training.alternation import check_stages
from rulenet.training.augment.synonyms import like_words
from rulenet.training.augment.words import WordFinder
from rulenet.training.corpus import Corpus, Origin
from rulenet.training.encoder_choice import chosen_encoder
from rulenet.training.job import Job
from rulenet.training.objectives.objective import Need
from rulenet.training.phi_choice import choose_phi
from rulenet.training.phi_stage import fit_phi, hold_out_phi, outside_phi, phi_problem, shifted, split
from rulenet.training.prompt import checked
from rulenet.training.recipe import FEW_TEXTS, Recipe
from rulenet.training.report import Report
from rulenet.training.self_teaching import self_taught, self_teach
from rulenet.training.several import for_several
from rulenet.training.teaching import Lesson, Rules, compared, compared_line, given_weights, lesson_line, teach
from rulenet.training.view import term_view
from rulenet.training.word_vectors import FEWEST, AddedWords, Columns, alike, word_encoder

if TYPE_CHECKING:
    from rulenet.training.neural import Seen

SILENT = "no rule votes on the texts without a label, so rules cannot teach, and these texts only add words to the word vectors"


@dataclass(frozen=True)
class Task:
    """What a model is to be fitted to."""

    texts: Sequence[str]  # labelled texts first, then unlabelled ones
    Y: Array  # targets of the link, (n_texts, n_classes); zeros if nothing is known
    classes: list[str]  # the labels as strings, in column order
    weighs_labels: bool = False  # whether texts count by their label, which has to hold for texts not seen as well
    words: WordFinder = field(default_factory=WordFinder)  # what augmentations may change
    temperature: float = 1.0  # of the targets: what is learned is φ + ψ divided by it (see `rulenet.ensemble.distil`)
    link: Link = ONE_OF  # whether a text has one label or several

    @property
    def is_given(self) -> Array:
        """Whether each text has a label."""
        return np.asarray(self.link.mass(self.Y) > 0)


def expected_costs(
    task: Task, features: Features, encoder: str | None, recipe: Recipe, device: str
) -> dict[str, float]:
    """Roughly the milliseconds of each stage, for a bar over all of them."""
    n_texts = len(task.texts)
    costs = {"columns": 0.5 * n_texts}
    if taught_by_someone(task, features, recipe):
        costs["teaching"] = (0.5 if encoder is None else 10.0) * n_texts
    costs["φ"] = 1.0 * n_texts
    if encoder is not None:
        epochs = recipe.resolved(n_texts, Traits(), n_texts).steps.epochs or 3
        per_text = 1.0 if device == "cuda" else 3.0 if encoder == "scratch" else 15.0
        costs |= {"φ out-of-fold": 0.2 * recipe.phi.folds * n_texts, "ψ": per_text * epochs * n_texts}
    return costs | {"calibration": 0.1 * n_texts}


def fit_hybrid(task: Task, features: Features, encoder: str | None, recipe: Recipe, job: Job) -> tuple[Hybrid, Report]:
    """Fit φ and, if there is an encoder, ψ."""
    recipe = recipe_for(recipe, task, encoder)
    report = Report(n_texts=int(task.is_given.sum()), language=features.language, n_rules=features.n_rules)
    report.n_unlabeled = len(task.texts) - report.n_texts
    started = time.perf_counter()
    job.progress.stage("columns", f"columns of {counted(len(task.texts), 'text')}")
    if recipe.prompt is not None:
        has = {
            "has_rules": features.ruleset is not None,
            "has_more": not task.is_given.all(),
            "several": task.link.several,
        }
        recipe = recipe.with_changes(prompt=checked(recipe.prompt, encoder, task.classes, **has))
    if encoder is not None:
        check_stages(recipe, report.n_texts)
        task = replace(task, words=new_words(task, features, encoder, recipe, job))
    teaches = taught_by_someone(task, features, recipe)
    plain, words, word_vectors = read_columns(task, features, encoder, recipe, teaches, report, job)
    report.seconds["columns"] = time.perf_counter() - started
    Y, seen = taught(task, words or plain, encoder, recipe, report, job) if teaches else (task.Y, None)

    started = time.perf_counter()
    job.progress.stage("φ", f"φ: {counted(plain.X.shape[1], 'column')}" if plain.X.shape[1] else "")
    is_named = recipe.phi.word_vectors not in (None, AUTO)
    if not is_named and report.n_texts < (FEW_TEXTS if report.teaching else FEWEST):
        words = None  # thousands of guesses know more about words than their vectors
    beside_rules = features.n_rules > 0 and not report.teaching
    choice = choose_phi(plain, words, task.Y, task.classes, recipe, job.seed, task.temperature, task.link, beside_rules)
    columns = words if words is not None and choice.tau else plain
    features, X, report.n_terms = columns.features, columns.X, columns.features.n_terms
    settled: dict[str, Any] = {"C": choice.C, "word_vectors": None}
    if words is not None:
        settled |= {"word_vectors": word_vectors, "nb": choice.nb, "tau": choice.tau}
    recipe, report.settled = recipe.with_changes(**settled), {"min_df": recipe.columns.min_df, **settled}
    problem = phi_problem(features, task.classes, recipe, columns.vectors, temperature=task.temperature, link=task.link)
    if task.weighs_labels:
        problem, choice = shifted(problem, X, task.Y, features, job.seed), replace(choice, held_out=None)
    if seen is None and encoder not in (None, "scratch") and learns_from_itself(task, recipe):
        Y, seen = self_taught(first_corpus(task, X), problem, str(encoder), recipe, report, job)
    weights, Y = fit_phi(problem, X, Y, recipe, choice.start)
    if weights.shared is not None and columns.vectors is not None:
        weights = replace(weights, like=alike(columns, Y, weights, problem.link))
    report.seconds["phi"] = time.perf_counter() - started
    if encoder is not None and not task.link.several and (Y.sum(axis=0) > 0).sum() == 1:
        warnings.warn("all labelled texts have the same label, so there is no neural part", stacklevel=3)
        encoder = None
    if encoder is None:
        held_out = choice.held_out
        if held_out is None or report.teaching or task.link.several:
            held_out = hold_out_phi(
                problem, X, Y if report.teaching else task.Y, task.is_given, features, recipe, job.seed
            )
        hybrid = Hybrid(features, weights.finished(), held_out=held_out, link=problem.link)
        return finished(hybrid, task, report), report
    return fit_neural(task, columns, Y, seen, weights, problem, encoder, recipe, report, job)


def finished(hybrid: Hybrid, task: Task, report: Report) -> Hybrid:
    """A model with thresholds, if its texts may have several labels; a label that no text has answers where something speaks for it."""
    if not task.link.several:
        return hybrid
    has = task.link.positive(task.Y) > 0
    above_bias = hybrid.phi_scale * hybrid.weights.bias + UNSEEN
    hybrid, found = with_thresholds(hybrid, np.where(has.any(axis=0), np.nan, above_bias))
    report.thresholds = {
        "texts": found.n_texts, "common": found.common, "labels_per_text": float(has.sum(axis=1).mean()),
        "without_label": int((~has.any(axis=1)).sum()),
    }  # fmt: skip
    if not found.n_texts:
        texts = counted(len(task.texts), "text leaves", "texts leave")
        warnings.warn(
            f"{texts} too few held-out ones to choose thresholds by: a label is given from a probability of 0.5",
            stacklevel=4,
        )
    return hybrid


def fit_neural(
    task: Task, columns: Columns, Y: Array, seen: Seen | None, weights: Weights, problem: PhiProblem, encoder: str, recipe: Recipe,
    report: Report, job: Job,
) -> tuple[Hybrid, Report]:  # fmt: skip
    """φ out-of-fold, and ψ against it."""
    from rulenet.training.neural import fit_psi

    features, started = columns.features, time.perf_counter()
    job.progress.stage(
        "φ out-of-fold", f"φ out-of-fold, {counted(recipe.phi.folds, 'fold')}" if columns.X.shape[1] else ""
    )
    corpus = new_corpus(task, columns.X, Y, problem.link)
    known = corpus.take(corpus.with_target)
    phi, offset = outside_phi(problem, known.X, known.Y, known.is_given, features, recipe, job.seed)
    if offset is not None:
        weights = problem.solve(known.X, known.Y, offset=offset)
    if len(known) < len(corpus):  # φ was never solved on texts without a target
        outside = weights.logits(corpus.X)
        outside[corpus.with_target], phi = phi, outside
    report.seconds["phi_out_of_fold"] = time.perf_counter() - started
    corpus = replace(corpus, phi=phi)
    if corpus.is_given.any() and not report.has_guesses:  # what φ guessed by itself is no news to ψ
        corpus = corpus.without_guesses()
    rows = np.arange(len(corpus)) if Need.UNLABELLED in recipe.needs else corpus.with_target
    corpus, seen = corpus.take(rows), None if seen is None else seen.take(rows)
    # ψ learns at its usual rate: its loss is a mean over texts, whatever they weigh in sum.
    weight = problem.link.mass(corpus.Y[corpus.is_given if corpus.is_given.any() else corpus.with_target])
    corpus = replace(corpus, Y=corpus.Y / weight.mean())
    psi, weights, held_out = fit_psi(corpus, weights, problem, encoder, recipe, report, job, seen)
    if recipe.augment and not report.epochs and not report.settled.get("contrast_steps"):
        warnings.warn("augment changed nothing, as no epochs followed the convex start; give epochs=…", stacklevel=4)
    a, s = report.phi_scale, report.psi_scale
    return finished(Hybrid(features, weights.finished(), psi, a, s, held_out, problem.link), task, report), report


def recipe_for(recipe: Recipe, task: Task, encoder: str | None) -> Recipe:
    """The recipe for these texts; an InputError, before any work, if an objective learns from texts without labels and there are none."""
    eager = [type(one).__name__ for one in recipe.objectives if Need.OTHER_TEXTS in one.needs]
    if eager and encoder is not None and task.is_given.all():
        raise InputError(f"{eager[0]} learns from texts without labels, and there are none: pass unlabeled=[…] to fit")
    return for_several(recipe) if task.link.several and encoder is not None else recipe


def learns_from_itself(task: Task, recipe: Recipe) -> bool:
    """Whether φ and ψ's head are to label texts for each other before all else, and there are labels to begin with."""
    return bool(recipe.guess_rounds and task.is_given.any() and not task.is_given.all())


def taught_by_someone(task: Task, features: Features, recipe: Recipe) -> bool:
    """Whether there are texts without a label, and rules or a prompt that label them."""
    return (features.ruleset is not None or recipe.prompt is not None) and not bool(task.is_given.all())


def read_columns(
    task: Task, features: Features, encoder: str | None, recipe: Recipe, teaches: bool, report: Report, job: Job
) -> tuple[Columns, Columns | None, str | None]:
    """Columns without and, if they are to be had, with word vectors, and whose these are."""
    word_vectors = word_encoder(recipe, encoder, features, task.texts, report.n_texts, teaches=teaches)
    if word_vectors:
        job.progress.say(f"words that are alike: word vectors of {word_vectors}, read once (up to a minute) and kept")
    added = word_vectors and AddedWords.of(word_vectors, task.texts, features, choose_device(job.device))
    # Terms that no target can teach would still count in the unit length of a text, and in what is rare.
    guesses = learns_from_itself(task, recipe) or recipe.guesses.pseudo_confidence is not None
    learns = teaches or guesses or task.is_given.all() or not task.is_given.any()
    rows = np.arange(len(task.texts)) if learns else np.flatnonzero(task.is_given)
    others = np.setdiff1d(np.arange(len(task.texts)), rows)
    known = added.with_words_of([task.texts[i] for i in others.tolist()], features) if added else ()
    counting = time.perf_counter()
    X = features.fit_transform([task.texts[i] for i in rows.tolist()], known)
    X = features.transform(task.texts) if len(others) else X
    report.seconds_per_text["phi"] = (time.perf_counter() - counting) / len(task.texts)
    plain, words = added.columns(features, X, task.is_given, rows) if added else (Columns(features, X), None)
    report.rule_tally = rule_tally(features, X, task)
    return plain, words, word_vectors


def taught(
    task: Task, columns: Columns, encoder: str | None, recipe: Recipe, report: Report, job: Job
) -> tuple[Array, Seen | None]:
    """Targets of all texts, those without a label as rules teach, and what an encoder has made of the texts."""
    features, n_rules = columns.features, columns.features.n_rules
    seen: Seen | None = None
    started = time.perf_counter()
    job.progress.stage(
        "teaching", f"{'rules teach' if n_rules else 'texts are labelled'}: {counted(len(task.texts), 'text')}"
    )
    if encoder not in (None, "scratch"):
        from rulenet.training.neural import see

        seen = see(first_corpus(task, columns.X), str(encoder), recipe, report, job)
    view = term_view(columns, job.seed) if seen is None else seen.h
    if view is None:
        return task.Y, None
    # Guesses that knew the labels of held-out texts would make φ and ψ look better on these than they are.
    rows = np.arange(len(task.Y))
    if task.is_given.any():
        rows, _ = split(task.Y, task.is_given, recipe.held_out, job.seed)
    lesson: Lesson | None
    guesses, of_rows = recipe.guesses, (view[rows], task.Y[rows])
    if features.ruleset is None:
        said = None if seen is None or seen.said is None else seen.said[rows]
        lesson = self_teach(*of_rows, said, task.classes, ONE_OF, rounds=guesses.rounds + 1, trusted=guesses.trusted)
    else:
        given = given_weights(features.ruleset.rules)
        rules = Rules(columns.X[rows, :n_rules], rule_columns(features.ruleset, task.classes), given)
        how: dict[str, Any] = {"rounds": guesses.rounds, "trusted": guesses.trusted, "seed": job.seed}
        came = view if seen is None or seen.came is None else seen.came.h
        report.compared = compared(rules, came[rows], task.Y[rows], task.classes, ONE_OF, **how)
        if report.compared.get("ahead"):
            job.progress.say(compared_line(report.compared))
            report.seconds["teaching"] = time.perf_counter() - started
            return task.Y, None
        lesson = teach(rules, *of_rows, task.classes, ONE_OF, **how)
    report.seconds["teaching"] = time.perf_counter() - started
    if lesson is None:
        warnings.warn(SILENT, stacklevel=4)
        return task.Y, None
    warn_of_gaps(lesson, task.classes)
    report.teaching = lesson.report
    if n_rules:
        job.progress.say(lesson_line(lesson.report))
    Y = task.Y.copy()
    Y[rows] = lesson.targets
    return Y, seen


def warn_of_gaps(lesson: Lesson, classes: Sequence[str]) -> None:
    """Say that there are hardly any texts, or none of a label."""
    if len(lesson.targets) < len(classes):
        texts = counted(len(lesson.targets), "text")
        warnings.warn(
            f"{texts} for {counted(len(classes), 'label')} are too few to learn from: add texts", stacklevel=5
        )
    elif len(never := np.setdiff1d(np.arange(len(classes)), ONE_OF.answer(lesson.targets))):
        shown = some([repr(classes[k]) for k in never.tolist()])
        warnings.warn(f"no text is taken for {shown}: add rules for it or label some of its texts", stacklevel=5)


def first_corpus(task: Task, X: Any) -> Corpus:
    """The texts and what users say of them, before φ is known."""
    origin = np.where(task.is_given, Origin.GIVEN, Origin.NONE)
    return Corpus(task.texts, X, task.Y, origin, np.zeros_like(task.Y), words=task.words)


def new_corpus(task: Task, X: Any, Y: Array, link: Link) -> Corpus:
    """All texts, and whether their targets are given, guessed or lacking."""
    given, known = link.mass(task.Y) > 0, link.mass(Y) > 0
    origin = np.where(given, Origin.GIVEN, np.where(known, Origin.GUESSED, Origin.NONE))
    return Corpus(task.texts, X, Y, origin, words=task.words)


def new_words(task: Task, features: Features, encoder: str, recipe: Recipe, job: Job) -> WordFinder:
    """The words that augmentations may change; these find out here if something is lacking."""

    def near(finder: WordFinder) -> Mapping[str, Sequence[str]]:
        whose = chosen_encoder(AUTO if encoder == "scratch" else encoder, features.language, task.texts)
        job.progress.say(f"words that may replace others: word vectors of {whose}, read once (up to a minute) and kept")
        return like_words(str(whose), task.texts, finder, choose_device(job.device))

    finder = WordFinder(features.tokeniser, features.ruleset, keep_spans=recipe.keep_rule_spans, near=near)
    for augmentation in recipe.augment:
        augmentation.prepare(finder)
    return finder


def rule_tally(features: Features, X: Any, task: Task) -> dict[str, Any]:
    """What the rules did in training; empty without rules."""
    if features.ruleset is None:
        return {}
    R, known = X[:, : features.n_rules], np.flatnonzero(task.is_given)
    R, y = (R[known], task.link.right(task.Y[known])) if len(known) else (R, None)
    return {"fingerprint": features.ruleset.fingerprint, **tally(features.ruleset.rules, R, task.classes, y)}
