"""Names that look alike, and characters that nobody sees: labels, ids, words. Imports errors, codes and the cleaning of texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

from rulenet.errors import Fault
from rulenet.rules.conditions.kind import Smell
from rulenet.rules.conditions.word_smells import TO_LATIN, mixed_alphabets
from rulenet.rules.file import codes
from rulenet.rules.file.parse import Lines, Path
from rulenet.rules.file.schema import Flip, RuleFile
from rulenet.rules.file.wording import is_slip
from rulenet.text.clean import clean
from rulenet.text.fold import is_unspaced

MAX_LABELS = 300  # more are names of a catalogue, in which one letter may well make the difference
_HIDDEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def hidden_characters(text: str) -> Iterator[Fault]:
    """Characters that turn the direction of a text round, so that it is not read as it stands there; one fault a line."""
    if text.isascii() or not _HIDDEN.search(text):
        return
    for number, row in enumerate(text.split("\n"), start=1):
        if found := _HIDDEN.findall(row):
            names = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c).lower()}" for c in dict.fromkeys(found))
            message = (
                f"{row.strip()[:40]!r} contains {names}: invisible, and the line may not say what it shows; remove it"
            )
            yield Fault(codes.HIDDEN_CHARACTER, message, number)


def name_smells(file: RuleFile, lines: Lines) -> Iterator[Fault]:
    """Smells of the names that a file gives and uses, apart from the characters that `hidden_characters` finds."""
    for i, rule in enumerate(file.rules):
        yield from _of_name(rule.id, ("rules", i, "id"), "id", lines, rule.id)
    yield from _look_alikes(((rule.id, ("rules", i, "id")) for i, rule in enumerate(file.rules)), "id", lines)
    for name in file.lexicons:
        yield from _of_name(name, ("lexicons", name), "lexicon", lines)
    places = list(_labels(file))
    for label, path in dict(reversed(places)).items():
        yield from _of_name(label, path, "label", lines)
    for smell in _similar_labels(places, lines):
        yield Fault(smell.code, smell.message, lines.at(smell.path), path=smell.path, edit=smell.edit)


def _of_name(name: str, path: Path, what: str, lines: Lines, rule: str | None = None) -> Iterator[Fault]:
    if flaw := mixed_alphabets(name, what):
        yield Fault(flaw.code, flaw.message, lines.at(path), rule, path=path)
    if hidden := [c for c in name if unicodedata.category(c) in ("Cc", "Cf") and c != "\n" and not _HIDDEN.match(c)]:
        message = f"{what} {name!r} contains U+{ord(hidden[0]):04X}, which cannot be seen; remove it"
        yield Fault(codes.HIDDEN_CHARACTER, message, lines.at(path), rule, path=path)


def _look_alikes(names: Iterable[tuple[str, Path]], what: str, lines: Lines) -> Iterator[Fault]:
    """Names that differ, and look the same."""
    seen: dict[str, tuple[str, Path]] = {}
    for name, path in names:
        shape = name if name.isascii() else clean(name).translate(TO_LATIN)
        other, there = seen.setdefault(shape, (name, path))
        if other != name and not mixed_alphabets(name, what):
            message = f"{what} {name!r} looks the same as that in line {lines.at(there)}, but has other letters; rename one of the two"
            yield Fault(codes.MIXED_ALPHABETS, message, lines.at(path), path=path)


def _labels(file: RuleFile) -> Iterator[tuple[str, Path]]:
    """Every label that a file names, with its places."""
    yield from ((label, ("labels", i)) for i, label in enumerate(file.labels))
    for i, rule in enumerate(file.rules):
        if rule.label is not None:
            yield rule.label, ("rules", i, "label")
        for label in rule.labels or ():
            yield label, ("rules", i, "labels", label)
        if isinstance(rule.negation, Flip):
            yield rule.negation.flip, ("rules", i, "negation", "flip")
    for i, case in enumerate(file.cases):
        yield case.label, ("cases", i, "label")


def _similar_labels(places: list[tuple[str, Path]], lines: Lines) -> Iterator[Smell]:
    """Labels that are probably one and the same."""
    uses = Counter(label for label, path in places if path[0] != "labels")
    first = dict(reversed(places))
    for label, path in first.items():
        if label != label.strip():
            message = f"label {label!r} begins or ends with white space, which makes it another label than {label.strip()!r}; remove it"
            yield Smell(path, codes.SIMILAR_LABEL, message)
    shapes = {label: re.sub(r"[\W_]+", "", clean(label).casefold()) or label for label in first}
    for one, two in combinations(first, 2) if len(first) <= MAX_LABELS else ():
        same = shapes[one] == shapes[two]
        if not same and not _is_misspelt(shapes[one], shapes[two], min(uses[one], uses[two])):
            continue
        rare, usual = sorted((one, two), key=lambda label: (uses[label], -lines.at(first[label])))
        if rare.strip() == usual:
            continue
        difference = "case, spaces or width" if same else "one letter"
        message = (
            f"label {rare!r} ({_times(uses[rare])}) and {usual!r} (line {lines.at(first[usual])}, {_times(uses[usual])}) differ only in "
            f"{difference}, but are two classes; write both the same way if one is meant"
        )
        yield Smell(first[rare], codes.SIMILAR_LABEL, message)


def _times(n: int) -> str:
    return "used once" if n == 1 else f"used {n} times"


def _is_misspelt(one: str, two: str, fewest: int) -> bool:
    """Whether a label is another with a slip: long enough for it, and used once at most."""
    if (
        fewest > 1
        or min(len(one), len(two)) < 4
        or is_unspaced(one)
        or re.sub(r"\D", "", one) != re.sub(r"\D", "", two)
    ):
        return False
    return is_slip(one, two) or is_slip(two, one)
