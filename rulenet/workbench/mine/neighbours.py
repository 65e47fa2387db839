"""Words that stand in the same company: vectors from the texts themselves, groups, likeness to a list. Imports numpy and scipy.

PPMI of words and the words beside them, then its leading singular vectors (Levy & Goldberg 2014): no download, any language.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from rulenet.base.types import Array

MAX_CONTEXTS = 6000


def term_vectors(D: Any, *, dim: int = 80) -> Array:
    """A vector of unit length for each term, shape (n_terms, dim); close ones stand in the same kind of text.

    Terms that keep no company have a vector of zeros.

    Parameters
    ----------
    D
        Presence, shape (n_texts, n_terms), the terms in order of falling text count: the first are the contexts.
    dim
        Length of the vectors.

    Examples
    --------
    >>> D = scipy.sparse.csr_matrix([[1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 1]], dtype=float)
    >>> V = term_vectors(D, dim=2)
    >>> bool(V[0] @ V[2] > 0.9), bool(V[0] @ V[3] < 0.1)  # never in one text, but beside the same words
    (True, True)
    """
    n_texts, n_terms = D.shape
    contexts = D[:, :MAX_CONTEXTS]
    together = (D.T @ contexts).tocoo()
    counts, beside = np.asarray(D.sum(axis=0)).ravel(), np.asarray(contexts.sum(axis=0)).ravel()
    pmi = np.log(together.data * n_texts / (counts[together.row] * beside[together.col]))
    pmi[(pmi < 0) | (together.row == together.col)] = 0
    M = scipy.sparse.csr_matrix((pmi, (together.row, together.col)), shape=(n_terms, contexts.shape[1]))
    dim = min(dim, min(M.shape) - 1)
    if dim < 1 or not M.count_nonzero():
        return np.zeros((n_terms, 1))
    if not M.count_nonzero():  # no two terms meet more often than by chance: no term is like another
        return np.zeros((n_terms, 1))
    U, s, _ = scipy.sparse.linalg.svds(M, k=dim, v0=np.ones(min(M.shape)))
    V = U * np.sqrt(s)
    return np.asarray(V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-12))


def groups(V: Array, worth: Array, *, seeds: int, size: int, likeness: float) -> list[list[int]]:
    """Terms that belong together, each group around the most worthwhile term not grouped yet.

    Parameters
    ----------
    V
        Unit vectors, shape (n_terms, dim).
    worth
        What each term brings; only those above zero are grouped.
    seeds, size
        At most so many groups of so many terms.
    likeness
        Least cosine to the seed.

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
        cosine[seed] = 1.0  # also of a term that keeps no company
        near = np.flatnonzero(free & (cosine >= likeness))
        # What a member brings and how near it is both count.
        chosen = sorted(near.tolist(), key=lambda j: (j != seed, -worth[j] * cosine[j]))[:size]
        free[chosen] = False
        found.append(chosen)
    return found
