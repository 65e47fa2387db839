"""Faults of a rule file that the schema alone cannot find, and the schema's own in plain words. Imports conditions and below."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from pydantic import ValidationError

from rulenet.errors import Code, Edit, Fault
from rulenet.rules.conditions.kind import Kind, Part, Smell
from rulenet.rules.conditions.kinds import parts_of
from rulenet.rules.conditions.words import literal_flaw
from rulenet.rules.file import codes
from rulenet.rules.file.condition import KIND_FIELDS, WrittenCondition
from rulenet.rules.file.parse import Lines, Path
from rulenet.rules.file.schema import (
    MODELS,
    NO_LABEL,
    Flip,
    LexiconFile,
    LexiconRef,
    Rule,
    RuleFile,
    WeightedTerm,
)
from rulenet.rules.file.wording import meant, quoted, suggest
from rulenet.rules.reading.salvage import UNKNOWN, Readable, data_path
from rulenet.text.clean import clean
from rulenet.text.tokenise import words_for_jieba

MAX_PROGRAM = 10_000_000  # some seconds and 100 MB; a pattern of everyday use has 10 to 300
MAX_EXPANDED = 5_000_000
NO_MAPPING = "the file must be a mapping with `rulenet: 1` and `rules:`"
_CODE_OF = {code.name: code for code in codes.CODES}
# pydantic's own error types; all others are about the type of a value.
_RANGE = ("string_too_long", "finite_number", "greater_than", "greater_than_equal", "less_than", "less_than_equal")
_CODE_OF |= dict.fromkeys(_RANGE, codes.OUT_OF_RANGE) | dict.fromkeys(("too_short", "too_long"), codes.WRONG_COUNT)
_CODE_OF |= {
    "extra_forbidden": codes.UNKNOWN_FIELD,
    "missing": codes.MISSING_FIELD,
    "literal_error": codes.UNKNOWN_CHOICE,
}
# By how pydantic's name of the error begins.
_EXPECTED = {"float": "a number", "int": "a whole number", "bool": "true or false", "date": "a day such as 2026-01-31"}
_PERCENT = re.compile(r"([1-9]\d?(?:\.\d+)?)\s*%|([1-9]\d)")


def schema_faults(error: ValidationError, data: Any, lines: Lines) -> list[Fault]:
    """Faults of a failed validation, each with line, rule id and what to do."""
    faults = []
    for item in error.errors(include_url=False):
        path = data_path(item["loc"], data)
        if path[-1:] == ("<<",):
            continue  # the alias behind it is a fault of its own
        code = _CODE_OF.get(item["type"], codes.WRONG_TYPE)
        if code is codes.UNKNOWN_CHOICE and path == ("rulenet",):
            code = codes.UNKNOWN_VERSION
        # A field of the rule itself may report in place of the mapping that contains it.
        edit = _edit(code, item, path, data)
        faults.append(Fault(code, _plain(item, path), lines.at(path), rule_id(data, path), path=path, edit=edit))
    return list(dict.fromkeys([*faults, *_covered(faults, data, lines)]))


def _covered(faults: Sequence[Fault], data: Any, lines: Lines) -> Iterator[Fault]:
    """What the schema only says of a rule once its fields are right: that it has no label, or no condition."""
    said = {(fault.path, fault.message[:8]) for fault in faults}
    for path in dict.fromkeys(fault.path[:2] for fault in faults if fault.path[:1] == ("rules",)):
        rule = data["rules"][path[1]] if len(path) == 2 else None
        if not isinstance(rule, dict):
            continue
        unknown = [name for name in rule if name not in Rule.model_fields]
        has_label = rule.keys() & {"label", "labels"} or any(meant(name, ["label", "labels"]) for name in unknown)
        if not has_label and (path, NO_LABEL[:8]) not in said:
            yield Fault(codes.CONFLICTING_FIELDS, NO_LABEL, lines.at(path), rule_id(data, path), path=path)
        if not unknown and not rule.keys() & set(KIND_FIELDS) and (path, "give exa") not in said:
            message = f"give exactly one of {', '.join(KIND_FIELDS)}; found nothing"
            yield Fault(codes.ONE_KIND, message, lines.at(path), rule_id(data, path), path=path)


def rule_id(data: Any, path: Path) -> str | None:
    """Id of the rule that a path leads into, or its number if it has none."""
    if len(path) < 2 or path[0] != "rules" or not isinstance(path[1], int):
        return None
    rule = data["rules"][path[1]]
    name = rule.get("id") if isinstance(rule, dict) else None
    return name if isinstance(name, str) else f"#{path[1] + 1}"


def _edit(code: Code, item: Any, path: Path, data: Any) -> Edit | None:
    """The repair of a schema error, where only one thing can be meant."""
    value = item["input"]
    if code is codes.MISSING_FIELD and item["loc"] == ("rulenet",) and "rules" in data:
        return Edit("add", "rulenet: 1")
    if code is codes.UNKNOWN_FIELD:
        for step in path[:-1]:
            data = data[step]
        name = meant(str(path[-1]), [field for field in _fields_at(path) if field not in data])
        return Edit("rename", name) if name else None
    if not isinstance(value, str):
        return None
    if code is codes.UNKNOWN_CHOICE:
        choice = meant(value, re.findall("'([^']*)'", item["ctx"]["expected"]))
        return Edit("write", choice) if choice else None
    if item["type"].startswith("bool"):
        return Edit("write", value.strip().lower()) if value.strip().lower() in ("true", "false") else None
    number = _number(value, path[-1]) if path[-1] in ("weight", "confidence") else None
    return Edit("write", number) if number else None


def _number(value: str, field: int | str) -> str | None:
    """A number that is written in another notation: 1,5, １．５ or, as a confidence, 90% and 90."""
    text = unicodedata.normalize("NFKC", value).replace("\u2212", "-").strip()
    if re.fullmatch(r"-?\d+,\d+", text):
        text = text.replace(",", ".")
    if field == "confidence" and (percent := _PERCENT.fullmatch(text)):
        text = f"{float(percent[1] or percent[2]) / 100:.10g}"
    return text if text != value and re.fullmatch(r"[-+]?\d*\.?\d+", text) else None


def _plain(item: Any, path: Path) -> str:
    """One schema error in plain words."""
    kind, field, value = item["type"], item["loc"][-1] if item["loc"] else "", item["input"]
    found, last = quoted(value), next((step for step in reversed(path) if isinstance(step, str)), "the file")
    if kind == "extra_forbidden" and value is None and re.fullmatch(r"\d+", str(field)):
        return f"unknown field {field!r}: in {{ }} a comma separates fields; write a number with a point, as in 1.5"
    if kind == "extra_forbidden" and value is None and str(field).partition(":")[0] in _fields_at(path):
        name = str(field).partition(":")[0]
        return f"unknown field {field!r}: a space is missing after the colon; write {name}: …"
    if kind == "extra_forbidden":
        return f"unknown field {field!r}{suggest(str(field), _fields_at(path))}"
    if kind == "missing":
        return f"field {field!r} is missing; add it"
    if kind == "literal_error" and path == ("rulenet",):
        return f"rulenet: this version reads format 1, not {found}; upgrade rulenet, or write rulenet: 1"
    if kind == "literal_error":
        return f"{last}: {found} is not one of {item['ctx']['expected']}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        space = "; a space is missing after the colon" if re.match(r"\w+:\S", str(value)) else ""
        return f"{last}: a mapping (field: value) is expected here, not {found}{space}"
    if kind == "list_type" and isinstance(value, dict):
        is_text = None in value.values()  # {3}
        advice = "a text with braces needs quotes" if is_text else "begin each of its items with '- '"
        return f"{last}: a list is expected here, not {found}; {advice}"
    if kind == "list_type":
        return f"{last}: a list is expected here, not {found}"
    if kind == "too_long":
        return f"{last} has {item['ctx']['actual_length']} entries, but at most {item['ctx']['max_length']} are possible; split it"
    if kind == "too_short" and item["ctx"].get("min_length", 1) > 1:
        return f"{last} needs at least {item['ctx']['min_length']} entries; add some"
    if kind == "too_short":
        return f"{last} is empty; fill it or remove it"
    if kind == "string_type" and isinstance(value, list | dict):
        return f"{last}: a text is expected here, not {found}; a text with brackets or ': ' needs quotes"
    if kind in ("string_type", "string_too_short"):
        nothing = " (null and ~ mean nothing, and '#' begins a comment)" if value is None else ""
        return f"{last}: a text is expected here, not {found}{nothing}; quote it if it contains ':' or '#'"
    if expected := _EXPECTED.get(kind.split("_")[0]):
        return f"{last}: {expected} is expected here, not {found}"
    if kind in _CODE_OF and "ctx" not in item:  # the schema's own words
        return str(item["msg"])
    return f"{last}: {item['msg'][0].lower()}{item['msg'][1:]}, not {found}"


def _fields_at(path: Path) -> list[str]:
    """Field names that are allowed in place of an unknown one."""
    inner = [step for step in path[:-1] if isinstance(step, str)]
    if not inner:
        return list(RuleFile.model_fields)
    if inner[0] == "lexicons":
        return [*LexiconRef.model_fields, *LexiconFile.model_fields, *WeightedTerm.model_fields]
    return list(MODELS.get(inner[-1], WrittenCondition).model_fields)


@dataclass
class Costs:
    """What compiling the patterns of all files costs."""

    total: int = 0
    largest: list[tuple[int, str]] = field(default_factory=list)

    def add(self, part: Part) -> str:
        """Count a condition; return what is wrong if it is the first that is too much."""
        if self.is_over:
            return ""
        for pattern, size in part.kind.cost(part):
            self.total += size
            self.largest = sorted([*self.largest, (size, pattern)], reverse=True)[:3]
        if not self.is_over:
            return ""
        worst = ", ".join(f"{quoted(pattern)} ({size:,})" for size, pattern in self.largest)
        return (
            f"the patterns so far need more than {MAX_PROGRAM:,} steps of RE2, most of them {worst}; "
            "repeat less, as in {1,400}, or use near. Patterns below are not checked"
        )

    @property
    def is_over(self) -> bool:
        return self.total > MAX_PROGRAM


def content_faults(
    file: Readable,
    lines: Lines,
    seen: dict[str, str] | None = None,
    own: Collection[str] | None = None,
    costs: Costs | None = None,
) -> list[Fault]:
    """Everything wrong with parts whose shape is right: names, patterns, labels.

    `seen` are ids of rules in other files, each with its place; those of this file are added. `own` are the names of the lexicons that are
    defined in this file; None: all. `costs` are those of other files; those of this file are added."""

    costs = Costs() if costs is None else costs
    faults: list[Fault] = []

    def report(found: Iterable[Smell], at: Path = (), rule: str | None = None) -> None:
        for path, code, message, edit in found:
            here = (*at, *path)
            faults.append(Fault(code, message, lines.at(here), rule, path=here, edit=edit))

    report(_lexicon_smells(file, file.lexicons if own is None else own))
    seen = {} if seen is None else seen
    for i, rule in file.rules.items():
        here = ("rules", i)
        if rule.id in seen:
            message = f"id {rule.id!r} is already used in {seen[rule.id]}; rename one of the two"
            report([Smell(("id",), codes.DUPLICATE_ID, message)], here, rule.id)
        seen.setdefault(rule.id, f"line {lines.at((*here, 'id'))}")
        report(label_smells(_labels_of(rule), file.labels), here, rule.id)
        for part in (part for top in parts_of(rule) for part in top.walk()):
            if costs.is_over and type(part.kind).cost is not Kind.cost:
                continue
            report(part.kind.faults(part, file.lexicons), here, rule.id)
            if message := costs.add(part):
                report([part.smell(codes.TOO_LARGE, message)], here, rule.id)
    for i, cue in enumerate(file.negation_cues):
        if flaw := literal_flaw(cue, "negation cue"):
            report([Smell(("negation_cues", i), *flaw)])
    for i, word in enumerate(file.words):
        if not words_for_jieba(clean(word)):
            message = f"{word!r} is no Chinese word of two characters or more, so jieba cannot learn it; remove it"
            report([Smell(("words", i), codes.NO_CHINESE_WORD, message)])
    for i, label in enumerate(file.labels):
        if label in file.labels[:i]:
            message = f"label {label!r} is listed twice in `labels`; keep one"
            report([Smell(("labels", i), codes.DUPLICATE_LABEL, message, Edit("merge"))])
    return faults


def label_smells(places: Iterable[tuple[Path, str]], labels: Sequence[str]) -> Iterator[Smell]:
    """Labels that are not declared, where labels are declared."""
    for path, label in places:
        if labels and label not in labels and label != UNKNOWN:
            message = f"label {label!r} is not among `labels`{suggest(label, labels)}"
            same = [name for name in labels if name.strip().casefold() == label.strip().casefold()]
            edit = Edit("rename" if path[0] == "labels" else "quote", same[0]) if len(same) == 1 else None
            yield Smell(path, codes.UNKNOWN_LABEL, message, edit)


def _labels_of(rule: Rule) -> Iterator[tuple[Path, str]]:
    """Every label that a rule names, with its place in the rule."""
    if rule.labels is not None:
        yield from ((("labels", label), label) for label in rule.labels)
    elif rule.label is not None:
        yield ("label",), rule.label
    if isinstance(rule.negation, Flip):
        yield ("negation", "flip"), rule.negation.flip


def _lexicon_smells(file: Readable, own: Collection[str]) -> Iterator[Smell]:
    for name, entries in file.lexicons.items():
        here = ("lexicons", name)
        if entries is None or name not in own:
            continue
        if not entries:
            yield Smell(here, codes.EMPTY_LEXICON, f"lexicon {name!r} is empty; fill it or remove it")
        for i, entry in enumerate(entries):
            if isinstance(entry, LexiconRef):
                if entry.lexicon not in file.lexicons:
                    message = f"lexicon {entry.lexicon!r} does not exist{suggest(entry.lexicon, list(file.lexicons))}"
                    yield Smell((*here, i), codes.UNKNOWN_LEXICON, message)
            elif not isinstance(entry, LexiconFile):
                term = entry.term if isinstance(entry, WeightedTerm) else entry
                if flaw := literal_flaw(term, "lexicon"):
                    yield Smell((*here, i), *flaw)
    cycles = _cycles(file)
    large = None if cycles else _grows_too_large(file)
    if large is not None and large in own:
        message = f"lexicon {large!r}: the lists have more than {MAX_EXPANDED:,} entries with those they include; include fewer"
        yield Smell(("lexicons", large), codes.TOO_LARGE, message)
    for cycle in cycles:
        if cycle[0] in own:
            names = cycle if len(cycle) <= 9 else [*cycle[:6], "…", *cycle[-2:]]
            message = f"lexicons include each other in a circle: {' → '.join(names)}; remove one of these links"
            yield Smell(("lexicons", cycle[0]), codes.LEXICON_CIRCLE, message)


def _grows_too_large(file: Readable) -> str | None:
    """The list at which all lists, each with those it includes, have too many entries together; before they are put together."""
    includes = {
        name: {
            entry.lexicon for entry in entries or () if isinstance(entry, LexiconRef) and entry.lexicon in file.lexicons
        }
        for name, entries in file.lexicons.items()
    }
    sizes: dict[str, int] = {}
    total = 0
    for name in TopologicalSorter(includes).static_order():
        own = sum(not isinstance(entry, LexiconRef) for entry in file.lexicons[name] or ())
        sizes[name] = own + sum(sizes[other] for other in includes[name])
        total += sizes[name]
        if total > MAX_EXPANDED:
            return name
    return None


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
    """Entries of each lexicon and of those it includes, with their weights; the file has no cycles and names no CSV files.

    If an entry is listed twice, its first weight counts.
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
