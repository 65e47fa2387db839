"""Suggested rules → a rule file that an author asked for by name. Imports errors and `rulenet.rules`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rulenet.errors import InputError
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing import append
from rulenet.rules.writing.compose import file_text
from rulenet.rules.writing.files import load_text, save_text


def append_rules(path: Path, rules: Sequence[Mapping[str, Any]], *, like: RuleSet) -> None:
    """Append rules to a file; make it, with the settings of another ruleset, if it is not there.

    Raises
    ------
    RuleFileError
        If what came of it were no valid rule file, or it cannot be written; it is left alone then.
    InputError
        If it has a rule with one of the ids.
    """
    comment = f"suggested from labelled texts on {date.today()}"
    if path.exists():
        there = {rule.id for rule in RuleSet.load(path).file.rules}
        twice = [str(rule["id"]) for rule in rules if rule["id"] in there]
        if twice:
            raise InputError(
                f"{path} has rules called {', '.join(twice)} already, perhaps from an earlier run; nothing was written. "
                "Search from that file (suggest FILE --write FILE), or write to a new one"
            )
        save_text(path, append.append_rules(load_text(path), rules, comment=comment, name=str(path)))
        return
    text = file_text(rules, like=like.file, above=[f"# {comment}"])
    RuleSet.from_yaml(text, name=str(path))
    save_text(path, text)
