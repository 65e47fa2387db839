"""Runs the examples that authors put beside their rules. Imports the rest of `rulenet.rules`, no numpy."""

from __future__ import annotations

from dataclasses import dataclass

from rulenet.rules.conditions import Span, uses_tags
from rulenet.rules.ruleset import RuleSet
from rulenet.text.doc import Doc
from rulenet.text.language import Language, detect_language
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser


@dataclass(frozen=True)
class ExampleResult:
    """What a rule did with one of its examples.

    Attributes
    ----------
    expected
        ``"match"`` or ``"reject"``.
    spans
        Hits in the example text; None if the rule did not fire.
    """

    rule: str
    line: int
    text: str
    expected: str
    spans: list[Span] | None

    @property
    def passed(self) -> bool:
        """Whether the rule did what the example says."""
        return (self.spans is not None) == (self.expected == "match")


def run_examples(ruleset: RuleSet, *, tagged: bool = True) -> list[ExampleResult]:
    """Ask every rule of its own examples; with `tagged=False` only the rules without `pos`.

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
    languages: list[Language] = (
        ["zh"] if ruleset.language == "zh" else ["en"] if ruleset.language == "en" else ["en", "zh"]
    )
    taggers = {language: Tagger(Tokeniser(language, ruleset.unspaced_literals)) for language in languages}
    rules = {language: ruleset.evaluators(language) for language in languages}
    results = []
    for i, (rule, (condition, unless)) in enumerate(zip(ruleset.rules, ruleset.conditions, strict=True)):
        if not tagged and any(map(uses_tags, (condition, *unless))):
            continue
        for expected, texts in (("match", rule.examples.match), ("reject", rule.examples.reject)):
            for j, text in enumerate(texts):
                language = languages[0] if len(languages) == 1 else detect_language([text])
                doc = Doc(text, taggers[language])
                found = rules[language][i].find(doc)
                spans = None if found is None else [doc.cleaned.original_span(*span) for span in found]
                line = ruleset.lines.at(("rules", i, "examples", expected, j))
                results.append(ExampleResult(rule.id, line, text, expected, spans))
    return results
