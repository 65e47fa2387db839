"""`rulenet rules stats`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from rulenet import Recipe, RuleNetClassifier
from rulenet.cli import rules_stats
from rulenet.workbench.stats import rule_stats
from tests.cli import conftest as cli

RULES = """rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: win, label: Sports, word: win}
  - {id: oil, label: Money, word: oil}
  - {id: never, label: Money, word: zebra}
"""
ROWS = [("they win", "Sports"), ("oil firms win", "Money"), ("oil", "Money"), ("a goal", "Sports")]

run = partial(cli.run, "rules", "stats")


@pytest.fixture
def files(here: Path) -> Path:
    """Rules and data in the working folder."""
    Path("rules.yaml").write_text(RULES)
    Path("data.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS))
    Path("bare.csv").write_text("text\n" + "".join(f"{text}\n" for text, _ in ROWS))
    return here


pytestmark = pytest.mark.usefixtures("files")


def test_the_table_and_the_lines_below() -> None:
    lines = [line.strip() for line in run("rules.yaml", "--data", "data.csv").stdout.splitlines()]
    assert lines[0].split() == ["rule", "for", "fires", "right", "[95", "%]", "finds", "lift", "shared", "disputed"]
    assert lines[1].split() == ["win", "Sports", "2", "50%", "[9–91]", "50%", "1.0", "50%", "50%"]
    assert lines[3].split() == ["never", "Money", "0", "–", "0%", "–", "–", "–"]
    assert lines[4:] == [
        "3 rules, 4 texts; at least one rule fires on 75%, rules that cannot both be right on 25%",
        "conflict: win against oil on 1 text, right 0 : 1",
        "silent (1): never fires on these texts; check the spelling, or whether the rule is still needed: never",
    ]


@pytest.mark.parametrize(("width", "missing"), [(80, []), (60, ["shared"])])
def test_a_narrow_window_costs_columns_never_names(
    width: int, missing: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rules_stats, "out", Console(force_terminal=True, color_system=None, width=width))
    rules_stats.show(rule_stats(Path("rules.yaml"), *map(list, zip(*ROWS, strict=True))), rules_stats.Sort.fires, 0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["win", "Sports", "2", "50%"]
    assert lines[0].split()[-1] == "disputed"
    told = [line for line in lines if line.startswith("columns left out")]
    assert [name for name in ("shared", "lift", "finds") if name not in lines[0]] == missing
    assert told == (
        [f"columns left out: {', '.join(missing)}; widen the window, or use --html FILE"] if missing else []
    )


def test_rows_that_are_not_shown_are_counted() -> None:
    lines = run("rules.yaml", "--data", "data.csv", "--top", "1").stdout.splitlines()
    assert lines[2] == "2 more rules not shown; see --top and --sort"


@pytest.mark.parametrize(
    ("order", "expected"),
    [("fires", "win oil never"), ("right", "win oil never"), ("file", "win oil never"), ("disputed", "win oil never")],
)
def test_orders(order: str, expected: str) -> None:
    lines = run("rules.yaml", "--data", "data.csv", "--sort", order).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == expected.split()


def test_the_worst_first() -> None:
    Path("data.csv").write_text("text,label\noil,Sports\noil,Money\noil,Sports\nwin,Sports\n")
    lines = run("rules.yaml", "--data", "data.csv", "--sort", "right").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["oil", "win", "never"]


def test_json() -> None:
    data = json.loads(run("rules.yaml", "--data", "data.csv", "--json").stdout)
    assert (data["texts"], data["labels"]) == (4, {"Sports": 2, "Money": 2})
    assert [(rule["id"], rule["fired"], rule["right"]) for rule in data["rules"]] == [
        ("win", 2, 1),
        ("oil", 2, 2),
        ("never", 0, 0),
    ]
    assert "drift" not in data


def test_html() -> None:
    run("rules.yaml", "--data", "data.csv", "--html", "page.html")
    assert "Rules of rules.yaml" in Path("page.html").read_text(encoding="utf-8")


def test_texts_without_labels() -> None:
    assert "note: some or all labels are missing: precision" in run("rules.yaml", "--data", "bare.csv").stdout


def test_no_drift_from_a_baseline_of_the_same_texts() -> None:
    Path("base.json").write_text(run("rules.yaml", "--data", "data.csv", "--json").stdout)
    lines = run("rules.yaml", "--data", "data.csv", "--baseline", "base.json").stdout.splitlines()
    assert "✓ drift found in 0 of 3 rules (4 texts now, 4 before; 5 tests, Holm, 5 %)" in lines


def test_drift_ends_with_status_1() -> None:
    Path("before.csv").write_text("text,label\n" + "oil,Money\n" * 50 + "win,Sports\n" * 50)
    Path("after.csv").write_text("text,label\n" + "gas,Money\n" * 50 + "win,Sports\n" * 50)
    Path("base.json").write_text(run("rules.yaml", "--data", "before.csv", "--json").stdout)
    lines = run("rules.yaml", "--data", "after.csv", "--baseline", "base.json", status=1).stdout.splitlines()
    assert "✗ drift found in 1 of 3 rules (100 texts now, 100 before; 4 tests, Holm, 5 %)" in lines
    assert any(line.split() == ["oil", "died", "50.00%", "→", "0.00%", "100%", "→", "–"] for line in lines)
    data = json.loads(run("rules.yaml", "--data", "after.csv", "--baseline", "base.json", "--json", status=1).stdout)
    assert data["drift"]["flagged"] == ["oil"]


def test_a_model_brings_its_rules_weights_and_baseline() -> None:
    texts, labels = zip(*(ROWS * 5), strict=True)
    RuleNetClassifier("rules.yaml", None, recipe=Recipe.of(tfidf=False)).fit(list(texts), list(labels)).save("model")
    result = run("--model", "model", "--data", "data.csv", "--baseline", "model", "--sort", "worth")
    assert result.stdout.splitlines()[0].split()[-3:] == ["weight", "saves", "spoils"]
    assert "✓ drift found in 0 of 3 rules (4 texts now, 20 before; 5 tests, Holm, 5 %)" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "data.csv"], "name a rule file, or a model with"),
        (["rules.yaml", "--data", "missing.csv"], "missing.csv: not found"),
        (["missing.yaml", "--data", "data.csv"], "no such file"),
        (["rules.yaml", "--data", "data.csv", "--baseline", "missing.json"], "missing.json cannot be read"),
        (["rules.yaml", "--data", "data.csv", "--html", "no/page.html"], "there is no folder no"),
        (["rules.yaml", "--data", "gaps.csv", "--label", "label"], "some rows have no label"),
        (["rules.yaml", "--data", "typo.csv"], "label 'Sprots' of the data is not among `labels`"),
        (["rules.yaml"], "Missing option '--data'"),
        (["rules.yaml", "--data", "data.csv", "--jobs", "0"], "--jobs 0: give 1 or more, or -1 for all cores"),
    ],
)
def test_bad_usage_ends_with_status_2_and_a_line(arguments: list[str], message: str) -> None:
    Path("gaps.csv").write_text("text,label\nwin,Sports\noil,\n")
    Path("typo.csv").write_text("text,label\nwin,Sprots\noil,Money\n")
    result = run(*arguments, status=2)
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""
