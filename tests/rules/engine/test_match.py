"""rulenet.rules.engine.match: the fast path gives what the plain reading of each rule gives, and what Python's `re` gives."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import Any

import numpy as np
import pytest
import re2
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.rules.engine.match import _SEPARATOR, BLOCK, Matcher, _RegexEngine
from rulenet.rules.engine.parallel import MIN_PARALLEL
from rulenet.rules.ruleset import RuleSet
from rulenet.text.clean import clean
from rulenet.text.doc import Doc
from rulenet.text.fold import fold
from rulenet.text.language import Language
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser

LITERALS = [
    "win",
    "oil",
    "a",
    "naïve",
    "STRASSE",
    "Grand Slam",
    "don't",
    "İz",
    "ＶＩＰ",
    "oil-win",
    "中国",
    "中",
    "买Win",
    "不好",
]
REGEXES = [
    r"\bwin\b",
    "o[il]+",
    r"\d+",
    "中.?国",
    "^win",
    "oil$",
    "é|ï",
    "x*",
    r"\W",
    "😀",
    "(?-i)OIL",
    "(win|oil) ?grand",
    "^$",
]
LEXICONS = {"short": ["win", "中国"], "long": [{"lexicon": "short"}, "oil price", "naïve"]}
BITS = [
    *[
        "win",
        "Win",
        "oil",
        "OIL",
        "a",
        "Naïve",
        "nai\u0308ve",
        "straße",
        "grand",
        "slam",
        "grand-slam",
        "don't",
        "İz",
        "VIP",
    ],
    *[
        "中",
        "国",
        "中国",
        "买win",
        "不",
        "好",
        "不好",
        "没想到",
        "price",
        "not ",
        "never ",
        "n't ",
        "no, ",
        "but ",
        "only ",
    ],
    *[
        " ",
        " ",
        " ",
        ". ",
        ", ",
        "。",
        "，",
        "!",
        "\n",
        "-",
        "7",
        "😀",
        "é",
        "_",
        "x",
        "&amp;",
        "<b>",
        "\x00",
        _SEPARATOR,
        "\ud800",
    ],
    " and so on and so forth and so on and so forth and so on and so forth and so on and so forth ",
]
TEXTS = st.lists(st.sampled_from(BITS), max_size=10).map("".join)


def some(entries: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(entries), min_size=1, max_size=3)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Conditions up to a few levels of any, all and none."""
    groups = st.sampled_from(["any", "all", "none"])
    return st.recursive(
        leaves,
        lambda inner: st.builds(lambda kind, parts: {kind: parts}, groups, st.lists(inner, min_size=1, max_size=3)),
        max_leaves=6,
    )


LITERAL = st.one_of(
    some(LITERALS).map(lambda entries: {"phrase": entries}),
    some(list(LEXICONS)).map(lambda names: {"lexicon": names}),
)
CONDITIONS = nested(LITERAL | some(REGEXES).map(lambda patterns: {"regex": patterns}))


def rules(conditions: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[RuleSet]:
    """Rulesets of a few rules, each a condition with some more fields."""
    rule = st.builds(lambda condition, extra: condition | extra, conditions, st.fixed_dictionaries(fields))
    return st.lists(rule, min_size=1, max_size=4).map(ruleset_of)


def ruleset_of(conditions: list[dict[str, Any]]) -> RuleSet:
    entries = [{"id": f"r{i}", "label": "x"} | condition for i, condition in enumerate(conditions)]
    return RuleSet.from_yaml(json.dumps({"rulenet": 1, "lexicons": LEXICONS, "rules": entries}, ensure_ascii=False))


def fired(ruleset: RuleSet, texts: list[str], language: Language = "en") -> list[list[int]]:
    return [row.indices.tolist() for row in ruleset.match(texts, language=language)]


# The fast path against the plain reading


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    rules(
        CONDITIONS,
        unless=st.lists(CONDITIONS, max_size=2),
        negation=st.sampled_from(["ignore", "ignore", "skip"]),
        where=st.sampled_from(["anywhere", "anywhere", "start", "end", "first_sentence"]),
    ),
    st.lists(TEXTS, max_size=5),
    st.sampled_from(["en", "zh"]),
)
def test_fast_path_agrees_with_the_plain_reading(ruleset: RuleSet, texts: list[str], language: Language) -> None:
    tagger = Tagger(Tokeniser(language))
    plain = ruleset.evaluators(language)
    expected = [[j for j, rule in enumerate(plain) if rule.find(Doc(text, tagger)) is not None] for text in texts]
    assert fired(ruleset, texts, language) == expected


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rules(CONDITIONS), TEXTS)
def test_spans_lie_in_the_text_and_belong_to_the_rules_that_fire(ruleset: RuleSet, text: str) -> None:
    spans = ruleset.spans(text)
    assert list(spans) == [ruleset.ids[j] for j in fired(ruleset, [text])[0]]
    for found in spans.values():
        assert found == sorted(found)
        assert all(0 <= start <= end <= len(text) for start, end in found)


