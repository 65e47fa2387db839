"""`rulenet rules diff`: what it prints, its exit status, and how it complains."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier
from tests.cli import conftest as cli

A = """rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: win, label: Sports, word: win}
  - {id: oil, label: Money, word: oil, weight: 2}
"""
B = A.replace("weight: 2", "weight: 0.5, note: '[bold]see[/bold]'") + "  - {id: tie, label: Sports, word: tie}\n"
TEXTS = ["They win oil", "oil", "a tie", "nothing"]

run = partial(cli.run, "rules", "diff")


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    """Rule files and texts in the working folder."""
    Path("a.yaml").write_text(A)
    Path("b.yaml").write_text(B)
    Path("texts.txt").write_text("\n".join(TEXTS) + "\n\n")
    Path("texts.csv").write_text(
        "text,label\n" + "".join(f"{t},{x}\n" for t, x in zip(TEXTS, ["Sports", "Money"] * 2, strict=True))
    )


def test_same_files() -> None:
    Path("c.yaml").write_text(A.replace("rules:", "rules:  # all of them"))
    assert run("a.yaml", "c.yaml").stdout == "= a.yaml and c.yaml have the same meaning\n"


def test_differences_are_shown_and_markup_is_not_read() -> None:
    assert run("a.yaml", "b.yaml", status=1).stdout.splitlines() == [
        '+ rule tie (Sports +1): word: ["tie"]',
        "~ rule oil",
        "    weight: 2.0 → 0.5",
        "    note: not given → [bold]see[/bold]",
    ]


@pytest.mark.parametrize("name", ["texts.txt", "texts.csv"])
def test_answers_of_the_vote(name: str) -> None:
    out = run("a.yaml", "b.yaml", "--data", name, status=1).stdout
    assert "The prediction of the starting weights changes for 2 of 4 texts" in out
    assert ("accuracy 25.00% → 75.00% (+50.00 points)" in out) == (name == "texts.csv")
    fixed = " (fixed)" if name == "texts.csv" else ""
    assert f"~ Money → Sports{fixed}: They win oil\n    rule oil -2.00 → -0.50: oil\n" in out
    assert f"~ no label → Sports{fixed}: a tie\n    rule tie +0.00 → +1.00: tie\n" in out


def test_answers_of_a_model() -> None:
    clf = RuleNetClassifier("a.yaml", None, recipe=Recipe.of(tfidf=False)).fit(
        ["win", "oil"] * 2, ["Sports", "Money"] * 2
    )
    clf.save("model")
    out = run("a.yaml", "b.yaml", "--data", "texts.csv", "--model", "model", status=1).stdout
    assert "The prediction of the model changes for" in out
    data = json.loads(run("a.yaml", "b.yaml", "--data", "texts.csv", "--model", "model", "--json", status=1).stdout)
    assert data["flips"]["by"] == "model"
    assert data["flips"]["texts"] == 4


def test_json() -> None:
    data = json.loads(run("a.yaml", "b.yaml", "--json", status=1).stdout)
    assert (data["same"], [rule["id"] for rule in data["added"]], data["flips"]) == (False, ["tie"], None)
    assert json.loads(run("a.yaml", "a.yaml", "--json").stdout)["same"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.yaml", "none.yaml"), "none.yaml: no such file"),
        (("a.yaml", "b.yaml", "--model", "model"), "--model needs texts to predict: add --data FILE"),
        (("a.yaml", "b.yaml", "--data", "none.csv"), "none.csv"),
        (("a.yaml", "b.yaml", "--data", "none.txt"), "none.txt: not found"),
        (("a.yaml", "b.yaml", "--data", "latin.txt"), "latin.txt:1: byte 3 of the file is not valid utf-8"),
        (("a.yaml", "b.yaml", "--data", "texts.txt", "--model", "none"), "none: no such folder"),
        (("a.yaml",), "Missing argument 'B'"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], message: str) -> None:
    Path("latin.txt").write_bytes(b"caf\xff")
    result = run(*arguments, status=2)
    assert result.stdout == ""
    assert message in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.slow
def test_without_texts_it_starts_fast() -> None:
    code = (
        "import sys; from rulenet.cli.rules_diff import diff; from rulenet.workbench.diff import diff_rules; "
        "print([name for name in ('numpy', 'scipy', 'sklearn', 'torch') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
