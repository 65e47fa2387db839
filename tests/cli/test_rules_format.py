"""`rulenet rules format` and `rulenet rules lint --fix`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rulenet.cli.main import app

UNTIDY = "rules:\n- {label: x,  id: a, word: b}  # mine\nrulenet: 1\n"
TIDY = "rulenet: 1\n\nrules:\n  - {id: a, label: x, word: b}  # mine\n"
FAULTY = "rulenet: 1\nrules:\n  - {id: a, label: x, wrod: b, confidence: 90%}  # mine\n"
FIXED = "rulenet: 1\nrules:\n  - {id: a, label: x, word: b, confidence: 0.9}  # mine\n"


def run(*arguments: object, status: int = 0, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, ["rules", *map(str, arguments)], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"tidy": TIDY, "untidy": UNTIDY, "faulty": FAULTY}.items():
        Path(f"{name}.yaml").write_text(text)


def test_format_writes_and_the_second_time_has_nothing_to_do() -> None:
    assert run("format", "tidy.yaml", "untidy.yaml").stdout == (
        "untidy.yaml: formatted\n✓ 2 files, 1 changed, 1 in order\n"
    )
    assert Path("untidy.yaml").read_text() == TIDY
    assert run("format", "untidy.yaml").stdout == "✓ 1 file, 0 changed, 1 in order\n"


def test_check_and_diff_write_nothing() -> None:
    lines = run("format", "--check", "--diff", "untidy.yaml", status=1).stdout.splitlines()
    assert "-- {label: x,  id: a, word: b}  # mine" in lines
    assert "+  - {id: a, label: x, word: b}  # mine" in lines
    assert lines[-2:] == ["untidy.yaml: would change", "✗ 1 file, 1 to change, 0 in order"]
    assert Path("untidy.yaml").read_text() == UNTIDY
    run("format", "--check", "tidy.yaml")


def test_a_file_with_faults_is_refused_and_the_others_are_formatted() -> None:
    result = run("format", "faulty.yaml", "untidy.yaml", "none.yaml", status=2)
    assert "faulty.yaml:3: rule 'a': unknown field 'wrod': did you mean 'word'?" in result.stderr
    assert "none.yaml: no such file" in result.stderr
    assert Path("faulty.yaml").read_text() == FAULTY
    assert Path("untidy.yaml").read_text() == TIDY


def test_format_as_json() -> None:
    found = json.loads(run("format", "--json", "--check", "tidy.yaml", "untidy.yaml", status=1).stdout)
    assert found == {"files": 2, "changed": ["untidy.yaml"], "refused": [], "written": False}


def test_format_of_standard_input() -> None:
    assert run("format", "-", stdin=UNTIDY.encode()).stdout == TIDY
    assert "standard input:3: rule 'a': unknown field" in run("format", "-", stdin=FAULTY.encode(), status=2).stderr
    assert "stands alone" in run("format", "-", "tidy.yaml", status=2).stderr
    assert "not UTF-8" in run("format", "-", stdin=b"\xff", status=2).stderr


def test_lint_fix_repairs_and_tells_what_is_left() -> None:
    lines = run("lint", "--fix", "faulty.yaml").stdout.splitlines()
    assert lines[0] == "faulty.yaml:3: fixed: rule 'a': unknown field 'wrod': now word"
    assert lines[1] == "faulty.yaml:3: fixed: rule 'a': confidence '90%': now 0.9"
    assert lines[-1] == "✓ 1 file, 0 errors, 0 warnings, 2 repairs"
    assert Path("faulty.yaml").read_text() == FIXED


def test_lint_without_fix_writes_nothing() -> None:
    run("lint", "faulty.yaml", status=1)
    assert Path("faulty.yaml").read_text() == FAULTY


def test_lint_fix_as_json() -> None:
    found = json.loads(run("lint", "--fix", "--json", "faulty.yaml", "none.yaml", status=1).stdout)
    assert [fault["message"][:12] for fault in found["faults"]] == ["no such file"]
    assert found["fixed"][0] == {
        "file": "faulty.yaml", "line": 3, "rule": "a", "message": "unknown field 'wrod': now word",
    }  # fmt: skip


def test_a_diff_alone_writes_nothing() -> None:
    before = Path("untidy.yaml").read_bytes()
    assert "would change" in run("format", "--diff", "untidy.yaml").stdout
    assert Path("untidy.yaml").read_bytes() == before
