"""rulenet.rules.testing.trace: which part of a rule is to blame."""

from __future__ import annotations

import pytest

from rulenet.rules.conditions.kinds import part_of
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import Reader, run_examples
from rulenet.rules.testing.trace import Step, trace, trace_example


def step_of(fields: str, example: str | dict[str, str], language: str = "en") -> Step:
    ruleset = RuleSet.from_yaml(f"{{rulenet: 1, language: {language}, rules: [{{id: a, label: x, {fields}}}]}}")
    return trace(ruleset, ruleset.rules[0], *Reader(ruleset).read(example))


def lines(step: Step, depth: int = 0) -> list[str]:
    """The tree as a reader sees it."""
    text = f"{'  ' * depth}{'✓' if step.passed else '✗'} {step.label}"
    text += "".join(f" [{found}]" for found in step.found) + (f" – {step.note}" if step.note else "")
    return [text, *(line for part in step.parts for line in lines(part, depth + 1))]


def test_a_tree() -> None:
    fields = "all: [{word: [coach, captain]}, {any: [{word: fired}, {phrase: lost his job}]}], unless: [{phrase: video game}]"
    assert lines(step_of(fields, "The Coach stays")) == [
        "✗ the rule",
        "  ✗ all of",
        "    ✓ word: coach, captain [Coach]",
        "    ✗ any of",
        "      ✗ word: fired",
        "      ✗ phrase: lost his job",
        "  ✓ unless",
        "    ✓ no phrase: video game",
    ]
    assert lines(step_of(fields, "Coach fired over a video game"))[-2:] == [
        "  ✗ unless",
        "    ✗ no phrase: video game [video game]",
    ]


def test_what_is_denied_reads_the_right_way_round() -> None:
    fields = (
        "all: [{word: w}, {none: [{all: [{word: a}, {word: b}]}]}], unless: [{any: [{word: c}, {none: [{word: d}]}]}]"
    )
    assert lines(step_of(fields, "w a d")) == [
        "✓ the rule",
        "  ✓ all of",
        "    ✓ word: w [w]",
        "    ✓ none of",
        "      ✓ not all of",
        "        ✗ no word: a [a]",
        "        ✓ no word: b",
        "  ✓ unless",
        "    ✓ none of",
        "      ✓ no word: c",
        "      ✓ any of",
        "        ✓ word: d [d]",
    ]


NOTES = [
    ("word: good, negation: skip", "not a good film", "✗ word: good – 'good' is there, but negated"),
    ("word: w, where: first_sentence", "Yes! It is w.", "✗ word: w – 'w' is there, but not in the first sentence"),
    (
        "word: w, where: start, negation: skip",
        "a " * 20 + "w",
        "✗ word: w – 'w' is there, but negated or not in the first 20 words",
    ),
    ("word: good, negation: require", "a good film", "✗ word: good [good] – no hit is negated"),
    ("length: {at_most: 2}", "one two three", "✗ length: at_most 2 words – the text has 3 words"),
    (
        "length: {at_least: 9, unit: characters}",
        "手机 坏",
        "✗ length: at_least 9 characters – the text has 4 characters",
    ),
    ("lang: zh", "hello there", "✗ lang: zh – the text seems to be 'en'"),
    ("word: w, field: title", "w", "✗ word: w (field: title) – the text has no field 'title'"),
]


@pytest.mark.parametrize(("fields", "text", "line"), NOTES)
def test_a_note_where_the_reason_is_hard_to_see(fields: str, text: str, line: str) -> None:
    assert lines(step_of(fields, text)) == [line]


def test_a_record() -> None:
    record = {"body": "w", "head": "v"}
    (line,) = lines(step_of("word: w, field: title", record))
    assert line == "✗ word: w (field: title) – the text has no field 'title'; it has body, head"
    assert lines(step_of("word: w, field: body", record)) == ["✓ word: w (field: body) [w]"]
    assert lines(step_of("word: w, field: head", record)) == ["✗ word: w (field: head)"]


def test_near_and_count() -> None:
    assert lines(step_of("near: {terms: [coach, {word: [fired, sacked]}], within: 1}", "coach was not fired")) == [
        "✗ near: within 1 words – not near enough to each other",
        "  ✓ word: coach [coach]",
        "  ✓ word: fired, sacked [fired]",
    ]
    assert lines(step_of("count: {word: [chip, chips], at_least: 3}", "chip and chips")) == [
        "✗ count: at_least 3 – hits: 2",
        "  ✓ word: chip, chips [chip] [chips]",
    ]


def test_near_with_a_part_that_is_negated() -> None:
    fields = "near: {terms: [parcel, late]}, negation: skip, where: start"
    assert lines(step_of(fields, "The parcel was not late")) == [
        "✗ near: within 5 words – 'parcel was not late' is there, but negated or not in the first 20 words",
        "  ✓ word: parcel [parcel]",
        "  ✗ word: late – 'late' is there, but negated",
    ]
    fields = "near: {terms: [not, late]}, negation: skip"
    assert lines(step_of(fields, "The parcel was not late")) == [
        "✓ near: within 5 words [not late]",
        "  ✓ word: not [not]",
        "  ✓ word: late [late]",
    ]


@pytest.mark.slow
def test_tags_are_shown_where_a_pattern_does_not_hit() -> None:
    (line,) = lines(step_of("pos: 'ADP ADP'", "北京", "zh"))
    assert line == "✗ pos: ADP ADP – tagged 北京/PROPN"


def test_an_example_by_its_result() -> None:
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: f, label: x, word: good, negation: {flip: y}}, "
        "{id: a, label: x, word: w, field: t, examples: {match: [{t: v}]}}]}"
    )
    (result,) = run_examples(ruleset)
    assert lines(trace_example(ruleset, result, Reader(ruleset))) == ["✗ word: w (field: t)"]


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ({"word": list("abcdefgh"), "case": "exact"}, "word: a, b, c, d, e, f, … 2 more (case: exact)"),
        ({"word": "a", "segmented": True, "field": "title"}, "word: a (segmented: true, field: title)"),
        ({"near": {"terms": ["a", "b"], "same": "sentence"}}, "near: same sentence"),
        ({"count": {"word": "a", "at_least": 1, "at_most": 2.5}}, "count: at_least 1, at_most 2.5"),
    ],
)
def test_labels_are_short(written: dict[str, object], label: str) -> None:
    assert part_of(WrittenCondition.model_validate(written)).label == label
