"""rulenet.rules.lint.name_smells: labels that are probably one, letters that look alike, characters that nobody sees."""

from __future__ import annotations

import itertools

import pytest

from rulenet.rules.lint.lint import lint_text


def rules(*labels: str) -> str:
    return "rulenet: 1\nrules:\n" + "".join(
        f"  - {{id: r{i}, label: '{x}', word: w{i}}}\n" for i, x in enumerate(labels)
    )


def similar(text: str) -> list[str]:
    return [fault.message for fault in lint_text(text) if fault.code.name == "similar-label"]


SAME = ["Sports", "sports", "SPORTS", "Sports ", " Sports", "Sport s", "sport-s", "Ｓｐｏｒｔｓ", "spo_rts"]


def test_labels_that_differ_in_case_spaces_or_width() -> None:
    for one, two in itertools.permutations(SAME, 2):
        assert similar(rules(one, one, two)), (one, two)


@pytest.mark.parametrize("two", ["Sport", "Sporst", "Sborts", "Sportss"])
def test_labels_that_differ_in_one_letter(two: str) -> None:
    (message,) = similar(rules("Sports", "Sports", two))
    assert message == (
        f"label {two!r} (used once) and 'Sports' (line 3, used 2 times) differ only in one letter, but are two classes; "
        "write both the same way if one is meant"
    )
    assert similar(rules("Sports", two))
    assert not similar(rules("Sports", "Sports", two, two))  # often used, so meant


def test_labels_that_are_meant() -> None:
    many = [
        "A",
        "B",
        "c1",
        "c2",
        "pos",
        "neg",
        "class10",
        "class11",
        "north",
        "south",
        "体育新闻",
        "教育新闻",
        "cat",
        "car",
        "C",
        "C++",
    ]
    assert not similar(rules(*[label for label in many if label != "C++"]))
    assert not similar(rules("Sci/Tech", "World", "Business"))


def test_declared_labels_and_cases() -> None:
    assert similar("rulenet: 1\nlabels: [Sports, sports]\nrules: [{id: a, label: Sports, word: w}]\n")
    assert similar(rules("Sports") + "cases: [{text: w0, label: sports}]\n")
    assert similar(
        "rulenet: 1\nrules:\n- {id: a, labels: {Sports: 1}, word: w}\n- {id: b, label: X, word: v, negation: {flip: sports}}\n"
    )


def found(text: str, name: str) -> list[int]:
    return [fault.line for fault in lint_text(text) if fault.code.name == name]


def test_characters_that_turn_a_line_round() -> None:
    for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c":
        for text in (
            rules(f"X{character}"),
            rules("X") + f"# {character}\n",
            rules("X").replace("w0", f"w{character}x"),
        ):
            assert len(found(text, "hidden-character")) == 1, text


def test_characters_that_are_not_seen_in_names() -> None:
    for character in "\u200b\u200c\u200d\u2060\ufeff\u00ad":
        assert found(f"rulenet: 1\nrules: [{{id: a{character}b, label: X, word: w}}]\n", "hidden-character") == [2]
        assert found(f"rulenet: 1\nrules: [{{id: a, label: X{character}, word: w}}]\n", "hidden-character") == [2]


ALIKE = ["pаypal", "Аpple", "miсrosoft", "gооgle", "αmazοn".replace("α", "a"), "vіsa", "Ηello"]


def test_letters_that_look_alike() -> None:
    for word in ALIKE:
        for place in (
            "word: {}",
            "phrase: the {} page",
            "regex: '{} x'",
            "near: {{terms: [{}, b]}}",
            "any: [{{starts: {}}}]",
        ):
            text = f"rulenet: 1\nrules:\n  - {{id: a, label: X, {place.format(word)}}}\n"
            assert found(text, "mixed-alphabets") == [3], text
        assert found(f"rulenet: 1\nrules:\n  - {{id: '{word}', label: X, word: w}}\n", "mixed-alphabets") == [3]
        assert found(
            f"rulenet: 1\nlexicons: {{l: [{word}]}}\nrules: [{{id: a, label: X, lexicon: l}}]\n", "mixed-alphabets"
        ) == [2]
    twins = "rulenet: 1\nrules:\n- {id: ace, label: X, word: w}\n- {id: асе, label: X, word: v}\n"
    assert found(twins, "mixed-alphabets") == [4]


def test_words_of_other_alphabets() -> None:
    for word in [
        "привет",
        "TNFα",
        "μm",
        "kΩ",
        "3D-печать",
        "VIPки",
        "β-carotene",
        "café",
        "naïve",
        "手机App",
        "Ελλάδα",
    ]:
        assert found(f"rulenet: 1\nrules: [{{id: a, label: X, word: {word}}}]\n", "mixed-alphabets") == []
