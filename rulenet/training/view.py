"""A view of texts, a dense array with a row for each, in which texts that mean the same are near each other.

h(x) of an encoder that has read other texts; without one, the sum of the word vectors of a text's terms; without those, its place in the
main axes of TF-IDF (latent semantic analysis, Deerwester et al. 1990). Imports features, recipe and scikit-learn; torch, late.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD

from rulenet.base.types import Array
from rulenet.training.job import Job
from rulenet.training.parts import fields_of
from rulenet.training.recipe import Recipe
from rulenet.training.report import Report
from rulenet.training.word_vectors import Columns

AXES = 200


def hidden_states(encoder: str, texts: Sequence[str], recipe: Recipe, report: Report, job: Job) -> Array:
    """h(x) of each text by an encoder as it comes, (n_texts, H)."""
    from rulenet.model.device import settled_precision
    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.psi import Psi
    from rulenet.training.run import new_accelerator

    started = time.perf_counter()
    body = load_encoder(encoder, texts=texts, seed=job.seed, **fields_of(recipe.reading))
    psi = Psi(body, 1, bound=None, dropout=0.0, precision=settled_precision(recipe.steps.precision, job.device))
    h = psi.hidden(body.encode(texts), device=new_accelerator(job.device).device)
    report.seconds_per_text["psi"] = (time.perf_counter() - started) / len(texts)
    return np.asarray(h)


def term_view(columns: Columns, seed: int) -> Array | None:
    """Texts by their terms and tags alone, (n_texts, d); None if there are none."""
    first = columns.features.n_rules
    X: Any = columns.X[:, first:]
    if columns.vectors is not None:
        view = np.asarray(X[:, : columns.features.n_terms] @ columns.vectors)
        return np.asarray(view / np.maximum(np.linalg.norm(view, axis=1, keepdims=True), 1e-9))
    if min(X.shape) <= 2:  # nothing to reduce
        return np.asarray(X.toarray()) if X.shape[1] else None
    return np.asarray(TruncatedSVD(min(AXES, *(n - 1 for n in X.shape)), random_state=seed).fit_transform(X))
