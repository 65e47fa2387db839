"""`rulenet rules apply`: what it prints and writes, the way back, and how it complains."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier
from tests.cli import conftest as cli
from tests.store.folders import content, part, present

RULES = """rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: win, label: Sports, word: win, weight: 2, pin: true}
  - {id: oil, label: Money, word: oil}
"""
EDITED = RULES.replace("weight: 2", "weight: 0.25") + "  - {id: tie, label: Sports, word: tie, weight: 1.5}\n"
MODEL = Path("model")
ROWS = [("they win", "Sports"), ("oil firms win", "Sports"), ("oil", "Money"), ("oil price", "Money")]

run = partial(cli.run, "rules", "apply")


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    """A model, rules and data in the working folder."""
    Path("rules.yaml").write_text(RULES)
    Path("edited.yaml").write_text(EDITED)
    Path("data.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS))
    Path("texts.txt").write_text("".join(f"{text}\n" for text, _ in ROWS))
    texts, labels = zip(*ROWS * 5, strict=True)
    RuleNetClassifier("rules.yaml", None, recipe=Recipe.of(tfidf=False)).fit(texts, labels).save("model")


def test_apply_and_undo() -> None:
    before = present(MODEL)
    out = run("model", "edited.yaml").stdout.splitlines()
    assert out[:3] == ['+ rule tie (Sports +1.5): word: ["tie"]', "~ rule win", "    weight: 2.0 → 0.25"]
    assert out[4:8] == [
        "Weights, in logits",
        "    win (re-weighted): Sports +2.00 → Sports +0.25 (starting weight)",
        "    tie (added): none → Sports +1.50 (starting weight)",
        "1 rule is unchanged",
    ]
    assert out[-1] == "✓ model now has these rules; --undo goes back"
    assert part(MODEL, "rules.yaml").read_text() == EDITED
    out = run("model", "--undo").stdout.splitlines()
    assert out[:3] == ['- rule tie (Sports +1.5): word: ["tie"]', "~ rule win", "    weight: 0.25 → 2.0"]
    assert out[-1] == "✓ undo done: model has 0 steps to undo and 1 step to redo"
    assert present(MODEL) == before
    assert run("model", "--redo").stdout.splitlines()[-1] == "✓ redo done: model has 1 step to undo and 0 steps to redo"
    assert part(MODEL, "rules.yaml").read_text() == EDITED


@pytest.mark.parametrize("name", ["data.csv", "texts.txt"])
def test_a_dry_run_with_a_sample(name: str) -> None:
    before = content(MODEL)
    out = run("model", "edited.yaml", "--sample", name, "--dry-run").stdout
    assert "The prediction of the model changes for 1 of 4 texts" in out
    assert ("accuracy 100.00% → 75.00% (-25.00 points)" in out) == (name == "data.csv")
    assert (
        f"~ Sports → Money{' (broken)' if name == 'data.csv' else ''}: oil firms win\n    rule win -2.00 → -0.25: win\n"
        in out
    )
    assert out.splitlines()[-1] == "nothing was written (--dry-run)"
    assert content(MODEL) == before


def test_the_same_rules_again() -> None:
    before = content(MODEL)
    out = run("model", "rules.yaml").stdout.splitlines()
    assert out[-1] == "model already has these rules; nothing was written"
    assert content(MODEL) == before


def test_refit_with_the_models_own_rules() -> None:
    out = run("model", "--refit", "phi", "--data", "data.csv").stdout
    assert "oil (refitted)" in out  # four texts pull less than twenty
    assert "φ was solved again with 4 texts" in out
    assert (
        run("model", "--undo").stdout.splitlines()[0] == "= the rules are the same; the rest is that of the other state"
    )


def test_json() -> None:
    data = json.loads(run("model", "edited.yaml", "--sample", "data.csv", "--json").stdout)
    assert data["is_written"] is True
    assert {rule["id"]: rule["what"] for rule in data["rules"]} == {"win": ["re-weighted"], "tie": ["added"]}
    assert [answer["verdict"] for answer in data["diff"]["flips"]["answers"]] == ["broken"]
    data = json.loads(run("model", "--undo", "--json").stdout)
    assert (data["undo"], data["undo_left"], data["redo_left"], data["diff"]["same"]) == (True, 0, 1, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model",), "name a rule file, or give --undo, --redo, or --refit phi --data FILE"),
        (("model", "edited.yaml", "--undo"), "--undo needs only the model"),
        (("model", "--redo", "--dry-run"), "--redo needs only the model"),
        (("model", "--undo", "--redo"), "give one of the two"),
        (("model", "--undo"), "there is nothing to undo"),
        (("model", "edited.yaml", "--refit", "phi"), "--refit phi and --data FILE belong together"),
        (("model", "edited.yaml", "--data", "data.csv"), "--refit phi and --data FILE belong together"),
        (
            ("model", "edited.yaml", "--refit", "psi", "--data", "data.csv"),
            "--refit psi is not known; the only choice is 'phi'",
        ),
        (("none", "edited.yaml"), "none: no such folder"),
        (("model", "none.yaml"), "none.yaml: no such file"),
        (("model", "faulty.yaml"), "faulty.yaml:5: rule 'win': unknown field 'wrd'"),
        (("model", "other.yaml"), "label 'Money' of the data is not among `labels` of other.yaml"),
        (("model", "edited.yaml", "--sample", "none.csv"), "none.csv"),
        (("model", "edited.yaml", "--sample", "arts.csv"), "arts.csv has labels that the model does not know: 'Arts'"),
    ],
)
def test_mistakes_write_nothing(arguments: tuple[str, ...], message: str) -> None:
    Path("faulty.yaml").write_text(RULES.replace("word: win", "wrd: win"))
    Path("other.yaml").write_text("rulenet: 1\nlabels: [Sports]\nrules:\n  - {id: win, label: Sports, word: win}\n")
    Path("arts.csv").write_text("text,label\nnew play,Arts\nwin,Sports\n")
    before = content(MODEL)
    result = run(*arguments, status=2)
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert content(MODEL) == before
