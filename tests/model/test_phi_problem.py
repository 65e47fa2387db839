"""φ: a convex problem with one right answer, so it is held against scikit-learn's and against the optimality conditions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from rulenet.model.link import ONE_OF
from rulenet.model.phi import RuleColumn, Weights
from rulenet.model.phi_problem import PhiProblem, log_count_ratio


class PhiClassifier(ClassifierMixin, BaseEstimator):
    """φ as a scikit-learn classifier over a numeric matrix, so that scikit-learn's own checks run on the solver."""

    def fit(self, X: Any, y: Any) -> PhiClassifier:
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_, indices = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier can't train when only one class is present: {self.classes_[0]!r}")
        self.weights_ = PhiProblem().solve(X, np.eye(len(self.classes_))[indices])
        return self

    def logits(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        return self.weights_.logits(X)

    def decision_function(self, X: Any) -> np.ndarray:
        phi = self.logits(X)
        return phi[:, 1] - phi[:, 0] if len(self.classes_) == 2 else phi

    def predict(self, X: Any) -> np.ndarray:
        best = ONE_OF.answer(self.logits(X))
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        return ONE_OF.proba(self.logits(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def test_scikit_learn_contract() -> None:
    results = check_estimator(PhiClassifier(), on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 50


def toy(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two rule columns (the first speaks for class 0, the second for class 2) and three dense ones."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    fired = rng.random((n, 2)) < np.where(y[:, None] == np.array([0, 2]), 0.6, 0.1)
    return np.hstack([fired.astype(float), rng.normal(size=(n, 3)) + y[:, None] * 0.5]), y


RULES = (RuleColumn(0, prior=1.0), RuleColumn(2, prior=1.0))


def test_without_rules_it_is_scikit_learns_logistic_regression() -> None:
    X, y = toy()
    ours = PhiProblem(C=2.0).solve(X, np.eye(3)[y], tol=1e-8, max_iter=5000)
    theirs = LogisticRegression(C=2.0, tol=1e-8, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(ours.coef.T, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.bias, theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4)


def test_dense_and_sparse_give_the_same_and_a_rule_has_a_weight_for_its_label_only() -> None:
    X, y = toy()
    weights = PhiProblem(RULES).solve(X, np.eye(3)[y], tol=1e-8)
    sparse = PhiProblem(RULES).solve(scipy.sparse.csr_matrix(X), np.eye(3)[y], tol=1e-8)
    np.testing.assert_allclose(sparse.coef, weights.coef, atol=1e-5)
    assert weights.coef[0, 0] > 0.5
    assert weights.coef[1, 2] > 0.5
    assert weights.coef[0, [1, 2]].tolist() == [0, 0]
    assert weights.coef[1, [0, 1]].tolist() == [0, 0]


def test_signs_and_pins_apply() -> None:
    X, y = toy()

    def weight(rule: RuleColumn) -> float:
        return float(PhiProblem([rule], rule_sigma=10).solve(X[:, :1], np.eye(3)[y]).coef[0, rule.label])

    assert weight(RuleColumn(1, 0.0)) == 0  # for class 1, which the data speak against
    assert weight(RuleColumn(0, 0.0, -np.inf, 0.0)) == 0  # against class 0, which the data speak for
    assert weight(RuleColumn(1, 0.0, -np.inf, np.inf)) < -0.5
    assert weight(RuleColumn(1, 2.5, 2.5, 2.5)) == 2.5


def test_a_rule_without_evidence_stays_at_its_authors_weight() -> None:
    X, y = toy()
    X[:, 0] = 0
    weights = PhiProblem((RuleColumn(0, prior=1.7), RULES[1])).solve(X, np.eye(3)[y], tol=1e-8)
    assert weights.coef[0, 0] == pytest.approx(1.7, abs=1e-6)


def test_the_prior_yields_to_evidence_as_sigma_grows() -> None:
    X, y = toy()
    far = RuleColumn(0, prior=6.0)
    tight, loose = (PhiProblem((far, RULES[1]), rule_sigma=s).solve(X, np.eye(3)[y]).coef[0, 0] for s in (0.1, 10.0))
    assert 5.0 < tight < 6.0
    assert loose < 4.0


@pytest.mark.parametrize("n_terms", [0, 2])
def test_the_gradient_of_the_stated_objective_vanishes(n_terms: int) -> None:
    """Σ_n (p − y) x + (w − w⁰)/σ² for a rule, + w/(C s²) for another column, 0 at the optimum; s is not 1 for terms."""
    X, y = toy()
    X, Y = np.abs(X), np.eye(3)[y]
    X[X < 0.8] = 0.0
    weights = PhiProblem(RULES, C=3.0, rule_sigma=0.7, nb_terms=n_terms).solve(X, Y, tol=1e-9, max_iter=5000)
    full = X.T @ (ONE_OF.proba(weights.logits(X)) - Y)
    assert abs(full[0, 0] + (weights.coef[0, 0] - 1.0) / 0.7**2) < 1e-3
    assert abs(full[1, 2] + (weights.coef[1, 2] - 1.0) / 0.7**2) < 1e-3
    s = np.ones((3, 3))
    s[:n_terms] = np.sqrt(log_count_ratio(X[:, 2 : 2 + n_terms], Y)) if n_terms else 1.0
    assert np.abs(full[2:] * s**2 + weights.coef[2:] / 3.0).max() < 1e-3
    assert np.allclose(s, 1.0) == (n_terms == 0)


def test_a_target_row_counts_what_it_sums_to() -> None:
    X, y = toy(60)
    Y = np.eye(3)[y]
    doubled = PhiProblem().solve(np.vstack([X, X]), np.vstack([0.5 * Y, 0.5 * Y]), tol=1e-8)
    once = PhiProblem().solve(X, Y, tol=1e-8)
    np.testing.assert_allclose(doubled.coef, once.coef, atol=1e-4)


def test_no_columns_leave_everything_to_psi() -> None:
    weights = PhiProblem().solve(np.zeros((4, 0)), np.eye(2)[[0, 0, 0, 1]])
    assert weights.coef.shape == (0, 2)
    assert weights.bias.tolist() == [0, 0]


def test_out_of_fold_rows_are_not_learned_from() -> None:
    """Each column is in one text only. In-sample φ memorises each label; out-of-fold φ cannot know any."""
    y = np.array([0, 1] * 20)
    X = scipy.sparse.identity(40, format="csr")
    in_sample = PhiProblem(C=100.0).solve(X, np.eye(2)[y])
    assert (in_sample.logits(X).argmax(axis=1) == y).all()
    phi = PhiProblem(C=100.0).out_of_fold(X, np.eye(2)[y], n_folds=5, seed=0)
    assert np.abs(phi[:, 1] - phi[:, 0]).max() < 1e-6


def test_out_of_fold_with_a_class_of_one_text() -> None:
    y = np.array([0, 1] * 5 + [2])
    phi = PhiProblem().out_of_fold(np.ones((11, 1)), np.eye(3)[y], n_folds=5, seed=0)
    assert phi.shape == (11, 3)
    assert np.isfinite(phi).all()


def test_log_count_ratio_by_hand() -> None:
    """Two texts of class 0, one of class 1. Texts of (a, b): class 0 (2, 1), class 1 (0, 1); by chance 2/3 and 1/3 of two each."""
    X = np.array([[1.0, 0.0], [2.0, 0.5], [0.0, 1.0]])  # presence counts, not size
    ratio = np.abs(np.log([[3 / (7 / 3), 1 / (5 / 3)], [2 / (7 / 3), 2 / (5 / 3)]]))
    for columns in (X, scipy.sparse.csr_matrix(X)):
        np.testing.assert_allclose(log_count_ratio(columns, np.eye(2)[[0, 0, 1]]), ratio / ratio.mean())


def test_a_rare_term_says_little_about_a_rare_class() -> None:
    """It is in none of its texts, as chance would have it."""
    y = np.repeat(np.arange(50), 10)
    X = np.zeros((500, 2))
    X[[0, 40, 80, 120], 0] = 1.0  # in four texts of four classes
    X[:8, 1] = 1.0  # in eight texts of class 0
    ratio = log_count_ratio(X, np.eye(50)[y])
    assert (ratio[1, 0] > 10 * ratio[:, 20]).all()
    assert ratio[1, 0] > 3 * ratio[0, 0]


def test_an_offset_against_the_own_label_makes_phi_lead_by_more() -> None:
    X, y = toy()
    Y = np.eye(3)[y]
    plain, pushed = PhiProblem().solve(X, Y), PhiProblem().solve(X, Y, offset=-2.0 * Y)
    own = np.arange(len(y)), y
    assert pushed.logits(X)[own].mean() > plain.logits(X)[own].mean() + 0.5
    assert (pushed.logits(X).argmax(axis=1) == y).mean() > (plain.logits(X).argmax(axis=1) == y).mean() - 0.05


def test_out_of_fold_rows_come_back_in_order_also_from_threads() -> None:
    X, y = toy()
    one, two = (PhiProblem(RULES).out_of_fold(X, np.eye(3)[y], 5, seed=0, n_jobs=n) for n in (None, 2))
    assert (one.argmax(axis=1) == y).mean() > 0.55
    np.testing.assert_array_equal(one, two)


def test_one_column_may_have_weights_for_several_labels() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 400)
    fires = np.where(y == 0, 0.8, np.where(y == 1, 0.1, 0.4)) > rng.random(400)
    X = np.column_stack([fires, rng.random(400) > 0.5]).astype(float)
    both = [
        RuleColumn(0, prior=1.0, column=0),
        RuleColumn(1, prior=-1.0, lower=-np.inf, upper=0.0, column=0),
        RuleColumn(2, prior=1.0, column=1),
    ]
    coef = PhiProblem(both, rule_sigma=10).solve(X, np.eye(3)[y], tol=1e-8).coef
    assert coef[0, 0] > 0.5
    assert coef[0, 1] < -0.5
    assert coef[0, 2] == coef[1, 0] == coef[1, 1] == 0.0
    # The same as two columns that fire together, each with its own weight.
    apart = [RuleColumn(rule.label, rule.prior, rule.lower, rule.upper) for rule in both]
    twice = PhiProblem(apart, rule_sigma=10).solve(X[:, [0, 0, 1]], np.eye(3)[y], tol=1e-8).coef
    assert np.allclose(coef[0], twice[0] + twice[1], atol=1e-5)
    assert np.allclose(coef[1], twice[2], atol=1e-5)


def test_a_class_without_examples_lives_on_its_rules() -> None:
    X, y = toy()
    X, Y = X[y < 2], np.eye(3)[y[y < 2]]  # rule 1 speaks for class 2, which no text has
    rules = (*RULES, RuleColumn(1, prior=-0.5, lower=-np.inf, upper=0.0, column=1))
    rules = tuple(RuleColumn(r.label, r.prior, r.lower, r.upper, min(i, 1)) for i, r in enumerate(rules))
    weights = PhiProblem(rules, nb_terms=2).solve(np.abs(X), Y, tol=1e-8)
    assert weights.coef[1, 2] == 1.0
    assert not weights.coef[[0, 2, 3, 4], 2].any()
    assert weights.bias[2] == pytest.approx(weights.bias[:2].mean() - 0.1)
    alone = PhiProblem((rules[0], rules[2]), nb_terms=2).solve(np.abs(X), Y[:, :2], tol=1e-8)
    np.testing.assert_allclose(weights.coef[:, :2], alone.coef, atol=1e-9)  # the others are learned as without it
    phi = weights.logits(np.eye(5)[:2] * [[0], [1]])  # nothing fires; only its rule fires
    assert phi.argmax(axis=1)[1] == 2
    assert phi.argmax(axis=1)[0] != 2


def test_one_class_with_examples_and_rules_of_others() -> None:
    weights = PhiProblem(RULES).solve(np.eye(3)[[0, 1, 2]], np.eye(3)[[1, 1, 1]])
    assert weights.logits(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])).argmax(axis=1).tolist() == [1, 0, 2]


def test_where_the_solver_starts_changes_nothing_but_time() -> None:
    X, y = toy()
    X, Y = np.abs(X), np.eye(4)[y]  # class 3 has no examples
    problem = PhiProblem(RULES, C=3.0, nb_terms=2)
    cold = problem.solve(X, Y, tol=1e-8)
    for start in (PhiProblem(RULES).solve(X, Y), cold, Weights(np.full((5, 4), 9.0), np.zeros(4))):
        warm = problem.solve(X, Y, start=start, tol=1e-8)
        np.testing.assert_allclose(warm.coef, cold.coef, atol=1e-4)
        np.testing.assert_allclose(warm.bias, cold.bias, atol=1e-4)
    at_once = problem.solve(X, Y, start=cold, tol=1e-4, max_iter=0)
    np.testing.assert_allclose(at_once.coef, cold.coef, atol=1e-9)


def words_and_states() -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """X with two rules and forty terms, the last five in no text; V; H; labels that follow from word vectors and hidden states."""
    rng = np.random.default_rng(0)
    T = np.where(rng.random((150, 40)) < 0.15, rng.random((150, 40)), 0.0)
    T[:, -5:] = 0.0
    V, H, R = rng.normal(size=(40, 6)) / 2, rng.normal(size=(150, 4)) + 1.0, rng.random((150, 2)) < 0.3
    y = (T @ V[:, 0] + 0.3 * H[:, 0] > 0.3).astype(int) + R[:, 0]
    return scipy.sparse.csr_matrix(np.hstack([R, T])), V, H, y


@pytest.mark.parametrize(("with_vectors", "with_states"), [(True, False), (False, True), (True, True)])
def test_word_vectors_and_hidden_states_are_as_if_they_were_columns(with_vectors: bool, with_states: bool) -> None:
    X, V, H, y = words_and_states()
    V, H = V * with_vectors, H * with_states
    rules, Y = [RuleColumn(1), RuleColumn(2)], np.eye(3)[y]
    problem = PhiProblem(rules, C=2.0, vectors=V if with_vectors else None, tau=0.7, head_variance=0.5)
    found, head = problem.solve_with(X, H if with_states else None, Y, tol=1e-9, max_iter=5000)
    whole = np.hstack([X.toarray(), 0.7 * X[:, 2:] @ V, 0.5 * H])  # √(0.5 / 2) = 0.5
    plain = PhiProblem(rules, C=2.0).solve(whole, Y, tol=1e-9, max_iter=5000)
    shared = 0.7 * V @ plain.coef[42:48]
    np.testing.assert_allclose(found.coef[:2], plain.coef[:2], atol=1e-3)
    np.testing.assert_allclose(found.coef[2:], plain.coef[2:42] + shared, atol=2e-3)
    np.testing.assert_allclose(found.bias, plain.bias, atol=1e-3)
    if with_states:
        np.testing.assert_allclose(head, 0.5 * plain.coef[48:], atol=1e-3)
    if with_vectors:
        assert found.shared is not None
        np.testing.assert_array_equal(found.coef[-5:], found.shared[-5:])  # in no text: nothing of their own
        assert np.abs(found.coef[-5:]).max() > 0.1
    again = problem.solve_with(X, H if with_states else None, Y, start=found, start_head=head, max_iter=0)
    np.testing.assert_allclose(again[0].coef, found.coef, atol=1e-9)
    np.testing.assert_allclose(again[1], head, atol=1e-9)


def test_what_terms_share_may_be_given() -> None:
    """Then the rest is solved without vectors, to the same weights; a class without examples has none."""
    X, V, H, y = words_and_states()
    Y = np.eye(4)[y]
    found, head = PhiProblem(RULES, nb_terms=40, vectors=V).solve_with(X, H, Y, tol=1e-9, max_iter=5000)
    assert not found.coef[:, 3].any()
    assert not head[:, 3].any()
    again, _ = PhiProblem(RULES, vectors=V, nb_terms=40).solve_with(X, H, Y[:, :3], tol=1e-9, max_iter=5000)
    np.testing.assert_allclose(found.coef[:, :3], again.coef, atol=1e-9)
    known = PhiProblem(RULES, nb_terms=40, shared=found.shared)
    given, head_given = known.solve_with(X, H, Y, start=found, tol=1e-9, max_iter=5000)
    np.testing.assert_allclose(given.coef, found.coef, atol=3e-3)
    np.testing.assert_allclose(head_given, head, atol=3e-3)


def test_out_of_fold_with_hidden_states() -> None:
    X, _, H, _ = words_and_states()
    y = (H[:, 0] > 1).astype(int)
    phi, psi = PhiProblem([RuleColumn(1), RuleColumn(0)]).out_of_fold_with(X, H, np.eye(2)[y], 5, seed=0)
    assert ((phi + psi).argmax(axis=1) == y).mean() > 0.9
    assert np.abs(phi[:, 1] - phi[:, 0]).max() < np.abs(psi[:, 1] - psi[:, 0]).max()


def test_a_prior_on_the_biases_leaves_rules_their_say() -> None:
    X = np.eye(3)[[0, 0, 0, 1, 1, 2]]
    Y = np.eye(2)[[1, 1, 1, 1, 1, 0]]
    rules = [RuleColumn(1, prior=4.0, column=0), RuleColumn(0, prior=4.0, column=1), RuleColumn(0, column=2)]
    free, held = (PhiProblem(rules, bias_variance=v).solve(X, Y, tol=1e-8) for v in (np.inf, 0.1))
    assert np.abs(held.bias).max() < np.abs(free.bias).max() / 2
    many = np.tile(X, (2000, 1)), np.tile(0.8 * Y + 0.1, (2000, 1))
    free, held = (PhiProblem(rules, bias_variance=v).solve(*many, tol=1e-8) for v in (np.inf, 0.1))
    np.testing.assert_allclose(held.logits(X), free.logits(X), atol=0.1)