@settings(deadline=None)
@given(st.sampled_from(LITERALS), st.lists(TEXTS, min_size=1, max_size=5))
def test_spans_of_a_literal_hold_that_literal(literal: str, texts: list[str]) -> None:
    ruleset = ruleset_of([{"phrase": literal}])
    for text in texts:
        for start, end in ruleset.spans(text).get("r0", []):
            assert fold(clean(text[start:end])) == fold(clean(literal))


# Both against Python's re, which knows nothing of folding and automata

WORD_CHAR = "[^\\W\u4e00-\u9fff]"
PLAIN_LITERALS = ["win", "a", "naïve", "straße", "grand slam", "don't", "中国", "好", "买win"]
PLAIN_TEXTS = st.lists(
    st.sampled_from(
        [*PLAIN_LITERALS, "WIN", "Straße", "Grand", "slam", "国", " ", " ", ", ", "-", "x", "é", "7", "😀"]
    ),
    max_size=8,
).map("".join)


def reference(condition: dict[str, Any], text: str) -> bool:
    """Whether a condition of literals holds."""
    ((kind, value),) = condition.items()
    if kind == "phrase":
        return any(has_literal(literal, text) for literal in value)
    results = [reference(part, text) for part in value]
    return {"any": any, "all": all, "none": lambda found: not any(found)}[kind](results)


def has_literal(literal: str, text: str) -> bool:
    literal, text = literal.casefold(), text.casefold()
    if re.search("[\u4e00-\u9fff]", literal):
        # White space does not matter beside Chinese, and a Latin end is the end of a word.
        pieces = re.findall(f"{WORD_CHAR}+|.", literal)
        start, end = (f"(?<!{WORD_CHAR})" * bool(re.match(WORD_CHAR, p)) for p in (pieces[0], pieces[-1]))
        return re.search(start + "\\s*".join(pieces) + end.replace("<", ""), text) is not None
    words = "\\W+".join(re.findall("\\w+", literal))
    return re.search(f"(?<!{WORD_CHAR}){words}(?!{WORD_CHAR})", text) is not None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_literals_agree_with_python_re(data: st.DataObject) -> None:
    conditions = nested(some(PLAIN_LITERALS).map(lambda entries: {"phrase": entries}))
    drawn = data.draw(st.lists(conditions, min_size=1, max_size=3))
    texts = data.draw(st.lists(PLAIN_TEXTS, max_size=4))
    expected = [[j for j, condition in enumerate(drawn) if reference(condition, text)] for text in texts]
    assert fired(ruleset_of(drawn), texts) == expected


# R

PAIR = [{"word": "win"}, {"word": "中国"}, {"regex": "o+il"}, {"none": [{"word": "win"}]}]


