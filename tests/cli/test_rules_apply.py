"""`rulenet rules apply`: what it prints and writes, the way back, and how it complains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rulenet import Recipe, RuleNetClassifier
from rulenet.cli.main import app

RULES = """rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: win, label: Sports, word: win, weight: 2, pin: true}
  - {id: oil, label: Money, word: oil}
"""
EDITED = RULES.replace("weight: 2", "weight: 0.25") + "  - {id: tie, label: Sports, word: tie, weight: 1.5}\n"
ROWS = [("they win", "Sports"), ("oil firms win", "Sports"), ("oil", "Money"), ("oil price", "Money")]


def run(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["rules", "apply", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def content() -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in Path("model").rglob("*") if file.is_file()}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model, rules and data in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    Path("edited.yaml").write_text(EDITED)
    Path("data.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS))
    Path("texts.txt").write_text("".join(f"{text}\n" for text, _ in ROWS))
    texts, labels = zip(*ROWS * 5, strict=True)
    RuleNetClassifier("rules.yaml", None, recipe=Recipe.of(tfidf=False)).fit(texts, labels).save("model")


def test_apply_and_undo() -> None:
    before = content()
    out = run("model", "edited.yaml").stdout.splitlines()
    assert out[:3] == ['+ rule tie (Sports +1.5): word: ["tie"]', "~ rule win", "    weight: 2.0 → 0.25"]
    assert out[4:8] == [
        "Weights, in logits",
        "    win (re-weighted): Sports +2.00 → Sports +0.25 its author's",
        "    tie (added): none → Sports +1.50 its author's",
        "1 rules are as they were",
    ]
    assert out[-1] == "✓ model has these rules now; --undo takes it back"
    assert Path("model/rules.yaml").read_text() == EDITED
    out = run("model", "--undo").stdout.splitlines()
    assert out[:3] == ['- rule tie (Sports +1.5): word: ["tie"]', "~ rule win", "    weight: 0.25 → 2.0"]
    assert out[-1] == "✓ undo done: model can go 0 back and 1 forward"
    assert {name: data for name, data in content().items() if "history" not in name} == before
    assert run("model", "--redo").stdout.splitlines()[-1] == "✓ redo done: model can go 1 back and 0 forward"
    assert Path("model/rules.yaml").read_text() == EDITED


@pytest.mark.parametrize("name", ["data.csv", "texts.txt"])
def test_a_dry_run_with_a_sample(name: str) -> None:
    before = content()
    out = run("model", "edited.yaml", "--sample", name, "--dry-run").stdout
    assert "On 4 texts the model answers 1 otherwise" in out
    assert ("accuracy 100.00% → 75.00% (-25.00 points)" in out) == (name == "data.csv")
    assert (
        f"~ Sports → Money{' (broken)' if name == 'data.csv' else ''}: oil firms win\n    rule win -2.00 → -0.25: win\n"
        in out
    )
    assert out.splitlines()[-1] == "nothing was written (--dry-run)"
    assert content() == before


def test_the_same_rules_again() -> None:
    before = content()
    out = run("model", "rules.yaml").stdout.splitlines()
    assert out[-1] == "model has these rules already; nothing was written"
    assert content() == before


def test_refit_with_the_models_own_rules() -> None:
    out = run("model", "--refit", "phi", "--data", "data.csv").stdout
    assert "oil (refitted)" in out  # four texts pull less than twenty
    assert "φ was solved again with 4 texts" in out
    assert (
        run("model", "--undo").stdout.splitlines()[0] == "= the rules say the same; the weights are those of that state"
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
        (("model", "edited.yaml", "--undo"), "--undo takes the model only"),
        (("model", "--redo", "--dry-run"), "--redo takes the model only"),
        (("model", "--undo", "--redo"), "give one of the two"),
        (("model", "--undo"), "there is nothing to undo"),
        (("model", "edited.yaml", "--refit", "phi"), "--refit phi and --data FILE go together"),
        (("model", "edited.yaml", "--data", "data.csv"), "--refit phi and --data FILE go together"),
        (("model", "edited.yaml", "--refit", "psi", "--data", "data.csv"), "refit='psi' is none of phi"),
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
    before = content()
    result = run(*arguments, status=2)
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert content() == before
