"""The engine against `reference.py`: the same rules fire, with the same spans, whatever the rules and the texts."""

from __future__ import annotations

import datetime
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from rulenet.rules.file.condition import KIND_FIELDS
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.format import format_text
from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced
from rulenet.text.language import Language
from rulenet.text.raw import fold_raw
from rulenet.text.record import Record
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser
from tests.rules.reference import Reference
from tests.rules.strategies import (
    PHRASES,
    RANDOMS,
    WORDS,
    Data,
    crowded_file,
    crowded_text,
    file,
    text,
    text_or_record,
    yaml_of,
)

DAY = datetime.date(2026, 6, 15)
# RULENET_EXAMPLES=20000 pytest tests/rules/test_reference.py: a thorough search
EXAMPLES = int(os.environ.get("RULENET_EXAMPLES", "1"))
common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


@pytest.fixture(scope="module", autouse=True)
def one_jieba() -> Iterator[None]:
    """Loading jieba takes a second; here all rulesets share one, without their own words."""
    with pytest.MonkeyPatch.context() as patch:
        shared = Tokeniser("zh").jieba
        patch.setattr(Tokeniser, "jieba", property(lambda self: shared))
        yield


BY_EYE = [
    # (condition, text, hits of the reference; None: it does not fire)
    ({"word": "win"}, "Win, winner, WIN", ["Win", "WIN"]),
    ({"word": "win", "case": "exact"}, "Win, win", ["win"]),
    ({"word": "refund", "forms": "lemma"}, "Refunds refunded refunder", ["Refunds", "refunded"]),
    ({"phrase": "beat coach", "gap": 2}, "beat the old coach, beat a very old coach", ["beat the old coach"]),
    ({"word": "国人"}, "中国人", ["国人"]),
    ({"starts": "oil", "where": "start"}, "... Oil oil", ["Oil"]),
    ({"ends": "win"}, "a win, we win!", ["win"]),
    ({"near": {"terms": ["b", "a"], "within": 1}}, "a x b y y a", ["a x b"]),
    ({"near": {"terms": ["b", "a"], "within": 1, "ordered": True}}, "a x b y y a", None),
    ({"near": {"terms": ["a", "b"], "same": "sentence"}}, "a then. b x x x x x x x a", ["b x x x x x x x a"]),
    ({"count": {"lexicon": "marks", "at_least": 2.5}}, "good good", None),
    ({"count": {"lexicon": "marks", "at_least": 2.5}}, "good good plain", ["good", "good", "plain"]),
    ({"pos": "DET ADJ* NOUN"}, "the film", ["the film"]),
    ({"length": {"at_most": 3}}, "我 am 7", []),
    ({"lang": "zh"}, "手机坏了", []),
    ({"all": [{"word": "a"}, {"none": [{"word": "b"}]}]}, "a c", ["a"]),
    ({"all": [{"word": "a"}, {"none": [{"word": "b"}]}]}, "a b", None),
    ({"word": "good", "negation": "skip"}, "not good, good", ["good"]),
    ({"word": "good", "negation": "require"}, "not good", ["good"]),
    ({"word": "good", "unless": [{"word": "not"}]}, "not good", None),
    ({"word": "x", "field": "title"}, "x", None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("condition", "given_text", "expected"), BY_EYE)
def test_the_reference_itself(condition: Data, given_text: str, expected: list[str] | None) -> None:
    marks = [{"term": "good", "weight": 1}, {"term": "plain", "weight": 0.5}]
    ruleset = RuleSet.from_yaml(
        yaml_of({"rulenet": 1, "lexicons": {"marks": marks}, "rules": [{"id": "r", "label": "x"} | condition]})
    )
    spans = Reference(ruleset.file, "en", Tagger(Tokeniser("en"))).spans(given_text, DAY).get("r")
    assert (None if spans is None else [given_text[start:end] for start, end in spans]) == expected


def assert_the_same(data: Data, texts: list[str | dict[str, str]], language: Language) -> None:
    """Matrix and spans say what the reference says of these rules and texts."""
    ruleset = RuleSet.from_yaml(yaml_of(data))
    reference = Reference(ruleset.file, language, ruleset.matcher(language).tagger)
    assert ruleset.ids == [name for name, _, _ in reference.columns()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a rule reads a field, and no text is a record
        R = ruleset.match(texts, language=language, on=DAY)
    for row, given_text in enumerate(texts):
        record = given_text if isinstance(given_text, str) else Record.of(given_text)
        assert [ruleset.ids[j] for j in R[row].indices] == list(reference.spans(record, DAY)), (
            data["rules"],
            given_text,
        )
        expected = reference.spans(record, datetime.date.today())
        assert ruleset.spans(record, language=language) == expected, (data["rules"], given_text)


def assert_the_same_of_any(random_: Random, *, tagged: bool) -> None:
    """One rule file with anything in it, some texts."""
    data = file(random_, tagged=tagged)
    texts = [text_or_record(random_, data) for _ in range(random_.randint(1, 4))]
    assert_the_same(data, texts, random_.choice(["en", "zh"]))


@pytest.mark.slow
@settings(max_examples=60 * EXAMPLES, **common)
@given(RANDOMS)
def test_the_engine_agrees_with_the_reference(random_: Random) -> None:
    assert_the_same_of_any(random_, tagged=False)


@pytest.mark.slow
@settings(max_examples=25 * EXAMPLES, **common)
@given(RANDOMS)
def test_the_engine_agrees_with_the_reference_on_tags(random_: Random) -> None:
    assert_the_same_of_any(random_, tagged=True)


@pytest.mark.slow
@settings(max_examples=60 * EXAMPLES, **common)
@given(RANDOMS)
def test_the_engine_agrees_with_the_reference_on_crowded_hits(random_: Random) -> None:
    texts = [crowded_text(random_) for _ in range(random_.randint(1, 4))]
    assert_the_same(crowded_file(random_), texts, random_.choice(["en", "zh"]))


@pytest.mark.slow
def test_rules_of_every_kind_fire() -> None:
    """Else the tests above would compare silence with silence."""
    fired: Counter[str] = Counter()
    for seed in range(150):
        random_ = Random(seed)
        data = file(random_, tagged=False)
        texts = [text(random_, data) for _ in range(4)]
        ruleset = RuleSet.from_yaml(yaml_of(data))
        reference = Reference(ruleset.file, "en", ruleset.matcher("en").tagger)
        kinds = {name: rule.kind for name, rule, _ in reference.columns()}
        fired.update(kinds[name] for given_text in texts for name in reference.spans(given_text, DAY))
    assert set(fired) == set(KIND_FIELDS) - {"pos"}


@pytest.mark.slow
@settings(max_examples=60 * EXAMPLES, **common)
@given(RANDOMS)
def test_spans_slice_to_what_matched(random_: Random) -> None:
    """Cut out of the text as given, a hit of one literal is that literal again."""
    literal = random_.choice([*WORDS, *PHRASES])
    ruleset = RuleSet.from_yaml(yaml_of({"rulenet": 1, "rules": [{"id": "r", "label": "x", "phrase": literal}]}))
    given_text = text(random_, {"rules": [{"phrase": literal}] * 2})
    for start, end in ruleset.spans(given_text).get("r", []):
        found, wanted = clean(given_text[start:end]), clean(literal)
        assert fold_raw(wanted) in fold_raw(found) if is_unspaced(wanted) else fold(found) == fold(wanted)


@pytest.mark.slow
@settings(max_examples=40 * EXAMPLES, **common)
@given(RANDOMS)
def test_a_file_survives_formatting(random_: Random) -> None:
    data = file(random_, tagged=True)
    width, flow = random_.choice([40, 120]), random_.choice([True, False, None])
    for written in (yaml_of(data), yaml.safe_dump(data, width=width, default_flow_style=flow, allow_unicode=True)):
        formatted = format_text(written)
        assert RuleSet.from_yaml(formatted).file == RuleSet.from_yaml(written).file
        assert format_text(formatted) == formatted
