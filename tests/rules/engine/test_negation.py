"""rulenet.rules.engine.negation: the hit is between ‹ and ›; is it denied?"""

from __future__ import annotations

import pytest

from rulenet.rules.engine.negation import Negation
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language

ENGLISH = [
    # (text, denied)
    ("‹good›", False),
    ("not ‹good›", True),
    ("Not ‹good›", True),
    ("not a very ‹good› film", True),
    ("not a very very ‹good› film", True),
    ("not a very very very ‹good› film", False),  # at most three words between
    ("knot ‹good›", False),
    ("nothing ‹good› about it", True),
    ("no ‹good›", True),
    ("never was a ‹good› film", True),
    ("hardly ‹good›", True),
    ("neither funny nor ‹good›", True),
    ("without any ‹good› idea", True),
    ("nobody likes this ‹good› film", True),
    # contractions
    ("don't ‹like›", True),
    ("don’t ‹like›", True),
    ("dont ‹like›", True),
    ("DOESN'T ‹like›", True),
    ("isn't that ‹good›", True),
    ("can't really ‹recommend›", True),
    ("cannot ‹recommend›", True),
    ("won't be ‹good›", True),
    ("wont be ‹good›", True),
    ("want ‹good› films", False),
    ("ain`t ‹good›", True),
    ("shouldn\u02bct be ‹good›", True),
    ("I do n't ‹like› it", True),  # as some corpora are split
    ("O'Brien's ‹good›", False),
    ("not a 9.5 ‹good›", True),  # the point is no full stop
    ("not the firm’s ‹good› name", True),
    ("not हिन्दी ‹good›", True),
    # not only, not just
    ("not only ‹good›", False),
    ("not only a ‹good› film", False),
    ("not just ‹good›", False),
    ("isn't just ‹good›", False),
    ("not to mention the ‹good› cast", False),
    ("not ‹only› good", True),
    # punctuation and contrast end the scope
    ("no, it is ‹good›", False),
    ("not (‹good›", False),
    ("not bad. ‹good›", False),
    ("not bad; ‹good›", False),
    ("not long but ‹good›", False),
    ("not long yet ‹good›", False),
    ("not long though ‹good›", False),
    ("not butter ‹good›", True),
    ("not\n‹good›", True),
    ("‹good›, not bad", False),  # forwards only
    ("not-so-‹good›", False),
    ("not well-made ‹good›", True),
    # a cue is a word of its own, also where the window cuts
    (f"the not {'w' * 27} {'v' * 27} ‹good›", True),  # sixty characters back
    (f"the knot {'w' * 27} {'v' * 27} ‹good›", False),
]
CHINESE = [
    ("‹好›", False),
    ("不‹好›", True),
    ("质量不太‹好›", True),
    ("没有‹问题›", True),
    ("没‹问题›", True),
    ("無‹問題›", True),
    ("未‹到货›", True),
    ("别‹买›", True),
    ("非‹正品›", True),
    ("不是很‹好›", True),
    ("不一二三四五‹好›", True),
    ("不一二三四五六‹好›", False),  # at most six characters with the cue
    # words that hold a cue without denying
    ("不仅‹好›", False),
    ("不但‹好›", False),
    ("不错‹好›", False),
    ("不过‹好›", False),
    ("不只‹好›", False),
    ("不愧是‹好›", False),
    ("不得不‹买›", False),
    ("不要太‹好›", False),
    ("没想到这么‹好›", False),
    ("别提多‹好›", False),
    ("特别‹好›", False),
    ("分别‹好›", False),
    ("别人‹好›", False),
    ("别的‹好›", False),
    ("未来‹好›", False),
    ("无论‹好›", False),
    ("无线‹好›", False),
    ("七天无理由‹退货›", False),
    ("非常‹好›", False),
    # two cues cancel out
    ("没什么不‹满意›", False),
    ("不能不‹赞›", False),
    ("不是没有不‹好›", True),  # three
    ("不得不说不‹好›", True),
    # punctuation and spaces end the scope
    ("不，‹好›", False),
    ("不。‹好›", False),
    ("不！‹好›", False),
    ("不,‹好›", False),
    ("不 ‹好›", False),
    ("不、‹好›", False),
    ("‹好›不", False),
    # an idiom is read whole, also where the window cuts it
    ("特别喜欢这个的‹包›", False),
    ("我特别喜欢这个的‹包›", False),
    ("没想到这么的快‹好›", False),
    ("没想到这么快的人‹好›", False),
    ("级别一二三四五‹好›", False),
    ("请别一二三四五‹买›", True),
]


def is_negated(text: str, language: Language) -> bool:
    return Negation(language).covers(text.replace("‹", "").replace("›", ""), text.index("‹"))


@pytest.mark.parametrize(("language", "rows"), [("en", ENGLISH), ("zh", CHINESE)])
def test_what_negates(language: Language, rows: list[tuple[str, bool]]) -> None:
    assert [(text, is_negated(text, language)) for text, _ in rows] == rows


def ruleset(condition: str, language: str, negation: str = "skip") -> RuleSet:
    return RuleSet.from_yaml(
        f"rulenet: 1\nlanguage: {language}\nrules:\n- {{id: r, label: x, negation: {negation}, {condition}}}"
    )


