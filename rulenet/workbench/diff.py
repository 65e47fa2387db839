"""What changed between two rule files, and which answers change with it. Imports `rulenet.rules`; flips, and numpy with it, only for texts.

Files are compared by what they say, not by how it is written: comments, the order of rules and the order within lists do not count
(but for the terms of `near`, whose order may be asked for).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rulenet.base.wording import some
from rulenet.errors import InputError
from rulenet.rules.file.schema import Rule
from rulenet.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier
    from rulenet.explain.result import Label
    from rulenet.workbench.flips import ChangedAnswer, Flips

SHOWN_ITEMS = 8
SHOWN_ANSWERS = 20
SHOWN_REASONS = 5
SHOWN_CHARACTERS = 100
_OTHER_FIELDS = ("rulenet", "include", "lexicons", "rules")  # of a file: compared in other ways, or already taken in


@dataclass(frozen=True)
class Change:
    """A field that differs.

    Attributes
    ----------
    field
        Its name as it stands in the file.
    old, new
        Its values, as JSON has them; of two lists only the entries that the other one lacks. None: not given.
    """

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ChangedRule:
    """A rule that both files have.

    Attributes
    ----------
    id
        The rule.
    changes
        Fields that differ.
    """

    id: str
    changes: list[Change]


@dataclass(frozen=True)
class ChangedLexicon:
    """A lexicon whose entries differ, those of lists that it takes in included.

    Attributes
    ----------
    name
        The lexicon.
    removed, added
        Terms with their weights; a term with another weight is in both.
    rules
        Ids of the rules that look for it.
    """

    name: str
    removed: dict[str, float]
    added: dict[str, float]
    rules: list[str]


@dataclass(frozen=True)
class RulesDiff:
    """What changed between two rule files.

    Attributes
    ----------
    a, b
        Names of the files.
    added, removed
        Rules that only the second or the first one has.
    changed
        Rules that say something else, in the order of the second.
    lexicons
        Word lists that differ.
    settings
        Fields of the file itself that differ.
    flips
        What it does to texts; None: none were given.
    """

    a: str
    b: str
    added: list[Rule]
    removed: list[Rule]
    changed: list[ChangedRule]
    lexicons: list[ChangedLexicon]
    settings: list[Change]
    flips: Flips | None = None

    @property
    def is_same(self) -> bool:
        """Whether both files say the same."""
        return not (self.added or self.removed or self.changed or self.lexicons or self.settings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the same after a trip through JSON."""
        data = {name: [asdict(part) for part in getattr(self, name)] for name in ("changed", "lexicons", "settings")}
        rules = {name: list(map(written, getattr(self, name))) for name in ("added", "removed")}
        flips = None if self.flips is None else flips_to_dict(self.flips)
        return {"a": self.a, "b": self.b, "same": self.is_same, **rules, **data, "flips": flips}

    def lines(self) -> Iterator[str]:
        """For reading; the first character says what a line is about: + there now, - gone, ~ changed, blank: more on it."""
        yield from self.rule_lines()
        if self.flips is not None:
            yield from flip_lines(self.flips)

    def rule_lines(self) -> Iterator[str]:
        """What the files say otherwise."""
        if self.is_same:
            yield f"= {self.a} and {self.b} say the same"
        yield from (f"~ {_sentence(change)}" for change in self.settings)
        for lexicon in self.lexicons:
            used = f"used by {some(lexicon.rules, SHOWN_ITEMS)}" if lexicon.rules else "no rule uses it"
            yield f"~ lexicon {lexicon.name}: {_entries(lexicon)}; {used}"
        yield from (f"- {_described(rule)}" for rule in self.removed)
        yield from (f"+ {_described(rule)}" for rule in self.added)
        for rule in self.changed:
            yield f"~ rule {rule.id}"
            yield from (f"    {_sentence(change)}" for change in rule.changes)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def diff_rules(
    a: RuleSet | None, b: RuleSet | None, texts: Sequence[str] | None = None, *, labels: Sequence[Label] | None = None,
    model: RuleNetClassifier | None = None,
) -> RulesDiff:  # fmt: skip
    """Compare two rule files.

    Parameters
    ----------
    a, b
        None: no rules at all.
    texts
        Where to see which rules fire otherwise and which answers change.
    labels
        The right answers for `texts`, if known.
    model
        A fitted model that is given the rules of both; None: the answers are those of the starting weights alone.

    Raises
    ------
    LabelError
        If the model and the rules disagree about labels.

    Examples
    --------
    >>> a = RuleSet.from_yaml("{rulenet: 1, rules: [{id: win, label: Sports, word: [win, won]}]}", name="a.yaml")
    >>> b = RuleSet.from_yaml("{rulenet: 1, rules: [{id: win, label: Sports, word: [won, wins], weight: 2}]}", name="b.yaml")
    >>> print(diff_rules(a, b))
    ~ rule win
        word: − win + wins
        weight: not given → 2.0
    """
    first, second = ({rule.id: rule for rule in (ruleset.file.rules if ruleset else ())} for ruleset in (a, b))
    changed = [
        ChangedRule(name, found)
        for name, rule in second.items()
        if name in first and rule != first[name] and (found := changes(written(first[name]), written(rule)))
    ]
    return RulesDiff(
        a.name if a else "no rules", b.name if b else "no rules",
        added=[rule for name, rule in second.items() if name not in first],
        removed=[rule for name, rule in first.items() if name not in second],
        changed=changed,
        lexicons=list(_changed_lexicons(a, b)),
        settings=changes(_settings(a), _settings(b)),
        flips=None if texts is None else _flips(a, b, texts, labels, model),
    )  # fmt: skip


