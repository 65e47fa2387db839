"""`rulenet rules suggest`."""

from __future__ import annotations

import csv
import json
import random
from functools import partial
from pathlib import Path

import pytest

from rulenet.rules.lint.lint import lint
from rulenet.rules.ruleset import RuleSet
from tests.cli import conftest as cli

RULES = """# the desk's own file
rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: sports.goal, label: Sports, word: goal}  # keep this
  - {id: money.bank, label: Money, word: bank}
"""
WORDS = {"Sports": ["goal", "striker", "keeper"], "Money": ["bank", "shares", "profit"]}

run = partial(cli.run, "rules", "suggest")


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    """A rule file and 600 labelled texts in the working folder."""
    Path("rules.yaml").write_text(RULES)
    rng = random.Random(0)
    filler = [f"filler{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]
    with Path("data.csv").open("w", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["text", "label"])
        for label, words in WORDS.items():
            for _ in range(300):
                says = rng.sample(words, 1) if rng.random() < 0.8 else []
                rows.writerow([" ".join([*rng.sample(filler, 8), *says]), label])


def test_suggestions_are_shown_with_yaml_and_figures() -> None:
    shown = run("rules.yaml", "--data", "data.csv").stdout
    assert "  - id: sports." in shown
    assert " expected (p = " in shown
    assert "accuracy on 180 held-out texts" in shown


def test_json_holds_the_same_and_nothing_is_written() -> None:
    before = sorted(path.name for path in Path().iterdir())
    data = json.loads(run("rules.yaml", "--data", "data.csv", "--json").stdout)
    assert data["new"][0]["yaml"].startswith("  - id: ")
    assert data["accuracy_after"] > data["accuracy_before"]
    assert (data["n_mined"] + data["n_chosen"], data["n_held_out"], data["written"]) == (420, 180, [])
    assert sorted(path.name for path in Path().iterdir()) == before
    assert Path("rules.yaml").read_text() == RULES


def test_write_makes_a_file_that_lints_clean() -> None:
    data = json.loads(run("rules.yaml", "--data", "data.csv", "--write", "more.yaml", "--json").stdout)
    confirmed = [row["rule"]["id"] for row in data["new"] if row["is_confirmed"]]
    assert confirmed
    made = RuleSet.load("more.yaml")
    assert made.ids == data["written"] == confirmed
    assert made.labels == ["Sports", "Money"]
    assert lint(Path("more.yaml")) == []
    assert Path("rules.yaml").read_text() == RULES


def test_write_keeps_what_a_file_holds() -> None:
    data = json.loads(run("rules.yaml", "--data", "data.csv", "--write", "rules.yaml", "--json").stdout)
    text = Path("rules.yaml").read_text()
    assert RuleSet.load("rules.yaml").ids == ["sports.goal", "money.bank", *data["written"]]
    assert "# the desk's own file" in text
    assert "# keep this" in text
    assert [fault for fault in lint(Path("rules.yaml")) if fault.severity == "error"] == []


def test_only_chooses_by_id() -> None:
    ids = [row["rule"]["id"] for row in json.loads(run("rules.yaml", "--data", "data.csv", "--json").stdout)["new"]]
    run("rules.yaml", "--data", "data.csv", "--write", "one.yaml", "--only", ids[1])
    assert RuleSet.load("one.yaml").ids == [ids[1]]
    refused = run("rules.yaml", "--data", "data.csv", "--write", "two.yaml", "--only", "nothing", status=2)
    assert "--only nothing: the suggested rules are" in refused.stderr
    assert not Path("two.yaml").exists()


def test_write_says_when_there_is_nothing_to_write() -> None:
    rows = [f"{3 * chr(97 + i % 26)} {4 * chr(97 + i // 26)},{'Sports' if i % 3 else 'Money'}\n" for i in range(80)]
    Path("same.csv").write_text("text,label\n" + "".join(rows))
    last = run("rules.yaml", "--data", "same.csv", "--write", "new.yaml").stdout.splitlines()[-1]
    assert last == "no rule is confirmed, so nothing was written"
    assert not Path("new.yaml").exists()


def test_bad_usage() -> None:
    assert "add --write FILE" in run("rules.yaml", "--data", "data.csv", "--only", "a", status=2).stderr
    assert "no such file" in run("missing.yaml", "--data", "data.csv", status=2).stderr
    assert "there is no folder" in run("rules.yaml", "--data", "data.csv", "--write", "no/where.yaml", status=2).stderr


def test_a_sample_is_not_a_prefix() -> None:
    # The first half of the file holds one label only: a prefix could not be learned from.
    data = json.loads(run("rules.yaml", "--data", "data.csv", "--sample", 300, "--json").stdout)
    assert data["n_mined"] + data["n_chosen"] + data["n_held_out"] == 300


def test_from_no_rules_at_all() -> None:
    """An empty list, or labels alone; the rules go into that very file."""
    for name, text in {
        "empty.yaml": "rulenet: 1\nlanguage: en\nrules: []\n",
        "labels.yaml": "rulenet: 1\nlabels: [Sports, Money]\n",
    }.items():
        Path(name).write_text(text)
        run(name, "--data", "data.csv", "--write", name)
        found = RuleSet.load(name)
        assert {rule.label for rule in found.file.rules} == {"Sports", "Money"}
        assert not [fault for fault in lint(name) if fault.severity != "info"]


def test_how_many_texts_are_wanted() -> None:
    Path("few.csv").write_text("text,label\na,Sports\nb,Money\n")
    assert "give at least 60 different texts" in cli.complaint("rules", "suggest", "rules.yaml", "--data", "few.csv")
    lines = Path("data.csv").read_text().splitlines(keepends=True)
    Path("some.csv").write_text("".join([*lines[:41], *lines[301:341]]))
    out = run("rules.yaml", "--data", "some.csv").stdout
    assert "about 100 texts of each label are wanted: with fewer, few rules can be told from chance (" in out
