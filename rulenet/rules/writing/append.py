"""Add rules to a rule file and leave everything else in it as it is, comments included. Imports errors and `rulenet.rules`.

The text is edited at places that the tree of `syntax` knows, and read again to check that only the new rules were added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rulenet.errors import Fault, InputError, RuleFileError
from rulenet.rules.file import codes
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.reading.check import NO_MAPPING
from rulenet.rules.writing.compose import as_read, inline, rule_lines
from rulenet.rules.writing.format import IN_RULES, check_shape, split_encoding
from rulenet.rules.writing.syntax import Entry, Node, build_tree, with_edits


def append_rules(text: str, rules: Sequence[Mapping[str, Any]], *, comment: str = "", name: str = "<string>") -> str:
    """Add rules after the last one.

    Parameters
    ----------
    text
        Text of a rule file.
    rules
        The fields of each rule: strings, numbers, booleans, lists and mappings.
    comment
        Lines to put above the first of them.
    name
        What messages call the file.

    Raises
    ------
    RuleFileError
        If the text, or the text with these rules, is not a valid rule file.
    InputError
        If an id is taken or missing.

    Examples
    --------
    >>> print(append_rules('''rulenet: 1
    ... rules:
    ...   - {id: win, label: Sports, word: [win, wins]}  # not News
    ... ''', [{"id": "oil", "label": "Business", "phrase": "oil price"}]))
    rulenet: 1
    rules:
      - {id: win, label: Sports, word: [win, wins]}  # not News
    <BLANKLINE>
      - id: oil
        label: Business
        phrase: oil price
    <BLANKLINE>
    """
    mark, line_break, body = split_encoding(text)
    data = _data_of(body, name)
    there = data.get("rules") or []
    _check_ids(rules, {rule.get("id") for rule in there if isinstance(rule, dict)})
    if not rules:
        return text
    tree = build_tree(body)
    result = with_edits(body, _edits(body, tree, rules, [f"# {line}".rstrip() for line in comment.splitlines()]))
    expected = {**data, "rules": [*there, *(as_read(rule) for rule in rules)]}
    again, _, faults = parse_yaml(result)
    if faults or again != expected or _comments(result) != _comments(body) + len(comment.splitlines()):
        message = "rules cannot be added without disturbing the rest; add them by hand, and please report it"
        raise RuleFileError(name, [Fault(codes.UNWRITABLE_FILE, message)])
    check_shape(result, name)
    return mark + result.replace("\n", line_break)


def _data_of(body: str, name: str) -> dict[str, Any]:
    data, _, faults = parse_yaml(body)
    if not faults and data is not None and not isinstance(data, dict):
        faults = [Fault(codes.NOT_A_RULE_FILE, NO_MAPPING, 1)]
    if faults:
        raise RuleFileError(name, faults)
    return data or {}


def _check_ids(rules: Sequence[Mapping[str, Any]], taken: set[Any]) -> None:
    for rule in rules:
        if not rule.get("id"):
            raise InputError("a rule has no id")
        if rule["id"] in taken:
            raise InputError(f"a rule needs an id of its own, and {rule['id']!r} is taken")
        taken.add(str(rule["id"]))


def _edits(body: str, tree: Node, rules: Sequence[Mapping[str, Any]], above: list[str]) -> list[tuple[int, int, str]]:
    """Edits as (from, to, new text)."""
    section = tree.entry("rules") if body.strip() else None
    if section is None:
        gap = "" if body.endswith("\n") or not body else "\n"
        return [(len(body), len(body), gap + "\n".join(["", "rules:", *rule_lines(rules, 2, above), ""]))]
    entries = section.value.entries
    if not entries:
        end = max(section.value.end, section.start + len("rules:"))
        lines = ["rules:", *rule_lines(rules, 2, above)]
        lost = [comment.text for comment in tree.comments() if section.start <= comment.start < end]
        return [(section.start, end, "\n".join([*lost, *lines]))]
    if section.value.style == "block":
        end = body.find("\n", _last_place(entries[-1]))
        at = end if end >= 0 else len(body)
        return [(at, at, "\n\n" + "\n".join(rule_lines(rules, section.value.column, above)))]
    written = "".join(f", {inline(rule, 'rules', IN_RULES)}" for rule in rules)
    return [(entries[-1].value.end, entries[-1].value.end, written)]


def _last_place(entry: Entry) -> int:
    """Where the last value or comment of an entry begins or ends."""
    places = [entry.value.end, *(comment.start for comment in entry.value.comments())]
    return max(*places, entry.after.start if entry.after else 0)


def _comments(text: str) -> int:
    return len(list(build_tree(text).comments())) if text.strip() else 0
