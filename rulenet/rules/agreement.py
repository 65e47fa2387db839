"""Whether rules, data and a model have the same labels and the same language. Imports errors and `RuleSet`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence

from rulenet.base.types import Array
from rulenet.errors import LabelError, ParameterError
from rulenet.rules.engine.tally import fired_right, right_labels
from rulenet.rules.ruleset import RuleSet


def check_rule_labels(ruleset: RuleSet, classes: Sequence[str]) -> None:
    """Refuse rules and data with different labels, with a LabelError that names those that only one side has."""
    problems = []
    users: dict[str, list[str]] = {label: [] for label in ruleset.labels}
    for rule in ruleset.rules:
        for label in rule.labels or (str(rule.label),):
            users.setdefault(label, []).append(rule.id)
    for label, rules in users.items():
        if label not in classes:
            close = difflib.get_close_matches(label.lower(), [name.lower() for name in classes], n=1)
            hint = f" (did you mean {next(n for n in classes if n.lower() == close[0])!r}?)" if close else ""
            more = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
            where = f"used by rule {rules[0]!r}{more}" if rules else "declared under `labels`"
            problems.append(f"label {label!r} of {ruleset.name} ({where}) is not in the data{hint}")
    if ruleset.file.labels:
        problems += [
            f"label {name!r} of the data is not among `labels` of {ruleset.name}; add it there"
            for name in classes
            if name not in ruleset.file.labels
        ]
    if problems:
        raise LabelError(
            f"rules and data disagree about labels: {'; '.join(problems)}. The data has: {', '.join(classes)}"
        )


def check_shared_labels(ruleset: RuleSet, data: Sequence[str]) -> None:
    """Refuse rules whose labels cannot all be meant together with those of some data, with a LabelError.

    The data may lack labels of the rules, for which there are no examples yet, but not if all are lacking, or if one looks like a label of
    the data in another spelling, which no rule has.
    """
    own = [label for label in data if label not in ruleset.labels]
    lower = [label.lower() for label in own]
    misspelt = any(
        difflib.get_close_matches(label.lower(), lower, n=1, cutoff=0.8)
        for label in ruleset.labels
        if label not in data
    )
    if (own and ruleset.file.labels) or misspelt or len(own) == len(data):
        check_rule_labels(ruleset, data)


def numbered_in_order(ruleset: RuleSet, texts: Sequence[str], y: Array, names: Sequence[str]) -> bool:
    """Whether rules are right at least as often if class indices count the names in this order as if they count them sorted."""
    R, order = ruleset.match(texts), sorted(names)
    given, alphabetical = (fired_right(R, right_labels(ruleset.rules, to), y).sum() for to in (names, order))
    return bool(given >= alphabetical)


def one_against_rest(ruleset: RuleSet) -> RuleSet:
    """The same conditions for the labels 0 and 1, when no one knows which labels those stand for: data alone weigh the rules.

    Examples
    --------
    >>> one = one_against_rest(RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: b, weight: 2, pin: true}]}"))
    >>> one.rules[0].evidence, one.rules[0].sign
    ({'1': 0.0}, 'free')
    """
    file = ruleset.file.model_dump(mode="json", exclude_unset=True, exclude={"labels", "include", "cases"})
    for rule in file.get("rules", []):
        for field in ("labels", "confidence", "pin", "examples"):
            rule.pop(field, None)
        rule |= {"label": "1", "weight": 0, "sign": "free"}
        if isinstance(rule.get("negation"), dict):
            rule["negation"] = {"flip": "0"}
    return RuleSet.from_yaml(json.dumps(file, ensure_ascii=False), name=ruleset.name)


def check_rule_language(ruleset: RuleSet, language: str) -> None:
    """Refuse rules in another language than the texts of a model, with a ParameterError."""
    if ruleset.language not in ("any", language):
        raise ParameterError(
            f"{ruleset.name} is written for {ruleset.language!r}, but the model reads {language!r}; rules for it need "
            f"`language: {language}` or `language: any`"
        )
