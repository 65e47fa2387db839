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


def test_examples_that_pass() -> None:
    assert run("test", "good.yaml").stdout == "✓ 2 rules, 2 of 2 examples pass; 1 rules have none\n"


def test_examples_that_fail_are_shown_with_what_happened() -> None:
    lines = [line.strip() for line in run("test", "contradicted.yaml", status=1).stdout.splitlines()]
    assert lines[:3] == [
        "contradicted.yaml:7: rule 'win'",
        "They won",
        "expected match, but it does not fire",
    ]
    assert lines[3:6] == [
        "contradicted.yaml:7: rule 'win'",
        "We win",
        "expected reject, but it fires on the marked words",
    ]
    assert lines[6] == "✗ 2 rules, 0 of 2 examples pass; 1 rules have none"


def test_examples_as_json() -> None:
    data = json.loads(run("test", "contradicted.yaml", "--json", status=1).stdout)
    assert (data["examples"], data["rules"], data["rules_without_examples"]) == (2, 2, 1)
    assert [(row["expected"], row["text"], row["spans"]) for row in data["failed"]] == [
        ("match", "They won", None),
        ("reject", "We win", [[3, 6]]),
    ]
    assert json.loads(run("test", "good.yaml", "--json").stdout)["failed"] == []


def test_a_file_that_does_not_load_cannot_be_tested() -> None:
    result = run("test", "faulty.yaml", status=2)
    assert result.stdout == ""
    assert "faulty.yaml:3: rule 'win': unknown field 'wieght'" in result.stderr


def test_schema_is_json_schema() -> None:
    data = json.loads(run("schema").stdout)
    assert data["$schema"].startswith("https://json-schema.org/")
    assert data["required"] == ["rulenet", "rules"]


@pytest.mark.parametrize("name", ["ag_news", "imdb", "thucnews"])
@pytest.mark.slow
def test_our_own_packs_are_clean(repository: Path, name: str) -> None:
    file = repository / "rules" / f"{name}.yaml"
    assert json.loads(run("lint", file, "--json").stdout)["errors"] == 0
    assert json.loads(run("test", file, "--json").stdout)["failed"] == []
