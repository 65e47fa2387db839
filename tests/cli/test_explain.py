"""`rulenet explain` with --contrast, --what-if and --tokens: what it prints and writes, and how it complains."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.cli.explain import _pair
from rulenet.errors import LabelError
from tests.cli import conftest as cli
from tests.test_label_sets import SETS
from tests.test_label_sets import TEXTS as DIARY

RULES = RuleSet.from_yaml(
    "{rulenet: 1, rules: [{id: parcel, label: delivery, word: parcel}, {id: money, label: billing, word: money}]}"
)
TEXTS = ["my parcel is late", "a parcel was lost", "money back", "too much money"]
LABELS = ["delivery", "delivery", "billing", "billing"]

run = partial(cli.run, "explain")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain") / "model"
    RuleNetClassifier(RULES, None).fit(TEXTS, LABELS).save(folder)
    return folder


def test_a_contrast_is_shown_below_the_explanation(model: Path) -> None:
    shown = run(model, "my parcel", "--contrast", "billing,delivery").stdout
    assert re.search(r"^delivery 0\.\d\d \(rules\) over billing", shown, re.MULTILINE)
    assert re.search(r"^billing rather than delivery: -\d\.\d\d$", shown, re.MULTILINE)
    assert re.search(r"rule +parcel +parcel +▌+ -1\.\d\d", shown)


def test_what_would_change_the_answer(model: Path) -> None:
    shown = run(model, "my parcel", "--what-if").stdout
    assert "delivery: what it would take to be another label" in shown


def test_json_contains_everything_requested(model: Path) -> None:
    shown = run(model, "my parcel", "money", "--contrast", "delivery,billing", "--what-if", "--json").stdout
    for text, line in zip(["my parcel", "money"], shown.splitlines(), strict=True):
        data = json.loads(line)
        assert data["text"] == data["contrast"]["text"] == data["what_if"]["text"] == text
        assert data["contrast"]["total"] == pytest.approx(data["logits"]["delivery"] - data["logits"]["billing"])
    assert "contrast" not in json.loads(run(model, "my parcel", "--json").stdout)


def test_a_page_contains_everything_requested(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run(model, "<b>parcel", "--contrast", "delivery,billing", "--what-if", "--html", page)
    written = page.read_text(encoding="utf-8")
    assert written.count('<section class="card">') == 3
    assert "delivery rather than billing" in written
    assert "<b>" not in written


def test_tokens_without_a_transformer_have_no_effect(model: Path) -> None:
    result = run(model, "my parcel", "--tokens", "--json")
    assert json.loads(result.stdout)["tokens"] == []
    assert result.stderr == "note: this model has no transformer, so --tokens has no effect\n"


@pytest.mark.slow
def test_tokens_speak_for_the_labels_of_the_contrast(tiny_encoder: str, tmp_path: Path) -> None:
    pytest.importorskip("captum")
    clf = RuleNetClassifier(RULES, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS)
    clf.save(tmp_path / "model")
    shown = run(tmp_path / "model", "my parcel", "--tokens", "--contrast", "billing,delivery", "--json").stdout
    data = json.loads(shown)
    assert data["token_labels"] == ["billing", "delivery"]
    assert [token["text"] for token in data["tokens"]] == ["my", "parcel"]
    assert data["contrast"]["tokens"] == data["tokens"]
    assert (
        json.loads(run(tmp_path / "model", "my parcel", "--tokens", "--json").stdout)["token_labels"][0]
        == data["label"]
    )


@pytest.mark.parametrize("pair", ["delivery", "delivery,delivery", "delivery,bill", ",", "delivery,billing,other"])
def test_a_contrast_of_other_than_two_labels_is_refused(model: Path, pair: str) -> None:
    result = run(model, "my parcel", "--contrast", pair, status=2)
    assert f"--contrast '{pair}' must name two labels" in result.stderr.replace("\n", " ")
    assert "billing, delivery" in result.stderr.replace("\n", " ")


def test_labels_of_a_contrast_are_those_of_the_model() -> None:
    assert _pair("1,2", [1, 2, 3]) == (1, 2)
    assert _pair("True, False", [False, True]) == (True, False)
    assert _pair("a,b,c", ["a,b", "c", "d"]) == ("a,b", "c")
    with pytest.raises(LabelError, match=r"'x,y' must name two labels as LABEL,OTHER; the model has 1, 2$"):
        _pair("x,y", [1, 2])


def test_a_record_is_explained_by_its_fields(tmp_path: Path) -> None:
    rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: t, label: a, word: refund, field: title}]}")
    texts = [{"title": "refund", "body": "x"}, {"title": "x", "body": "refund"}]
    RuleNetClassifier(rules, None).fit(texts * 3, ["a", "b"] * 3).save(tmp_path / "m")
    shown = [json.loads(run(tmp_path / "m", "--records", "--json", json.dumps(text)).stdout) for text in texts]
    fired = [[term["name"] for term in e["terms"] if term["kind"] == "rule"] for e in shown]
    assert fired == [["t"], []]
    assert "is not a JSON object of texts" in run(tmp_path / "m", "--records", "refund", status=2).stderr


def test_explain_shows_what_added_up(folder: Path) -> None:
    shown = run(folder / "model", "Where is my parcel?", "money").stdout
    assert re.search(r"^delivery 0\.\d\d \(rules\) over billing by \d\.\d\d$", shown, re.MULTILINE)
    assert re.search(r"^ *rule +parcel +parcel +\+1\.\d\d +\+0\.00", shown, re.MULTILINE)
    assert re.search(r"^billing 0\.\d\d", shown, re.MULTILINE)


def test_explain_as_json_lines_adds_up(folder: Path) -> None:
    lines = run(folder / "model", "-", "--json", stdin="my parcel\nno money\n").stdout.splitlines()
    explanations = [json.loads(line) for line in lines]
    assert [e["text"] for e in explanations] == ["my parcel", "no money"]
    for e in explanations:
        for label, logit in e["logits"].items():
            terms = sum(term["contributions"][label] for term in e["terms"])
            assert e["bias"][label] + terms + e["neural"][label] == pytest.approx(logit, abs=1e-4)


def test_explain_writes_a_page(folder: Path, tmp_path: Path) -> None:
    run(folder / "model", "my <b>parcel</b>", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert '<mark class="for" title="parcel">parcel</mark>' in page
    assert "my &lt;b&gt;" in page


def test_a_model_with_several_labels_is_explained(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    RuleNetClassifier(None, None, recipe=Recipe.of(word_vectors=None)).fit(DIARY, SETS).save(folder)
    shown = run(folder, "happy and angry").stdout
    assert "joy, because of" in shown
    assert "threshold" in shown
    assert set(json.loads(run(folder, "happy and angry", "--json").stdout)["labels"]) == {"anger", "joy"}
    assert "joy rather than love" in run(folder, "happy", "--contrast", "joy,love").stdout
    assert "what_if needs a model with one label per text" in cli.complaint(
        "explain", str(folder), "happy", "--what-if"
    )
