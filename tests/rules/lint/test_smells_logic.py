"""rulenet.rules.lint.smells_logic: dead, doubled and contained rules."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from rulenet.errors import Fault
from rulenet.rules.lint.lint import lint_ruleset
from rulenet.rules.ruleset import RuleSet


def lint_rules(*rules: str, head: str = "") -> list[Fault]:
    lines = "".join(f"- {{id: r{i}, {rule}}}\n" for i, rule in enumerate(rules))
    return lint_ruleset(RuleSet.from_yaml(f"rulenet: 1\n{head}rules:\n{lines}"))


def told(*rules: str) -> list[tuple[str | None, str]]:
    """Rule and the first words of each message."""
    return [(fault.rule, fault.message) for fault in lint_rules(*rules)]


# Duplicates


def test_the_same_rule_twice() -> None:
    assert told("label: x, word: [win, lose]", "label: x, any: [{word: Lose}, {phrase: win}]") == [
        (
            "r1",
            "fires on the same texts as rule 'r0' (line 3) and supports the same label; keep one of them, with the weight of both",
        )
    ]


def test_two_labels_for_the_same_texts() -> None:
    (fault,) = lint_rules("label: x, word: win, weight: 1.5", "label: y, word: win")
    assert (fault.severity, fault.line) == ("warning", 4)
    assert "which supports another label; write one rule with labels: {x: 1.5, y: 1}" in fault.message


def test_for_and_against_the_same_label() -> None:
    (fault,) = lint_rules("label: x, word: win", "label: x, word: win, sign: against")
    assert fault.code.name == "cancelled-rule"


@pytest.mark.parametrize(
    "other",
    [
        "label: x, word: wins",
        "label: x, word: win, where: start",
        "label: x, word: win, unless: [{word: w}]",
        "label: x, word: win, enabled: false",
        "label: x, word: win, since: 2002-01-01",
    ],
)
def test_rules_that_differ(other: str) -> None:
    found = lint_rules("label: x, word: win, until: 2001-12-31", other)
    assert [fault.message for fault in found if "same texts" in fault.message] == []


# Contained


def test_a_list_within_a_longer_one() -> None:
    ((rule, message),) = told("label: x, word: [win, lose, draw]", "label: x, word: [draw, win]")
    assert rule == "r1"
    assert message == (
        "everything it looks for ('draw', 'win') is also in rule 'r0' (line 3) for the same label, so both add up; merge the two"
    )


@pytest.mark.parametrize(
    "other",
    [
        "label: y, word: [draw, win]",  # another label
        "label: x, word: [draw, win], unless: [{word: w}]",  # more particular
        "label: x, word: [draw, win, cup]",  # overlaps only
        "label: x, phrase: win it all",  # more particular
        "label: x, all: [{word: win}, {word: draw}]",
        "label: x, word: [draw, win], where: start",
        "label: x, word: [draw, win], enabled: false",
    ],
)
def test_not_contained(other: str) -> None:
    found = lint_rules("label: x, word: [win, lose, draw]", other)
    assert [fault for fault in found if fault.code.name == "contained-rule"] == []


def test_contained_under_the_same_unless() -> None:
    (fault,) = lint_rules(
        "label: x, word: [win, lose], unless: [{word: w}]", "label: x, regex: 'a+b', sign: free",
        "label: x, lexicon: l, unless: [{word: W}]", head="lexicons: {l: [lose]}\n"
    )  # fmt: skip
    assert fault.rule == "r2"
    assert fault.code.name == "contained-rule"
    assert "is also in rule 'r0' (line 4)" in fault.message


# Dead


def test_a_dead_rule_is_an_error_and_a_dead_word_a_warning() -> None:
    dead, part = lint_rules(
        "label: x, phrase: video game, unless: [{word: game}]", "label: x, word: [film, game, vote], unless: [{word: [game, vote]}]"
    )[:2]  # fmt: skip
    assert (dead.severity, part.severity) == ("error", "warning")
    assert dead.message.startswith("can never fire: 'video game' must be there, but then 'game' is there too")
    assert part.message.startswith("one alternative can never hit: 'game' must be there and is ruled out")


def test_many_dead_words_are_told_in_four_lines() -> None:
    found = lint_rules("label: x, word: [a1, a2, a3, a4, a5, b], unless: [{word: [a1, a2, a3, a4, a5]}]")
    assert len(found) == 4
    assert found[3].message == "2 more alternatives can never hit, for similar reasons: 'a4', 'a5'"


# Many rules


def test_work_grows_with_the_rules_and_not_with_their_square() -> None:
    def calls(n: int) -> int:
        """Python functions called to lint so many rules that share words."""
        rules = [f"label: x, word: [w{i}, w{i + 1}, v{i % 50}], unless: [{{word: u{i}}}]" for i in range(n)]
        lines = "".join(f"- {{id: r{i}, {rule}}}\n" for i, rule in enumerate(rules))
        ruleset = RuleSet.from_yaml(f"rulenet: 1\nrules:\n{lines}")
        called = 0

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal called
            called += event == "call"

        sys.setprofile(count)
        try:
            found = lint_ruleset(ruleset)
        finally:
            sys.setprofile(None)
        assert found == []
        return called

    calls(10)  # fills caches
    assert calls(600) < 15 * calls(60)
