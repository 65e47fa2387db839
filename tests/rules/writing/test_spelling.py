from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.writing.spelling import columns, is_plain, quote

QUOTED = [
    "007", "no", "1.10", "2026-01-01", "~", "a: b", "a #b", "#a", "- a", "*a", "", " a", "a ", "[a", "a,b", "é\u200d",
]  # fmt: skip


def test_what_looks_like_something_else_stays_in_quotes() -> None:
    for text in QUOTED:
        assert not is_plain(text)
        assert parse_yaml(f"a: [{quote(text)}]\nb: {quote(text, single=True)}")[0] == {"a": [text], "b": text}


@given(st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_quoted_and_plain_texts_are_read_as_they_were(text: str) -> None:
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        return
    written = text if is_plain(text) else quote(text)
    assert parse_yaml(f"- {written}\n- [{written}]\n- {{a: {written}}}")[0] == [text, [text], {"a": text}]


def test_columns_counts_wide_characters_twice() -> None:
    assert [columns(text) for text in ("", "abc", "é", "退款", "ａ", "a，")] == [0, 3, 1, 4, 2, 3]
