"""rulenet.text.raw: the form in which literals of scripts without spaces are searched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.text.clean import clean
from rulenet.text.doc import Doc
from rulenet.text.raw import BORDER, fold_case, fold_raw, part_fields, readable, squeeze
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser

SQUEEZED = [
    ("", ""),
    ("手机", "手机"),
    ("手 \t\n 机", "手机"),
    ("VIP会员", "|VIP|会员"),
    (" VIP  会员 ", "|VIP|会员"),
    ("Edu \n Trust 认证", "|Edu||Trust|认证"),
    ("LA股东", "|LA|股东"),
    ("会员VIP卡!", "会员|VIP|卡!"),
    ("第13天", "第|13|天"),
    ("手\n\n机", "手机"),
    (part_fields("手\n\n机"), "手|机"),
    (part_fields("A \n \n股"), "|A||股"),
    ("9.5折 1,000股", "|9.5|折|1,000|股"),
    ("मन कीबात人", "|मन||कीबात|人"),
    ("马克·吐温 马克 • 吐温・‧⋅∙", "马克•吐温马克•吐温••••"),
    ("L’Oréal", squeeze("L'Oréal").replace(BORDER, "|")),
]
LETTERS = st.text(st.sampled_from("aZ'’- .·・é\u0301ßẞİςΣσ9_中ไカ한😀\n&;\u1e9b") | st.characters(), max_size=20)


def test_squeeze() -> None:
    assert [(text, squeeze(text).replace(BORDER, "|")) for text, _ in SQUEEZED] == SQUEEZED


def test_readable() -> None:
    assert [readable(squeeze(text)) for text in ("VIP 会员", "Edu\nTrust认证", "J・K・罗琳")] == [
        "VIP会员", "Edu Trust认证", "J·K·罗琳"
    ]  # fmt: skip


def test_fold_case() -> None:
    table = {"VIP会员": "vip会员", "Straße": "straße", "İS": "İs", "ΑΣ ας": "ασ ασ", "éÉ": "éé", "": ""}
    assert {text: fold_case(text) for text in table} == table


@settings(deadline=None)
@given(LETTERS, LETTERS)
def test_fold_case_keeps_every_position(before: str, after: str) -> None:
    assert len(fold_case(before)) == len(before)
    assert fold_case(before + after) == fold_case(before) + fold_case(after)


@settings(deadline=None)
@given(LETTERS)
def test_every_character_is_found_in_the_text_again(given_text: str) -> None:
    text = clean(given_text)
    doc = Doc(text, Tagger(Tokeniser("zh")), clean=text)
    assert fold_raw(text) == doc.raw
    letters = [i for i, char in enumerate(doc.raw) if char != BORDER]
    spans = [doc.raw_span(i, i + 1) for i in letters]
    assert spans == [(i, i + 1) for i, char in enumerate(text) if not char.isspace()]
    assert squeeze("".join(text[start:end] for start, end in spans)).replace(BORDER, "") == doc.squeezed.replace(
        BORDER, ""
    )
