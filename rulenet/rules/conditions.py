"""Conditions as they are evaluated: each kind finds its own hits in a `Doc`. Imports only `rulenet.text` and errors.

This is the plain reading of the rule language. `match.py` is the fast one; a test holds the two together.
Each condition answers two questions: `find`: where does it hit (None: it does not hold); `triggers`: one of which
atoms must be in a text for the condition to have a chance (None: it can hold without any).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import re2

from rulenet.text.clean import clean
from rulenet.text.doc import TAG_CLOSE, TAG_OPEN, Doc
from rulenet.text.fold import fold, fold_raw, is_unspaced
from rulenet.text.tag import TAGS

Span = tuple[int, int]
Keep = Callable[[Span], bool]


class Atom(NamedTuple):
    """Something a fast engine can look for in all texts at once."""

    kind: str  # "word": folded words · "raw": characters anywhere · "regex"
    pattern: str


class Condition(ABC):
    """A test on a text."""

    @abstractmethod
    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        """Hits that `keep` accepts, in the cleaned text; None if the condition does not hold."""

    @abstractmethod
    def triggers(self) -> frozenset[Atom] | None:
        """Atoms of which at least one is in every text where the condition holds; None if there is no such set."""

    @abstractmethod
    def holds(self, atoms: set[Atom]) -> bool:
        """Whether it holds, given every atom found in the text. Only asked where `needs_doc` is False."""

    needs_doc = False
    """Whether the atoms found do not settle it."""

    is_flat = False
    """Whether it holds exactly when one of its triggers is in the text."""


@dataclass(frozen=True)
class Literals(Condition):
    """`word`, `phrase`, `lexicon`: any of a list of literals."""

    literals: tuple[str, ...]
    is_flat = True

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(fold(literal).strip() for literal in self.literals if not is_unspaced(literal))

    @cached_property
    def _raw(self) -> tuple[str, ...]:
        return tuple(sorted({fold_raw(literal) for literal in self.literals if is_unspaced(literal)}))

    @cached_property
    def _atoms(self) -> frozenset[Atom]:
        return frozenset(Atom("word", word) for word in self._words) | frozenset(Atom("raw", raw) for raw in self._raw)

    @cached_property
    def _single(self) -> frozenset[str]:
        return frozenset(literal for literal in self._words if " " not in literal)

    @cached_property
    def _several(self) -> dict[str, list[list[str]]]:
        """Literals of several words, by their first."""
        found: dict[str, list[list[str]]] = {}
        for literal in sorted(self._words - self._single):
            found.setdefault(literal.split(" ")[0], []).append(literal.split(" "))
        return found

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        spans: set[Span] = set()
        words, places = (doc.words, doc.places) if self._words else ([], {})
        for literal in self._single & places.keys():
            spans.update((words[i][1], words[i][2]) for i in places[literal])
        for first in self._several.keys() & places.keys():
            for i in places[first]:
                for literals in self._several[first]:
                    last = i + len(literals) - 1
                    if last < len(words) and all(words[i + k][0] == literals[k] for k in range(1, len(literals))):
                        spans.add((words[i][1], words[last][2]))
        for literal in self._raw:
            start = doc.raw.find(literal)
            while start >= 0:
                spans.add((start, start + len(literal)))
                start = doc.raw.find(literal, start + 1)
        return [span for span in sorted(spans) if keep(span)] or None

    def triggers(self) -> frozenset[Atom] | None:
        return self._atoms

    def holds(self, atoms: set[Atom]) -> bool:
        return not self._atoms.isdisjoint(atoms)


@dataclass(frozen=True)
class Regexes(Condition):
    """`regex`: any of a list of RE2 patterns, case ignored."""

    patterns: tuple[str, ...]
    is_flat = True

    @cached_property
    def _atoms(self) -> frozenset[Atom]:
        return frozenset(Atom("regex", pattern) for pattern in self.patterns)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        spans = {match.span() for pattern in self.patterns for match in compile_regex(pattern).finditer(doc.clean)}
        return [span for span in sorted(spans) if keep(span)] or None

    def triggers(self) -> frozenset[Atom] | None:
        return self._atoms

    def holds(self, atoms: set[Atom]) -> bool:
        return not self._atoms.isdisjoint(atoms)


@dataclass(frozen=True)
class Tags(Condition):
    """`pos`: a pattern over tags and lemmas of consecutive tokens."""

    patterns: tuple[str, ...]
    needs_doc = True

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        line, begins, ends = doc.tag_line
        spans = {
            (begins[match.start()], ends[match.end()])
            for pattern in self.patterns
            for match in compile_pos(pattern).finditer(line)
        }
        return [span for span in sorted(spans) if keep(span)] or None

    def triggers(self) -> frozenset[Atom] | None:
        return None

    def holds(self, atoms: set[Atom]) -> bool:
        raise NotImplementedError("a part-of-speech pattern needs the text")


@dataclass(frozen=True)
class AnyOf(Condition):
    """`any`: at least one holds."""

    parts: tuple[Condition, ...]

    @property
    def needs_doc(self) -> bool:  # type: ignore[override]
        return any(part.needs_doc for part in self.parts)

    @property
    def is_flat(self) -> bool:  # type: ignore[override]
        return all(part.is_flat for part in self.parts)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        found = [spans for part in self.parts if (spans := part.find(doc, keep)) is not None]
        return sorted({span for spans in found for span in spans}) if found else None

    def triggers(self) -> frozenset[Atom] | None:
        sets = [part.triggers() for part in self.parts]
        return None if any(s is None for s in sets) else frozenset().union(*(s for s in sets if s is not None))

    def holds(self, atoms: set[Atom]) -> bool:
        return any(part.holds(atoms) for part in self.parts)


@dataclass(frozen=True)
class AllOf(Condition):
    """`all`: every one holds."""

    parts: tuple[Condition, ...]

    @property
    def needs_doc(self) -> bool:  # type: ignore[override]
        return any(part.needs_doc for part in self.parts)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        spans: set[Span] = set()
        for part in sorted(self.parts, key=lambda part: part.needs_doc):  # cheap parts first: they decide most texts
            found = part.find(doc, keep)
            if found is None:
                return None
            spans.update(found)
        return sorted(spans)

    def triggers(self) -> frozenset[Atom] | None:
        sets = [s for part in self.parts if (s := part.triggers()) is not None]
        return min(sets, key=len) if sets else None

    def holds(self, atoms: set[Atom]) -> bool:
        return all(part.holds(atoms) for part in self.parts)


@dataclass(frozen=True)
class NoneOf(Condition):
    """`none`: no part holds anywhere in the text, whatever `where` and `negation` say of the rule's other hits."""

    parts: tuple[Condition, ...]

    @property
    def needs_doc(self) -> bool:  # type: ignore[override]
        return any(part.needs_doc for part in self.parts)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return None if any(part.find(doc, everything) is not None for part in self.parts) else []

    def triggers(self) -> frozenset[Atom] | None:
        return None

    def holds(self, atoms: set[Atom]) -> bool:
        return not any(part.holds(atoms) for part in self.parts)


