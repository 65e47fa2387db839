"""Repairs that are safe to make in a rule file: `rulenet rules lint --fix`. Imports the rest of `rulenet.rules`, no numpy.

Safe is what leaves the meaning as it was, or makes it what was obviously meant: a misspelled name with one candidate, a number in
another notation, a comma of the Chinese keyboard. Comments, order and layout stay. Not repaired, as only the author can know: doubled
or contradicting rules, labels that are not declared, missing names, an `any` of a single condition (legal, and perhaps a list to be).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rulenet.rules.conditions.kinds import KIND_OF, KINDS
from rulenet.rules.conditions.words import literal_problem
from rulenet.rules.file import schema
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.reading.check import schema_faults
from rulenet.rules.writing.format import TOP, Context, split_encoding
from rulenet.rules.writing.spelling import is_plain, quote
from rulenet.rules.writing.syntax import Entry, Node, build_tree, with_edits

_MODELS: tuple[type[BaseModel], ...] = (schema.RuleFile, *schema.MODELS.values())
_NUMBERS = ("weight", "confidence")
_LISTS = (
    "labels",
    "negation_cues",
    "tags",
    *(kind.name for kind in KINDS if kind.is_set),
)  # a doubled entry says no more
_FOR_SEVERAL = {kind.name: kind.for_several for kind in KINDS if kind.for_several}
_TERMS = ("negation_cues", *(field for kind in KINDS for field in kind.loose))
_WIDE, _BLANK = "[\t\u00a0\u3000]", "[ \t\u00a0\u3000]"
_COMMA = re.compile("[,，、;；]")
_MAX_ROUNDS = 10


@dataclass(frozen=True)
class Change:
    """One repair: what was done, and where."""

    message: str
    line: int
    rule: str | None = None

    def __str__(self) -> str:
        return f"rule {self.rule!r}: {self.message}" if self.rule is not None else self.message


def fix(text: str) -> tuple[str, list[Change]]:
    """Repair what is safe to repair.

    Returns
    -------
    tuple
        The new text, and the changes in order of line. No repair makes a new fault or loses a comment; the text may still have faults.

    Examples
    --------
    >>> text, changes = fix("rulenet: 1\\nrules:\\n  - {id: a, label: x, word: [oil price], confidence: 90%}  # mine\\n")
    >>> print(text)
    rulenet: 1
    rules:
      - {id: a, label: x, phrase: [oil price], confidence: 0.9}  # mine
    <BLANKLINE>
    >>> print(changes[0].line, changes[0])
    3 rule 'a': word 'oil price' is several words: word is now phrase
    """
    mark, line_break, body = split_encoding(text)
    body, changes = _repair_characters(body)
    if len(set(re.findall("\r\n|\r|\n", text))) > 1:
        changes.append(Change(f"line ends were of several kinds: now {line_break!r}, as most were", 1))
    for _ in range(_MAX_ROUNDS):
        fixer = _Fixer(body) if not parse_yaml(body)[2] else None
        if fixer is None or not fixer.edits:
            break
        repaired = fixer.result()
        if _badness(repaired) > _badness(body) or _comments(repaired) != _comments(body):
            break
        body = repaired
        changes += fixer.changes
    return mark + body.replace("\n", line_break), sorted(changes, key=lambda change: change.line)


def _badness(text: str) -> tuple[bool, int]:
    """Whether a text is no YAML, and how many faults it has."""
    data, lines, faults = parse_yaml(text)
    if data is None:
        return True, len(faults)
    try:
        schema.RuleFile.model_validate(data)
    except ValidationError as error:
        faults = [*faults, *schema_faults(error, data, lines)]
    return False, len(faults)


def _comments(text: str) -> Counter[str]:
    return Counter() if parse_yaml(text)[2] else Counter(comment.text for comment in build_tree(text).comments())


# ---------------------------------------------------------------------- characters


def _repair_characters(text: str) -> tuple[str, list[Change]]:
    """Tabs and wide spaces in front of lines, wide colons behind names of fields; each only where that mends a fault."""
    names = "|".join(sorted({field for model in _MODELS for field in model.model_fields}, key=len, reverse=True))
    repairs = (
        (re.compile(f"^{_BLANK}*{_WIDE}{_BLANK}*", re.M), _spaces, "tab or wide space in front of a line: now spaces"),
        (re.compile(rf"^(\s*(?:- +)?(?:{names}))：[ \u3000]*", re.M), r"\1: ", "wide colon behind a field: now ': '"),
    )
    changes = []
    for pattern, new, message in repairs:
        places = [match.start() for match in pattern.finditer(text)]
        if not places or _badness(text) == (False, 0):
            continue
        repaired = pattern.sub(new, text)
        if _badness(repaired) < _badness(text):
            changes += [Change(message, text.count("\n", 0, place) + 1) for place in places]
            text = repaired
    return text, changes


def _spaces(match: re.Match[str]) -> str:
    return match[0].replace("\t", "  ").replace("\u00a0", " ").replace("\u3000", "  ")


# ---------------------------------------------------------------------- values


def _choices(annotation: Any) -> Iterator[str]:
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        yield from _choices(part)


# For each field with a choice of words, these words.
_CHOICES = {
    name: tuple(dict.fromkeys(("true", "false") if field.annotation is bool else _choices(field.annotation)))
    for model in _MODELS
    for name, field in model.model_fields.items()
    if name != "rulenet" and (field.annotation is bool or any(_choices(field.annotation)))
}


class _Fixer:
    """One round of repairs; what depends on an earlier repair waits for the next round."""

    def __init__(self, text: str) -> None:
        self.edits: list[tuple[int, int, str]] = []
        self.changes: list[Change] = []
        self.rule: str | None = None
        self.text = text
        tree = build_tree(text)
        self.comments = list(tree.comments())
        labels = tree.get("labels")
        self.labels = [value.text for value in labels.values()] if labels else []
        if tree.kind == "mapping" and tree.entries:
            self._version(tree)
            self._mapping(tree, TOP, "")

    def result(self) -> str:
        """The text with the repairs made."""
        return with_edits(self.text, self.edits)

    def _edit(self, node: Node, start: int, end: int, new: str, message: str) -> None:
        if all(end <= other[0] or start >= other[1] for other in self.edits):
            self.edits.append((start, end, new))
            self.changes.append(Change(message, node.line, self.rule))

    def _rewrite(self, node: Node, new: str, message: str, *, single: bool = False) -> None:
        written = quote(new, single=True) if single else new if is_plain(new) or node.style is None else quote(new)
        self._edit(node, node.start, node.end, written, message)

    # ------------------------------------------------------------------ walking

    def _version(self, tree: Node) -> None:
        first = tree.entries[0]
        if tree.get("rulenet") is None and tree.get("rules") is not None:
            separator = ", " if tree.style == "flow" else "\n"
            self._edit(
                tree, first.start, first.start, f"rulenet: 1{separator}", "rulenet: 1 was missing; it is now there"
            )

    def _mapping(self, node: Node, context: Context, field: str) -> None:
        if field == "rules":
            name = node.get("id")
            self.rule = name.text if name is not None else None
        for entry in node.entries:
            if entry.key is None:
                continue
            if context.fields and entry.key.text not in context.fields:
                self._field_name(node, entry.key, context.fields)
            if entry.key.text in _FOR_SEVERAL and not context.is_named:
                self._several_words(node, entry, _FOR_SEVERAL[entry.key.text])
                self._commas(entry.value, "[{}]")
            if field == "rules" and entry.key.text == "labels" and entry.value.kind == "mapping":
                for label in entry.value.entries:
                    self._label(label.key)
            self._value(entry.value, context.inside(entry.key.text), entry.key.text)
        if field == "rules":
            self.rule = None

    def _value(self, node: Node, context: Context, field: str) -> None:
        if node.kind == "mapping":
            self._mapping(node, context, field)
        elif node.kind == "list":
            if field in _LISTS or (context.is_named and not context.is_prose):
                self._doubles(node)
            if node.style == "flow" and not context.is_prose and (context.is_named or field in _FOR_SEVERAL):
                for value in node.values():
                    self._commas(value, "{}")
            for value in node.values():
                self._value(value, context, field)
        elif not (context.is_prose and context.is_named):
            self._scalar(node, context, field)

    def _scalar(self, node: Node, context: Context, field: str) -> None:
        kind = None if context.is_named else KIND_OF.get(field)
        if kind is not None and (mended := kind.mend(node.text)) is not None:
            new, what = mended
            message = f"{field} {node.text!r}: {what}: now {new!r}"
            self._rewrite(node, new, message, single=kind.quotes == "'")
        elif field in _NUMBERS and not context.is_named:
            self._number(node, field)
        elif field in _CHOICES and not context.is_named:
            self._choice(node, field, _CHOICES[field])
        elif field in ("label", "flip"):
            self._label(node)
        elif (field in _TERMS or (context.is_named and field != "labels")) and node.text != node.text.strip() != "":
            self._rewrite(node, node.text.strip(), f"{node.text!r}: spaces around it taken away")

    # ------------------------------------------------------------------ repairs

    def _field_name(self, node: Node, key: Node, fields: Sequence[str]) -> None:
        tidy = key.text.strip().lower().replace("-", "_").replace(" ", "_")
        free = [field for field in fields if node.get(field) is None]
        if (name := tidy if tidy in free else _closest(tidy, free)) is not None:
            self._edit(key, key.start, key.end, name, f"unknown field {key.text!r}: now {name}")

    def _several_words(self, node: Node, entry: Entry, better: str) -> None:
        values = entry.value.values() if entry.value.kind == "list" else [entry.value]
        words = [value.text for value in values if value.kind == "scalar"]
        several = [word for word in words if "several words" in (literal_problem(word, "word") or "")]
        # With a comma it is a list that lacks its brackets.
        if several and not any(map(_COMMA.search, words)) and node.get(better) is None and entry.key is not None:
            message = f"{entry.key.text} {several[0]!r} is several words: {entry.key.text} is now {better}"
            self._edit(entry.key, entry.key.start, entry.key.end, better, message)

    def _number(self, node: Node, field: str) -> None:
        text = unicodedata.normalize("NFKC", node.text).strip()
        if re.fullmatch(r"-?\d+,\d+", text):
            text = text.replace(",", ".")
        percent = re.fullmatch(r"([1-9]\d?(?:\.\d+)?)\s*%|([1-9]\d)", text) if field == "confidence" else None
        if percent:
            text = f"{float(percent[1] or percent[2]) / 100:.10g}"
        if text != node.text and re.fullmatch(r"[-+]?\d*\.?\d+", text):
            self._edit(node, node.start, node.end, text, f"{field} {node.text!r}: now {text}")

    def _choice(self, node: Node, field: str, choices: Sequence[str]) -> None:
        tidy = node.text.strip().lower().replace("-", "_").replace(" ", "_")
        is_truth = choices == ("true", "false")  # pydantic reads yes and on as well
        new = tidy if tidy in choices else None if is_truth else _closest(tidy, choices)
        if new is not None and new != node.text and not (is_truth and tidy == node.text.lower()):
            self._edit(node, node.start, node.end, new, f"{field} {node.text!r}: now {new}")

    def _label(self, node: Node | None) -> None:
        if node is None or node.kind != "scalar" or node.text in self.labels:
            return
        same = [label for label in self.labels if label.strip().casefold() == node.text.strip().casefold()]
        if len(same) == 1:
            written = same[0] if is_plain(same[0]) else quote(same[0])
            self._edit(node, node.start, node.end, written, f"label {node.text!r}: now {same[0]!r}, as under labels")

    def _commas(self, value: Node, list_form: str) -> None:
        parts = [part.strip() for part in _COMMA.split(value.text)]
        if value.kind == "scalar" and value.style is None and len(parts) > 1 and all(map(is_plain, parts)):
            new = list_form.format(", ".join(parts))
            self._edit(value, value.start, value.end, new, f"{value.text!r} is a list: now {new}")

    def _doubles(self, node: Node) -> None:
        seen: set[str] = set()
        for i, entry in enumerate(node.entries):
            value = entry.value
            if value.kind != "scalar":
                continue
            start = node.entries[i - 1].value.end
            # A comment beside it may say why it is there.
            is_bare = not entry.after and not any(start <= comment.start < value.end for comment in self.comments)
            if value.text in seen and is_bare:
                self._edit(value, start, value.end, "", f"{value.text!r} stood twice in this list; one is left")
            seen.add(value.text)


def _closest(word: str, known: Sequence[str]) -> str | None:
    """The one known word that a single slip of the keyboard turns into this one: a letter more, less, other, or two swapped.

    Examples
    --------
    >>> _closest("wieght", ["weight", "where"]), _closest("lable", ["label", "labels"]), _closest("exclude", ["include"])
    ('weight', 'label', None)
    >>> _closest("node", ["note", "none"]) is None
    True
    """
    near = [other for other in known if _is_slip(word, other) or _is_slip(other, word)]
    return near[0] if len(near) == 1 else None


def _is_slip(a: str, b: str) -> bool:
    """Whether `b` is `a` with one letter less, one changed or two neighbours swapped."""
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest, other = a[same:], b[same:]
    return a != b and (
        rest[1:] == other or rest[1:] == other[1:] or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )
