"""A small training run to start, break off and compare."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

TEXTS = [
    *("the goal", "win the match", "a goal a win", "the team lost", "good match"),
    *("oil price", "the bank", "stock market", "oil lost", "market price"),
] * 4  # fmt: skip
TARGET = np.eye(2)[([1] * 5 + [0] * 5) * 4]
WORDS = ["goal", "oil", "match", "market", "price"]  # the first two are rules


def new_run(encoder: str, *, dropout: float = 0.1, precision: Any = "float32") -> dict[str, Any]:
    """ψ, φ and examples, always the same: 40 texts, out-of-fold φ of random numbers, two rules and three terms."""
    import torch

    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.phi import RuleColumn, Weights
    from rulenet.model.phi_layer import PhiLayer
    from rulenet.model.phi_problem import PhiProblem
    from rulenet.model.psi import Psi
    from rulenet.training.corpus import Corpus, Origin

    body = load_encoder(encoder, texts=[], max_length=32, seed=0)
    torch.manual_seed(0)
    psi = Psi(body, 2, bound=1.5, dropout=dropout, precision=precision)
    if not dropout:
        for module in psi.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for layer in body.model.encoder.layer:
            layer.attention.self.dropout.p = 0.0
    X = scipy.sparse.csr_matrix([[float(word in text.split()) for word in WORDS] for text in TEXTS])
    rules = [RuleColumn(1, prior=0.02), RuleColumn(0, prior=2.0, lower=2.0, upper=2.0)]
    coef = np.array([[0, 0.02], [2.0, 0], [0.1, -0.1], [0.2, -0.2], [0, 0]])
    layer = PhiLayer(Weights(coef, np.zeros(2)), PhiProblem(rules=rules, C=3.0), X=X)
    phi = np.random.default_rng(0).normal(size=TARGET.shape)
    train = Corpus(TEXTS, X, TARGET.copy(), np.full(len(TEXTS), Origin.GIVEN), phi, body.encode(TEXTS))
    return {"psi": psi, "phi": layer, "train": train}


def state(run: dict[str, Any]) -> dict[str, Any]:
    """All numbers that training changes."""
    return {**run["psi"].state_dict(), **{name: value.detach() for name, value in run["phi"].named_parameters()}}


def train_run(
    run: dict[str, Any],
    recipe: Any,
    held_out: Any = None,
    checkpoint: Any = None,
    *,
    seed: int = 0,
    device: str = "cpu",
) -> Any:
    """Train such a run by the joint loss; φ learns in the joint epochs."""
    from rulenet.training import loop
    from rulenet.training.job import Job
    from rulenet.training.objectives.supervised import SupervisedTerm

    terms = [SupervisedTerm(recipe.objectives[0], run["phi"])]
    return loop.train_psi(run["psi"], run["train"], held_out, recipe, terms, Job(seed, device), checkpoint)
