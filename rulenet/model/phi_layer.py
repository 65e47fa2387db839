"""φ(x) = φ₀(x) + XΔ + δ: φ together with ψ in the joint epochs. φ₀ is what the convex solver found, Δ and δ what gradient steps add.

For the texts that ψ learns from, φ₀ is out-of-fold: φ in-sample nearly memorises its rows and leaves nothing to learn. Imports
phi.py and phi_problem.py; torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from rulenet.base.types import Array
from rulenet.model.phi import Weights, rule_cells
from rulenet.model.phi_problem import PhiProblem


class PhiLayer(nn.Module):
    """Changes of φ's weights: one number per rule, one per other column and class (together Δ), and one per class (δ).

    As in the solver, the weight of another column is scale · parameter, so that a term which says little also learns little.

    Parameters
    ----------
    solved
        Weights of φ₀.
    problem
        How φ₀ was learned. Bounds of rules apply to solved weight + Δ.
    X
        Columns of the training texts, sparse, shape (n_texts, n_columns). A column that none of them has keeps its weight.
    scale
        What `problem.scale` gave for all texts that φ₀ was learned from, shape (n_other, n_classes). None: 1.

    Examples
    --------
    >>> import scipy.sparse
    >>> solved = Weights(np.array([[0.0, 2.0], [1.0, -1.0]]), np.zeros(2))
    >>> from rulenet.model.phi import RuleColumn
    >>> layer = PhiLayer(solved, PhiProblem(rules=[RuleColumn(label=1)]), X=scipy.sparse.eye(2, format="csr"))
    >>> with torch.no_grad():
    ...     _ = layer.rule.fill_(-3.0)
    >>> layer.project()  # the rule speaks for its label: 2 - 3 is not allowed
    >>> layer.weights().coef.tolist()
    [[0.0, 0.0], [1.0, -1.0]]
    """

    column: Tensor  # (n_weights,): where each rule weight is in the coefficients
    label: Tensor
    free: Tensor  # (n_weights,): 1 where it may change
    lower: Tensor  # (n_weights,): bounds of Δ
    upper: Tensor
    rule_pull: Tensor  # (n_weights,): solved weight − prior mean
    other_pull: Tensor  # (n_other, K): (solved weight − prior mean) / scale
    scale: Tensor  # (n_other, K)
    precision: Tensor  # (n_columns,): of the prior, shared out among the training texts that have the column

    def __init__(self, solved: Weights, problem: PhiProblem, *, X: Any, scale: Array | None = None) -> None:
        super().__init__()
        rules = problem.rules
        column, label, n_rules = rule_cells(rules)
        n_classes = len(solved.bias)
        self.solved = solved
        self.rule = nn.Parameter(torch.zeros(len(rules)))
        self.other = nn.Parameter(torch.zeros(len(solved.coef) - n_rules, n_classes))
        self.bias = nn.Parameter(torch.zeros(n_classes))
        prior, lower, upper = (np.array([getattr(r, name) for r in rules]) for name in ("prior", "lower", "upper"))
        self.n_rules, self.cells, self.bounds = n_rules, (column, label), (lower, upper)
        start = solved.coef[column, label]
        others = solved.coef[n_rules:]
        own = others.copy()  # what terms share is the mean of their prior
        if solved.shared is not None:
            own[: len(solved.shared)] -= solved.shared
        self.factor = np.ones_like(others) if scale is None else scale
        variance = np.repeat([problem.rule_sigma**2, problem.C], [n_rules, X.shape[1] - n_rules])
        constants = {
            "free": lower < upper,  # a pinned weight does not move
            "lower": lower - start,
            "upper": upper - start,
            "rule_pull": start - prior,
            "other_pull": np.divide(own, self.factor, out=np.zeros_like(own), where=self.factor > 0),
            "scale": self.factor,
            "precision": 1 / variance / np.maximum(np.bincount(X.indices, minlength=X.shape[1]), 1),
        }
        for name, values in constants.items():
            self.register_buffer(name, torch.as_tensor(values, dtype=torch.float32), persistent=False)
        self.register_buffer("column", torch.as_tensor(column), persistent=False)
        self.register_buffer("label", torch.as_tensor(label), persistent=False)

    def forward(self, phi: Tensor, rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """φ of a batch from its φ₀, shape (B, K), and its X, from `sparse_rows`."""
        columns, starts, values = rows
        none = phi.new_zeros(self.n_rules, len(self.bias))
        of_rules = none.index_put((self.column, self.label), self.free * self.rule)
        delta = torch.cat([of_rules, self.scale * self.other])  # (n_columns, K)
        return phi + embedding_bag(columns, delta, starts, mode="sum", per_sample_weights=values) + self.bias

    @torch.no_grad()
    def add_prior_gradient(self, columns: Tensor, n_texts: int) -> None:
        """Add to the gradient of the data the share of the priors' gradient that belongs to a batch with these columns.

        Over an epoch the sum is that of the solver. A column is pulled only when a text of the batch has it: Adam makes full steps
        for the smallest gradient, so a pull at every step would undo a rare column before it is seen once.
        """
        count = torch.zeros_like(self.precision).index_add_(0, columns, torch.ones_like(columns, dtype=torch.float32))
        weights = self.precision * count / n_texts
        of_rules = self.rule, self.rule_pull, weights[self.column]
        for parameter, pull, weight in (of_rules, (self.other, self.other_pull, weights[self.n_rules :, None])):
            if parameter.grad is not None:
                parameter.grad += (parameter + pull) * weight

    @torch.no_grad()
    def project(self) -> None:
        """Put every rule's weight back between its bounds; call it after each step."""
        self.rule.clamp_(self.lower, self.upper)

    def weights(self) -> Weights:
        """Solved weights + Δ."""
        rule, other, bias = (p.detach().cpu().double().numpy() for p in (self.rule, self.other, self.bias))
        coef = self.solved.coef.copy()
        # Δ is in single precision, so its bounds are met only nearly.
        coef[self.cells] = np.clip(coef[self.cells] + rule, *self.bounds)
        coef[self.n_rules :] += self.factor * other
        return replace(self.solved, coef=coef, bias=self.solved.bias + bias)

    def shift(self, X: Any) -> Array:
        """XΔ + δ of some texts, shape (n_texts, n_classes): what to add to their φ₀."""
        now = self.weights()
        return Weights(now.coef - self.solved.coef, now.bias - self.solved.bias).logits(X)


def sparse_rows(X: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of a CSR matrix for `PhiLayer`: the columns of the entries, where each row starts, and the values.

    Examples
    --------
    >>> import scipy.sparse
    >>> sparse_rows(scipy.sparse.csr_matrix([[0.0, 2.0], [0.0, 0.0], [1.0, 3.0]]))
    (tensor([1, 0, 1]), tensor([0, 1, 1]), tensor([2., 1., 3.]))
    """
    columns, starts = (torch.as_tensor(numbers, dtype=torch.long) for numbers in (X.indices, X.indptr[:-1]))
    return columns, starts, torch.as_tensor(X.data, dtype=torch.float32)
