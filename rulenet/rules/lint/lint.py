"""`lint`: every fault and smell of a rule file. Imports the rest of `rulenet.rules`, no numpy.

Faults of a file that does not load come from `reading`; here is what is wrong, or probably not meant, in one that loads.
"""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from rulenet.errors import Edit, Fault, MissingExtraError, RuleFileError
from rulenet.rules.conditions.formula import WordLists
from rulenet.rules.conditions.kind import Part, Setting, Smell
from rulenet.rules.conditions.kinds import parts_of
from rulenet.rules.conditions.word_smells import COMMA, doubles, literal_smells, repeated, stray_space
from rulenet.rules.file import codes
from rulenet.rules.file.codes import Flaw
from rulenet.rules.file.parse import Path as PathInFile
from rulenet.rules.file.schema import LexiconEntry, LexiconFile, LexiconRef, WeightedTerm
from rulenet.rules.lint.ignore import not_ignored
from rulenet.rules.lint.name_smells import hidden_characters, name_smells
from rulenet.rules.lint.smells import rule_smells
from rulenet.rules.lint.smells_logic import Stated, contained, dead_smells, duplicates, rule_formula, unanchored
from rulenet.rules.lint.yaml_smells import yaml_smells
from rulenet.rules.reading.check import label_smells
from rulenet.rules.reading.sources import read_bundle, read_text
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import run_examples


def lint(path: str | os.PathLike[str]) -> list[Fault]:
    """Every fault and smell of a rule file and of those it includes, in order of file and line.

    Severity ``"error"``: the file does not load, or a part of it can never work; ``"warning"``: probably not meant;
    ``"info"``: good to know. Comments such as ``# rulenet: ignore RN303`` hide warnings and hints. A bad file raises nothing.

    Examples
    --------
    >>> lint("no-such-file.yaml")[0].text
    'no such file; working folder: ... [RN001 unreadable-file]'
    """
    try:
        return lint_text(read_text(Path(path)), str(path), Path(path))
    except RuleFileError as error:
        return list(error.faults)


def lint_text(text: str, name: str = "<string>", path: Path | None = None) -> list[Fault]:
    """Every fault and smell of the text of a rule file; `path` is where it would be read, for the files that it includes."""
    try:
        ruleset = RuleSet(read_bundle(text, name, path), name)
    except RuleFileError as error:
        broken = {fault.line for fault in error.faults if fault.code is codes.NOT_YAML and fault.file is None}
        found = [*(fault for fault in _of_text(text) if fault.line not in broken), *error.faults]
        return sorted(found, key=lambda fault: (fault.file or "", fault.line))
    return lint_ruleset(ruleset)


def lint_ruleset(ruleset: RuleSet, *, today: datetime.date | None = None) -> list[Fault]:
    """Smells of a ruleset, as on `today` (None: the present day); examples of rules with `pos` are left to `run_examples`."""
    linter = _Linter(ruleset, today or datetime.date.today())
    parts = (linter.rules, linter.logic, linter.lexicons, linter.fields, linter.labels, linter.examples)
    found = chain(_of_text(ruleset.top.text), name_smells(linter.top, ruleset.lines), *(part() for part in parts))
    faults = not_ignored(ruleset, list(dict.fromkeys(found)))
    return sorted(faults, key=lambda fault: (fault.file or "", fault.line))


def _of_text(text: str) -> Iterator[Fault]:
    """Smells of a text by itself, whatever it says."""
    return chain(_line_ends(text), yaml_smells(text), hidden_characters(text))


def _line_ends(text: str) -> Iterator[Fault]:
    if "\r" not in text:
        return
    found = set(re.findall("\r\n|\r|\n", text))
    if len(found) > 1:
        names = {"\r\n": "Windows", "\n": "Unix", "\r": "old Mac"}
        kinds = ", ".join(name for end, name in names.items() if end in found)
        message = f"lines end in different ways ({kinds}); use one of them"
        yield Fault(codes.MIXED_LINE_ENDS, message, 1, edit=Edit("breaks"))


