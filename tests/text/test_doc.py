"""rulenet.text.doc: where the first sentence, the opening and the closing of a text lie."""

from __future__ import annotations

import pytest

from rulenet.text.doc import TAG_CLOSE, TAG_OPEN, Doc
from rulenet.text.tag import TaggedToken, Tagger
from rulenet.text.tokenise import Tokeniser


class FixedTagger(Tagger):
    """Tags by a small table, so that no tagger is loaded."""

    def tag(self, text: str) -> list[TaggedToken]:
        table = {"oil": "NOUN", "prices": "NOUN", "fell": "VERB"}
        tokens = self.tokeniser.tokens(text)
        return [TaggedToken(*token, table.get(token.text, "X"), token.text.lower()) for token in tokens]


def doc(text: str) -> Doc:
    return Doc(text, FixedTagger(Tokeniser("en")))


FIRST_SENTENCES = [
    # (first sentence, rest)
    ("Oil fell. ", "Stocks rose."),
    ("Oil fell! ", "Why?"),
    ("Really? ", "Yes."),
    ('He said "no." ', "Then he left."),
    ("He said no. ", "Then he left."),
    ("(It rained.) ", "We left."),
    ("One line\n", "another line"),
    ("No end at all", ""),
    ("It ends here.", ""),
    ("", ""),
    ("...", ""),
    ("Version 3.5 is out. ", "Get it."),
    ("Visit example.com now. ", "Thanks."),
    # abbreviations and initials
    ("Mr. Smith met Mrs. Jones and Dr. Who. ", "They talked."),
    ("The U.S. economy grew. ", "Good."),
    ("J. K. Rowling wrote it. ", "Fans cheered."),
    ("Acme Inc. and Foo Corp. merged. ", "Shares rose."),
    ("It is No. 1 in St. Louis vs. Rome on Sept. 3. ", "Yes."),
    ("MR. SMITH LEFT. ", "BYE."),
    # blank lines and marks before the first word belong to it
    ("\n\nOil fell. ", "Stocks rose."),
    ("... and then? ", "Nothing."),
    ("! Sale. ", "Buy."),
    # Chinese, before and after cleaning makes ！ and ？ narrow
    ("油价下跌。", "股市上涨。"),
    ("太好了！", "下次还来。"),
    ("真的吗？", "是的。"),
    ("他说“不。”", "然后走了。"),
    ("他说“不！”", "然后走了。"),
    ("价格是3.5元。", "不贵。"),
]


@pytest.mark.parametrize(("first", "rest"), FIRST_SENTENCES)
def test_first_sentence_end(first: str, rest: str) -> None:
    assert doc(first + rest).first_sentence_end == len(first)


TWENTY = " ".join(f"w{i}" for i in range(20))


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("", ""),
        ("(wow!)", "(wow!)"),
        (TWENTY + "!!", TWENTY + "!!"),
        (TWENTY + "! more", TWENTY + "! "),
        ("中" * 21, "中" * 20),
        ("买iPhone" * 11, "买iPhone" * 10),  # a Chinese character and a word are one unit each
    ],
)
def test_opening(text: str, opening: str) -> None:
    assert text[: doc(text).opening_end] == opening


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("", ""),
        ("(wow!)", "(wow!)"),
        ("!!" + TWENTY, "!!" + TWENTY),
        ("more (" + TWENTY, " (" + TWENTY),
        ("中" * 21, "中" * 20),
        ("a b " + "国" * 19, " b " + "国" * 19),
    ],
)
def test_closing(text: str, closing: str) -> None:
    assert text[doc(text).closing_start :] == closing


def test_words_and_their_places() -> None:
    found = doc("Win, or win &amp; lose")
    assert found.clean == "Win, or win & lose"
    assert found.words == [("win", 0, 3), ("or", 5, 7), ("win", 8, 11), ("lose", 14, 18)]
    assert found.places == {"win": [0, 2], "or": [1], "lose": [3]}


def test_tag_line_knows_where_each_token_stands() -> None:
    line, begins, ends = doc("oil  prices fell").tag_line
    tokens = ["NOUN:oil\x03oil", "NOUN:prices\x03prices", "VERB:fell\x03fell"]
    assert line == "".join(f"{TAG_OPEN}{token}{TAG_CLOSE}" for token in tokens)
    second = len(TAG_OPEN + tokens[0] + TAG_CLOSE)
    third = second + len(TAG_OPEN + tokens[1] + TAG_CLOSE)
    assert begins == {0: 0, second: 5, third: 12}
    assert ends == {second: 3, third: 11, len(line): 16}


def test_a_text_cannot_forge_a_tag() -> None:
    assert doc(f"a{TAG_CLOSE}{TAG_OPEN}VERB:win{TAG_CLOSE}").tag_line[0].count(TAG_OPEN) == 4  # a, VERB, :, win
