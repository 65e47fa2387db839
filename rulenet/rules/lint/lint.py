"""`lint`: every fault and smell of a rule file. Imports the rest of `rulenet.rules`, no numpy.

Faults of a file that does not load come from `check.py`; here is what is wrong, or probably not meant, in one that does.
"""

from __future__ import annotations

import datetime
import difflib
import os
from collections.abc import Iterable, Iterator
from itertools import chain

from rulenet.errors import Fault, MissingExtraError, RuleFileError
from rulenet.rules.conditions.formula import Formula, WordLists
from rulenet.rules.conditions.kind import Part, Setting, Smell
from rulenet.rules.conditions.kinds import parts_of
from rulenet.rules.conditions.word_smells import idle_entry, literal_smells, repeated
from rulenet.rules.file.schema import LexiconEntry, LexiconRef, WeightedTerm
from rulenet.rules.lint.smells import rule_smells
from rulenet.rules.lint.smells_logic import (
    Stated,
    contained,
    dead_smells,
    duplicates,
    holds_by_absence,
    is_anchored,
    rule_formula,
)
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import run_examples


def lint(path: str | os.PathLike[str]) -> list[Fault]:
    """Every fault and smell of a rule file and those it includes, in order of file and line.

    Severity ``"error"``: the file does not load, or something in it can never work; ``"warning"``: probably not meant;
    ``"info"``: good to know. Raises nothing for a bad file.

    Examples
    --------
    >>> lint("no-such-file.yaml")[0].message
    'no such file; working folder: ...'
    """
    try:
        return lint_ruleset(RuleSet.load(path))
    except RuleFileError as error:
        return list(error.faults)


def lint_ruleset(ruleset: RuleSet, *, today: datetime.date | None = None) -> list[Fault]:
    """Smells of a ruleset; examples of rules with `pos` are left to `run_examples`.

    Parameters
    ----------
    ruleset
        A file that loads.
    today
        The day for which `since` and `until` are read; None: today.
    """
    linter = _Linter(ruleset, today or datetime.date.today())
    found = chain(
        linter.rules(), linter.logic(), linter.lexicons(), linter.fields(), linter.labels(), linter.examples()
    )
    return sorted(dict.fromkeys(found), key=lambda fault: (fault.file or "", fault.line))


