"""Faults of a rule file that the schema alone cannot see, and the schema's own in plain words. Imports the rest of `rules`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rulenet.errors import Fault
from rulenet.rules.conditions.kinds import parts_of
from rulenet.rules.conditions.words import literal_problem
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.parse import Lines, Path
from rulenet.rules.file.schema import (
    MODELS,
    Entries,
    Flip,
    LexiconEntry,
    LexiconFile,
    LexiconRef,
    Rule,
    RuleFile,
    WeightedTerm,
)
from rulenet.rules.file.wording import quoted, suggest

_ENTRIES: TypeAdapter[list[LexiconEntry]] = TypeAdapter(Entries)
# Faults that the schema states in words of its own.
_PLAIN = frozenset(
    ["one_kind", "misplaced_option", "two_measures", "no_bounds", "crossed_bounds", "one_label", "two_weights", "never",
     "wrong_sign", "wrong_flip", "two_cases"]
)  # fmt: skip
# By how the schema's name of a fault begins.
_EXPECTED = {"float": "a number", "int": "a whole number", "bool": "true or false", "date": "a day such as 2026-01-31"}


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
    if kind in _PLAIN:
        return str(item["msg"])
    if kind == "literal_error" and path == ("rulenet",):
        return f"rulenet: format {found} is not known here, which reads 1; upgrade rulenet, or write rulenet: 1"
    if kind == "literal_error":
        return f"{_last_name(path)}: {found} is not one of {item['ctx']['expected']}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{_last_name(path)}: a mapping (field: value) is expected here, not {found}"
    if kind == "list_type":
        return f"{_last_name(path)}: a list is expected here, not {found}"
    if kind == "too_long":
        return f"{_last_name(path)} has {item['ctx']['actual_length']} entries, at most {item['ctx']['max_length']} are possible; split it"
    if kind == "too_short" and item["ctx"].get("min_length", 1) > 1:
        return f"{_last_name(path)} needs at least {item['ctx']['min_length']} entries; add some"
    if kind == "too_short":
        return f"{_last_name(path)} is empty; fill it or remove it"
    if kind in ("string_type", "string_too_short"):
        return f"{_last_name(path)}: a text is expected here, not {found}; quote it if it holds ':' or '#'"
    if expected := _EXPECTED.get(kind.split("_")[0]):
        return f"{_last_name(path)}: {expected} is expected here, not {found}"
    return f"{_last_name(path)}: {item['msg'][0].lower()}{item['msg'][1:]}, not {found}"


def _last_name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "the file")


def _fields_at(path: Path) -> list[str]:
    """Field names that are legal where an unknown one stands."""
    inner = [step for step in path[:-1] if isinstance(step, str)]
    if not inner:
        return list(RuleFile.model_fields)
    if inner[0] == "lexicons":
        return [*LexiconRef.model_fields, *LexiconFile.model_fields, *WeightedTerm.model_fields]
    return list(MODELS.get(inner[-1], WrittenCondition).model_fields)


@dataclass(frozen=True)
class Readable:
    """The parts of a file whose shape is right. Checked even where other parts are wrong, so that one run names every fault."""

    labels: Sequence[str]
    lexicons: Mapping[str, Sequence[LexiconEntry] | None]  # None: the name stands, its entries are wrong
    rules: Mapping[int, Rule]
    negation_cues: Sequence[str] = ()


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


def _readable_entries(data: Any) -> list[LexiconEntry] | None:
    try:
        return _ENTRIES.validate_python(data)
    except ValidationError:
        return None


def content_faults(
    file: Readable, lines: Lines, seen: dict[str, str] | None = None, own: Collection[str] | None = None
) -> list[Fault]:
    """Everything wrong with parts whose shape is right: names, patterns, labels.

    Parameters
    ----------
    seen
        Ids of rules in other files, each with its place; those of this file are added.
    own
        Names of the lexicons that stand in this file; None: all.
    """
    faults = list(_lexicon_faults(file, lines, file.lexicons if own is None else own))
    seen = {} if seen is None else seen
    for i, rule in file.rules.items():
        here = ("rules", i)
        found: list[tuple[Path, str]] = []
        if rule.id in seen:
            found.append((("id",), f"id {rule.id!r} is already used in {seen[rule.id]}; ids are unique"))
        seen.setdefault(rule.id, f"line {lines.at((*here, 'id'))}")
        for path, label in _labels_of(rule):
            if file.labels and label not in file.labels:
                found.append((path, f"label {label!r} is not among `labels`{suggest(label, file.labels)}"))
        for part in (part for top in parts_of(rule) for part in top.walk()):
            for place, message in part.kind.faults(part, file.lexicons):
                found.append(((*part.path, part.kind.name, *place), message))
        faults += [Fault(message, lines.at((*here, *path)), rule.id) for path, message in found]
    for i, cue in enumerate(file.negation_cues):
        if problem := literal_problem(cue, "negation cue"):
            faults.append(Fault(problem, lines.at(("negation_cues", i))))
    for i, label in enumerate(file.labels):
        if label in file.labels[:i]:
            faults.append(Fault(f"label {label!r} stands twice in `labels`; keep one", lines.at(("labels", i))))
    return faults


def _labels_of(rule: Rule) -> Iterator[tuple[Path, str]]:
    """Every label that a rule names, with its place in the rule."""
    if rule.labels is not None:
        yield from ((("labels", label), label) for label in rule.labels)
    elif rule.label is not None:
        yield ("label",), rule.label
    if isinstance(rule.negation, Flip):
        yield ("negation", "flip"), rule.negation.flip


def _lexicon_faults(file: Readable, lines: Lines, own: Collection[str]) -> Iterator[Fault]:
    for name, entries in file.lexicons.items():
        here = ("lexicons", name)
        if entries is None or name not in own:
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
            elif not isinstance(entry, LexiconFile):
                term = entry.term if isinstance(entry, WeightedTerm) else entry
                if problem := literal_problem(term, "lexicon"):
                    yield Fault(problem, lines.at((*here, i)))
    for cycle in _cycles(file):
        if cycle[0] not in own:
            continue
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


def resolve_lexicons(file: RuleFile) -> dict[str, dict[str, float]]:
    """Entries of each lexicon, the lists it includes taken in, with their weights; the file has no cycles and names no CSV files.

    Where an entry stands twice, its first weight counts.
    """
    included = {
        name: [entry.lexicon for entry in entries if isinstance(entry, LexiconRef)]
        for name, entries in file.lexicons.items()
    }
    resolved: dict[str, dict[str, float]] = {}
    for name in TopologicalSorter(included).static_order():
        found: dict[str, float] = {}
        for entry in file.lexicons[name]:
            if isinstance(entry, LexiconRef):
                found |= {term: weight for term, weight in resolved[entry.lexicon].items() if term not in found}
            elif isinstance(entry, WeightedTerm):
                found.setdefault(entry.term, entry.weight)
            else:
                found.setdefault(str(entry), 1.0)
        resolved[name] = found
    return resolved