@pytest.mark.parametrize(
    ("condition", "language", "text", "found"),
    [
        ("word: good", "en", "not good", None),
        ("word: good", "en", "not good, good", ["good"]),  # one hit is enough
        ("word: [good, fun]", "en", "fun, but not good", ["fun"]),
        ("all: [{word: good}, {word: film}]", "en", "not good; film", None),
        ("all: [{word: good}, {word: film}]", "en", "good; film", ["good", "film"]),
        ("any: [{word: good}, {word: film}]", "en", "not good; film", ["film"]),
        ("regex: go+d", "en", "never GOOOD", None),
        # of `near` and `count` too only what is not negated counts, wherever the cue is
        ("near: {terms: [parcel, late]}", "en", "The parcel was not late", None),
        ("near: {terms: [parcel, late]}", "en", "The parcel is late", ["parcel is late"]),
        ("near: {terms: [parcel, late]}", "en", "It was no parcel that came late", None),
        (
            "near: {terms: [parcel, late]}",
            "en",
            "Late, said no one, was the parcel",
            ["Late, said no one, was the parcel"],
        ),
        ("near: {terms: [parcel, late]}", "en", "a parcel not late, but very late", ["parcel not late, but very late"]),
        ("near: {terms: [parcel, {any: [{word: late}, {word: slow}]}]}", "en", "the parcel is not slow", None),
        ("near: {terms: [parcel, {near: {terms: [very, late]}}]}", "en", "parcel very, not late", None),
        ("near: {terms: [parcel, late], same: sentence}", "en", "The parcel wasn't late.", None),
        ("count: {near: {terms: [parcel, late]}, at_least: 1}", "en", "The parcel was not late", None),
        ("count: {word: [late, slow], at_least: 2}", "en", "late, not slow", None),
        ("count: {word: [late, slow], at_most: 1}", "en", "late, not slow", ["late"]),
        ("all: [{word: parcel}, {near: {terms: [very, late]}}]", "en", "the parcel: very far from not late", None),
        ("near: {terms: [送, 慢]}", "zh", "送得不慢", None),
        ("near: {terms: [送, 慢]}", "zh", "送得真慢", ["送得真慢"]),
        ("near: {terms: [送, 慢]}", "zh", "没送，慢", None),
        ("near: {terms: [送, 慢]}", "zh", "送得没什么不慢", ["送得没什么不慢"]),  # two cues
        # a cue that is looked for itself negates nothing
        ("near: {terms: [not, late]}", "en", "The parcel was not late", ["not late"]),
        ("near: {terms: [parcel, not late]}", "en", "It was not late, the parcel", ["not late, the parcel"]),
        ("near: {terms: [not on time, parcel]}", "en", "not on time parcel", ["not on time parcel"]),
        ("near: {terms: [没收到, 快递]}", "zh", "没收到快递", ["没收到快递"]),
        ("near: {terms: [没收到, 快递]}", "zh", "没收到，没快递", None),
        ("all: [{word: 没收到}, {word: 快递}]", "zh", "没收到快递", ["没收到", "快递"]),
        ("count: {word: [不, 满意], at_least: 2}", "zh", "不满意", ["不", "满意"]),
        # `none` and `unless` ask whether the word is there at all
        ("word: film, unless: [{near: {terms: [very, good]}}]", "en", "film, very not good", None),
        ("all: [{word: film}, {none: [{word: good}]}]", "en", "film, not good", None),
        ("word: film, unless: [{word: good}]", "en", "film, not good", None),
        ("word: 好", "zh", "不好", None),
        ("word: 好", "zh", "不好，好", ["好"]),
        ("word: 好", "zh", "不得不说好", ["好"]),
        ("word: 好", "zh", "&#19981;好", None),  # 不, as an entity
        ("word: good", "en", "not&nbsp;<b>good</b>", None),
        ("word: 好", "en", "不好", ["好"]),  # the cues are those of the language
    ],
)
def test_negation_skip(condition: str, language: str, text: str, found: list[str] | None) -> None:
    rules = ruleset(condition, language)
    spans = rules.spans(text).get("r")
    assert (None if spans is None else [text[start:end] for start, end in spans]) == found
    assert rules.match([text]).nnz == (found is not None)


def test_a_denied_near_is_evidence_for_the_other_label() -> None:
    for condition, language, text, plain, denied in [
        ("near: {terms: [parcel, late]}", "en", "The parcel was not late", None, ["parcel was not late"]),
        ("near: {terms: [parcel, late]}", "en", "The parcel was late", ["parcel was late"], None),
        (
            "near: {terms: [parcel, late]}",
            "en",
            "parcel late. parcel not late",
            ["parcel late", "late. parcel"],
            ["parcel not late"],
        ),
        ("near: {terms: [送, 慢]}", "zh", "送得不慢", None, ["送得不慢"]),
        ("all: [{word: film}, {word: good}]", "en", "not good, film", None, ["good"]),
        ("all: [{word: film}, {word: good}]", "en", "not good", None, None),
        ("count: {word: [late, slow], at_least: 2}", "en", "late, not slow", None, ["slow"]),
        ("all: [{word: film}, {none: [{word: good}]}]", "en", "no film", None, ["film"]),
    ]:
        rules = ruleset(condition, language, "{flip: y}")
        spans = rules.spans(text)
        found = [[text[start:end] for start, end in spans[name]] if name in spans else None for name in rules.ids]
        assert found == [plain, denied], (condition, text)
        assert rules.match([text]).toarray().tolist() == [[plain is not None, denied is not None]]


def test_a_denied_near_in_a_field() -> None:
    rules = ruleset("near: {terms: [no, {word: late}]}, field: b", "en")
    record = {"a": "not", "b": "It is no late parcel"}
    assert rules.match([record]).nnz == 1
    assert rules.match([record | {"b": "no, it is not late"}]).nnz == 0


def test_negation_is_ignored_unless_asked_for() -> None:
    rules = RuleSet.from_yaml("rulenet: 1\nrules:\n- {id: r, label: x, word: good}")
    assert rules.match(["not good"]).nnz == 1
