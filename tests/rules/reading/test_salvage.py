"""rulenet.rules.reading.salvage: one run names every fault, whatever else is wrong around it, and no fault brings another."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from rulenet.errors import Fault
from rulenet.rules.lint.lint import lint_text
from rulenet.rules.reading.salvage import readable_rule

HEAD = "rulenet: 1\nlabels: [X, Y]\nlexicons: {l: [w]}\nrules:\n"
# In a condition: schema faults and content faults.
SCHEMA = [
    "{wrod: v}", "{word: [a, null]}", "{word: {a: b}}", "{word: v, gap: 2}", "{word: v, case: exect}",
    "{}", "text", "null", "{word: []}",
    "{near: {terms: [a, b], within: x}}", "{near: {terms: [a, b], within: 1, same: sentence}}", "{near: {term: [a, b]}}",
    "{near: {terms: [a]}}",
    "{count: {word: v}}", "{count: {wrod: v, at_least: 1}}", "{length: {}}", "{length: {at_least: many}}",
    "{word: v, forms: lemma, case: exact}",
    "{all: []}", "{all: text}", "{any: [{wrod: v}]}", "{phrase: v, gap: -1}", "{lang: fr}",
]  # fmt: skip
CONTENT = [
    "{lexicon: nix}", "{regex: '('}", "{word: oil price}", "{phrase: $}", "{pos: VRB}", "{near: {terms: [a, {lexicon: nix}]}}",
    "{count: {regex: '(', at_least: 1}}", "{none: [{starts: $}]}", "{count: {length: {at_most: 1}, at_least: 1}}",
]  # fmt: skip
# Beside the condition of a rule.
FIELDS = ["wieght: 2", "weight: much", "weight: 99", "weight: 1, confidence: 0.9", "where: midle", "sign: agianst",
          "weight: -1", "since: soon",
          "examples: {mach: [w]}", "tags: [null]", "pin: maybe", "negation: skipp", "labels: {X: 1}"]  # fmt: skip


def faults_of(rules: str, head: str = HEAD) -> set[tuple[str, str]]:
    found: list[Fault] = [fault for fault in lint_text(head + rules) if fault.severity == "error"]
    return {
        (fault.code.number, re.sub("^(any|all|none|unless): ", "", fault.message.split("; known")[0]))
        for fault in found
    }


def test_each_pair_of_conditions() -> None:
    alone = {part: faults_of(f"- {{id: a, label: X, any: [{{word: w}}, {part}]}}\n") for part in (*SCHEMA, *CONTENT)}
    assert all(alone.values())
    for one, two in itertools.product(SCHEMA, CONTENT):
        for both in (
            f"any: [{one}, {two}]",
            f"all: [{{word: w}}, {two}], unless: [{one}]",
            f"none: [{{any: [{two}, {one}]}}]",
        ):
            assert faults_of(f"- {{id: a, label: X, {both}}}\n") == alone[one] | alone[two], both


def test_each_field_beside_a_faulty_condition() -> None:
    for field, part in itertools.product(FIELDS, CONTENT):
        alone = faults_of(f"- {{id: a, label: X, word: w, {field}}}\n") | faults_of(
            f"- {{id: a, label: X, any: [{part}]}}\n"
        )
        assert faults_of(f"- {{id: a, label: X, any: [{part}], {field}}}\n") == alone, (field, part)


@pytest.mark.parametrize("fault", ["wrod: w", "word: w, wieght: 1", "any: [{}]", "word: null", "word: w, regex: v"])
def test_names_beside_a_faulty_rule(fault: str) -> None:
    """A doubled id and an unknown label of a rule that has no readable condition; a missing id or label is one fault."""
    found = faults_of(f"- {{id: a, label: X, word: w}}\n- {{id: a, label: Z, {fault}}}\n")
    assert {"RN202", "RN203"} < {number for number, _ in found}
    assert len(found) == 3
    assert len(faults_of(f"- {{id: a, {fault}}}\n")) == 2


def test_entries_of_a_list() -> None:
    found = faults_of(
        "- {id: a, label: X, lexicon: l}\n", HEAD.replace("[w]", "[w, null, $, {lexicon: nix}, {trem: v}]")
    )
    assert sorted(number for number, _ in found) == ["RN011", "RN012", "RN013", "RN205", "RN220"]


def test_any_data_ends() -> None:
    for value in (None, "x", [], {}, [None], {"a": None}, [[]], {"word": {}}, 3):
        for name in (
            "id",
            "label",
            "labels",
            "any",
            "word",
            "near",
            "count",
            "length",
            "unless",
            "negation",
            "examples",
        ):
            rule = {"id": "a", "label": "X", "word": "w"} | {name: value}
            assert readable_rule(rule, 0) is not None, json.dumps(rule)
    assert readable_rule("text", 0) is None
