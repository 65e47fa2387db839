"""rulenet.text.record: texts with named fields, and how far they travel as such."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from rulenet.data.check import check_texts
from rulenet.data.load import load
from rulenet.errors import InputError
from rulenet.rules.ruleset import RuleSet
from rulenet.text.record import Record

RULES = RuleSet.from_yaml("""
rulenet: 1
rules:
  - {id: title, label: x, word: refund, field: title}
  - {id: body.first, label: x, regex: ^refund, field: body}
  - {id: body.short, label: x, length: {at_most: 2}, field: body}
  - {id: no.body, label: x, none: [{word: refund}], field: body}
""")


def test_fields_lie_where_they_say() -> None:
    mail = Record.of({"title": "A refund", "body": "", "sender": "ann"})
    assert {name: mail[start:end] for name, (start, end) in mail.fields.items()} == {
        "title": "A refund",
        "body": "",
        "sender": "ann",
    }


def test_a_record_survives_another_process() -> None:
    mail = pickle.loads(pickle.dumps(Record.of({"a": "x", "b": "y"})))
    assert (mail, mail.fields) == ("x\n\ny", {"a": (0, 1), "b": (3, 4)})


@pytest.mark.parametrize(
    ("title", "body", "fired"),
    [
        ("Refund", "now please, today", [1, 0, 0, 1]),
        ("Hello", "Refund me", [0, 1, 1, 0]),
        ("Hello", "my refund, please", [0, 0, 0, 0]),
        ("&lt;b&gt;Hello &amp; refund", "refund", [1, 1, 1, 0]),  # cleaning moves every place behind it
    ],
)
def test_a_condition_reads_its_field_as_the_whole_text(title: str, body: str, fired: list[int]) -> None:
    texts = [{"title": title, "body": body}]
    assert RULES.match(texts).toarray().tolist() == [fired]
    spans = RULES.spans(Record.of(texts[0]))
    text = Record.of(texts[0])
    assert all(text[start:end].lower() == "refund" for places in spans.values() for start, end in places)


def test_a_plain_text_has_no_fields_and_the_matcher_says_so() -> None:
    with pytest.warns(UserWarning, match="read the field body, title, but no text is a record"):
        assert RULES.match(["refund"]).nnz == 0


def test_negation_does_not_cross_from_one_field_to_the_next() -> None:
    ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: good, field: body, negation: skip}]}")
    texts = [{"title": "It is not", "body": "good"}, {"title": "It is", "body": "not good"}]
    assert ruleset.match(texts).toarray().tolist() == [[1], [0]]


def test_estimators_take_mappings_and_refuse_half_filled_ones() -> None:
    assert check_texts([{"title": "a", "body": "b"}])[0].fields == {"title": (0, 1), "body": (3, 4)}  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="1 of 1 texts are not strings"):
        check_texts([{"title": None}])
    with pytest.raises(InputError, match="is a record with fields that are not strings"):
        RULES.match([{"title": None}])  # type: ignore[dict-item]


def test_several_columns_make_a_record(tmp_path: Path) -> None:
    path = tmp_path / "mail.csv"
    path.write_text("subject,mail,label\nrefund,please,x\nhello,there,y\n")
    texts = load(path, text="subject,mail").texts
    assert [text.fields for text in texts] == [  # type: ignore[attr-defined]
        {"subject": (0, 6), "mail": (8, 14)},
        {"subject": (0, 5), "mail": (7, 12)},
    ]
