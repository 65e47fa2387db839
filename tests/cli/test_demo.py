"""`rulenet demo`: its data, its parts, and the whole command with quick models in place of transformers."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rulenet import Explanation, RuleNetClassifier, RuleSet, Term
from rulenet.cli import demo
from rulenet.cli.demo import ASKED, EDIT, Corpus, pick, read_corpus, write_report
from rulenet.cli.main import app
from rulenet.errors import DataError
from rulenet.rules.testing.examples import run_examples

LABELS = ["account", "billing", "delivery", "praise", "returns", "technical"]
MAX_SIMILARITY = 0.6


@pytest.fixture(scope="module", params=["en", "zh"])
def corpus(request: pytest.FixtureRequest) -> Corpus:
    return read_corpus(request.param)


# Data


def test_the_messages_are_enough_balanced_and_labelled(corpus: Corpus) -> None:
    train, test = corpus.train[0], corpus.test[0]
    assert len(train) + len(test) >= {"en": 480, "zh": 300}[corpus.rules.language]
    assert 0.2 < len(test) / (len(train) + len(test)) < 0.4
    for texts, labels in (corpus.train, corpus.test):
        assert len(texts) == len(labels)
        counts = Counter(labels)
        assert sorted(counts) == LABELS
        assert max(counts.values()) <= 1.2 * min(counts.values())
    assert all(text.strip() == text != "" for text in train + test)


def test_no_message_stands_twice(corpus: Corpus) -> None:
    folded = [" ".join(re.findall(r"\w+", text.casefold())) for text in corpus.train[0] + corpus.test[0]]
    assert [text for text, count in Counter(folded).items() if count > 1] == []


def tokens(text: str, language: str) -> set[str]:
    """Words; of Chinese, characters."""
    return set(re.findall(r"\w" if language == "zh" else r"\w+", text.casefold()))


def test_no_test_message_resembles_a_training_message(corpus: Corpus) -> None:
    train, test = ([tokens(text, corpus.rules.language) for text in half[0]] for half in (corpus.train, corpus.test))
    closest = max(len(a & b) / len(a | b) for a in train for b in test)
    assert 0 < closest <= MAX_SIMILARITY


@pytest.mark.slow
def test_the_rules_speak_of_the_labels_and_do_what_their_examples_say(corpus: Corpus) -> None:
    assert sorted(corpus.rules.labels) == LABELS
    assert {rule.label for rule in corpus.rules.rules} == set(LABELS)
    assert [result for result in run_examples(corpus.rules) if not result.passed] == []


def test_the_edit_is_a_rule_that_catches_the_question() -> None:
    rules = read_corpus("en").rules
    edited = RuleSet.from_yaml(rules.source.rstrip("\n") + "\n" + EDIT)
    assert edited.ids == [*rules.ids, "technical.new_outage"]
    (start, end), *_ = edited.spans(ASKED)["technical.new_outage"]
    assert ASKED[start:end] == "blue triangle"
    assert all("blue triangle" not in text for text in rules.source.splitlines())


# Parts


def explanation(
    label: str, *, rule: float = 0.0, neural: float = 0.0, rest: float = 0.0, text: str = "x" * 50
) -> Explanation:
    """A decision for `label` over "other", by so much from a rule, ψ and anything else."""

    def by_label(value: float) -> dict[str, float]:
        return {label: value, "other": 0.0}

    terms = [Term("rule", "r", 1.0, by_label(rule), by_label(rule), [(0, 1)])]
    logits = by_label(rule + neural + rest)
    return Explanation(text, label, by_label(0.9), "hybrid", logits, by_label(rest), terms, by_label(neural))


def test_pick_takes_the_most_ruled_and_the_most_overruled_right_prediction() -> None:
    explanations = [
        explanation("a", rule=9),  # wrong
        explanation("a", rule=1, neural=3, rest=-2),
        explanation("a", rule=4),
        explanation("a", rule=8, text="short"),
        explanation("a", neural=1),
    ]
    assert pick(explanations, ["b", "a", "a", "a", "a"]) == [explanations[2], explanations[1]]


def test_pick_makes_do_with_little() -> None:
    one, two = explanation("a", rule=2), explanation("a", neural=1)
    assert pick([one], ["a"]) == [one, one]
    assert pick([one, two], ["b", "b"]) == [one, two]  # none is right


def test_compare_fits_three_models_to_the_same_messages(tiny_encoder: str) -> None:
    rules = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: a, label: sport, word: goal}, {id: b, label: money, word: bank}]}"
    )
    half = (["a goal", "the goal", "a match", "bank", "the bank", "a price"], ["sport"] * 3 + ["money"] * 3)
    clf, scores = demo.compare(Corpus(half, half, rules), tiny_encoder, verbose=0)
    assert list(scores) == ["rules_only", "transformer_only", "hybrid"]
    assert 4 / 6 <= scores["rules_only"] < 1  # one of "a match" and "a price" must be a guess
    assert scores["hybrid"] == clf.score(*half) == 1
    assert clf.predictor_.hybrid.is_neural
    assert clf.rules is rules


RESULTS: list[dict[str, Any]] = [
    {"data": "<English>", "train": 9, "test": 4, "rules_only": 0.5, "transformer_only": 0.625, "hybrid": 0.75}
]


def test_the_report_shows_results_edit_and_explanations(tmp_path: Path) -> None:
    before, after = explanation("before", rule=1), explanation("after", rule=5)
    write_report(tmp_path / "report.html", RESULTS, [explanation("told", rule=2)], explanation("又"), before, after)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    row = re.findall(r"<td[^>]*>(.*?)</td>", page)[:6]
    assert '<html lang="en">' in page
    assert re.findall(r'lang="zh">.*?又', page, re.S)
    assert row == ["&lt;English&gt;", "9", "4", "50.0%", "62.5%", "75.0%"]
    assert [page.index(word) for word in ("told", "blue triangle", "before</span>", "after</span>")] == sorted(
        page.index(word) for word in ("told", "blue triangle", "before</span>", "after</span>")
    )
    assert not re.search(r"https?:|<script", page)


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    e = explanation("a")
    with pytest.raises(DataError, match=r"report\.html cannot be written: No such file or directory"):
        write_report(tmp_path / "no/report.html", RESULTS, [e], e, e, e)


# The whole command


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models without a transformer; the demo's own take minutes."""

    def compare(corpus: Corpus, encoder: str, *, verbose: int) -> tuple[RuleNetClassifier, dict[str, float]]:
        clf = RuleNetClassifier(corpus.rules, None).fit(*corpus.train)
        score = clf.score(*corpus.test)
        return clf, {"rules_only": 0.5, "transformer_only": 0.5, "hybrid": score}

    monkeypatch.setattr(demo, "compare", compare)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_demo_runs_through(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    shown = CliRunner().invoke(app, ["demo", "--report", str(report)], catch_exceptions=False)
    assert shown.exit_code == 0
    assert re.search(r"English, MiniLM +384 +156 +50\.0% +50\.0% +[6-9]\d\.\d%", shown.stdout)
    assert "id: technical.new_outage" in shown.stdout
    assert re.search(r"before: \w+ [01]\.\d\d   after: technical [01]\.\d\d", shown.stdout)
    assert "<!doctype html>" in report.read_text(encoding="utf-8")
    data = json.loads(
        CliRunner().invoke(app, ["demo", "--report", str(report), "--json"], catch_exceptions=False).stdout
    )
    assert (data["edit"]["text"], data["edit"]["after"]) == (ASKED, "technical")
    assert data["edit"]["before"] != "technical"
    assert [row["data"] for row in data["results"]] == ["English, MiniLM", "Chinese, e5"]
    assert len(data["explanations"]) == 2
