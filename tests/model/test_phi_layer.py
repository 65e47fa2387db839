"""φ's change in the joint epochs: where it may go, what pulls it back, and that it is φ."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

torch = pytest.importorskip("torch")

from rulenet.model.phi import RuleColumn, Weights  # noqa: E402
from rulenet.model.phi_layer import PhiLayer, sparse_rows  # noqa: E402
from rulenet.model.phi_problem import PhiProblem  # noqa: E402

# Three rules (for label 1, against label 0, pinned at 2 for label 2) and two terms; the last term is in no text.
RULES = [
    RuleColumn(1, prior=1.5),
    RuleColumn(0, prior=-1.0, lower=-np.inf, upper=0.0),
    RuleColumn(2, prior=2.0, lower=2.0, upper=2.0),
]
COEF = np.array([[0, 1, 0], [-0.5, 0, 0], [0, 0, 2], [0.3, -0.3, 0], [0.2, 0, -0.2]], dtype=float)
SOLVED = Weights(COEF, np.array([0.1, 0.0, -0.1]))
X = scipy.sparse.csr_matrix([[1.0, 0, 0, 0.5, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 2, 0]])


@pytest.fixture
def layer() -> PhiLayer:
    return PhiLayer(SOLVED, PhiProblem(RULES, C=3.0, rule_sigma=0.5), X=X)


def move(layer: PhiLayer, rule: list[float], other: list[list[float]], bias: list[float]) -> None:
    with torch.no_grad():
        for parameter, values in ((layer.rule, rule), (layer.other, other), (layer.bias, bias)):
            parameter.copy_(torch.tensor(values))


def test_it_begins_as_the_solution(layer: PhiLayer) -> None:
    np.testing.assert_array_equal(layer.weights().coef, COEF)
    np.testing.assert_array_equal(layer.weights().bias, SOLVED.bias)
    assert not layer.shift(X).any()


def test_forward_is_the_logits_of_its_weights(layer: PhiLayer) -> None:
    """With in-sample φ₀ for a base, φ₀ + XΔ + δ must be φ of the new weights, whichever way it is computed."""
    move(layer, [0.5, -0.25, 0.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [0.1, 0.2, 0.3])
    phi = layer(torch.tensor(SOLVED.logits(X), dtype=torch.float32), sparse_rows(X))
    np.testing.assert_allclose(phi.detach().numpy(), layer.weights().logits(X), atol=1e-6)
    np.testing.assert_allclose(SOLVED.logits(X) + layer.shift(X), layer.weights().logits(X), atol=1e-12)


def test_rows_without_any_column_give_the_bias_alone(layer: PhiLayer) -> None:
    move(layer, [1.0, -1.0, 0.0], [[1.0] * 3] * 2, [0.1, 0.2, 0.3])
    phi = layer(torch.zeros(2, 3), sparse_rows(scipy.sparse.csr_matrix((2, 5))))
    np.testing.assert_allclose(phi.detach().numpy(), [[0.1, 0.2, 0.3]] * 2, atol=1e-6)


def test_a_rule_learns_for_its_label_only_and_a_pinned_one_not_at_all(layer: PhiLayer) -> None:
    layer(torch.zeros(4, 3), sparse_rows(X)).backward(torch.tensor([[1.0, 10.0, 100.0]] * 4))
    # Rule 0 fires twice and owns label 1, rule 1 twice for label 0; rule 2 is pinned.
    assert layer.rule.grad.tolist() == [20.0, 2.0, 0.0]
    assert layer.other.grad.tolist() == [[2.5, 25.0, 250.0], [0.0, 0.0, 0.0]]
    assert layer.bias.grad.tolist() == [4.0, 40.0, 400.0]


def test_bounds_and_pins_hold_after_projection(layer: PhiLayer) -> None:
    move(layer, [-7.0, 7.0, 7.0], [[9.0] * 3] * 2, [0.0] * 3)
    layer.project()
    coef = layer.weights().coef
    assert coef[0].tolist() == [0, 0, 0]  # for: not below 0
    assert coef[1].tolist() == [0, 0, 0]  # against: not above 0
    assert coef[2].tolist() == [0, 0, 2]  # pinned
    np.testing.assert_allclose(coef[3], [9.3, 8.7, 9.0])  # terms have no bounds


def test_bounds_hold_exactly_although_the_change_is_in_single_precision() -> None:
    solved = Weights(np.array([[0.0, 1 / 3]]), np.zeros(2))
    layer = PhiLayer(solved, PhiProblem([RuleColumn(1)]), X=scipy.sparse.csr_matrix([[1.0]]))
    with torch.no_grad():
        layer.rule.fill_(-1.0)
    layer.project()
    assert layer.weights().coef[0, 1] == 0.0


def test_the_prior_pulls_as_in_the_solver_when_a_column_is_there(layer: PhiLayer) -> None:
    """(w − w⁰) / σ² or w / C, shared out: rules 0 and 1 and the first term are in two texts each; σ = 1/2, C = 3."""
    move(layer, [1.0, 0.0, 0.0], [[0.3, 0.3, 0.0], [1.0, 1.0, 1.0]], [0.0] * 3)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    layer.add_prior_gradient(sparse_rows(X[:2])[0], 2)  # one of each column's two texts, in a batch of two
    np.testing.assert_allclose(layer.rule.grad, [(1 + 1 - 1.5) / 0.25 / 2 / 2, (-0.5 + 1) / 0.25 / 2 / 2, 0], rtol=1e-6)
    np.testing.assert_allclose(layer.other.grad, [[0.6 / 3 / 2 / 2, 0, 0], [0, 0, 0]], rtol=1e-6, atol=1e-9)
    assert layer.bias.grad.tolist() == [0, 0, 0]


def test_a_column_that_the_batch_lacks_is_not_pulled(layer: PhiLayer) -> None:
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    layer.add_prior_gradient(sparse_rows(X[2])[0], 1)  # a text without any column
    assert not any(parameter.grad.any() for parameter in layer.parameters())


@pytest.mark.parametrize("nb_terms", [0, 2])
def test_at_the_solution_data_and_prior_cancel(nb_terms: int) -> None:
    """φ in-sample is where the solver stopped, so the gradient of mean loss + priors there is nearly zero."""
    rng = np.random.default_rng(0)
    columns = scipy.sparse.csr_matrix(rng.integers(0, 2, (60, 4)).astype(float))
    target = np.eye(2)[rng.integers(0, 2, 60)]
    problem = PhiProblem([RuleColumn(1, lower=-np.inf)], C=0.5, rule_sigma=0.7, nb_terms=nb_terms)
    solved = problem.solve(columns, target, tol=1e-7)
    layer = PhiLayer(solved, problem, X=columns, scale=problem.scale(columns, target))
    phi = layer(torch.tensor(solved.logits(columns), dtype=torch.float32), sparse_rows(columns))
    torch.nn.functional.cross_entropy(phi, torch.tensor(target, dtype=torch.float32)).backward()
    before = float(layer.other.grad.abs().max())
    layer.add_prior_gradient(sparse_rows(columns)[0], 60)
    assert before > 1e-3
    for parameter in layer.parameters():
        assert float(parameter.grad.abs().max()) < 1e-5


def test_a_term_of_scale_0_keeps_its_weight() -> None:
    """Scale 0: a log-count ratio of exactly 1, where the solver left the weight at 0."""
    scale = np.array([[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    solved = Weights(np.array([[0.3, -0.3, 0], [0.0, 0, 0]]), np.zeros(3))
    layer = PhiLayer(solved, PhiProblem(), X=scipy.sparse.csr_matrix(np.ones((4, 2))), scale=scale)
    move(layer, [], [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [0.0] * 3)
    np.testing.assert_allclose(layer.weights().coef, [[2.3, -0.3, 0], [0, 0, 0]])
    phi = layer(torch.zeros(1, 3), sparse_rows(scipy.sparse.csr_matrix([[1.0, 1.0]])))
    np.testing.assert_allclose(phi.detach().numpy(), [[2.0, 0, 0]])
    layer.other.grad = torch.zeros_like(layer.other)
    layer.add_prior_gradient(torch.tensor([0, 1]), 1)  # (0.3 / 2 + 1) / C, shared out among four texts
    np.testing.assert_allclose(layer.other.grad[0], [1.15 / 4, -0.15 / 4, 0], rtol=1e-6)
    assert torch.isfinite(layer.other.grad).all()


def test_a_column_with_several_labels_moves_each_of_its_weights() -> None:
    rules = [RuleColumn(0, column=0), RuleColumn(1, prior=-1.0, lower=-np.inf, upper=0.0, column=0)]
    solved = Weights(np.array([[1.0, -1.0], [0.5, 0.5]]), np.zeros(2))
    layer = PhiLayer(solved, PhiProblem(rules), X=scipy.sparse.csr_matrix([[1.0, 1.0]]))
    with torch.no_grad():
        layer.rule.copy_(torch.tensor([0.5, 3.0]))
    layer.project()  # the second may not rise above 0
    assert layer.weights().coef.tolist() == [[1.5, 0.0], [0.5, 0.5]]
    phi = torch.zeros(1, 2)
    assert layer(phi, sparse_rows(scipy.sparse.csr_matrix([[1.0, 0.0]]))).tolist() == [[0.5, 1.0]]