def uses_tags(condition: Condition) -> bool:
    """Whether a condition has a `pos` pattern at any depth."""
    return isinstance(condition, Tags) or any(map(uses_tags, getattr(condition, "parts", ())))


def everything(span: Span) -> bool:
    """Keep every hit."""
    return True


def build(schema: Any, lexicons: dict[str, tuple[str, ...]]) -> Condition:
    """Condition of a schema mapping, lexicons resolved."""
    kind, value = schema.kind, getattr(schema, schema.kind)
    if kind in ("any", "all", "none"):
        parts = tuple(build(part, lexicons) for part in value)
        return AnyOf(parts) if kind == "any" else AllOf(parts) if kind == "all" else NoneOf(parts)
    if kind in ("lexicon", "word", "phrase"):
        literals = [entry for name in value for entry in lexicons[name]] if kind == "lexicon" else value
        return Literals(tuple(map(clean, literals)))  # as the texts are: ＶＩＰ in a rule file means VIP
    return Regexes(tuple(value)) if kind == "regex" else Tags(tuple(value))


def regex_options() -> Any:
    """RE2 options of every pattern in a rule file."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    return options


_compiled: dict[str, Any] = {}


def compile_regex(pattern: str) -> Any:
    """Compile an RE2 pattern; compiled patterns are kept.

    Raises
    ------
    ValueError
        If RE2 does not accept it; the message says what to write instead.

    Examples
    --------
    >>> compile_regex("(?<=a)b")
    Traceback (most recent call last):
    ValueError: look-around is not supported by RE2; ...
    """
    if pattern not in _compiled:
        if len(_compiled) > 50_000:
            _compiled.clear()
        try:
            _compiled[pattern] = re2.compile(pattern, regex_options())
        except re2.error as error:
            raise ValueError(_advice(pattern, error)) from None
    return _compiled[pattern]


def _detail(error: Exception) -> str:
    return error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)


def _advice(pattern: str, error: Exception) -> str:
    if re.search(r"\(\?<?[=!]", pattern):
        return "look-around is not supported by RE2; use `all`, `none` or `unless` instead"
    if re.search(r"(?<!\\)(?:\\\\)*\\[1-9]", pattern) or "(?P=" in pattern:
        return "back-references are not supported by RE2; spell the alternatives out"
    return f"not a regular expression that RE2 accepts: {_detail(error)}"


_ITEM = re.compile(r"(?P<tag>[A-Z]+|\*)(?::(?P<lemma>[^\s:]+?))?(?P<repeat>[?*+]?)")


def compile_pos(pattern: str) -> Any:
    r"""Compile a part-of-speech pattern to a regex over the tokens of a text, each as ``\x01TAG:lemma\x02``.

    Items are separated by spaces: ``TAG``, ``TAG:lemma`` or ``*:lemma`` (``a|b`` for several lemmas), each with an optional
    ``?``, ``*`` or ``+``.

    Raises
    ------
    ValueError
        If an item cannot be read or a tag does not exist.

    Examples
    --------
    >>> compile_pos("DET? ADJ+ NOUN:film|movie").search("\x01ADJ:good\x02\x01NOUN:film\x02") is not None
    True
    >>> compile_pos("VRB")
    Traceback (most recent call last):
    ValueError: unknown tag 'VRB'; the tags are ADJ, ADP, ...
    """
    if pattern in _compiled_pos:
        return _compiled_pos[pattern]
    pieces = []
    optional = True
    for item in pattern.split():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(
                f"{item!r} is not a tag pattern; write TAG, TAG:lemma or *:lemma with an optional ?, * or +"
            )
        tag, lemma, repeat = match["tag"], match["lemma"], match["repeat"]
        if tag != "*" and tag not in TAGS:
            raise ValueError(f"unknown tag {tag!r}; the tags are {', '.join(TAGS)}")
        lemmas = "|".join(re2.escape(part) for part in lemma.lower().split("|")) if lemma else f"[^{TAG_CLOSE}]*"
        pieces.append(f"(?:{TAG_OPEN}{'[A-Z]+' if tag == '*' else tag}:(?:{lemmas}){TAG_CLOSE}){repeat}")
        optional &= repeat in ("?", "*")
    if optional:
        raise ValueError("the pattern can match nothing at all; make one item obligatory")
    try:
        _compiled_pos[pattern] = re2.compile("".join(pieces), _pos_options())
    except re2.error as error:
        raise ValueError(_detail(error)) from None
    return _compiled_pos[pattern]


_compiled_pos: dict[str, Any] = {}


def _pos_options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return options


def atoms_of(conditions: Sequence[Condition], *, denied: bool = True) -> set[Atom]:
    """Every atom of a list of conditions, at any depth; with `denied=False` without those under `none`."""
    found: set[Atom] = set()
    todo = list(conditions)
    while todo:
        condition = todo.pop()
        if denied or not isinstance(condition, NoneOf):
            todo.extend(getattr(condition, "parts", ()))
        if isinstance(condition, (Literals, Regexes)):
            found |= condition.triggers() or frozenset()
    return found
