"""Differences between two rule files, and the predictions that change because of them.

Imports `rulenet.rules`; flips, and numpy with it, only if there are texts. Files are compared by their meaning: comments, the order
of rules and the order within lists do not matter (except for the terms of `near`, whose order may matter).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rulenet.base.harmless import harmless
from rulenet.base.wording import counted, some
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
_OTHER_FIELDS = ("rulenet", "include", "lexicons", "rules")  # of a file: compared separately, or already resolved


@dataclass(frozen=True)
class Change:
    """A field that differs: for lists, only the entries that the other list does not have; None if it is not given."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ChangedRule:
    """A rule that is in both files but differs."""

    id: str
    changes: list[Change]


@dataclass(frozen=True)
class ChangedLexicon:
    """A lexicon whose entries differ, including the entries of the lists that it includes."""

    name: str
    removed: dict[str, float]  # terms with their weights; a term whose weight differs is also in `added`
    added: dict[str, float]
    rules: list[str]  # ids of the rules that use it


@dataclass(frozen=True)
class RulesDiff:
    """The differences between two rule files.

    Attributes
    ----------
    a, b
        Names of the files.
    added, removed
        Rules that are only in the second, or only in the first file.
    changed
        Rules that differ, in the order of the second file.
    lexicons
        Lexicons that differ.
    settings
        Fields of the file itself that differ.
    flips
        Effect on some texts; None if no texts were given.
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
        """Whether both files mean the same."""
        return not (self.added or self.removed or self.changed or self.lexicons or self.settings)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back."""
        data = {name: [asdict(part) for part in getattr(self, name)] for name in ("changed", "lexicons", "settings")}
        rules = {name: list(map(written, getattr(self, name))) for name in ("added", "removed")}
        flips = None if self.flips is None else flips_to_dict(self.flips)
        return {"a": self.a, "b": self.b, "same": self.is_same, **rules, **data, "flips": flips}

    def lines(self) -> Iterator[str]:
        """Yield a readable report. The first character is + for added, - for removed, ~ for changed, a space for details."""
        yield from self.rule_lines()
        if self.flips is not None:
            yield from flip_lines(self.flips)

    def rule_lines(self) -> Iterator[str]:
        """Yield the lines about where the files differ."""
        if self.is_same:
            yield f"= {self.a} and {self.b} have the same meaning"
        yield from (f"~ {_sentence(change)}" for change in self.settings)
        for lexicon in self.lexicons:
            used = f"used by {some(lexicon.rules, SHOWN_ITEMS)}" if lexicon.rules else "not used by any rule"
            yield f"~ lexicon {lexicon.name}: {_removed_added(_terms(lexicon.removed), _terms(lexicon.added))}; {used}"
        yield from (f"- {_described(rule)}" for rule in self.removed)
        yield from (f"+ {_described(rule)}" for rule in self.added)
        for rule in self.changed:
            yield f"~ rule {rule.id}"
            yield from (f"    {_sentence(change)}" for change in rule.changes)

    def __str__(self) -> str:
        return "\n".join(harmless(line, one_line=True) for line in self.lines())


def diff_rules(
    a: RuleSet | None,
    b: RuleSet | None,
    texts: Sequence[str] | None = None,
    *,
    labels: Sequence[Label] | None = None,
    model: RuleNetClassifier | None = None,
) -> RulesDiff:
    """Compare two rule files.

    Parameters
    ----------
    a, b
        The rules; None: no rules.
    texts
        Texts on which to compare firings and predictions.
    labels
        The correct labels of `texts`, if known.
    model
        A fitted model that predicts with the rules of both files; None: predict by the starting weights only.

    Raises
    ------
    InputError
        If there are texts, but neither a model nor rules on both sides to predict with.
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
        a.name if a else "no rules",
        b.name if b else "no rules",
        added=[rule for name, rule in second.items() if name not in first],
        removed=[rule for name, rule in first.items() if name not in second],
        changed=changed,
        lexicons=list(_changed_lexicons(a, b)),
        settings=changes(_settings(a), _settings(b)),
        flips=None if texts is None else _flips(a, b, texts, labels, model),
    )


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
        raise InputError("without rules on both sides, texts can only be compared with a model: pass model=…")
    return vote_flips(a, b, texts, labels)


# ---------------------------------------------------------------------- comparing


def written(rule: Rule) -> dict[str, Any]:
    """Return the fields of a rule that its author wrote, as in JSON."""
    return rule.model_dump(mode="json", exclude_defaults=True)


def _settings(ruleset: RuleSet | None) -> dict[str, Any]:
    """Return the fields of a file that its author wrote, without its lexicons and rules."""
    return ruleset.file.model_dump(mode="json", exclude_defaults=True, exclude=set(_OTHER_FIELDS)) if ruleset else {}


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return the fields that differ."""
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
    """Return the entries of one list that the other does not have."""
    known = set(map(_normal, there))
    return [entry for entry in here if _normal(entry) not in known]


def _normal(value: Any, *, is_ordered: bool = False) -> str:
    """Return a string that is equal for values of the same meaning: lists are sorted, without duplicates."""
    if isinstance(value, dict):
        parts = (f"{json.dumps(key)}:{_normal(value[key], is_ordered=key == 'terms')}" for key in sorted(value))
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        entries = list(map(_normal, value))
        return f"[{','.join(entries if is_ordered else sorted(set(entries)))}]"
    return json.dumps(value)