def _flips(
    a: RuleSet | None,
    b: RuleSet | None,
    texts: Sequence[str],
    labels: Sequence[Label] | None,
    model: RuleNetClassifier | None,
) -> Flips:
    from rulenet.workbench.flips import model_flips, vote_flips

    if model is not None:
        fitted = model.predictor_
        return model_flips(fitted.with_rules(a), fitted.with_rules(b), texts, labels)
    if a is None or b is None:
        raise InputError("without a model there is nothing to answer texts by where there are no rules; pass model=…")
    return vote_flips(a, b, texts, labels)


# ---------------------------------------------------------------------- comparing


def written(rule: Rule) -> dict[str, Any]:
    """The fields of a rule that its author gave, as JSON has them."""
    return rule.model_dump(mode="json", exclude_defaults=True)


def _settings(ruleset: RuleSet | None) -> dict[str, Any]:
    """The fields of a file that its author gave, its lists and rules aside."""
    return ruleset.file.model_dump(mode="json", exclude_defaults=True, exclude=set(_OTHER_FIELDS)) if ruleset else {}


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Fields that say something else."""
    found = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if _normal(was) == _normal(now):
            continue
        if isinstance(was, list) and isinstance(now, list):
            was, now = _missing(was, now), _missing(now, was)
        found.append(Change(name, was, now))
    return found


def _missing(here: list[Any], there: list[Any]) -> list[Any]:
    """The entries of one list that the other lacks."""
    known = set(map(_normal, there))
    return [entry for entry in here if _normal(entry) not in known]


def _normal(value: Any, *, is_ordered: bool = False) -> str:
    """The same for values that mean the same: lists sorted, each entry once."""
    if isinstance(value, dict):
        parts = (f"{json.dumps(key)}:{_normal(value[key], is_ordered=key == 'terms')}" for key in sorted(value))
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        entries = list(map(_normal, value))
        return f"[{','.join(entries if is_ordered else sorted(set(entries)))}]"
    return json.dumps(value)


def _changed_lexicons(a: RuleSet | None, b: RuleSet | None) -> Iterator[ChangedLexicon]:
    """Lists whose entries differ once the lists they include are taken in."""
    old, new = _lexicons(a), _lexicons(b)
    if old == new:
        return
    users: dict[str, list[str]] = {}
    for rule in (rule for ruleset in (b, a) if ruleset for rule in ruleset.file.rules):
        for name in _names(written(rule)):
            users.setdefault(name, []).append(rule.id)
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name, {}), new.get(name, {})
        if was != now:
            removed, added = dict(was.items() - now.items()), dict(now.items() - was.items())
            in_order = {term: was[term] for term in was if term in removed}, {t: now[t] for t in now if t in added}
            yield ChangedLexicon(name, *in_order, list(dict.fromkeys(users.get(name, []))))


def _lexicons(ruleset: RuleSet | None) -> dict[str, dict[str, float]]:
    """Terms of each list with their weights."""
    return ruleset.lexicons if ruleset else {}


def _names(condition: Any) -> Iterator[str]:
    """Lexicons that a condition looks for, at any depth."""
    if isinstance(condition, dict):
        for key, value in condition.items():
            yield from value if key == "lexicon" else _names(value)
    elif isinstance(condition, list):
        for part in condition:
            yield from _names(part)


# ---------------------------------------------------------------------- telling


def _sentence(change: Change) -> str:
    old, new = change.old, change.new
    if isinstance(old, list) and isinstance(new, list):
        parts = [
            f"{sign} {some(list(map(_short, entries)), SHOWN_ITEMS)}"
            for sign, entries in (("−", old), ("+", new))
            if entries
        ]
        return f"{change.field}: {' '.join(parts)}"
    return f"{change.field}: {_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    """A value in a line."""
    if value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _entries(lexicon: ChangedLexicon) -> str:
    sides = [("−", lexicon.removed), ("+", lexicon.added)]
    return " ".join(f"{sign} {some(list(map(_term, terms.items())), SHOWN_ITEMS)}" for sign, terms in sides if terms)


def _term(entry: tuple[str, float]) -> str:
    term, weight = entry
    return term if weight == 1 else f"{term} ({weight:g})"


def _described(rule: Rule) -> str:
    """A rule in a line: whom it speaks for, and its condition."""
    speaks = ", ".join(f"{label} {weight:+g}" for label, weight in rule.evidence.items())
    return f"rule {rule.id} ({speaks}): {rule.kind}: {_short(written(rule)[rule.kind])}"


def flip_lines(flips: Flips) -> Iterator[str]:
    """What a change does to texts, for reading."""
    yield ""
    who = "the model answers" if flips.by == "model" else "the starting weights answer"
    verdicts = [
        f"{flips.count(verdict):,} {verdict}" for verdict in ("mended", "broken", "still wrong") if flips.count(verdict)
    ]
    yield f"On {flips.n_texts:,} texts {who} {len(flips.answers):,} otherwise{': ' if verdicts else ''}{', '.join(verdicts)}"
    if flips.accuracy is not None:
        before, after = flips.accuracy
        yield f"accuracy {before:.2%} → {after:.2%} ({100 * (after - before):+.2f} points)"
    for firing in flips.firings[:SHOWN_ANSWERS]:
        moves = f"+{len(firing.gained):,} −{len(firing.lost):,}"
        yield f"    rule {firing.rule} fires on {firing.before:,} → {firing.after:,} texts ({moves})"
    if len(flips.firings) > SHOWN_ANSWERS:
        yield f"    and {len(flips.firings) - SHOWN_ANSWERS:,} more rules fire otherwise"
    for answer in flips.answers[:SHOWN_ANSWERS]:
        yield from _answer_lines(answer)
    if len(flips.answers) > SHOWN_ANSWERS:
        yield f"and {len(flips.answers) - SHOWN_ANSWERS:,} more answers; --json lists them all"


def _answer_lines(answer: ChangedAnswer) -> Iterator[str]:
    before, after = ("no answer" if label is None else str(label) for label in (answer.before, answer.after))
    verdict = f" ({answer.verdict})" if answer.verdict else ""
    yield f"~ {before} → {after}{verdict}: {_short(' '.join(answer.text.split()))}"
    for reason in answer.reasons[:SHOWN_REASONS]:
        words = dict.fromkeys(_short(answer.text[start:end]) for start, end in reason.spans)
        name = {"bias": "bias", "neural": "transformer"}.get(reason.kind, f"{reason.kind} {reason.name}")
        yield f"    {name} {reason.before:+.2f} → {reason.after:+.2f}{': ' if words else ''}{some(list(words), SHOWN_ITEMS)}"
    rest = answer.reasons[SHOWN_REASONS:]
    if rest:
        yield f"    {len(rest)} weaker reasons {sum(r.before for r in rest):+.2f} → {sum(r.after for r in rest):+.2f}"


def flips_to_dict(flips: Flips) -> dict[str, Any]:
    """Plain data, the same after a trip through JSON; labels are strings."""
    from rulenet.explain.result import plain

    answers = [
        {
            **plain(asdict(answer)),
            **{name: _name(getattr(answer, name)) for name in ("before", "after", "label")},
            "verdict": answer.verdict,
        }
        for answer in flips.answers
    ]
    accuracy = None if flips.accuracy is None else dict(zip(("before", "after"), flips.accuracy, strict=True))
    firings = [plain(asdict(firing)) for firing in flips.firings]
    return {"by": flips.by, "texts": flips.n_texts, "accuracy": accuracy, "firings": firings, "answers": answers}


def _name(label: Label | None) -> str | None:
    return None if label is None else str(label)
