"""`rulenet rules format`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.cli import conftest as cli

UNTIDY = "rules:\n- {label: x,  id: a, word: b}  # mine\nrulenet: 1\n"
TIDY = "rulenet: 1\n\nrules:\n  - {id: a, label: x, word: b}  # mine\n"
FAULTY = "rulenet: 1\nrules:\n  - {id: a, label: x, wrod: b, confidence: 90%}  # mine\n"

run = partial(cli.run, "rules", "format")


@pytest.fixture(autouse=True)
def _files(here: Path) -> None:
    for name, text in {"tidy": TIDY, "untidy": UNTIDY, "faulty": FAULTY}.items():
        Path(f"{name}.yaml").write_text(text)


def test_format_writes_and_the_second_time_has_nothing_to_do() -> None:
    assert run("tidy.yaml", "untidy.yaml").stdout == ("untidy.yaml: formatted\n✓ 2 files, 1 changed, 1 unchanged\n")
    assert Path("untidy.yaml").read_text() == TIDY
    assert run("untidy.yaml").stdout == "✓ 1 file, 0 changed, 1 unchanged\n"


def test_check_and_diff_write_nothing() -> None:
    lines = run("--check", "--diff", "untidy.yaml", status=1).stdout.splitlines()
    assert "-- {label: x,  id: a, word: b}  # mine" in lines
    assert "+  - {id: a, label: x, word: b}  # mine" in lines
    assert lines[-2:] == ["untidy.yaml: would change", "✗ 1 file, 1 to change, 0 unchanged"]
    assert Path("untidy.yaml").read_text() == UNTIDY
    run("--check", "tidy.yaml")


def test_a_file_with_faults_is_refused_and_the_others_are_formatted() -> None:
    result = run("faulty.yaml", "untidy.yaml", "none.yaml", status=2)
    assert "faulty.yaml:3: rule 'a': unknown field 'wrod': did you mean 'word'?" in result.stderr
    assert "none.yaml: no such file" in result.stderr
    assert Path("faulty.yaml").read_text() == FAULTY
    assert Path("untidy.yaml").read_text() == TIDY


def test_format_as_json() -> None:
    found = json.loads(run("--json", "--check", "tidy.yaml", "untidy.yaml", status=1).stdout)
    assert found == {"files": 2, "changed": ["untidy.yaml"], "refused": [], "written": False}


def test_format_of_standard_input() -> None:
    assert run("-", stdin=UNTIDY.encode()).stdout == TIDY
    assert "standard input:3: rule 'a': unknown field" in run("-", stdin=FAULTY.encode(), status=2).stderr
    assert "cannot be combined" in run("-", "tidy.yaml", status=2).stderr
    assert "not valid UTF-8" in run("-", stdin=b"\xff", status=2).stderr


def test_a_diff_alone_writes_nothing() -> None:
    before = Path("untidy.yaml").read_bytes()
    assert "would change" in run("--diff", "untidy.yaml").stdout
    assert Path("untidy.yaml").read_bytes() == before
