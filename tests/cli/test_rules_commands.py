"""`rulenet rules lint · test · schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rulenet.cli.main import app

GOOD = """rulenet: 1
language: en
rules:
  - id: win
    label: Sports
    word: win
    examples: {match: [They win], reject: [They lost]}
  - {id: oil, label: Business, word: oil}
"""
FAULTY = """rulenet: 1
rules:
  - {id: win, label: Sports, wieght: 2, word: win}
  - {id: win, label: Sports, regex: "("}
"""
SMELLY = """rulenet: 1
rules:
  - {id: cpp, label: Code, word: "C++"}
"""
CONTRADICTED = GOOD.replace("[They win]", "[They won]").replace("[They lost]", "[We win]")


def run(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["rules", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule files in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"good": GOOD, "faulty": FAULTY, "smelly": SMELLY, "contradicted": CONTRADICTED}.items():
        Path(f"{name}.yaml").write_text(text)


pytestmark = pytest.mark.usefixtures("files")


def test_lint_of_a_good_file() -> None:
    assert run("lint", "good.yaml").stdout == "✓ 1 file, 0 errors, 0 warnings\n"


def test_lint_shows_every_fault_with_its_line() -> None:
    lines = run("lint", "faulty.yaml", "good.yaml", status=1).stdout.splitlines()
    assert lines[0].startswith("faulty.yaml:3: error: rule 'win': unknown field 'wieght': did you mean 'weight'?")
    assert lines[-1].startswith("✗ 2 files, ")
    assert all(line.startswith("faulty.yaml:") for line in lines[:-1])


def test_warnings_alone_are_no_failure() -> None:
    lines = run("lint", "smelly.yaml").stdout.splitlines()
    assert lines[0].startswith("smelly.yaml:3: warning: rule 'cpp': 'C++' is matched as 'c'")
    assert lines[1] == "✓ 1 file, 0 errors, 1 warnings"


def test_a_missing_file_has_no_line() -> None:
    lines = run("lint", "missing.yaml", status=1).stdout.splitlines()
    assert lines[0] == f"missing.yaml: error: no such file; working folder: {Path.cwd()}"


def test_lint_as_json() -> None:
    data = json.loads(run("lint", "smelly.yaml", "missing.yaml", "--json", status=1).stdout)
    assert (data["errors"], data["warnings"]) == (1, 1)
    smell, missing = data["faults"]
    assert (smell["file"], smell["line"], smell["rule"], smell["severity"]) == ("smelly.yaml", 3, "cpp", "warning")
    assert (missing["file"], missing["line"], missing["rule"], missing["severity"]) == (
        "missing.yaml",
        0,
        None,
        "error",
    )


def test_hints_are_counted_and_listed_on_demand() -> None:
    Path("hinted.yaml").write_text(GOOD.replace("word: oil", "word: [oil, Oil]"))
    assert run("lint", "hinted.yaml").stdout == "✓ 1 file, 0 errors, 0 warnings, 1 hints (--hints lists them)\n"
    lines = run("lint", "hinted.yaml", "--hints").stdout.splitlines()
    assert lines == [
        "hinted.yaml:8: info: rule 'oil': 'Oil' says no more than 'oil', as case and punctuation do not matter; keep one",
        "✓ 1 file, 0 errors, 0 warnings",
    ]
    data = json.loads(run("lint", "hinted.yaml", "--json").stdout)
    assert (data["warnings"], data["hints"], len(data["faults"])) == (0, 1, 1)


def test_lint_names_the_included_file() -> None:
    Path("top.yaml").write_text("rulenet: 1\ninclude: smelly.yaml\n")
    assert run("lint", "top.yaml").stdout.startswith("smelly.yaml:3: warning: rule 'cpp': 'C++' is matched as 'c'")
    assert json.loads(run("lint", "top.yaml", "--json").stdout)["faults"][0]["file"] == "smelly.yaml"


def test_a_dead_rule_fails() -> None:
    Path("dead.yaml").write_text(GOOD.replace("word: oil", "word: oil, unless: [{word: oil}]"))
    lines = run("lint", "dead.yaml", status=1).stdout.splitlines()
    assert lines[0].startswith("dead.yaml:8: error: rule 'oil': can never fire: 'oil' must be there and is ruled out")


# rules test


def test_examples_that_pass() -> None:
    assert run("test", "good.yaml").stdout == "✓ 2 rules, 2 of 2 examples pass; 1 rules have no examples\n"


def test_examples_that_fail_are_shown_with_what_happened() -> None:
    assert run("test", "contradicted.yaml", status=1).stdout.splitlines() == [
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
        "✗ 2 rules, 0 of 2 examples pass; 1 rules have no examples",
    ]


def test_only_one_rule() -> None:
    assert (
        run("test", "contradicted.yaml", "--rule", "oil").stdout
        == "✓ 1 rules, 0 of 0 examples pass; 1 rules have no examples\n"
    )
    result = run("test", "contradicted.yaml", "--rule", "wim", status=2)
    assert "contradicted.yaml has no rule 'wim': did you mean 'win'?" in result.stderr


def test_an_unless_is_spelt_out_only_where_it_matters() -> None:
    Path("unless.yaml").write_text(
        GOOD.replace(
            "word: oil", "word: oil, unless: [{word: olive}], examples: {match: [gas, olive oil], reject: [oil]}"
        )
    )
    lines = [line.strip() for line in run("test", "unless.yaml", status=1).stdout.splitlines()]
    assert lines[4:8] == ["✗ the rule", "✗ word: oil", "✓ unless", ""]
    assert lines[12:17] == ["✗ the rule", '✓ word: oil  "oil"', "✗ unless", '✗ no word: olive  "olive"', ""]
    assert lines[21:26] == ["✓ the rule", '✓ word: oil  "oil"', "✓ unless", "✓ no word: olive", ""]


def test_cases_that_fail_are_shown_with_the_vote() -> None:
    Path("cases.yaml").write_text(
        GOOD + "cases:\n- {text: They win, label: Sports}\n- {text: Oil win, label: Sports}\n"
        "- {text: Oil, label: Sports}\n- {text: nothing, label: Sports}\n"
    )
    assert run("test", "cases.yaml", status=1).stdout.splitlines() == [
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
        "✗ 2 rules, 2 of 2 examples pass, 1 of 4 cases pass; 1 rules have no examples",
    ]
    data = json.loads(run("test", "cases.yaml", "--json", status=1).stdout)
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


def test_an_example_cannot_steer_the_terminal() -> None:
    Path("evil.yaml").write_text(GOOD.replace("[They win]", '["They \\e[2J lost"]'))
    shown = run("test", "evil.yaml", status=1).stdout
    assert "    They \ufffd[2J lost\n" in shown
    assert "\x1b" not in shown


def test_examples_as_json() -> None:
    data = json.loads(run("test", "contradicted.yaml", "--json", status=1).stdout)
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
    assert json.loads(run("test", "good.yaml", "--json").stdout)["failed"] == []


def test_a_file_that_does_not_load_cannot_be_tested() -> None:
    result = run("test", "faulty.yaml", status=2)
    assert result.stdout == ""
    assert "faulty.yaml:3: rule 'win': unknown field 'wieght'" in result.stderr


def test_schema_is_json_schema() -> None:
    data = json.loads(run("schema").stdout)
    assert data["$schema"].startswith("https://json-schema.org/")
    assert data["required"] == ["rulenet"]


@pytest.mark.parametrize("name", ["ag_news", "imdb", "thucnews"])
@pytest.mark.slow
def test_our_own_packs_are_clean(repository: Path, name: str) -> None:
    file = repository / "rules" / f"{name}.yaml"
    assert json.loads(run("lint", file, "--json").stdout)["errors"] == 0
    assert json.loads(run("test", file, "--json").stdout)["failed"] == []
