"""Suggested rules → a rule file that the author named. Imports errors and `rulenet.rules`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rulenet.base.wording import some
from rulenet.errors import InputError
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing import append
from rulenet.rules.writing.compose import file_text
from rulenet.rules.writing.files import load_text, save_text


def append_rules(path: Path, rules: Sequence[Mapping[str, Any]], *, like: RuleSet) -> None:
    """Append rules to a file; if it does not exist, create it with the settings of another ruleset.

    Raises
    ------
    RuleFileError
        If the result would not be a valid rule file, or cannot be written; the file is not changed.
    InputError
        If the file already has a rule with one of the ids.
    """
    comment = f"suggested from labelled texts on {date.today()}"
    if path.exists():
        there = {rule.id for rule in RuleSet.load(path, may_be_empty=True).file.rules}
        twice = [str(rule["id"]) for rule in rules if rule["id"] in there]
        if twice:
            raise InputError(
                f"{path} already has {'a rule' if len(twice) == 1 else 'rules'} called {some(twice)}, perhaps from an earlier run. "
                "Nothing was written. Start from that file (suggest FILE --write FILE), or write to a new one"
            )
        save_text(path, append.append_rules(load_text(path), rules, comment=comment, name=str(path)))
        return
    text = file_text(rules, like=like.file, above=[f"# {comment}"])
    RuleSet.from_yaml(text, name=str(path))
    save_text(path, text)
