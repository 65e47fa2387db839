"""Runs the examples that authors write for their rules. Imports the rest of `rulenet.rules`, no numpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rulenet.rules.conditions.condition import Span
from rulenet.rules.ruleset import RuleSet
from rulenet.text.doc import Doc
from rulenet.text.language import Language, detect_language
from rulenet.text.record import Record
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser


@dataclass(frozen=True)
class ExampleResult:
    """What a rule did with one of its examples."""

    rule: str
    file: str
    line: int  # where the example is
    example: str | dict[str, str]  # the text or record, as written
    expected: str  # "match" or "reject"
    spans: list[Span] | None  # hits in the example text; None if the rule did not fire
    number: int  # of the rule among those that were written
    path: tuple[str | int, ...]  # of the example in its rule

    @property
    def text(self) -> str:
        """The example; of a record its fields, a blank line between them."""
        return Record.of(self.example) if isinstance(self.example, dict) else self.example

    @property
    def passed(self) -> bool:
        """Whether the rule did what it should."""
        return (self.spans is not None) == (self.expected == "match")


class Reader:
    """Makes texts of what authors write, in the language of the file or, where that is ``any``, of the text."""

    def __init__(self, ruleset: RuleSet) -> None:
        self._ruleset = ruleset
        language = ruleset.file.language
        self._languages: list[Language] = ["en", "zh"] if language == "any" else [language]
        self._taggers = {name: Tagger(Tokeniser(name, ruleset.words)) for name in self._languages}
        self.matchers = {name: ruleset.evaluators(name) for name in self._languages}

    def read(self, example: str | dict[str, str]) -> tuple[Doc, Language]:
        """A text or record, with its language."""
        text = Record.of(example) if isinstance(example, dict) else example
        language = self._languages[0] if len(self._languages) == 1 else detect_language([text])
        return Doc(text, self._taggers[language], fold_traditional=self._ruleset.file.fold_traditional), language


def run_examples(ruleset: RuleSet, *, tagged: bool = True, only: str | None = None) -> list[ExampleResult]:
    """Test every rule on its own examples, on whatever day it may fire.

    Of a rule with ``negation: {flip: …}``, only hits that are not negated are tested.

    Parameters
    ----------
    ruleset
        The rules.
    tagged
        False: test only the rules without `pos`.
    only
        Id of the only rule to test; None: all.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml('''
    ... rulenet: 1
    ... rules:
    ...   - {id: win, label: Sports, word: win, examples: {match: [They win, They won], reject: [Window]}}
    ... ''')
    >>> [(result.text, result.passed) for result in run_examples(ruleset)]
    [('They win', True), ('They won', False), ('Window', True)]
    """
    return list(_results(ruleset, Reader(ruleset), tagged, only))


def _results(ruleset: RuleSet, reader: Reader, tagged: bool, only: str | None) -> Iterator[ExampleResult]:
    column = {written: j for j, written in reversed(list(enumerate(ruleset.written)))}
    for i, rule in enumerate(ruleset.file.rules):
        condition, unless = ruleset.conditions[column[i]]
        if only not in (None, rule.id) or (not tagged and any(part.needs_tags for part in (condition, *unless))):
            continue
        for expected, examples in (("match", rule.examples.match), ("reject", rule.examples.reject)):
            for j, example in enumerate(examples):
                doc, language = reader.read(example)
                found = reader.matchers[language][column[i]].find(doc)
                spans = None if found is None else [doc.cleaned.original_span(*span) for span in found]
                path = ("examples", expected, j)
                yield ExampleResult(rule.id, *ruleset.place(i, *path), example, expected, spans, i, path)
