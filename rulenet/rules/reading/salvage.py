"""What can be read of a file that the schema refuses, so that one run names every fault. Imports the schema.

Only what is wrong is left out: beside a misspelt field the other fields of its rule are read, and in a condition with several parts the
others. What cannot be missing is replaced by something that is no fault of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rulenet.rules.file.condition import KIND_FIELDS, OPTIONS
from rulenet.rules.file.parse import Path
from rulenet.rules.file.schema import Entries, LexiconEntry, Rule

UNKNOWN = "\0"  # instead of a label that cannot be read
_ENTRIES: TypeAdapter[list[LexiconEntry]] = TypeAdapter(Entries)
_MAX_ROUNDS = 20
_WORD = "x"  # no fault in any condition with texts
_CONDITIONS = ("any", "all", "none", "unless")
_TEXTS = {"word": _WORD, "phrase": _WORD, "starts": _WORD, "ends": _WORD, "regex": _WORD, "terms": _WORD, "pos": "NOUN"}
_WEIGHTS = ("weight", "confidence", "sign", "since", "until", *OPTIONS)


@dataclass(frozen=True)
class Readable:
    """The parts of a file whose shape is right."""

    labels: Sequence[str]
    lexicons: Mapping[str, Sequence[LexiconEntry] | None]  # None: the name is right, its entries are wrong
    rules: Mapping[int, Rule]
    negation_cues: Sequence[str] = ()
    words: Sequence[str] = ()


def readable(data: dict[str, Any]) -> Readable:
    """What can be read of a file that the schema refuses."""
    lexicons, rules = data.get("lexicons"), data.get("rules")
    found = {i: readable_rule(rule, i) for i, rule in enumerate(rules if isinstance(rules, list) else [])}
    return Readable(
        labels=_readable_texts(data.get("labels")),
        lexicons={
            name: _readable_entries(entries)
            for name, entries in (lexicons if isinstance(lexicons, dict) else {}).items()
        },
        rules={i: rule for i, rule in found.items() if rule is not None},
        negation_cues=_readable_texts(data.get("negation_cues")),
        words=_readable_texts(data.get("words")),
    )


def data_path(loc: tuple[int | str, ...], top: Any) -> Path:
    """The part of an error's location that exists in the data: pydantic adds the names of union members."""
    path: list[int | str] = []
    data: Any = top
    for step in loc:
        steps = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
        if step in steps:
            data = data[step]
            path.append(step)
    return tuple(path)


def readable_rule(data: Any, number: int) -> Rule | None:
    """A rule without what is wrong in it.

    Examples
    --------
    >>> rule = readable_rule({"id": "a", "lable": "X", "any": [{"wrod": "v"}, {"lexicon": "teams"}]}, 0)
    >>> rule.id, rule.any[1].lexicon
    ('a', ['teams'])
    """
    if not isinstance(data, dict):
        return None
    tried: set[Path] = set()
    rest = data
    for _ in range(_MAX_ROUNDS):
        try:
            return Rule.model_validate(rest)
        except ValidationError as error:
            items = error.errors(include_url=False)
        rest = copy.deepcopy(rest) if rest is data else rest
        for item in items:
            path = data_path(item["loc"], rest)
            if item["type"] == "missing":
                _fill_in(rest, path, item["loc"][-1], number)
            elif not path:
                _make_plain(rest)
            else:
                _leave_out(rest, path if path not in tried else path[:1])
            tried.add(path)
    return None


def _fill_in(rule: dict[str, Any], path: Path, field: int | str, number: int) -> None:
    """What a mapping has to have."""
    if field == "id":
        rule["id"] = f"#{number + 1}"
    elif field == "terms":
        _at(rule, path)["terms"] = [_WORD, _WORD]
    elif path:
        _leave_out(rule, path)


def _make_plain(rule: dict[str, Any]) -> None:
    """The rule without the fields that do not go together."""
    kinds = [kind for kind in KIND_FIELDS if rule.get(kind) is not None]
    for field in (*KIND_FIELDS, *_WEIGHTS):
        if field in rule and field not in kinds[:1]:
            del rule[field]
    if not kinds:
        rule["word"] = [_WORD]
    if rule.get("labels") is not None:
        rule.pop("label", None)
        rule.pop("negation", None)
    elif rule.get("label") is None:
        rule["label"] = UNKNOWN


def _leave_out(rule: dict[str, Any], path: Path) -> None:
    """The rule without a value, or with a harmless one in its place where others follow in a list."""
    outer, last = _at(rule, path[:-1]), path[-1]
    if isinstance(outer, dict):
        value = outer.get(last)
        if last == "count" and isinstance(value, dict) and set(value) != {"word", "at_least"}:
            outer[last] = {**_plain_condition(value), "at_least": 1}
        elif last == "near" and isinstance(value, dict) and "terms" in value and len(value) > 1:
            outer[last] = {"terms": value["terms"]}
        else:
            outer.pop(last, None)
        return
    name = next(step for step in reversed(path[:-1]) if isinstance(step, str))
    if isinstance(outer[last], dict) and name in (*_CONDITIONS, "terms"):
        outer[last] = _plain_condition(outer[last])
    elif name in _CONDITIONS:
        outer[last] = {"word": [_WORD]}
    elif name in _TEXTS:
        outer[last] = _TEXTS[name]
    else:
        _leave_out(rule, path[:-1])


def _plain_condition(value: dict[str, Any]) -> dict[str, Any]:
    """A condition of one kind, without options."""
    kind = next((kind for kind in KIND_FIELDS if value.get(kind) is not None), None)
    return {kind: value[kind]} if kind else {"word": [_WORD]}


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _readable_texts(data: Any) -> list[str]:
    return data if isinstance(data, list) and all(isinstance(text, str) for text in data) else []


def _readable_entries(data: Any) -> list[LexiconEntry] | None:
    try:
        return _ENTRIES.validate_python(data)
    except ValidationError:
        return [_readable_entry(entry) for entry in data] if isinstance(data, list) else None


def _readable_entry(data: Any) -> LexiconEntry:
    try:
        return _ENTRIES.validate_python([data])[0]
    except ValidationError:
        return _WORD
