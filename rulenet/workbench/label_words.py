"""Which words stand for a label: those that φ has learned to speak most for it. For prompts, and to see what a label means. No torch."""

from __future__ import annotations

import numpy as np

from rulenet.predictor import Predictor
from rulenet.text.fold import is_unspaced


def suggest_label_words(model: Predictor, n: int = 5) -> dict[str, tuple[str, ...]]:
    """For each label the single words whose weight is furthest above that for any other label, the strongest first.

    A model of a few labelled texts, or of rules or descriptions, is enough: ``clf.predictor_`` of one without an encoder.

    Parameters
    ----------
    n
        Most words for a label; fewer if fewer speak for it. A word stands for one label only.

    Examples
    --------
    >>> from rulenet import RuleNetClassifier
    >>> texts = ["a goal", "the goal wins", "oil price", "the oil bank"]
    >>> clf = RuleNetClassifier(encoder=None).fit(texts, ["sport", "sport", "money", "money"])
    >>> suggest_label_words(clf.predictor_, 1)
    {'money': ('oil',), 'sport': ('goal',)}
    """
    features, linear = model.hybrid.features, model.hybrid.weights
    names = features.terms.names if features.terms else []
    coef = linear.coef[features.n_rules : features.n_rules + len(names)]
    words = np.array(
        [i for i, name in enumerate(names) if name.isalpha() and (len(name) > 1 or is_unspaced(name))], int
    )
    found = {}
    for k, label in enumerate(model.names):
        lead = coef[words, k] - np.delete(coef[words], k, axis=1).max(axis=1)
        order = words[np.argsort(-lead, kind="stable")[: min(n, int((lead > 0).sum()))]]
        found[label] = tuple(names[i] for i in order.tolist())
    return found