class _Linter:
    """Turns smells, which know a path, into faults, which know file and line."""

    def __init__(self, ruleset: RuleSet, today: datetime.date) -> None:
        self.ruleset = ruleset
        self.written = ruleset.file.rules
        self.parts = [parts_of(rule) for rule in self.written]
        self.today = today
        self.setting = Setting(ruleset.language, ruleset.lexicons, ruleset.file.fold_traditional)

    def _fault(self, i: int, smell: Smell) -> Fault:
        name, line = self.ruleset.place(i, *smell.path)
        return Fault(smell.message, line, self.written[i].id, smell.severity, self._other_file(name))

    def _other_file(self, name: str) -> str | None:
        return None if name == self.ruleset.name else name

    def rules(self) -> Iterator[Fault]:
        """What each rule smells of by itself."""
        for i, rule in enumerate(self.written):
            told = set()
            for smell in rule_smells(rule, self.parts[i], self.setting, self.today):
                if smell.message not in told:  # the same word in two branches is one smell
                    told.add(smell.message)
                    yield self._fault(i, smell)

    def logic(self) -> Iterator[Fault]:
        """Dead, slow and repeated rules."""
        lists = WordLists(self.ruleset.lexicons)
        stated = [
            Stated(rule, rule_formula(rule, parts, lists), self._named(i))
            for i, (rule, parts) in enumerate(zip(self.written, self.parts, strict=True))
        ]
        for i, one in enumerate(stated):
            smells = list(dead_smells(one))
            if not smells:
                smells = [(message, "warning") for message in _unanchored(self.parts[i][0], one.formula)]
            for message, severity in smells:
                yield self._fault(i, Smell((), message, severity))
        for i, message in chain(duplicates(stated), contained(stated)):
            yield self._fault(i, Smell((), message))

    def _named(self, i: int) -> str:
        name, line = self.ruleset.place(i)
        return f"line {line}" if name == self.ruleset.name else f"{name}, line {line}"

    def lexicons(self) -> Iterator[Fault]:
        """Smells of word lists; those of included files are told where those files are linted."""
        file, lines = self.ruleset.file, self.ruleset.lines
        uses = _uses_of_lexicons((part for tops in self.parts for top in tops for part in top.walk()), file.lexicons)
        is_single = len(self.ruleset.files) <= 1  # else entries of other files stand between
        for name, entries in file.lexicons.items():
            if ("lexicons", name) not in lines:
                continue
            line = lines.at(("lexicons", name))
            if name not in uses and file.rules:
                yield Fault(f"lexicon {name!r} is used by no rule; use it or remove it", line, None, "warning")
            texts = [(i, e.term if isinstance(e, WeightedTerm) else e) for i, e in enumerate(entries)]
            literals = [(i, text) for i, text in texts if isinstance(text, str)]
            exact = all(use_exact for use_exact, _ in uses.get(name, {(False, False)}))
            alone = any(use_alone for _, use_alone in uses.get(name, ()))
            for i, literal in literals:
                at = lines.at(("lexicons", name, i)) if is_single else line
                for message in literal_smells(literal, "lexicon", exact=exact, alone=alone):
                    yield Fault(message, at, None, "warning")
            for again, earlier in repeated([literal for _, literal in literals], exact=exact):
                yield Fault(f"lexicon {name!r}: {idle_entry(again, earlier)}", line, None, "info")

    def fields(self) -> Iterator[Fault]:
        """Field names that look like a slip of another."""
        users: dict[str, list[int]] = {}
        for i, tops in enumerate(self.parts):
            for name in {part.written.field for top in tops for part in top.walk()} - {None}:
                users.setdefault(str(name), []).append(i)
        for name, rules in users.items():
            common = [other for other, others in users.items() if len(others) > 2 * len(rules)]
            if close := difflib.get_close_matches(name, common, n=1):
                message = f"field {name!r} is read here only, {close[0]!r} in {len(users[close[0]])} rules; did you mean that?"
                yield self._fault(rules[0], Smell((), message))

    def labels(self) -> Iterator[Fault]:
        """Labels that the rules alone can never give."""
        spoken_for = {label for rule in self.ruleset.rules for label in rule.supports}
        for i, label in enumerate(self.ruleset.file.labels):
            if label not in spoken_for and self.written:
                line = self.ruleset.lines.at(("labels", i))
                yield Fault(f"no rule speaks for label {label!r}; only a trained model can give it", line, None, "info")

    def examples(self) -> Iterator[Fault]:
        """Examples that contradict their rule. Loading a tagger takes seconds; `rulenet rules test` does that."""
        try:
            results = run_examples(self.ruleset, tagged=False)
        except MissingExtraError as error:
            yield Fault(f"the examples are not checked: {error}", 0, None, "warning")
            return
        for result in results:
            if not result.passed:
                what = "does not fire on" if result.expected == "match" else "fires on"
                message = f"{what} its {result.expected} example {result.text!r}; correct the rule or the example"
                yield Fault(message, result.line, result.rule, "error", self._other_file(result.file))


def _unanchored(condition: Part, formula: Formula) -> Iterator[str]:
    """A rule that no word leads to has to be asked of every text."""
    if is_anchored(formula):
        return
    reader = next((part.kind.name for part in condition.walk() if part.kind.needs_tags), None)
    if reader is not None:
        yield f"tags every text, which is slow; put the {reader} pattern under `all` beside a word that must be there"
    elif holds_by_absence(formula):
        yield "fires by absence alone, so on most texts; add a condition that must hit"


def _uses_of_lexicons(
    parts: Iterable[Part], lexicons: dict[str, list[LexiconEntry]]
) -> dict[str, set[tuple[bool, bool]]]:
    """How rules use each word list, also through other lists: whether case counts, and whether a hit is enough."""
    uses: dict[str, set[tuple[bool, bool]]] = {}
    for part in parts:
        use = (part.written.case == "exact", part.is_enough)
        todo = list(part.kind.lexicons(part))
        while todo:
            name = todo.pop()
            if use not in uses.setdefault(name, set()):
                uses[name].add(use)
                todo += [entry.lexicon for entry in lexicons.get(name, ()) if isinstance(entry, LexiconRef)]
    return uses
