"""rulenet.rules.conditions.kinds: what must hold of every kind of condition; each is tried with its example in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rulenet.rules.conditions.condition import Condition
from rulenet.rules.conditions.formula import Fact, WordLists
from rulenet.rules.conditions.kind import Builder, Kind, Part
from rulenet.rules.conditions.kinds import KIND_OF, KINDS, part_of
from rulenet.rules.file.condition import KIND_FIELDS, OPTIONS, WrittenCondition
from rulenet.rules.lint.lint import lint_ruleset
from rulenet.rules.lint.logic import contradiction, entails
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import Reader
from rulenet.rules.testing.trace import trace
from rulenet.rules.writing.compose import rule_lines
from rulenet.rules.writing.format import format_text

ROOT = Path(__file__).parent.parent.parent.parent
LEXICONS = {"couriers": {"DHL": 1.0, "FedEx": 1.0}, "praise": {"great": 1.0}, "verbs": {"won": 1.0}}
TEXTS = [
    "Dear all, the late great price of oil",
    "Refund DHL, FedEx and DHL $25 charges: great, great, great",
    "手机坏了 coach won",
    "",
]


def rows() -> list[tuple[str, str]]:
    """Each kind in the table of the documentation, with its example."""
    pages = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
    (table,) = (t for p in pages for t in re.findall(r"^\| condition \|.*\n((?:\|.*\n)+)", p.read_text("utf-8"), re.M))
    found = []
    for line in table.splitlines()[1:]:
        names, _, example = re.split(r"(?<!\\)\|", line.strip("|"))
        of_row = re.findall(r"`(\w+)`", names)
        data = yaml.safe_load(example.strip(" `").replace("\\|", "|"))
        (written,) = set(data) & set(of_row)  # a row of several kinds has one example
        found += [(name, {(name if key == written else key): value for key, value in data.items()}) for name in of_row]
    return found


EXAMPLES: dict[str, dict[str, Any]] = dict(rows())


def part(name: str) -> Part:
    return part_of(WrittenCondition.model_validate(EXAMPLES[name]))


def ruleset(name: str) -> RuleSet:
    lexicons = {key: list(entries) for key, entries in LEXICONS.items()}
    data = {"rulenet": 1, "language": "en", "lexicons": lexicons, "rules": [{"id": "a", "label": "x"} | EXAMPLES[name]]}
    return RuleSet.from_yaml(yaml.safe_dump(data, sort_keys=False))


def test_kinds_are_the_fields_of_the_schema_and_the_rows_of_the_table() -> None:
    assert [kind.name for kind in KINDS] == list(EXAMPLES)
    assert set(KIND_OF) == set(KIND_FIELDS)
    assert len(KINDS) == len(KIND_FIELDS)


def test_options_go_with_kinds_that_exist() -> None:
    assert {name for kinds in OPTIONS.values() for name in kinds} <= set(KIND_OF)
    assert KIND_OF["phrase"].options == ("case", "forms", "segmented", "gap")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_kind_is_checked_built_and_called_by_its_name(name: str) -> None:
    found = part(name)
    assert found.kind is KIND_OF[name]
    assert not [fault for inner in found.walk() for fault in inner.kind.faults(inner, LEXICONS)]
    assert isinstance(Builder(LEXICONS).make(found), Condition)
    assert found.label.startswith(name)
    assert "\n" not in found.label
    assert "{" not in found.label


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_proved_of_a_kind_is_so(name: str) -> None:
    lists = WordLists(LEXICONS)
    formulas = {other: part(other).formula("", lists) for other in EXAMPLES}
    assert formulas[name] == part(name).formula("", lists)
    assert entails(formulas[name], formulas[name])
    assert contradiction(formulas[name]) is None
    fires = {
        other: ruleset(other).match(TEXTS).toarray()[:, 0] for other in EXAMPLES if not part(other).kind.needs_tags
    }
    for other in fires:
        if name in fires and entails(formulas[name], formulas[other]):
            assert (fires[name] <= fires[other]).all(), other


@pytest.mark.slow  # one reads tags
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_kind_matches_lints_traces_and_keeps_its_form(name: str) -> None:
    rules = ruleset(name)
    for fired, text in zip(rules.match(TEXTS).toarray()[:, 0], TEXTS, strict=True):
        assert bool(fired) == ("a" in rules.spans(text))
        step = trace(rules, rules.rules[0], *Reader(rules).read(text))
        assert step.passed == fired
        assert step.label == part(name).label
    assert not [fault for fault in lint_ruleset(rules) if fault.severity == "error"]
    written = "rulenet: 1\nrules:\n" + "\n".join(rule_lines([{"id": "a", "label": "x"} | EXAMPLES[name]])) + "\n"
    assert yaml.safe_load(format_text(written)) == yaml.safe_load(written)


class Unheard(Kind):
    """A kind that says no more than it must, in place of `lang`."""

    name = "lang"

    def build(self, part: Part, builder: Builder) -> Condition:
        raise NotImplementedError


@pytest.mark.parametrize("placement", ["", "skip", "start"])
def test_nothing_is_proved_of_a_kind_that_says_no_more_than_it_must(placement: str) -> None:
    known = part("lang")
    unheard = known._replace(kind=Unheard())
    fact = unheard.formula(placement, WordLists({}))
    assert isinstance(fact, Fact)
    assert entails(fact, fact)
    for other in ("", "skip", "start"):
        assert entails(fact, unheard.formula(other, WordLists({}))) == (other == placement)
    assert not entails(fact, known.formula("", WordLists({})))
    assert unheard.label == "lang: zh"
    assert unheard.has_hits
    assert (unheard.kind.most_hits(unheard), unheard.parts) == (None, ())
