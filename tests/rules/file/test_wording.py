"""rulenet.rules.file.wording: how messages name what an author wrote."""

from __future__ import annotations

from rulenet.rules.file.wording import meant, quoted, suggest

SUGGESTIONS = [
    ("wieght", ["weight", "where"], ": did you mean 'weight'?"),
    ("WEIGHT", ["weight", "where"], ": did you mean 'weight'?"),
    ("sports", ["World", "Sports"], ": did you mean 'Sports'?"),
    ("xyz", ["World", "Sports"], "; known: World, Sports"),
    ("xyz", [f"k{i}" for i in range(41)], f"; known: {', '.join(f'k{i}' for i in range(40))}, …"),
    ("xyz", [], "; there is none, so add it"),
]
QUOTED = [
    (None, "nothing"),
    ("", "nothing"),
    ("a", "'a'"),
    ({}, "{}"),
    ("x" * 57, f"'{'x' * 57}'"),
    ("x" * 58, f"'{'x' * 56}…"),
]
MEANT = [
    ("wieght", ["weight", "where"], "weight"),
    ("First sentence", ["anywhere", "first_sentence"], "first_sentence"),
    ("lable", ["label", "labels"], "label"),
    ("exclude", ["include"], None),
    ("node", ["note", "none"], None),
    ("weight", ["weight"], None),
]


def test_suggest() -> None:
    assert [(word, known, suggest(word, known)) for word, known, _ in SUGGESTIONS] == SUGGESTIONS


def test_quoted() -> None:
    assert [(value, quoted(value)) for value, _ in QUOTED] == QUOTED


def test_meant() -> None:
    assert [(word, known, meant(word, known)) for word, known, _ in MEANT] == MEANT
