"""rulenet.text.clean: what it replaces, and that every cleaned character leads back to where it came from."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.text.clean import clean, clean_with_offsets
from tests.text.hostile import units

PIECES = [
    # (raw, clean)
    ("plain, text.", "plain, text."),
    # HTML entities: good, numeric, unknown
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&quot;", '"'),
    ("&nbsp;", " "),
    ("&eacute;", "é"),
    ("&hellip;", "..."),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&#8217;", "\u2019"),
    ("&#65313;", "A"),  # a full-width A
    ("&nosuch;", "&nosuch;"),
    ("&;", "&;"),
    ("AT&T", "AT&T"),
    ("&#0;", "\ufffd"),
    ("&#30;", ""),  # the separator of the fast path
    ("&#xD800;", "\ufffd"),
    ("&#9999999;", "\ufffd"),
    # escaped twice
    ("&amp;amp;", "&"),
    ("&amp;quot;", '"'),
    ("&amp;#39;", "'"),
    ("&amp;nosuch;", "&nosuch;"),
    # entities that lost their ampersand
    ("company #39;s", "company's"),
    ("won #39;t, U.S. #39;s", "won't, U.S.'s"),
    ("Shi #39;ite O #39;Neill", "Shi'ite O'Neill"),
    ("say  #39;no #39; and #39;yes #39;", "say  'no ' and 'yes '"),
    ("don´t", "don't"),
    ("#36;5", "$5"),
    ("quot;", '"'),
    ("R amp;D", "R &D"),
    ("Xquot;", "Xquot;"),
    ("#1;", "#1;"),
    # tags
    ("<b>", " "),
    ("</p>", " "),
    ('<a href="x?y=1">', " "),
    ("<br/>", " "),
    ("<!-- a note -->", " "),
    ("&lt;b&gt;", " "),
    (
        f'to &lt;A HREF="http://a.com/?x=1&y={"z" * 200}"&gt;invest',
        "to  invest",
    ),  # long addresses with an ampersand are tags too
    ("a &lt;b &lt;i&gt; c", "a <b   c"),
    ("<3", "<3"),
    ("1<2>0", "1<2>0"),
    ("->", "->"),
    # full width and compatibility forms
    ("Ａ１", "A1"),
    ("，", ","),
    ("ﬁ", "fi"),
    ("½", "1\u20442"),
    ("™", "TM"),
    ("ｶﾞ", "ガ"),
    ("①", "1"),
    # combining marks
    ("e\u0301", "é"),
    ("a\u0323\u0301", "\u1ea1\u0301"),
    ("か\u3099", "が"),
    ("\u1112\u1161\u11ab", "한"),
    ("\u09c7\u09be", "\u09cb"),  # a Bengali vowel from two halves
    ("x\u0302", "x\u0302"),  # nothing to compose to
    # emoji and what joins them
    ("😀", "😀"),
    ("👩\u200d👧", "👩👧"),
    ("❤\ufe0f", "❤\ufe0f"),
    # invisible characters, controls, white space
    ("a\u200bb", "ab"),
    ("co\u00adop", "coop"),
    ("\ufeff", ""),
    ("a\u200fb\u202e", "ab"),
    ("a" + "\u0323\u0301" * 20, "\u1ea1" + "\u0323" * 14 + "\u0301" * 15 + "\u034f" + "\u0323" * 5 + "\u0301" * 5),
    ("\x00", " "),
    ("\x1e", " "),
    ("\x7f", " "),
    ("\x85", " "),
    ("\u2028", " "),
    ("\u3000", " "),
    ("\xa0", " "),
    ("\r\n", " \n"),
    ("\t", "\t"),
    # lone surrogates
    ("\ud83d", "\ufffd"),
    ("\udc00x", "\ufffdx"),
    # letters that stay
    ("中文", "中文"),
    ("naïve İßς", "naïve İßς"),
    ("한국", "한국"),
]
# Pieces whose characters clean to one character each, so that the map back must be exact.
KEPT = [raw for raw, cleaned in PIECES if raw == cleaned]
# What opens or ends an entity or a tag, and the compatibility forms of the same.
MARKUP = "&#<;\u037e\ufe14\ufe54\ufe5f\ufe60\ufe64\uff03\uff06\uff1b\uff1c"
RANDOM_TEXT = st.lists(st.sampled_from([raw for raw, _ in PIECES]) | st.characters(), max_size=12).map("".join)


def test_table() -> None:
    assert [(raw, clean(raw)) for raw, _ in PIECES] == PIECES
    for raw, cleaned in PIECES:
        assert clean(f"so | {raw} | on") == f"so | {cleaned} | on"


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_each_piece_leads_back_to_itself(pieces: list[tuple[str, str]]) -> None:
    """Pieces keep apart by ' | ', so the expected text and the expected spans follow from the table alone."""
    raw, cleaned = " | ".join(r for r, _ in pieces), " | ".join(c for _, c in pieces)
    result = clean_with_offsets(raw)
    assert result.text == clean(raw) == cleaned
    raw_at = clean_at = 0
    for raw_piece, clean_piece in pieces:
        if (
            clean_piece and clean_piece not in ("ab", "coop") and "\u034f" not in clean_piece
        ):  # those lose a character inside
            span = result.original_span(clean_at, clean_at + len(clean_piece))
            assert span == (raw_at, raw_at + len(raw_piece))
        raw_at += len(raw_piece) + 3
        clean_at += len(clean_piece) + 3


def test_kept_characters_lead_back_one_by_one() -> None:
    at = len("&  ")
    for raw in KEPT:
        result = clean_with_offsets(f"&amp; <b>{raw}&amp;")
        for i, char in enumerate(raw):
            start, end = result.original_span(at + i, at + i + 1)
            if char != "\u0302":  # a mark leads to the letter that carries it
                assert result.original[start:end] in (char, "x\u0302")


@settings(max_examples=200, deadline=None)
@given(RANDOM_TEXT)
def test_the_map_back_is_sound(raw: str) -> None:
    result = clean_with_offsets(raw)
    assert result.text == clean(raw)
    before = (0, 0)
    for i, char in enumerate(result.text):
        start, end = result.original_span(i, i + 1)
        assert 0 <= start < end <= len(raw)
        assert start >= before[0]
        assert end >= before[1]
        assert char in clean(raw[start:end]) or char == "\u034f"
        before = (start, end)
    for i in range(len(result.text) + 1):
        start, end = result.original_span(i, i)
        assert 0 <= start == end <= len(raw)


@settings(max_examples=200, deadline=None)
@given(RANDOM_TEXT)
def test_a_clean_text_has_no_controls_and_no_surrogates(raw: str) -> None:
    kinds = {unicodedata.category(char) for char in clean(raw) if char not in "\t\n"}
    assert kinds.isdisjoint({"Cc", "Cs", "Zl", "Zp"})


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters=MARKUP, exclude_categories=["Cs"])))
def test_without_markup_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_span_that_cuts_a_replaced_stretch_takes_all_of_it() -> None:
    result = clean_with_offsets("½ cup")  # 1⁄2 cup
    assert result.original_span(1, 2) == (0, 1)
    assert result.original_span(2, 5) == (0, 3)


def test_spans_step_over_what_was_removed() -> None:
    result = clean_with_offsets("a\u200b\u200bb\u200b")
    assert result.text == "ab"
    assert result.original_span(0, 1) == (0, 1)
    assert result.original_span(1, 2) == (3, 4)
    assert result.original_span(0, 2) == (0, 4)


HOSTILE = ["<", "&", "<a", "<!--", "<!-", "&lt;a", "&#1", "&a", "#1", "q", "#39;", "e\u0301", "\u0301", "\ud800", "Ａ"]


@pytest.mark.parametrize("bit", HOSTILE)
def test_a_quarter_megabyte_of_one_thing_ends(bit: str) -> None:
    """A pattern that backtracks over the whole text from each position would take hours."""
    raw = bit * (250_000 // len(bit))
    assert len(clean(raw)) <= len(raw) * 31 / 30 + 1


@pytest.mark.slow
@pytest.mark.parametrize("bit", ["<", "&"])
def test_five_megabytes_of_an_opening_stay_as_they_are(bit: str) -> None:
    assert clean(bit * 5_000_000) == bit * 5_000_000


class _Counted:
    """unicodedata, which notes the longest run of marks that it was asked to sort."""

    def __init__(self) -> None:
        self.longest = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(unicodedata, name)

    def _note(self, text: str) -> None:
        marks = "".join(
            "m" if unicodedata.combining(char) else " " for char in unicodedata.normalize("NFKD", text[:2000])
        )
        self.longest = max(self.longest, *map(len, marks.split(" ")))

    def normalize(self, form: str, text: str) -> str:
        self._note(text)
        return unicodedata.normalize(form, text)

    def is_normalized(self, form: str, text: str) -> bool:
        self._note(text)
        return unicodedata.is_normalized(form, text)


@pytest.mark.slow
def test_no_long_run_of_marks_is_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorting takes quadratic time; here work is counted instead of time."""
    counted = _Counted()
    monkeypatch.setattr("rulenet.text.clean.unicodedata", counted)
    for unit in units():
        cleaned = clean(unit * (1_000 // len(unit)))
        assert clean_with_offsets(unit * (1_000 // len(unit))).text == cleaned
        if "&" not in unit and "<" not in unit and "#" not in unit:
            assert clean(cleaned) == cleaned
    assert counted.longest <= 33
