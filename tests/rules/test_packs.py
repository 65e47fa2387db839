"""The rule packs and the demo's rules: free of faults and smells, and every example holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from rulenet.rules.lint.lint import lint
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import ExampleResult, run_examples

REPOSITORY = Path(__file__).parents[2]
PACKS = sorted([*REPOSITORY.glob("rules/*.yaml"), *REPOSITORY.glob("rulenet/demo/*.yaml")])
AT_LEAST = {
    # pack: (rules, labels)
    "ag_news": (80, ["World", "Sports", "Business", "Sci/Tech"]),
    "imdb": (80, ["neg", "pos"]),
    "thucnews": (100, None),
    "support_en": (40, None),
    "support_zh": (40, None),
}
load = cache(RuleSet.load)
each_pack = pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)


def test_packs_are_those_the_tests_know() -> None:
    assert {path.stem for path in PACKS} == set(AT_LEAST)


@each_pack
def test_pack_is_as_large_as_promised(path: Path) -> None:
    ruleset = load(path)
    n_rules, labels = AT_LEAST[path.stem]
    assert len(ruleset) >= n_rules
    assert ruleset.file.labels, "labels are declared"
    assert labels is None or sorted(ruleset.labels) == sorted(labels)
    assert {rule.label for rule in ruleset.rules} == set(ruleset.labels), "every label has a rule"


@pytest.mark.slow
@each_pack
def test_pack_has_no_fault_and_no_smell(path: Path) -> None:
    assert [f"{path.name}:{fault}" for fault in lint(path) if fault.severity != "info"] == []


@each_pack
def test_every_rule_has_a_note_and_an_example_it_must_match(path: Path) -> None:
    rules = load(path).rules
    assert [rule.id for rule in rules if not rule.note.strip()] == []
    assert [rule.id for rule in rules if not any(text.strip() for text in rule.examples.match)] == []


@cache
def results(path: Path) -> list[ExampleResult]:
    return run_examples(load(path))


@pytest.mark.slow
@each_pack
def test_all_examples_pass(path: Path) -> None:
    pytest.importorskip("textblob")
    failed = [result for result in results(path) if not result.passed]
    assert [f"{path.name}:{result.line}: {result.rule} {result.expected}: {result.text}" for result in failed] == []


@pytest.mark.slow
@each_pack
def test_the_fast_path_gives_every_example_the_same_verdict(path: Path) -> None:
    pytest.importorskip("textblob")
    R = load(path).match([result.text for result in results(path)]).toarray()
    column = {name: j for j, name in enumerate(load(path).ids)}
    fires = [bool(R[i, column[result.rule]]) for i, result in enumerate(results(path))]
    assert fires == [result.spans is not None for result in results(path)]
