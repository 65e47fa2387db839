"""Plain data → YAML as an author would write it. Imports errors and the layout of rule files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rulenet.errors import InputError
from rulenet.rules.conditions.kinds import KINDS
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.schema import MODELS, RuleFile
from rulenet.rules.writing.format import IN_RULES, TOP, Context, Layout
from rulenet.rules.writing.spelling import is_plain
from rulenet.rules.writing.syntax import Entry, Node

_IN_BRACKETS = (
    *("negation", "labels", "terms", "match", "reject"),
    *(kind.name for kind in KINDS if MODELS.get(kind.name, WrittenCondition) is not WrittenCondition),
)
_ALWAYS_QUOTED = ("match", "reject", *(kind.name for kind in KINDS if kind.quotes))


def rule_lines(rules: Sequence[Mapping[str, Any]], indent: int = 2, above: Sequence[str] = ()) -> list[str]:
    """Lines of rules for the section `rules:`, below some lines of comment."""
    lines = [" " * indent + line for line in above]
    for i, rule in enumerate(rules):
        lines += [""] * bool(i) + Layout().entry(None, node_of(rule, "rules"), indent, IN_RULES)
    return lines


def field_lines(field: str, value: Any, indent: int, context: Context = IN_RULES) -> list[str]:
    """Lines of one field of a rule, or of another mapping with that context."""
    return Layout().entry(field, node_of(value, field), indent, context.inside(field))


def file_text(rules: Sequence[Mapping[str, Any]], *, like: RuleFile, above: Sequence[str] = ()) -> str:
    """A rule file with the settings and labels of another one; with some lines of comment above the first rule."""
    settings = {
        "rulenet": 1, "language": like.language, "labels": like.labels, "fold_traditional": like.fold_traditional,
    }  # fmt: skip
    head = [line for field, value in settings.items() if value for line in field_lines(field, value, 0, TOP)]
    return "\n".join([*head, "", "rules:", *rule_lines(rules, 2, above)]) + "\n"


def inline(value: Any, field: str, context: Context) -> str:
    """A value on one line, mappings and lists in brackets."""
    return Layout().inline(node_of(value, field, in_brackets=True), context)


def as_read(value: Any) -> Any:
    """Plain data as it will be read back: every scalar a text."""
    if isinstance(value, Mapping):
        return {str(key): as_read(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_read(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def node_of(value: Any, field: str, *, in_brackets: bool = False) -> Node:
    """A tree for plain data, in brackets where authors write brackets; an InputError for what a rule file cannot contain."""
    in_brackets = in_brackets or field in _IN_BRACKETS
    if isinstance(value, Mapping):
        entries = [
            Entry(node_of(item, str(key), in_brackets=in_brackets), node_of(str(key), "id"))
            for key, item in value.items()
        ]
        return Node("mapping", style="flow" if in_brackets or not entries else "block", entries=entries)
    if isinstance(value, (list, tuple)):
        entries = [Entry(node_of(item, field, in_brackets=in_brackets)) for item in value]
        is_flat = not any(isinstance(item, (Mapping, list, tuple)) for item in value)
        return Node("list", style="flow" if in_brackets or is_flat else "block", entries=entries)
    if value is None or isinstance(value, (bytes, set)):
        raise InputError(f"{field}: {value!r} ({type(value).__name__}) cannot be written to a rule file")
    text = as_read(value)
    is_bare = not isinstance(value, str) or (is_plain(text) and field not in _ALWAYS_QUOTED)
    return Node("scalar", style=None if is_bare else '"', text=text)
