"""Suggested rules → a rule file that an author asked for by name. Imports `rulenet.rules`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rulenet.errors import DataError
from rulenet.rules.mine.paste import rule_yaml, settings_yaml
from rulenet.rules.ruleset import RuleSet


def append_rules(path: Path, rules: Sequence[Mapping[str, Any]], *, like: RuleSet) -> None:
    """Append rules to a file; make it, with the settings of another ruleset, if it is not there.

    Raises
    ------
    RuleFileError
        If what came of it were no valid rule file; nothing is written then.
    DataError
        If the file cannot be written.
    """
    if path.exists():
        from rulenet.rules.rewrite import add_rules

        add_rules(path, [dict(rule) for rule in rules])
        return
    text = settings_yaml(like.file) + "rules:\n" + "\n\n".join(map(rule_yaml, rules)) + "\n"
    RuleSet.from_yaml(text, name=str(path))
    passing = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        passing.write_text(text, encoding="utf-8", newline="\n")
        os.replace(passing, path)
    except OSError as error:
        passing.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
