"""The engine against `reference.py`: the same rules fire, with the same spans, whatever the rules and the texts."""

from __future__ import annotations

import datetime
import os
import warnings
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from rulenet.rules.format import format_text
from rulenet.rules.ruleset import RuleSet
from rulenet.text.record import Record
from rulenet.text.tokenise import Tokeniser
from tests.rules.reference import Reference
from tests.rules.strategies import RANDOMS, file, text_or_record, yaml_of

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


def check(random_: Random, *, tagged: bool) -> int:
    """One rule file, some texts: matrix and spans say what the reference says. How often a rule fired."""
    data = file(random_, tagged=tagged)
    texts = [text_or_record(random_, data) for _ in range(random_.randint(1, 4))]
    language = random_.choice(["en", "zh"])
    ruleset = RuleSet.from_yaml(yaml_of(data))
    reference = Reference(ruleset.file, language, ruleset.matcher(language).tagger)
    assert ruleset.ids == [name for name, _, _ in reference.columns()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a rule reads a field, and no text is a record
        R = ruleset.match(texts, language=language, on=DAY)
    for row, text in enumerate(texts):
        record = text if isinstance(text, str) else Record.of(text)
        assert [ruleset.ids[j] for j in R[row].indices] == list(reference.spans(record, DAY)), (data["rules"], text)
        expected = reference.spans(record, datetime.date.today())
        assert ruleset.spans(record, language=language) == expected, (data["rules"], text)
    return int(R.nnz)


@pytest.mark.slow
@settings(max_examples=40 * EXAMPLES, **common)
@given(RANDOMS)
def test_the_engine_agrees_with_the_reference(random_: Random) -> None:
    check(random_, tagged=False)
