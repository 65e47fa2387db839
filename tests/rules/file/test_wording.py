"""rulenet.rules.file.wording: how messages name what an author wrote."""

from __future__ import annotations

import pytest

from rulenet.rules.file.wording import quoted, suggest


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("wieght", ["weight", "where"], ": did you mean 'weight'?"),
        ("WEIGHT", ["weight", "where"], ": did you mean 'weight'?"),
        ("sports", ["World", "Sports"], ": did you mean 'Sports'?"),
        ("xyz", ["World", "Sports"], "; known: World, Sports"),
        ("xyz", [f"k{i}" for i in range(41)], f"; known: {', '.join(f'k{i}' for i in range(40))}, …"),
        ("xyz", [], "; there is none, so add it"),
    ],
)
def test_suggest(word: str, known: list[str], hint: str) -> None:
    assert suggest(word, known) == hint


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"),
        ("", "nothing"),
        ("a", "'a'"),
        ({}, "{}"),
        ("x" * 57, f"'{'x' * 57}'"),
        ("x" * 58, f"'{'x' * 56}…"),
    ],
)
def test_quoted(value: object, shown: str) -> None:
    assert quoted(value) == shown
