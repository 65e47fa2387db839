"""`rulenet rules lint`, with and without `--fix`."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest

from tests.cli import conftest as cli

run = partial(cli.run, "rules", "lint")
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
SLIPS = "rulenet: 1\nrules:\n  - {id: a, label: x, wrod: b, confidence: 90%}  # mine\n"
FIXED = "rulenet: 1\nrules:\n  - {id: a, label: x, word: b, confidence: 0.9}  # mine\n"


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    """Rule files in the working folder."""
    for name, text in {"good": GOOD, "faulty": FAULTY, "smelly": SMELLY, "slips": SLIPS}.items():
        Path(f"{name}.yaml").write_text(text)


def test_lint_of_a_good_file() -> None:
    assert run("good.yaml").stdout == "✓ 1 file, 0 errors, 0 warnings\n"


def test_lint_shows_every_fault_with_its_line() -> None:
    lines = run("faulty.yaml", "good.yaml", status=1).stdout.splitlines()
    assert lines[0].startswith("faulty.yaml:3: error: rule 'win': unknown field 'wieght': did you mean 'weight'?")
    assert lines[-1].startswith("✗ 2 files, ")
    assert all(line.startswith("faulty.yaml:") for line in lines[:-1])
    assert lines[-2] == "faulty.yaml: its rules are checked for warnings once these errors are gone"


def test_warnings_alone_are_no_failure() -> None:
    lines = run("smelly.yaml").stdout.splitlines()
    assert lines[0].startswith("smelly.yaml:3: warning: rule 'cpp': 'C++' is matched as 'c'")
    assert lines[1] == "✓ 1 file, 0 errors, 1 warning"


def test_a_missing_file_has_no_line() -> None:
    lines = run("missing.yaml", status=1).stdout.splitlines()
    assert lines[0] == f"missing.yaml: error: no such file; working folder: {Path.cwd()} [RN001 unreadable-file]"


def test_lint_as_json() -> None:
    data = json.loads(run("smelly.yaml", "missing.yaml", "--json", status=1).stdout)
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
    assert run("hinted.yaml").stdout == "✓ 1 file, 0 errors, 0 warnings, 1 hint (see --hints)\n"
    lines = run("hinted.yaml", "--hints").stdout.splitlines()
    assert lines == [
        "hinted.yaml:8: info: rule 'oil': 'Oil' is the same as 'oil', as case and punctuation do not matter; keep one "
        "[RN305 duplicate-entry]",
        "✓ 1 file, 0 errors, 0 warnings",
    ]
    data = json.loads(run("hinted.yaml", "--json").stdout)
    assert (data["warnings"], data["hints"], len(data["faults"])) == (0, 1, 1)


def test_lint_names_the_included_file() -> None:
    Path("top.yaml").write_text("rulenet: 1\ninclude: smelly.yaml\n")
    assert run("top.yaml").stdout.startswith("smelly.yaml:3: warning: rule 'cpp': 'C++' is matched as 'c'")
    assert json.loads(run("top.yaml", "--json").stdout)["faults"][0]["file"] == "smelly.yaml"


def test_a_dead_rule_fails() -> None:
    Path("dead.yaml").write_text(GOOD.replace("word: oil", "word: oil, unless: [{word: oil}]"))
    lines = run("dead.yaml", status=1).stdout.splitlines()
    assert lines[0].startswith("dead.yaml:8: error: rule 'oil': can never fire: 'oil' must be there and is ruled out")


def test_lint_fix_repairs_and_tells_what_is_left() -> None:
    lines = run("--fix", "slips.yaml").stdout.splitlines()
    assert lines[0] == "slips.yaml:3: fixed: rule 'a': '90%' is now '0.9' [RN013 wrong-type]"
    assert lines[1] == "slips.yaml:3: fixed: rule 'a': 'wrod' is now 'word' [RN012 unknown-field]"
    assert lines[-1] == "✓ 1 file, 0 errors, 0 warnings, 2 repairs"
    assert Path("slips.yaml").read_text() == FIXED


def test_lint_without_fix_writes_nothing() -> None:
    run("slips.yaml", status=1)
    assert Path("slips.yaml").read_text() == SLIPS


def test_lint_fix_as_json() -> None:
    found = json.loads(run("--fix", "--json", "slips.yaml", "none.yaml", status=1).stdout)
    assert [fault["message"][:12] for fault in found["faults"]] == ["no such file"]
    assert found["fixed"][1] == {
        "file": "slips.yaml", "line": 3, "rule": "a", "severity": "error", "code": "RN012", "name": "unknown-field",
        "message": "'wrod' is now 'word'",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ag_news", "imdb", "thucnews"])
@pytest.mark.slow
def test_our_own_packs_are_clean(repository: Path, name: str) -> None:
    file = repository / "rules" / f"{name}.yaml"
    assert json.loads(run(file, "--json").stdout)["errors"] == 0
    assert json.loads(cli.run("rules", "test", file, "--json").stdout)["failed"] == []


def test_folders_patterns_and_standard_input() -> None:
    Path("pack/more").mkdir(parents=True)
    Path("pack/.git").mkdir()
    Path("pack/a.yaml").write_text(GOOD.replace("language: en\n", "language: en\ninclude: more/lists.yml\n"))
    Path("pack/more/lists.yml").write_text("rulenet: 1\nlexicons: {l: [x]}\n")
    Path("pack/more/b.yml").write_text(SMELLY)
    Path("pack/.git/c.yaml").write_text(FAULTY)
    Path("pack/compose.yaml").write_text("services: {web: {image: x}}\n")
    Path("pack/outside.yaml").symlink_to(Path("faulty.yaml").resolve())
    os.mkfifo("pack/pipe.yaml")
    lines = run("pack", "pack/a.yaml").stdout.splitlines()
    assert lines[-1].startswith("✓ 3 files, 0 errors, 1 warning"), lines
    assert sorted(line for line in lines if line.startswith("skipped")) == [
        "skipped pack/compose.yaml: no rule file, as it has neither `rulenet:` nor `rules:`",
        "skipped pack/outside.yaml: a link out of the folder",
        "skipped pack/pipe.yaml: not a regular file",
    ]
    assert run("pack/**/*.yml", status=1).stdout.splitlines()[-1].startswith("✗ 2 files, 1 error")
    Path("empty").mkdir()
    assert "empty: no rule file in this folder" in run("empty", status=2).stderr
    assert "nix*.yaml: no file matches" in run("nix*.yaml", status=2).stderr


def test_standard_input() -> None:
    lines = run("-", stdin=FAULTY, status=1).stdout.splitlines()
    assert lines[0].startswith("standard input:3: error: rule 'win': unknown field 'wieght': did you mean 'weight'?")
    assert lines[0].endswith("(fixable with --fix)")
    Path("lists").mkdir()
    Path("lists/l.csv").write_text("term\nwin\n")
    text = "rulenet: 1\nlexicons: {l: {file: l.csv}}\nrules: [{id: a, label: X, lexicon: l}]\n"
    assert "✓ 1 file" in run("-", "--stdin-name", "lists/new.yaml", stdin=text).stdout
    assert "lists/new.yaml:3: error" in run("-", "--stdin-name", "lists/new.yaml", stdin=FAULTY, status=1).stdout
    assert "--fix changes files" in run("-", "--fix", stdin=text, status=2).stderr
    assert "standard input: byte 0 is not UTF-8" in run("-", stdin=b"\xff", status=2).stderr


def test_what_is_fixable_is_fixed() -> None:
    last = run("slips.yaml", status=1).stdout.splitlines()[-1]
    assert last == "✗ 1 file, 2 errors, 0 warnings, 2 fixable with --fix"
    rows = json.loads(run("slips.yaml", "--json", status=1).stdout)
    assert rows["fixable"] == sum(row["fixable"] for row in rows["faults"]) == 2
    assert run("slips.yaml", "--fix").stdout.splitlines()[-1] == "✓ 1 file, 0 errors, 0 warnings, 2 repairs"


@pytest.mark.slow
def test_many_faults_are_counted_and_few_are_shown() -> None:
    rules = "".join(f"- {{id: r{i}, label: X, wrod: w}}\n" for i in range(3_000))
    Path("many.yaml").write_text(f"rulenet: 1\nrules:\n{rules}")
    lines = run("many.yaml", status=1).stdout.splitlines()
    assert len(lines) == 203
    assert lines[-2:] == [
        "… and 2,800 more faults; correct these first",
        "✗ 1 file, 3,000 errors, 0 warnings, 3,000 fixable with --fix",
    ]
    rows = json.loads(run("many.yaml", "--json", status=1).stdout)
    assert (rows["errors"], len(rows["faults"]), rows["left_out"]) == (3_000, 1_000, 2_000)
    smells = "".join(f"- {{id: s{i}, label: X, word: x{i}+}}\n" for i in range(300))
    Path("many.yaml").write_text(
        f"rulenet: 1\nrules:\n{smells}- {{id: z, label: X, regex: 'a', examples: {{match: [b]}}}}\n"
    )
    lines = run("many.yaml", status=1).stdout.splitlines()
    assert any("error: rule 'z'" in line for line in lines), "errors come before warnings"
