"""Whether rules and a model have the same labels and the same language. Imports errors and `RuleSet`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from rulenet.errors import LabelError, ParameterError
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


def check_rule_language(ruleset: RuleSet, language: str) -> None:
    """Refuse rules in another language than the texts of a model, with a ParameterError."""
    if ruleset.language not in ("any", language):
        raise ParameterError(
            f"{ruleset.name} is written for {ruleset.language!r}, but the model reads {language!r}; rules for it need "
            f"`language: {language}` or `language: any`"
        )
