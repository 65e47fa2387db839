"""What a kind of condition declares, and a written condition with its kind. Imports the schema, conditions and formulas.

Everything that reads rule files (check, build, lint, test, format, fix) asks the `Kind` and has no list of kinds of its own. What a kind
leaves out has a default that is safe: if a kind only declares how it is built, lint proves nothing about it and finds no smells in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel

from rulenet.errors import Code, Edit
from rulenet.rules.conditions.condition import Condition, InField, Span
from rulenet.rules.conditions.formula import Fact, Formula, WordLists
from rulenet.rules.file.condition import OPTIONS, WrittenCondition
from rulenet.rules.file.parse import Path
from rulenet.text.clean import clean
from rulenet.text.doc import Doc
from rulenet.text.han import simplified
from rulenet.text.tokenise import Tokeniser

MAX_SHOWN = 6
Lexicons = Mapping[str, Mapping[str, float]]  # entries with what a hit adds to a count


class Smell(NamedTuple):
    """Something that the author should know, at a place of the rule."""

    path: Path
    code: Code
    message: str
    edit: Edit | None = None


@dataclass(frozen=True)
class Setting:
    """The properties of the file that the smells of a condition depend on."""

    language: str
    lexicons: Lexicons
    fold_traditional: bool
    words: tuple[str, ...] = ()

    @cached_property
    def tokeniser(self) -> Tokeniser:
        """What parts Chinese words."""
        return Tokeniser("zh", self.words)


@dataclass(frozen=True)
class Builder:
    """Makes conditions that find hits of what the author wrote."""

    lexicons: Lexicons
    fold_traditional: bool = False

    def make(self, part: Part) -> Condition:
        """The condition for a part."""
        made = part.kind.build(part, self)
        return made if part.written.field is None else InField(part.written.field, made)

    def read(self, text: str) -> str:
        """A literal as texts are read: ＶＩＰ in a rule file means VIP."""
        return simplified(clean(text)) if self.fold_traditional else clean(text)


class Child(NamedTuple):
    """A condition inside another."""

    path: Path  # from the field of the outer one
    written: WrittenCondition
    is_enough: bool = False  # a hit of it decides whether the outer one is fulfilled
    is_plain: bool = False  # written as a bare word, which the outer one checks itself


class Kind(ABC):
    """One kind of condition: how it is written, checked, built and explained."""

    name: ClassVar[str]  # the field of `WrittenCondition` that holds it
    has_hits: ClassVar[bool] = True  # it marks words of a text
    passes_hits: ClassVar[bool] = False  # its hits are those of its parts
    frees_parts: ClassVar[bool] = (
        False  # hits of its parts count, whatever `where` asks; if it denies them, negated ones too
    )
    denies: ClassVar[bool] = False  # it is fulfilled where its parts are not
    denied_label: ClassVar[str] = ""  # of a combination: its label where it must not be fulfilled
    needs_tags: ClassVar[bool] = False  # it reads part-of-speech tags
    quotes: ClassVar[Literal["", "'", '"']] = ""  # its texts are always written in these

    @property
    def options(self) -> tuple[str, ...]:
        """The options that it has, apart from `field`, which all kinds have."""
        return tuple(option for option, kinds in OPTIONS.items() if self.name in kinds)

    @abstractmethod
    def build(self, part: Part, builder: Builder) -> Condition:
        """The condition that finds its hits."""

    def children(self, value: Any) -> Iterable[Child]:
        """Conditions inside its value."""
        return ()

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        """What cannot work, so that the file is refused; `lexicons` are those that exist."""
        yield from ()

    def cost(self, part: Part) -> Iterator[tuple[str, int]]:
        """Each text of it that has to be compiled, with the size of what comes out; it has no faults."""
        yield from ()

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        """What works but is probably not meant."""
        yield from ()

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        """Its meaning; `placement` is what `where` and `negation` ask of its hits. Default: a fact that implies only itself."""
        said = part.written.model_dump_json(include={self.name, *self.options}, exclude_defaults=True)
        return Fact(self.name, said, option="opaque", placement=placement, fields=part.fields)

    def label(self, part: Part) -> str:
        """What to call it, in one line and without its options."""
        value: Any = part.value
        if isinstance(value, BaseModel):
            value = [f"{name} {getattr(value, name)}" for name in value.model_fields_set]
        if not isinstance(value, list):
            return f"{self.name}: {value}"
        more = f", … {len(value) - MAX_SHOWN} more" if len(value) > MAX_SHOWN else ""
        return f"{self.name}: {', '.join(map(str, value[:MAX_SHOWN]))}{more}"

    def why_not(self, part: Part, doc: Doc, hits_of: Callable[[Part], Sequence[Span]]) -> str:
        """Why it found nothing in a text, where that is hard to see."""
        return ""

    def lexicons(self, part: Part) -> Sequence[str]:
        """Names of the lexicons that it reads."""
        return ()

    def literals(self, part: Part, lexicons: Lexicons) -> Sequence[str]:
        """The words that it looks for, as written."""
        return ()

    def most_hits(self, part: Part) -> int | None:
        """How many hits it can have at most; None: no limit is known."""
        return None if part.has_hits else 0


class Part(NamedTuple):
    """A written condition with its kind, its place and what it is made of."""

    kind: Kind
    written: WrittenCondition
    path: Path  # in the rule
    parts: tuple[Part, ...]
    is_enough: bool  # a hit of it is enough for the rule to fire, or not to fire
    around: tuple[str, ...]  # the fields that the conditions around it look at
    is_plain: bool  # written as a bare word, which the condition around it checks

    @property
    def value(self) -> Any:
        """The value of the field of its kind."""
        return getattr(self.written, self.kind.name)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it and the conditions around it look at, sorted."""
        names = self.around if self.written.field is None else (*self.around, self.written.field)
        return tuple(sorted(set(names))) if names else ()

    @property
    def has_hits(self) -> bool:
        """Whether it ever marks words of a text."""
        return any(part.has_hits for part in self.parts) if self.kind.passes_hits else self.kind.has_hits

    @property
    def label(self) -> str:
        """The condition in a few words."""
        set_ = [name for name in (*OPTIONS, "field") if self.written.is_set(name)]
        options = ", ".join(f"{name}: {_spelled(getattr(self.written, name))}" for name in set_)
        return self.kind.label(self) + (f" ({options})" if options else "")

    def smell(self, code: Code, message: str, edit: Edit | None = None, *, at: Path = ()) -> Smell:
        """Something wrong with its value, or with what `at` leads to inside the value."""
        return Smell((*self.path, self.kind.name, *at), code, message, edit)

    def formula(self, placement: str, lists: WordLists) -> Formula:
        """Its meaning."""
        return self.kind.formula(self, placement, lists)

    def walk(self) -> Iterator[Part]:
        """It and all inside it, but for bare words."""
        yield self
        for part in self.parts:
            if not part.is_plain:
                yield from part.walk()


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
