"""Faults of a rule file that the schema alone cannot see, and the schema's own in plain words. Imports the rest of `rules`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from rulenet.errors import Fault
from rulenet.rules.conditions import compile_pos, compile_regex
from rulenet.rules.parse import Lines, Path
from rulenet.rules.schema import KINDS, Condition, Entry, Examples, LexiconRef, Rule, RuleFile
from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced

_ENTRIES: TypeAdapter[list[str | LexiconRef]] = TypeAdapter(list[Entry])


def suggest(word: str, known: Sequence[str]) -> str:
    """`": did you mean 'x'?"` if a known word is close, else the list of known words.

    Examples
    --------
    >>> suggest("wieght", ["weight", "where"])
    ": did you mean 'weight'?"
    """
    close = difflib.get_close_matches(word, known, n=1) or difflib.get_close_matches(
        word.lower(), [k.lower() for k in known], n=1
    )
    if close:
        exact = next(k for k in known if k.lower() == close[0].lower())
        return f": did you mean {exact!r}?"
    shown = ", ".join(map(str, known[:20])) + (", …" if len(known) > 20 else "")
    return f"; known: {shown}" if known else ""


def schema_faults(error: ValidationError, data: Any, lines: Lines) -> list[Fault]:
    """Faults of a failed validation, with line, rule id and remedy."""
    faults = []
    for item in error.errors(include_url=False):
        path = _data_path(item["loc"], data)
        # A field of the rule itself may report in place of the mapping that holds it.
        faults.append(Fault(_plain(item, path), lines.at(path), rule_id(data, path)))
    return list(dict.fromkeys(faults))


def rule_id(data: Any, path: Path) -> str | None:
    """Id of the rule that a path leads into, or its number if it has none."""
    if len(path) < 2 or path[0] != "rules" or not isinstance(path[1], int):
        return None
    rule = data["rules"][path[1]]
    name = rule.get("id") if isinstance(rule, dict) else None
    return name if isinstance(name, str) else f"#{path[1] + 1}"


def _data_path(loc: tuple[int | str, ...], top: Any) -> Path:
    """The part of an error's location that exists in the data: pydantic adds the names of union members."""
    path: list[int | str] = []
    data: Any = top
    for step in loc:
        steps = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
        if step in steps:
            data = data[step]
            path.append(step)
    return tuple(path)


def _plain(item: Any, path: Path) -> str:
    """One schema error in plain words."""
    kind, field, value = item["type"], item["loc"][-1] if item["loc"] else "", item["input"]
    found = quoted(value)
    if kind == "extra_forbidden":
        return f"unknown field {field!r}{suggest(str(field), _fields_at(path))}"
    if kind == "missing":
        return f"field {field!r} is missing; add it"
    if kind in ("one_kind", "two_weights", "wrong_sign"):
        return str(item["msg"])
    if kind == "literal_error":
        return f"{field}: {found} is not one of {item['ctx']['expected']}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{_last_name(path)}: a mapping (field: value) is expected here, not {found}"
    if kind == "list_type":
        return f"{_last_name(path)}: a list is expected here, not {found}"
    if kind == "too_short":
        return f"{_last_name(path)} is empty; fill it or remove it"
    if kind in ("string_type", "string_too_short"):
        return f"{_last_name(path)}: a text is expected here, not {found}; quote it if it holds ':' or '#'"
    return f"{_last_name(path)}: {item['msg'][0].lower()}{item['msg'][1:]}, not {found}"


def quoted(value: Any) -> str:
    """A value as a message quotes it."""
    if value in (None, ""):
        return "nothing"
    return repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "…"


def _last_name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "the file")


def _fields_at(path: Path) -> list[str]:
    """Field names that are legal where an unknown one stands."""
    model: type[BaseModel]
    inner = [step for step in path[:-1] if isinstance(step, str)]
    if not inner:
        model = RuleFile
    elif inner[-1] == "rules":
        model = Rule
    elif inner[-1] == "examples":
        model = Examples
    elif inner[0] == "lexicons":
        model = LexiconRef
    else:
        model = Condition
    return list(model.model_fields)


@dataclass(frozen=True)
class Readable:
    """The parts of a file whose shape is right. Checked even where other parts are wrong, so that one run names every fault."""

    labels: Sequence[str]
    lexicons: Mapping[str, Sequence[str | LexiconRef] | None]  # None: the name stands, its entries are wrong
    rules: Mapping[int, Rule]


def readable(data: dict[str, Any]) -> Readable:
    """What can be read of a file that the schema refuses."""
    labels, lexicons, rules = data.get("labels"), data.get("lexicons"), data.get("rules")
    found = {i: _readable_rule(rule) for i, rule in enumerate(rules if isinstance(rules, list) else [])}
    return Readable(
        labels=labels if isinstance(labels, list) and all(isinstance(label, str) for label in labels) else [],
        lexicons={
            name: _readable_entries(entries)
            for name, entries in (lexicons if isinstance(lexicons, dict) else {}).items()
        },
        rules={i: rule for i, rule in found.items() if rule is not None},
    )


def _readable_rule(data: Any) -> Rule | None:
    """A rule without its wrong fields, if the rest is a rule."""
    try:
        return Rule.model_validate(data)
    except ValidationError as error:
        wrong = {item["loc"][0] for item in error.errors(include_url=False) if item["loc"]}
    if not isinstance(data, dict) or wrong.isdisjoint(data):
        return None
    return _readable_rule({field: value for field, value in data.items() if field not in wrong})


def _readable_entries(data: Any) -> list[str | LexiconRef] | None:
    try:
        return _ENTRIES.validate_python(data)
    except ValidationError:
        return None


