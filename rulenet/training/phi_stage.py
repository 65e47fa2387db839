"""φ's half of training: its problem, its weights, and φ of texts that it never saw. Hot edits use the same functions.

Imports features, model and recipe; no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize
from sklearn.model_selection import train_test_split

from rulenet.base.types import Array
from rulenet.features.blocks import Features
from rulenet.model.hybrid import HeldOut
from rulenet.model.link import ONE_OF, Link
from rulenet.model.phi import Weights, rule_columns
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.recipe import Recipe

DEFAULT_C = 10.0  # where there is nothing to choose it by
# Of φ with rules: what few texts need to hold rules that say much is a bias of several logits, which is wrong elsewhere. 20 labelled texts:
# our AG News pack 81.3 → 87.4 (votes of the rules 86.2), THUCNews 78.5 → 82.8, IMDB 88.3 → 89.4; from 300 texts on within 0.3.
BIAS_VARIANCE = 1.0
FOLDS = 5  # that say how the biases of weighted labels must be moved
MIN_HELD_OUT = 40  # below this a held-out split costs more than it tells


def phi_problem(
    features: Features,
    classes: Sequence[str],
    recipe: Recipe,
    vectors: Array | None = None,
    shared: Array | None = None,
    temperature: float = 1.0,
    link: Link = ONE_OF,
) -> PhiProblem:
    """How φ is learned, in training and in hot edits; C and τ of the recipe are settled, `classes` are in column order.

    With a temperature, φ / temperature is learned, so the priors and bounds of rules are divided by it.

    A hot edit has no word vectors: what terms share stays as it is, and the rest is learned, which is the same problem but for that.
    """
    rules, phi = rule_columns(features.ruleset, classes), recipe.phi
    if temperature != 1.0:
        names = ("prior", "lower", "upper")
        rules = [replace(rule, **{name: getattr(rule, name) / temperature for name in names}) for rule in rules]
    nb_terms, vectors = 0 if phi.nb is False else features.n_terms, vectors if phi.tau else None
    return PhiProblem(
        rules, C=phi.C or DEFAULT_C, rule_sigma=phi.rule_sigma / temperature, nb_terms=nb_terms, vectors=vectors,
        tau=phi.tau or 1.0, shared=shared, bias_variance=BIAS_VARIANCE if rules else np.inf, link=link,
    )  # fmt: skip


def shifted(problem: PhiProblem, X: Any, Y: Array, features: Features, seed: int) -> PhiProblem:
    """The same problem with biases moved so that texts which φ never saw are likeliest, each counted as its label is.

    Weights alone do little for a rare label: φ gets its few texts right whatever they weigh, and knows few of its words. Of 20 texts
    beside 2,000, it found 2 to 9 % of such texts in AG News and none in IMDB; moved, 78 to 96 % and 85 %. Labels with one text stay.
    """
    n = np.bincount(problem.link.strata(Y)[problem.link.mass(Y) > 0], minlength=Y.shape[1])
    if (n > 1).sum() < 2:
        return problem
    rows = np.flatnonzero(Y[:, n > 1].sum(axis=1) > 0)
    X, Y, folds = X[rows], Y[rows] / Y[rows].sum(axis=1).mean(), min(FOLDS, n[n > 1].min())
    phi = problem.out_of_fold(X, Y, folds, seed, n_jobs=features.n_jobs, as_fitted_on=features.as_fitted_on)
    phi, Y = phi[:, n > 1], Y[:, n > 1]
    mass = problem.link.mass(Y)

    def loss(theta: Array) -> tuple[float, Array]:
        scale, bias = np.exp(theta[0]), theta[1:]
        total, residual = problem.link.loss_and_residual(scale * phi + bias, Y, mass)
        slope = np.array([scale * (residual * phi).sum() + theta[0], *(residual.sum(axis=0) + bias / 100)])
        return total + 0.5 * theta[0] ** 2 + 0.005 * float(bias @ bias), slope

    bounds = [(-4.0, 4.0), *[(None, None)] * phi.shape[1]]
    found = scipy.optimize.minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    shift = np.zeros(len(n))
    shift[n > 1] = (found[1:] - found[1:].mean()) / np.exp(found[0])
    return replace(problem, shift=shift)


def fit_phi(
    problem: PhiProblem, X: Any, Y: Array, recipe: Recipe, start: Weights | None = None
) -> tuple[Weights, Array]:
    """φ, and the targets it was fitted to: the given ones, and, if asked for, confident answers of φ for texts without a target.

    The solver begins with the weights `start`, if there are any.
    """
    known = problem.link.mass(Y) > 0
    if not known.any():
        return problem.from_rules(X, Y.shape[1])
    first = problem.solve(X[known], Y[known], start=start)
    if known.all() or recipe.guesses.pseudo_confidence is None:
        return first, Y
    Y = np.where(known[:, None], Y, problem.link.confident(first.logits(X), recipe.guesses.pseudo_confidence))
    known = problem.link.mass(Y) > 0
    return problem.solve(X[known], Y[known], start=first), Y


def outside_phi(
    problem: PhiProblem, X: Any, Y: Array, is_labelled: Array, features: Features, recipe: Recipe, seed: int
) -> tuple[Array, Array | None]:
    """φ of each text from weights that never saw it, and the offset for solving φ again, if it is to lead by more.

    φ is asked for `recipe.exit_margin` more where it is right out-of-fold, and only there: otherwise ψ must be able to overrule it.
    """
    link = problem.link
    if recipe.phi.folds == 1:
        # The held-out texts are still left out: their answers would look better than they are if φ had memorised them.
        train, _ = split(Y, is_labelled, recipe.held_out, seed, link)
        X = features.as_fitted_on(X, train)
        return problem.solve(X[train], Y[train]).logits(X), None

    n_folds, n_jobs = min(recipe.phi.folds, len(Y)), features.n_jobs
    out_of_fold = partial(problem.out_of_fold, X, Y, n_folds, seed, n_jobs=n_jobs, as_fitted_on=features.as_fitted_on)
    phi = out_of_fold()
    if not recipe.phi.exit_margin:
        return phi, None
    is_right = (link.answer(phi) == link.right(Y)).reshape(len(Y), -1)  # (n, 1); of several labels (n, K)
    offset = -recipe.phi.exit_margin * Y * is_right
    return out_of_fold(offset=offset), offset


def hold_out_phi(
    problem: PhiProblem, X: Any, Y: Array, is_labelled: Array, features: Features, recipe: Recipe, seed: int
) -> HeldOut | None:
    """φ of some labelled texts, from weights that never saw them: a model without ψ is calibrated by it."""
    known = np.flatnonzero(problem.link.mass(Y) > 0)
    if not is_labelled.any():
        return None
    if problem.link.several:
        return _all_outside(problem, X[known], Y[known], features, recipe, seed)
    train, held_out = split(Y[known], is_labelled[known], recipe.held_out, seed, problem.link)
    if not len(held_out):
        return None
    X, Y = features.as_fitted_on(X[known], train), Y[known]
    phi = problem.solve(X[train], Y[train]).logits(X[held_out])
    return HeldOut(phi, np.zeros_like(phi), problem.link.right(Y[held_out]))


def _all_outside(
    problem: PhiProblem, X: Any, Y: Array, features: Features, recipe: Recipe, seed: int
) -> HeldOut | None:
    """φ of all texts, out-of-fold: of rare labels a held-out split has too few texts to choose thresholds by."""
    if len(Y) < MIN_HELD_OUT:
        return None
    n_folds, n_jobs = max(recipe.phi.folds, 2), features.n_jobs
    phi = problem.out_of_fold(X, Y, n_folds, seed, n_jobs=n_jobs, as_fitted_on=features.as_fitted_on)
    return HeldOut(phi, np.zeros_like(phi), problem.link.right(Y))


def split(Y: Array, is_labelled: Array, share: float, seed: int, link: Link = ONE_OF) -> tuple[Array, Array]:
    """Indices to train ψ on, and held-out ones; only texts with real labels are held out if there are any."""
    candidates = np.flatnonzero(is_labelled) if is_labelled.any() else np.arange(len(Y))
    if len(candidates) < MIN_HELD_OUT:
        return np.arange(len(Y)), np.empty(0, dtype=np.intp)
    strata = link.strata(Y[candidates])
    n_held_out = max(round(share * len(candidates)), len(np.unique(strata)))
    stratify = strata if np.bincount(strata)[np.unique(strata)].min() >= 2 else None
    _, held_out = train_test_split(candidates, test_size=n_held_out, random_state=seed, stratify=stratify)
    return np.setdiff1d(np.arange(len(Y)), held_out), np.sort(held_out)
