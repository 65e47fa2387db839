"""New rules from labelled texts, judged on texts that neither found nor chose them. Imports everything above the workbench.

The rows are parted in three. Rules are *mined* on the first part; those that hold up on the second are *chosen*; the third only *reports*.
Texts that are the same but for case, punctuation and numbers stay in one part, so that no rule is praised for a text it was made from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.data.check import check_labels, check_texts, is_share
from rulenet.errors import InputError, ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.model.link import ONE_OF
from rulenet.rules.agreement import check_rule_labels
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import declared_or_detected
from rulenet.workbench.suggest.drafts import as_ruleset, numbered
from rulenet.workbench.suggest.parts import Base, part
from rulenet.workbench.suggest.search import Search
from rulenet.workbench.suggest.suggestion import Suggestion, Suggestions

__all__ = ["Suggestion", "Suggestions", "suggest"]


def suggest(
    ruleset: RuleSet,
    texts: Sequence[str],
    labels: Sequence[Any],
    model: Any = None,
    *,
    n: int = 20,
    held_out: float = 0.3,
    random_state: int = 0,
    say: Callable[[str], None] = lambda stage: None,
) -> Suggestions:
    """Propose rules that labelled texts speak for and the present rules lack.

    Parameters
    ----------
    ruleset
        The present rules.
    texts, labels
        Ones that a model, if given, was not trained on: of its own training texts it knows the answers.
    model
        A fitted `RuleNetClassifier` or its folder, asked with these rules; or any classifier of texts with `predict_proba` and
        `classes_`: suggest what mends its mistakes. None: what mends those of the rules alone, with learned weights.
    n
        At most so many rules.
    held_out
        Share of the texts that only report.
    random_state
        Seed of the split.
    say
        Told what is being done, stage by stage.

    Raises
    ------
    InputError, LabelError, ParameterError
        For texts, labels or parameters that cannot be used.
    """
    if not is_share(held_out) or n < 1:
        raise ParameterError(f"held_out={held_out!r} must lie between 0 and 1, and n={n!r} must be 1 or more")
    found = check_texts(texts, may_be_empty=False)
    classes, y = check_labels(labels, len(found))
    names = [str(label) for label in classes.tolist()]
    check_rule_labels(ruleset, names)
    language = declared_or_detected(ruleset.language, found)
    parts = part(found, held_out, random_state)
    if isinstance(model, (str, os.PathLike)):
        model = RuleNetClassifier.load(model)
    if isinstance(model, RuleNetClassifier) and model.predictor_.hybrid.features.ruleset != ruleset:
        model = model.with_rules(ruleset)
    say(f"{len(ruleset)} rules on {len(found):,} texts")
    base = Base(
        ruleset, ruleset.match(found, language=language), ONE_OF.targets(y, len(names)), names,
        None if model is None else model_logits(model, names, found),
    )  # fmt: skip
    search = Search(base, parts, found, language, say)
    search.check_model(model)
    candidates = search.candidates()
    if not candidates:
        return search.report([], [], 0, 0)
    say(f"{len(candidates):,} candidates on {len(found):,} texts")
    R = as_ruleset(numbered(candidates, names), ruleset, language).match(found, language=language)
    taken, believed = search.choose(candidates, R, n)
    say(f"{len(taken)} rules on {len(parts.held_out):,} held-out texts")
    return search.report([candidates[j] for j in taken], R[:, taken], len(candidates), believed)


def model_logits(model: Any, names: Sequence[str], texts: list[str]) -> Array:
    """Log-probabilities of a fitted classifier, its classes in the order of `names`.

    Raises
    ------
    InputError
        If the model does not know a label of the texts, or knows others.
    """
    known = [str(label) for label in model.classes_]
    if sorted(known) != sorted(names):
        raise InputError(f"the model tells {', '.join(known)} apart, but the texts are labelled {', '.join(names)}")
    proba = np.asarray(model.predict_proba(texts))
    return np.asarray(np.log(np.maximum(proba[:, [known.index(name) for name in names]], 1e-9)))
