"""rulenet.rules.conditions.condition: what the fast path may rely on, and fields of records."""

from __future__ import annotations

import pytest

from rulenet.rules.conditions.combination import AllOf, AnyOf, NoneOf
from rulenet.rules.conditions.condition import atoms_of
from rulenet.rules.conditions.literals import Literals
from rulenet.rules.conditions.pos import Tags
from rulenet.rules.conditions.regex import Regexes
from rulenet.text.record import Record
from tests.rules.one_rule import one_rule


def test_triggers_name_atoms_that_must_be_there() -> None:
    win, oil, number = Literals(("win",)), Literals(("oil", "gas")), Regexes(("[0-9]",))
    assert {atom.pattern for atom in AnyOf((win, oil)).triggers() or ()} == {"win", "oil", "gas"}
    assert {atom.pattern for atom in AllOf((oil, win)).triggers() or ()} == {"win"}  # the fewest
    assert {atom.pattern for atom in AllOf((NoneOf((win,)), number)).triggers() or ()} == {"[0-9]"}
    assert AnyOf((win, NoneOf((oil,)))).triggers() is None
    assert AllOf((Tags(("NOUN",)), NoneOf((oil,)))).triggers() is None


def test_flat_conditions_need_no_second_look() -> None:
    win, tags = Literals(("win",)), Tags(("NOUN",))
    assert AnyOf((win, AnyOf((Regexes(("a",)), win)))).is_flat
    assert not AnyOf((win, AllOf((win, win)))).is_flat
    assert not AnyOf((win, NoneOf((win,)))).is_flat
    assert AllOf((win, tags)).needs_doc
    assert NoneOf((AnyOf((win, tags)),)).needs_doc
    assert not NoneOf((win,)).needs_doc


def test_tags_cannot_be_settled_by_atoms() -> None:
    with pytest.raises(NotImplementedError, match="needs the text"):
        Tags(("NOUN",)).holds(set())


def test_atoms_of_conditions_at_any_depth() -> None:
    condition = AllOf((Literals(("Win", "中国")), NoneOf((AnyOf((Regexes(("x",)),)),))))
    assert {(atom.kind, atom.pattern) for atom in atoms_of([condition])} == {
        ("word", "win"),
        ("raw", "中国"),
        ("regex", "x"),
    }
    assert {atom.kind for atom in atoms_of([condition], denied=False)} == {"word", "raw"}


def test_spans_of_a_field_lie_in_the_record() -> None:
    text = Record.of({"title": "win", "body": "win win"})
    assert one_rule({"word": "win", "field": "body"}).spans(text)["r"] == [(5, 8), (9, 12)]
