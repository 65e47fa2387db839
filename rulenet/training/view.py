"""A view of texts without an encoder, a dense array with a row for each, in which texts that mean the same are near each other.

The sum of the word vectors of a text's terms; without those, its place in the main axes of TF-IDF and tags (latent semantic analysis,
Deerwester et al. 1990). Imports word_vectors and scikit-learn; no torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD

from rulenet.base.types import Array
from rulenet.training.word_vectors import Columns

AXES = 200


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