def content_faults(file: Readable, lines: Lines) -> list[Fault]:
    """Everything wrong with parts whose shape is right: names, patterns, labels."""
    faults = list(_lexicon_faults(file, lines))
    seen: dict[str, int] = {}
    for i, rule in file.rules.items():
        here = ("rules", i)
        if rule.id in seen:
            faults.append(
                Fault(
                    f"id {rule.id!r} is already used in line {seen[rule.id]}; ids are unique",
                    lines.at((*here, "id")),
                    rule.id,
                )
            )
        seen.setdefault(rule.id, lines.at((*here, "id")))
        if file.labels and rule.label not in file.labels:
            faults.append(
                Fault(
                    f"label {rule.label!r} is not among `labels`{suggest(rule.label, file.labels)}",
                    lines.at((*here, "label")),
                    rule.id,
                )
            )
        faults += [Fault(message, lines.at(path), rule.id) for path, message in _condition_faults(rule, here, file)]
        for j, part in enumerate(rule.unless):
            faults += [
                Fault(message, lines.at(path), rule.id)
                for path, message in _condition_faults(part, (*here, "unless", j), file)
            ]
    for i, label in enumerate(file.labels):
        if label in file.labels[:i]:
            faults.append(Fault(f"label {label!r} stands twice in `labels`; keep one", lines.at(("labels", i))))
    return faults


def _condition_faults(condition: Condition, path: Path, file: Readable) -> Iterator[tuple[Path, str]]:
    kind = condition.kind
    value = getattr(condition, kind)
    here = (*path, kind)
    for i, entry in enumerate(value):
        at = (*here, i)
        if kind in ("any", "all", "none"):
            yield from _condition_faults(entry, at, file)
        elif kind == "lexicon" and entry not in file.lexicons:
            yield at, f"lexicon {entry!r} does not exist{suggest(entry, list(file.lexicons))}"
        elif kind in ("word", "phrase"):
            problem = literal_problem(entry, kind)
            if problem:
                yield at, problem
        elif kind in ("regex", "pos"):
            try:
                (compile_regex if kind == "regex" else compile_pos)(entry)
            except ValueError as error:
                yield at, f"{kind} {quoted(entry)}: {error}"


def literal_problem(literal: str, kind: str) -> str | None:
    """Why a literal cannot be found in any text, if so.

    Examples
    --------
    >>> literal_problem("$", "word")
    "'$' holds no letter or digit, so it can never be found; use a regex"
    """
    cleaned = clean(literal)
    if is_unspaced(cleaned):
        return None
    words = fold(cleaned).split()
    if not words:
        return f"{literal!r} holds no letter or digit, so it can never be found; use a regex"
    if kind == "word" and len(words) > 1 and any(map(str.isspace, cleaned.strip())):
        return f"word {literal!r} is several words; write phrase: {literal}"
    return None


def _lexicon_faults(file: Readable, lines: Lines) -> Iterator[Fault]:
    for name, entries in file.lexicons.items():
        here = ("lexicons", name)
        if entries is None:
            continue
        if not entries:
            yield Fault(f"lexicon {name!r} is empty; fill it or remove it", lines.at(here))
        for i, entry in enumerate(entries):
            if isinstance(entry, LexiconRef):
                if entry.lexicon not in file.lexicons:
                    yield Fault(
                        f"lexicon {entry.lexicon!r} does not exist{suggest(entry.lexicon, list(file.lexicons))}",
                        lines.at((*here, i)),
                    )
            elif problem := literal_problem(entry, "lexicon"):
                yield Fault(problem, lines.at((*here, i)))
    for cycle in _cycles(file):
        names = cycle if len(cycle) <= 9 else [*cycle[:6], "…", *cycle[-2:]]
        yield Fault(
            f"lexicons include each other in a circle: {' → '.join(names)}; remove one link",
            lines.at(("lexicons", cycle[0])),
        )


def _cycles(file: Readable) -> list[list[str]]:
    """Circles among the lexicons, each once; iterative, since a chain may be as long as the file."""
    state: dict[str, int] = {}  # 1: on the current trail, 2: done
    cycles = []
    for top in file.lexicons:
        trail: list[str] = []
        todo: list[tuple[str, bool]] = [(top, False)]
        while todo:
            name, leaving = todo.pop()
            if leaving:
                state[trail.pop()] = 2
            elif state.get(name) == 1:
                cycles.append([*trail[trail.index(name) :], name])
            elif state.get(name) is None and name in file.lexicons:
                state[name] = 1
                trail.append(name)
                todo.append((name, True))
                entries = file.lexicons[name] or ()
                todo.extend((entry.lexicon, False) for entry in entries if isinstance(entry, LexiconRef))
    return cycles


def resolve_lexicons(file: RuleFile) -> dict[str, tuple[str, ...]]:
    """Entries of each lexicon with the lists it includes taken in; the file has no cycles."""
    resolved: dict[str, tuple[str, ...]] = {}
    for top in file.lexicons:
        todo = [top]
        while todo:
            name = todo[-1]
            wanted = [
                entry.lexicon
                for entry in file.lexicons[name]
                if isinstance(entry, LexiconRef) and entry.lexicon not in resolved
            ]
            if wanted:
                todo.extend(wanted)
                continue
            parts = [
                resolved[entry.lexicon] if isinstance(entry, LexiconRef) else (entry,) for entry in file.lexicons[name]
            ]
            resolved[name] = tuple(dict.fromkeys(literal for part in parts for literal in part))
            todo.pop()
    return resolved


__all__ = ["KINDS", "content_faults", "literal_problem", "resolve_lexicons", "schema_faults", "suggest"]
