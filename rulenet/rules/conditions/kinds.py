"""All kinds of condition, and what the author wrote as parts with their kinds. Imports the kinds."""

from __future__ import annotations

from rulenet.rules.conditions.combination import AllKind, AnyKind, NoneKind
from rulenet.rules.conditions.condition import Condition
from rulenet.rules.conditions.count import CountKind
from rulenet.rules.conditions.kind import Builder, Child, Kind, Lexicons, Part
from rulenet.rules.conditions.lang import LangKind
from rulenet.rules.conditions.length import LengthKind
from rulenet.rules.conditions.near import NearKind
from rulenet.rules.conditions.pos import PosKind
from rulenet.rules.conditions.regex import RegexKind
from rulenet.rules.conditions.words import EndsKind, LexiconKind, PhraseKind, StartsKind, WordKind
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.parse import Path
from rulenet.rules.file.schema import Rule

# In the order of the table in the documentation.
KINDS: tuple[Kind, ...] = (
    WordKind(),
    PhraseKind(),
    LexiconKind(),
    StartsKind(),
    EndsKind(),
    RegexKind(),
    PosKind(),
    NearKind(),
    CountKind(),
    LengthKind(),
    LangKind(),
    AnyKind(),
    AllKind(),
    NoneKind(),
)
KIND_OF = {kind.name: kind for kind in KINDS}


def part_of(written: WrittenCondition, path: Path = ()) -> Part:
    """A condition of a rule file with its kind and all its parts.

    Examples
    --------
    >>> part = part_of(WrittenCondition.model_validate({"any": [{"word": ["win", "wins"], "field": "title"}, {"lang": "en"}]}))
    >>> [(inner.path, inner.label) for inner in part.walk()]
    [((), 'any of'), (('any', 0), 'word: win, wins (field: title)'), (('any', 1), 'lang: en')]
    """
    return _part_of(Child(path, written, is_enough=True), (), ())


def _part_of(child: Child, outer: Path, around: tuple[str, ...]) -> Part:
    path, written, is_enough, is_plain = child
    path, kind = (*outer, *path), KIND_OF[written.kind]
    fields = around if written.field is None else (*around, written.field)
    inner = [c._replace(is_enough=is_enough and c.is_enough) for c in kind.children(getattr(written, kind.name))]
    parts = tuple(_part_of(c, (*path, kind.name), fields) for c in inner)
    return Part(kind, written, path, parts, is_enough, around, is_plain)


def parts_of(rule: Rule) -> list[Part]:
    """The condition of a rule, and behind it those under `unless`."""
    return [part_of(rule), *(part_of(part, ("unless", i)) for i, part in enumerate(rule.unless))]


def build(written: WrittenCondition, lexicons: Lexicons, *, fold_traditional: bool = False) -> Condition:
    """The condition that finds hits, for a mapping of the rule file."""
    return Builder(lexicons, fold_traditional).make(part_of(written))