def _changed_lexicons(a: RuleSet | None, b: RuleSet | None) -> Iterator[ChangedLexicon]:
    """Find lexicons whose entries differ once the lists that they include are resolved."""
    old, new = (ruleset.lexicons if ruleset else {} for ruleset in (a, b))
    if old == new:
        return
    users: dict[str, list[str]] = {}
    for rule in (rule for ruleset in (b, a) if ruleset for rule in ruleset.file.rules):
        for name in _names(written(rule)):
            users.setdefault(name, []).append(rule.id)
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name, {}), new.get(name, {})
        if was != now:
            removed = {term: weight for term, weight in was.items() if now.get(term) != weight}
            added = {term: weight for term, weight in now.items() if was.get(term) != weight}
            yield ChangedLexicon(name, removed, added, list(dict.fromkeys(users.get(name, []))))


def _names(condition: Any) -> Iterator[str]:
    """Yield the lexicons that a condition uses, at any depth."""
    if isinstance(condition, dict):
        for key, value in condition.items():
            yield from value if key == "lexicon" else _names(value)
    elif isinstance(condition, list):
        for part in condition:
            yield from _names(part)


# ---------------------------------------------------------------------- reporting


def _sentence(change: Change) -> str:
    old, new = change.old, change.new
    if isinstance(old, list) and isinstance(new, list):
        return f"{change.field}: {_removed_added(map(_short, old), map(_short, new))}"
    return f"{change.field}: {_short(old)} → {_short(new)}"


def _removed_added(*sides: Iterable[str]) -> str:
    lists = zip("−+", map(list, sides), strict=True)
    return " ".join(f"{sign} {some(entries, SHOWN_ITEMS)}" for sign, entries in lists if entries)


def _short(value: Any) -> str:
    """Return a value as one short line."""
    if value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _terms(weights: dict[str, float]) -> Iterator[str]:
    return (term if weight == 1 else f"{term} ({weight:g})" for term, weight in weights.items())


def _described(rule: Rule) -> str:
    """Describe a rule in one line: its labels and its condition."""
    speaks = ", ".join(f"{label} {weight:+g}" for label, weight in rule.evidence.items())
    return f"rule {rule.id} ({speaks}): {rule.kind}: {_short(written(rule)[rule.kind])}"


def flip_lines(flips: Flips) -> Iterator[str]:
    """Yield a readable report of what a change of rules does to texts."""
    yield ""
    whose = "The prediction of the model" if flips.by == "model" else "The prediction of the starting weights"
    verdicts = [f"{n:,} {verdict}" for verdict in ("fixed", "broken", "still wrong") if (n := flips.count(verdict))]
    changed = f"{whose} changes for {len(flips.answers):,} of {counted(flips.n_texts, 'text')}"
    yield f"{changed}{': ' if verdicts else ''}{', '.join(verdicts)}"
    if flips.accuracy is not None:
        before, after = flips.accuracy
        yield f"accuracy {before:.2%} → {after:.2%} ({100 * (after - before):+.2f} points)"
    for firing in flips.firings[:SHOWN_ANSWERS]:
        moves = f"+{len(firing.gained):,} −{len(firing.lost):,}"
        yield f"    rule {firing.rule} fires on {firing.before:,} → {counted(firing.after, 'text')} ({moves})"
    if len(flips.firings) > SHOWN_ANSWERS:
        yield f"    and {counted(len(flips.firings) - SHOWN_ANSWERS, 'more rule fires', 'more rules fire')} on other texts than before"
    for answer in flips.answers[:SHOWN_ANSWERS]:
        yield from _answer_lines(answer)
    if len(flips.answers) > SHOWN_ANSWERS:
        yield f"and {counted(len(flips.answers) - SHOWN_ANSWERS, 'more prediction')}; --json lists them all"


def _answer_lines(answer: ChangedAnswer) -> Iterator[str]:
    before, after = map(_said, (answer.before, answer.after))
    verdict = f" ({answer.verdict})" if answer.verdict else ""
    yield f"~ {before} → {after}{verdict}: {_short(' '.join(answer.text.split()))}"
    for reason in answer.reasons[:SHOWN_REASONS]:
        words = dict.fromkeys(_short(answer.text[start:end]) for start, end in reason.spans)
        name = {"bias": "bias", "neural": "transformer"}.get(reason.kind, f"{reason.kind} {reason.name}")
        yield f"    {name} {reason.before:+.2f} → {reason.after:+.2f}{': ' if words else ''}{some(list(words), SHOWN_ITEMS)}"
    rest = answer.reasons[SHOWN_REASONS:]
    if rest:
        total = f"{sum(r.before for r in rest):+.2f} → {sum(r.after for r in rest):+.2f}"
        yield f"    {counted(len(rest), 'weaker reason')} {total}"


def _said(answer: Any) -> str:
    """An answer in words: a label, or several."""
    return str(answer) if not isinstance(answer, tuple | None) else ", ".join(map(str, answer or ())) or "no label"


def flips_to_dict(flips: Flips) -> dict[str, Any]:
    """Return plain data that survives conversion to JSON and back; labels are strings."""
    from rulenet.explain.result import plain

    answers = [{**plain(asdict(answer)), "verdict": answer.verdict} for answer in flips.answers]
    for answer in answers:
        for k in ("before", "after", "label"):
            given = answer[k]
            answer[k] = list(map(str, given)) if isinstance(given, list) else None if given is None else str(given)
    accuracy = None if flips.accuracy is None else dict(zip(("before", "after"), flips.accuracy, strict=True))
    firings = [asdict(firing) for firing in flips.firings]
    return {"by": flips.by, "texts": flips.n_texts, "accuracy": accuracy, "firings": firings, "answers": answers}
