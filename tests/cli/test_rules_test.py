"""`rulenet rules test`: examples, cases, and what is shown about failures."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.cli import conftest as cli

run = partial(cli.run, "rules", "test")
GOOD = """rulenet: 1
language: en
rules:
  - id: win
    label: Sports
    word: win
    examples: {match: [They win], reject: [They lost]}
  - {id: oil, label: Business, word: oil}
"""
CONTRADICTED = GOOD.replace("[They win]", "[They won]").replace("[They lost]", "[We win]")


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    """Rule files in the working folder."""
    Path("good.yaml").write_text(GOOD)
    Path("contradicted.yaml").write_text(CONTRADICTED)


def test_examples_that_pass() -> None:
    assert run("good.yaml").stdout == "✓ 2 rules, 2 of 2 examples passed; 1 rule has no examples\n"


def test_examples_that_fail_are_shown_with_what_happened() -> None:
    assert run("contradicted.yaml", status=1).stdout.splitlines() == [
        "contradicted.yaml:7: rule 'win'",
        "    They won",
        "    expected  fires (match example)",
        "    got       does not fire",
        "    ✗ word: win",
        "",
        "contradicted.yaml:7: rule 'win'",
        "    We win",
        "    expected  does not fire (reject example)",
        "    got       fires",
        '    ✓ word: win  "win"',
        "",
        "✗ 2 rules, 0 of 2 examples passed; 1 rule has no examples",
    ]


def test_only_one_rule() -> None:
    assert run("contradicted.yaml", "--rule", "oil").stdout == "✓ 1 rule, no examples; 1 rule has no examples\n"
    result = run("contradicted.yaml", "--rule", "wim", status=2)
    assert "contradicted.yaml has no rule 'wim': did you mean 'win'?" in result.stderr


def test_an_unless_is_spelt_out_only_where_it_matters() -> None:
    Path("unless.yaml").write_text(
        GOOD.replace(
            "word: oil", "word: oil, unless: [{word: olive}], examples: {match: [gas, olive oil], reject: [oil]}"
        )
    )
    lines = [line.strip() for line in run("unless.yaml", status=1).stdout.splitlines()]
    assert lines[4:8] == ["✗ the rule", "✗ word: oil", "✓ unless", ""]
    assert lines[12:17] == ["✗ the rule", '✓ word: oil  "oil"', "✗ unless", '✗ no word: olive  "olive"', ""]
    assert lines[21:26] == ["✓ the rule", '✓ word: oil  "oil"', "✓ unless", "✓ no word: olive", ""]


def test_cases_that_fail_are_shown_with_the_vote() -> None:
    Path("cases.yaml").write_text(
        GOOD + "cases:\n- {text: They win, label: Sports}\n- {text: Oil win, label: Sports}\n"
        "- {text: Oil, label: Sports}\n- {text: nothing, label: Sports}\n"
    )
    assert run("cases.yaml", status=1).stdout.splitlines() == [
        "cases.yaml:11: case",
        "    Oil win",
        "    expected  Sports",
        "    got       a tie between Sports, Business  (Sports 1, Business 1)",
        '      Sports +1  win  "win"',
        '      Business +1  oil  "Oil"',
        "",
        "cases.yaml:12: case",
        "    Oil",
        "    expected  Sports",
        "    got       Business  (Business 1)",
        '      Business +1  oil  "Oil"',
        "",
        "cases.yaml:13: case",
        "    nothing",
        "    expected  Sports",
        "    got       no label: no rule fires",
        "",
        "✗ 2 rules, 2 of 2 examples passed, 1 of 4 cases passed; 1 rule has no examples",
    ]
    data = json.loads(run("cases.yaml", "--json", status=1).stdout)
    assert (data["cases"], data["failed"]) == (4, [])
    assert data["failed_cases"][0] == {
        "line": 11,
        "text": "Oil win",
        "expected": "Sports",
        "got": ["Sports", "Business"],
        "totals": {"Sports": 1.0, "Business": 1.0},
        "votes": [
            {"rule": "win", "evidence": {"Sports": 1.0}, "spans": [[4, 7]]},
            {"rule": "oil", "evidence": {"Business": 1.0}, "spans": [[0, 3]]},
        ],
    }


def test_a_file_cannot_steer_the_terminal() -> None:
    evil = GOOD.replace("[They win]", '["They \\e[2J lost"]').replace("id: win", 'id: "w\\e[31min"')
    Path("evil.yaml").write_text(evil)
    shown = run("evil.yaml", status=1).stdout
    assert "    They ␛[2J lost\n" in shown
    assert "rule 'w␛[31min'" in shown
    assert "\x1b" not in shown + cli.run("rules", "lint", "evil.yaml", status=1).stdout


def test_examples_as_json() -> None:
    data = json.loads(run("contradicted.yaml", "--json", status=1).stdout)
    assert (data["examples"], data["rules"], data["rules_without_examples"]) == (2, 2, 1)
    assert [(row["expected"], row["text"], row["spans"]) for row in data["failed"]] == [
        ("match", "They won", None),
        ("reject", "We win", [[3, 6]]),
    ]
    assert data["failed"][1]["trace"] == {
        "condition": "word: win",
        "passed": True,
        "found": ["win"],
        "note": "",
        "parts": [],
    }
    assert json.loads(run("good.yaml", "--json").stdout)["failed"] == []


def test_a_file_that_does_not_load_cannot_be_tested() -> None:
    Path("faulty.yaml").write_text(GOOD.replace("label: Sports", "wieght: 2", 1))
    result = run("faulty.yaml", status=2)
    assert result.stdout == ""
    assert "faulty.yaml:5: rule 'win': unknown field 'wieght'" in result.stderr