def test_matrix_is_int8_with_sorted_ones_and_columns_in_file_order() -> None:
    R = ruleset_of(PAIR).match(["oil, 中国, win", "", "nothing"])
    assert isinstance(R, scipy.sparse.csr_matrix)
    assert R.dtype == np.int8
    assert R.has_sorted_indices
    assert R.data.tolist() == [1] * R.nnz
    assert R.toarray().tolist() == [[1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]


def test_no_texts_give_an_empty_matrix() -> None:
    assert ruleset_of(PAIR).match([]).shape == (0, 4)


def test_rules_without_any_atom() -> None:
    """Only part-of-speech patterns: no automaton at all, and nothing to tag in an empty list."""
    assert ruleset_of([{"pos": "NOUN"}]).match([]).shape == (0, 1)


def test_texts_of_several_blocks_keep_their_rows() -> None:
    texts = ["", f"a{_SEPARATOR}b", "oil"] * BLOCK  # three blocks
    hits = {0: "win", BLOCK - 1: "中国", BLOCK: "WIN!", 2 * BLOCK - 1: "ooil", len(texts) - 1: "win 中国"}
    for i, text in hits.items():
        texts[i] = text
    R = ruleset_of(PAIR[:2]).match(texts).tocoo()
    assert sorted(zip(R.row.tolist(), R.col.tolist(), strict=True)) == [
        (0, 0),
        (BLOCK - 1, 1),
        (BLOCK, 0),
        (len(texts) - 1, 0),
        (len(texts) - 1, 1),
    ]


@pytest.mark.parametrize(
    "odd", [_SEPARATOR, f"win{_SEPARATOR}", f"{_SEPARATOR}中国", f"{_SEPARATOR}" * 3, "&#30;", "\x00", ""]
)
def test_the_separator_in_a_text_shifts_no_row(odd: str) -> None:
    R = ruleset_of(PAIR[:2]).match([odd, "win", odd, "中国"]).toarray()
    assert R[1].tolist() == [1, 0]
    assert R[3].tolist() == [0, 1]


def test_the_separator_in_a_rule_does_not_join_texts() -> None:
    ruleset = ruleset_of([{"word": f"中{_SEPARATOR}国"}, {"phrase": f"grand{_SEPARATOR}slam"}])
    assert fired(ruleset, ["中", "国", "grand", "slam", "中 国", "grand slam"]) == [[], [], [], [], [0], [1]]


@pytest.mark.slow
def test_two_processes_give_what_one_gives() -> None:
    texts = [f"text {i} {'win' * (i % 2)} {'中国' * (i % 3)} {'oil' * (i % 5)}" for i in range(MIN_PARALLEL + 1)]
    ruleset = ruleset_of([*PAIR, {"word": "win", "negation": "skip"}])
    one, two = ruleset.match(texts), ruleset.match(texts, n_jobs=2)
    assert (one != two).nnz == 0
    assert one[:, 0].sum() == MIN_PARALLEL // 2
    assert two.shape == (len(texts), 5)


def test_few_texts_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulenet.rules.engine.parallel.Parallel", None)
    assert ruleset_of(PAIR).match(["win"], n_jobs=2).nnz == 1


def test_a_compiled_ruleset_can_be_copied_and_sent_elsewhere() -> None:
    ruleset = ruleset_of(PAIR)
    before = fired(ruleset, ["win 中国"])
    for other in (pickle.loads(pickle.dumps(ruleset)), copy.deepcopy(ruleset)):
        assert other == ruleset
        assert fired(other, ["win 中国"]) == before == [[0, 1]]


# Many rules


@pytest.mark.slow
def test_twenty_thousand_rules_load_and_match() -> None:
    n = 20_000
    kinds = ["word: w{0}", "phrase: p{0} q{0}", "word: 中{0}国", "regex: 'r{0}[ -]?s'"]
    lines = [f"  - {{id: r{i}, label: x, {kinds[i % 4].format(i)}}}" for i in range(n)]
    ruleset = RuleSet.from_yaml("rulenet: 1\nrules:\n" + "\n".join(lines))
    texts = ["w0", "w0 p1, q1", "中2国", "r3 s", "w19996 p19997 q19997 中19998国 R19999-S", "w1 p0 q0 x中3国 r2 s"]
    assert fired(ruleset, texts) == [[0], [0, 1], [2], [3], [n - 4, n - 3, n - 2, n - 1], []]


@pytest.mark.slow
def test_more_regexes_than_one_filter_can_hold() -> None:
    """RE2 refuses a filter over its memory; the engine splits it and loses no hit."""
    words = [f"{i * 7919 % 1_000_003:06d}abcdefghijklmnop{i}" for i in range(9_000)]
    engine = _RegexEngine([rf"\b{word}\b" for word in words])
    assert len(engine._filters) > 1
    for i in (0, 1, 4_499, 4_500, 8_999):
        assert engine.search(f"see {words[i]} there") == [i]
    assert sorted(engine.search(f"{words[7]} {words[8_000]}")) == [7, 8_000]


def test_a_regex_that_no_filter_holds_is_searched_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(re2.Filter):  # type: ignore[misc]
        """Refuses what a real one refuses at some twelve thousand alternatives."""

        def Add(self, pattern: str, options: Any) -> None:  # noqa: N802
            self.patterns = [*getattr(self, "patterns", []), pattern]
            super().Add(pattern, options)

        def Compile(self) -> None:  # noqa: N802
            if len(self.patterns) > 2 or "big" in self.patterns:
                raise re2.error("failed to compile Filter")
            super().Compile()

    monkeypatch.setattr(re2, "Filter", Small)
    engine = _RegexEngine(["first", "second", "big", "fourth", "last"])
    assert [number for number, _ in engine._alone] == [2]
    assert sorted(engine.search("BIG first big last")) == [0, 2, 4]
    assert engine.search("second") == [1]
    assert engine.search("") == []


def test_a_matcher_is_compiled_once_per_language() -> None:
    ruleset = ruleset_of(PAIR)
    assert ruleset.matcher("en") is ruleset.matcher("en") is ruleset.matcher()
    assert isinstance(ruleset.matcher("zh"), Matcher)
    assert ruleset.matcher("zh") is not ruleset.matcher("en")
