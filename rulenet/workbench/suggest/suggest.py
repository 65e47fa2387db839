"""New rules from labelled texts, evaluated on texts that were not used to find or select them. Imports the estimator and below.

The rows are split into three parts: rules are *mined* on the first, *selected* on the second and *evaluated* on the third. Texts that
differ only in case, punctuation and numbers stay in one part, so that no rule is evaluated on a text it was made from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.data.check import check_labels, check_texts, is_share
from rulenet.errors import InputError, ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.model.link import ONE_OF
from rulenet.rules.agreement import check_rule_labels
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import declared_or_detected
from rulenet.workbench.suggest.drafts import as_ruleset
from rulenet.workbench.suggest.parts import Base, part
from rulenet.workbench.suggest.search import Search
from rulenet.workbench.suggest.suggestion import Suggestions

WANTED = 100  # texts of each label, from which on most good rules can be confirmed


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
    """Propose rules that labelled texts support and the present rules lack.

    Parameters
    ----------
    ruleset
        The present rules.
    texts, labels
        Labelled texts. If there is a model, use texts that it was not trained on, because it has learned the labels of those.
    model
        A fitted `RuleNetClassifier` or its folder, used with these rules, or any text classifier with `predict_proba` and `classes_`:
        suggest rules that correct its mistakes. None: correct the mistakes of the rules alone, with learned weights.
    n
        Greatest number of new rules.
    held_out
        Share of the texts that are used only for evaluation.
    random_state
        Seed of the split.
    say
        Called with a message at the start of each stage.

    Raises
    ------
    InputError, LabelError, ParameterError
        If texts, labels or parameters cannot be used.
    """
    _check_request(n, held_out)
    texts = check_texts(texts, may_be_empty=False)
    classes, y = check_labels(labels, len(texts))
    names = [str(label) for label in classes.tolist()]
    check_rule_labels(ruleset, names)
    language = declared_or_detected(ruleset.language, texts)
    model = _with_rules(model, ruleset)
    say(f"{counted(len(ruleset), 'rule')} on {counted(len(texts), 'text')}")
    logits = None if model is None else model_logits(model, names, texts)
    base = Base(ruleset, ruleset.match(texts, language=language), ONE_OF.targets(y, len(names)), names, logits)
    search = Search(base, part(texts, held_out, random_state), texts, language, say)
    search.check_model(model)
    search.notes += _too_few(np.bincount(y, minlength=len(names)), names)
    candidates = search.candidates()
    if not candidates:
        return search.report([], [], 0, 0)
    say(f"{counted(len(candidates), 'candidate')} on {counted(len(texts), 'text')}")
    drafts = [{"id": f"c{j}", "label": names[c.label], **c.condition} for j, c in enumerate(candidates)]
    R = as_ruleset(drafts, ruleset, language).match(texts, language=language)
    taken, believed = search.choose(candidates, R, n)
    say(f"{counted(len(taken), 'rule')} on {counted(len(search.parts.held_out), 'held-out text')}")
    return search.report([candidates[j] for j in taken], R[:, taken], len(candidates), believed)


def _check_request(n: int, held_out: float) -> None:
    if not is_share(held_out):
        raise ParameterError(f"held_out={held_out!r} is not a share: give a number between 0 and 1")
    if n < 1:
        raise ParameterError(f"n={n!r} asks for no rules: give 1 or more")


def _with_rules(model: Any, ruleset: RuleSet) -> Any:
    """The model, read from its folder if need be, with these rules if it can have any."""
    if isinstance(model, (str, os.PathLike)):
        model = RuleNetClassifier.load(model)
    if isinstance(model, RuleNetClassifier):
        model.predictor_.only_one("suggesting rules")
    if isinstance(model, RuleNetClassifier) and model.predictor_.hybrid.features.ruleset != ruleset:
        return model.with_rules(ruleset)
    return model


def _too_few(counts: Array, names: Sequence[str]) -> Iterator[str]:
    """A note on the labels that have few texts."""
    fewest = [f"{names[k]} {counts[k]:,}" for k in np.argsort(counts, kind="stable")[:3] if counts[k] < WANTED]
    if fewest:
        yield (
            f"about {WANTED} texts of each label are wanted: with fewer, few rules can be told from chance "
            f"({', '.join(fewest)})"
        )


def model_logits(model: Any, names: Sequence[str], texts: list[str]) -> Array:
    """Return the log-probabilities of a fitted classifier, with its classes in the order of `names`."""
    known = [str(label) for label in model.classes_]
    if sorted(known) != sorted(names):
        raise InputError(
            f"the labels of the model are {', '.join(known)}, but those of the texts are {', '.join(names)}"
        )
    proba = np.asarray(model.predict_proba(texts))
    return np.asarray(np.log(np.maximum(proba[:, [known.index(name) for name in names]], 1e-9)))