class _Linter:
    """Turns smells, which have a path in a rule, into faults, which have a file and line."""

    def __init__(self, ruleset: RuleSet, today: datetime.date) -> None:
        self.ruleset = ruleset
        self.top = ruleset.top.file or ruleset.file  # the file itself, without those it includes
        self.written = ruleset.file.rules
        self.parts = [parts_of(rule) for rule in self.written]
        self.today = today
        self.setting = Setting(ruleset.language, ruleset.lexicons, ruleset.file.fold_traditional, ruleset.words)

    def _fault(self, i: int, smell: Smell) -> Fault:
        source, j = self.ruleset.sources[i]
        path = ("rules", j, *smell.path)
        file = None if source is self.ruleset.top else source.name
        return Fault(smell.code, smell.message, source.lines.at(path), self.written[i].id, file, path, smell.edit)

    def _at(self, path: PathInFile, flaw: Flaw) -> Fault:
        """A fault of the file itself, in no rule."""
        return Fault(flaw.code, flaw.message, self.ruleset.lines.at(path), path=path, edit=flaw.edit)

    def rules(self) -> Iterator[Fault]:
        """Smells of each rule by itself."""
        for i, rule in enumerate(self.written):
            reported = set()
            for smell in rule_smells(rule, self.parts[i], self.setting, self.today):
                if smell.message not in reported:  # the same word in two branches is one smell
                    reported.add(smell.message)
                    yield self._fault(i, smell)

    def logic(self) -> Iterator[Fault]:
        """Dead, slow and repeated rules."""
        lists = WordLists(self.ruleset.lexicons)
        stated = [
            Stated(rule, rule_formula(rule, parts, lists), self._named(i))
            for i, (rule, parts) in enumerate(zip(self.written, self.parts, strict=True))
        ]
        for i, one in enumerate(stated):
            flaws = list(dead_smells(one)) or unanchored(self.parts[i][0], one.formula)
            for flaw in flaws:
                yield self._fault(i, Smell((), *flaw))
        for i, flaw in chain(duplicates(stated), contained(stated)):
            yield self._fault(i, Smell((), *flaw))

    def _named(self, i: int) -> str:
        name, line = self.ruleset.place(i)
        return f"line {line}" if name == self.ruleset.name else f"{name}, line {line}"

    def lexicons(self) -> Iterator[Fault]:
        """Smells of word lists; those of included files are reported where those files are linted."""
        file = self.ruleset.file
        uses = _uses_of_lexicons((part for tops in self.parts for top in tops for part in top.walk()), file.lexicons)
        for listed, words in (("words", self.top.words), ("negation_cues", self.top.negation_cues)):
            for flaw in doubles(words):
                yield self._at((listed,), flaw)
            for i, word in enumerate(words):
                if word != word.strip():
                    yield self._at((listed, i), stray_space(word))
        for name, entries in self.top.lexicons.items():
            here = ("lexicons", name)
            is_own = not any(isinstance(entry, LexiconFile) for entry in entries)
            entries = entries if is_own else file.lexicons[name]
            if name not in uses and file.rules:
                yield self._at(
                    here, Flaw(codes.UNUSED_LEXICON, f"lexicon {name!r} is used by no rule; use it or remove it")
                )
            texts = [(i, e.term if isinstance(e, WeightedTerm) else e) for i, e in enumerate(entries)]
            literals = [(i, text) for i, text in texts if isinstance(text, str)]
            exact = all(use_exact for use_exact, _ in uses.get(name, {(False, False)}))
            alone = any(use_alone for _, use_alone in uses.get(name, ()))
            for i, literal in literals:
                inner = (i, "term") if isinstance(entries[i], WeightedTerm) else (i,)
                path = (*here, *inner) if is_own else here
                for flaw in literal_smells(literal, "lexicon", exact=exact, alone=alone):
                    yield self._at(path, flaw)
            for flaw in repeated([literal for _, literal in literals], exact=exact):
                yield self._at(here, flaw._replace(message=f"lexicon {name!r}: {flaw.message}"))

    def fields(self) -> Iterator[Fault]:
        """Field names that look like a misspelling of another."""
        users: dict[str, list[int]] = {}
        for i, tops in enumerate(self.parts):
            for name in {part.written.field for top in tops for part in top.walk()} - {None}:
                users.setdefault(str(name), []).append(i)
        for name, rules in users.items():
            common = [other for other, others in users.items() if len(others) > 2 * len(rules)]
            if close := difflib.get_close_matches(name, common, n=1):
                message = f"field {name!r} is read only here, {close[0]!r} in {len(users[close[0]])} rules; did you mean that?"
                yield self._fault(rules[0], Smell((), codes.RARE_FIELD, message))

    def labels(self) -> Iterator[Fault]:
        """Labels that the rules alone can never give, and cases with labels that nothing can give."""
        supported = {label for rule in self.ruleset.rules for label in rule.supports}
        labels = self.ruleset.file.labels
        for i, label in enumerate(labels):
            if label not in supported and self.written:
                message = f"no rule supports label {label!r}, so only a trained model can give it"
                yield self._at(("labels", i), Flaw(codes.LABEL_WITHOUT_RULE, message))
            if len(parts := COMMA.split(label)) > 1:
                message = f"label {label!r} looks like several; write [{', '.join(map(str.strip, parts))}]"
                yield self._at(("labels", i), Flaw(codes.PERHAPS_A_LIST, message, Edit("split")))
        for i, case in enumerate(self.top.cases):
            for smell in label_smells([(("cases", i, "label"), case.label)], labels):
                yield self._at(smell.path, Flaw(codes.IMPOSSIBLE_CASE, smell.message, smell.edit))

    def examples(self) -> Iterator[Fault]:
        """Examples that contradict their rule. Loading a tagger takes seconds; `rulenet rules test` does that."""
        try:
            results = run_examples(self.ruleset, tagged=False)
        except MissingExtraError as error:
            yield Fault(codes.MISSING_PACKAGE, f"the examples are not checked: {error}")
            return
        for result in results:
            if not result.passed:
                what = "does not fire on" if result.expected == "match" else "fires on"
                message = f"{what} its {result.expected} example {result.text!r}; correct the rule or the example"
                yield self._fault(result.number, Smell(result.path, codes.FAILING_EXAMPLE, message))


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
