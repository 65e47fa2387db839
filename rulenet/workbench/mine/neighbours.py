"""Words that occur in similar contexts: word vectors from the texts themselves, and groups of similar words. Imports numpy and scipy.

The vectors are the leading singular vectors of the PPMI of words and their context words (Levy & Goldberg 2014): no download, any
language.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from rulenet.base.types import Array

MAX_CONTEXTS = 6000


def term_vectors(D: Any, *, dim: int = 80) -> Array:
    """Compute a unit vector for each term, shape (n_terms, dim); similar vectors mean similar contexts.

    Terms that occur with no other term more often than by chance have a vector of zeros. `D` is presence, shape (n_texts, n_terms), the
    most frequent terms first: these are the contexts.

    Examples
    --------
    >>> D = scipy.sparse.csr_matrix([[1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 1]], dtype=float)
    >>> V = term_vectors(D, dim=2)
    >>> bool(V[0] @ V[2] > 0.9), bool(V[0] @ V[3] < 0.1)  # never in one text, but with the same words
    (True, True)
    """
    n_texts, n_terms = D.shape
    contexts = D[:, :MAX_CONTEXTS]
    together = (D.T @ contexts).tocoo()
    counts = np.asarray(D.sum(axis=0)).ravel()
    pmi = np.log(together.data * n_texts / (counts[together.row] * counts[together.col]))
    pmi[(pmi < 0) | (together.row == together.col)] = 0
    M = scipy.sparse.csr_matrix((pmi, (together.row, together.col)), shape=(n_terms, contexts.shape[1]))
    dim = min(dim, min(M.shape) - 1)
    if dim < 1 or not M.count_nonzero():
        return np.zeros((n_terms, 1))
    U, s, _ = scipy.sparse.linalg.svds(M, k=dim, v0=np.ones(min(M.shape)))
    V = U * np.sqrt(s)
    return np.asarray(V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-12))


def groups(V: Array, worth: Array, *, seeds: int, size: int, likeness: float) -> list[list[int]]:
    """Group similar terms, each group around the most valuable term that is not in a group yet.

    Only terms with a positive `worth` are grouped. There are at most `seeds` groups of at most `size` terms; `likeness` is the least
    cosine of their unit vectors `V` to that of the first term.

    Examples
    --------
    >>> V = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> groups(V, np.array([3.0, 1.0, 2.0]), seeds=9, size=9, likeness=0.7)
    [[0, 1], [2]]
    """
    free = worth > 0
    found: list[list[int]] = []
    for seed in np.argsort(-worth, kind="stable")[: int(free.sum())].tolist():
        if len(found) == seeds:
            break
        if not free[seed]:
            continue
        cosine = V @ V[seed]
        cosine[seed] = 1.0  # even for a vector of zeros
        near = np.flatnonzero(free & (cosine >= likeness))
        # Both the value of a member and its similarity count.
        chosen = sorted(near.tolist(), key=lambda j: (j != seed, -worth[j] * cosine[j]))[:size]
        free[chosen] = False
        found.append(chosen)
    return found
