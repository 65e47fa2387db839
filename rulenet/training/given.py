"""What `fit` is given → texts, targets and rules that agree about the labels. Imports data, errors, rules, link and numpy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import some
from rulenet.data.check import check_answers, check_texts, check_weights
from rulenet.data.classes import Classes, class_weights, find_classes
from rulenet.data.label_sets import find_label_sets, has_several
from rulenet.errors import InputError, LabelError, ParameterError
from rulenet.model.link import ONE_OF, AnyOf, Link
from rulenet.rules.agreement import check_rule_labels, check_shared_labels, numbered_in_order, one_against_rest
from rulenet.rules.ruleset import RuleSet

LOOKED_AT = 2000  # texts on which rules are asked what the numbers in y mean
# A description counts as so many texts of its label, so that it matters less the more there are. Of 1, 2 and 4, 4 was best on four data
# sets with 1 to 8 texts a label.
DESCRIPTION_WEIGHT = 4.0


@dataclass(frozen=True)
class Given:
    """What a model is to be fitted to."""

    known: list[str]  # texts that may have a label
    unlabeled: list[str]  # further ones
    Y: Array  # targets of both, (n_texts, n_classes); zeros if nothing is known
    classes: Classes
    ruleset: RuleSet | None
    weighs_labels: bool = False  # whether texts count by their label
    link: Link = ONE_OF


def check_given(X: Any, y: Any, unlabeled: Any, sample_weight: Any, params: Mapping[str, Any]) -> Given:
    """Check the arguments of `fit`, with the estimator's; texts of weight 0 are left out, descriptions of labels become texts.

    A label may have no examples if the rules know it; a warning says so, unless `classes` has it. If the numbers 0 and 1 stand for one
    label against the rest, rules lose theirs: see `rulenet.rules.agreement`.
    """
    rules, classes, descriptions = params["rules"], params["classes"], params["descriptions"]
    known, weight = check_texts(X, may_be_empty=False), None
    if sample_weight is not None:
        weight = check_weights(sample_weight, len(known))
        if y is None:
            raise InputError("sample_weight says how much labels count, but there are none: pass y as well")
    more = check_texts(unlabeled, name="unlabeled") if unlabeled is not None else []
    ruleset = RuleSet.load(rules) if isinstance(rules, str | PathLike) else rules
    if has_several(y):
        return _with_sets(known, y, unlabeled, weight, ruleset, params)
    described = [str(label) for label in descriptions or ()]
    asked = list(getattr(getattr(params.get("recipe"), "prompt", None), "words", ()))
    named = [*(ruleset.labels if ruleset else ()), *([*described, *asked] if classes is None else ())]
    found = find_classes(
        y, len(known), classes=classes, rule_labels=named if ruleset is not None or descriptions or asked else None
    )
    if more and set(more) <= set(found.names):
        raise InputError("unlabeled has the labels themselves, not texts: pass the texts that have no label")
    if ruleset is not None:
        ruleset = _agreeing(ruleset, known, found, described, is_listed=classes is not None)
    if descriptions:
        if found.y is None:
            known, more, found = [], [*known, *more], replace(found, y=np.array([], dtype=int))
        if unknown := [repr(label) for label in described if label not in found.names]:
            raise LabelError(f"descriptions: no label is called {some(unknown)}; there are {', '.join(found.names)}")
        of, counts = [found.names.index(label) for label in described], np.full(len(described), DESCRIPTION_WEIGHT)
        weight = np.append(np.ones(len(known)) if weight is None else weight, counts)
        known, found = [*known, *descriptions.values()], replace(found, y=np.append(np.asarray(found.y), of))
    if found.y is None:
        return Given(known, more, np.zeros((len(known) + len(more), len(found.names))), found, ruleset)
    check_answers(known, [found.names[k] for k in found.y.tolist()])
    if weight is not None and not weight.all():
        rows = np.flatnonzero(weight)
        found = replace(found, y=np.asarray(found.y)[rows])
        known, weight = [known[i] for i in rows.tolist()], np.asarray(weight)[rows]
    if (by_label := class_weights(params["class_weight"], found)) is not None:
        weight = by_label if weight is None else weight * by_label
    return Given(known, more, found.targets(weight, len(more)), found, ruleset, weighs_labels=by_label is not None)


def _with_sets(
    known: list[str], y: Any, unlabeled: Any, weight: Any, ruleset: RuleSet | None, params: Mapping[str, Any]
) -> Given:
    """What a model is to be fitted to whose texts have several labels each."""
    given = {"unlabeled": unlabeled, "descriptions": params["descriptions"], "class_weight": params["class_weight"]}
    if unusable := [f"{name}=" for name, value in given.items() if value is not None]:
        what = " and ".join(unusable)
        raise ParameterError(f"{what} needs one label per text, but y has several for each: leave it out")
    found = find_label_sets(
        y, len(known), classes=params["classes"], rule_labels=ruleset.labels if ruleset is not None else None
    )
    Y = np.asarray(found.y)
    if ruleset is not None and found.form == "sets" and params["classes"] is None:
        check_shared_labels(ruleset, [found.names[k] for k in np.flatnonzero(Y.any(axis=0)).tolist()])
    elif ruleset is not None:
        check_rule_labels(ruleset, found.names)
    link = AnyOf(as_matrix=found.form == "matrix")
    if weight is not None and not weight.all():
        rows = np.flatnonzero(weight)
        known, weight, Y = [known[i] for i in rows.tolist()], weight[rows], Y[rows]
    Y = link.targets(Y, len(found.names))
    return Given(known, [], Y if weight is None else Y * weight[:, None], found, ruleset, link=link)


def _agreeing(
    ruleset: RuleSet, texts: Sequence[str], found: Classes, described: Sequence[str], *, is_listed: bool
) -> RuleSet:
    """The rules, if they and the data can mean the same labels."""
    if found.is_one_against_rest:
        warnings.warn(
            "y has only the numbers 0 and 1, but classes= lists more labels, so they are taken as one label against the rest, as "
            "OneVsRestClassifier gives them: rules start at 0 and the data weigh them. If you mean labels, pass the labels themselves",
            stacklevel=4,
        )
        return one_against_rest(ruleset)
    if found.y is None or is_listed:
        check_rule_labels(ruleset, found.names)
    else:
        seen = [found.names[k] for k in np.unique(found.y).tolist()]
        check_shared_labels(ruleset, seen)
        if lacking := [name for name in found.names if name not in (*seen, *described)]:
            what = "label" if len(lacking) == 1 else "labels"
            shown = some(list(map(repr, lacking)))
            warnings.warn(f"no text has the {what} {shown}, so only their rules speak for them", stacklevel=4)
    y = None if found.names == [str(label) for label in found.labels.tolist()] else found.y
    if y is not None and not numbered_in_order(ruleset, texts[:LOOKED_AT], y[:LOOKED_AT], found.names):
        raise LabelError(
            "the numbers in y seem to count the labels in sorted order, as scikit-learn does, but classes= has another order: by "
            f"the rules, more texts get the right label with classes={sorted(found.names)!r}; pass that"
        )
    return ruleset
