"""House rules: import contracts that catch what they claim to, short modules, a docstring in each."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAX_LINES = 400
MAX_OF_A_CLASS, MAX_OF_A_FUNCTION = 300, 60  # docstrings count


def lint_imports(folder: Path) -> tuple[int, str]:
    """Exit status and output of import-linter on a copy of the project."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    shutil.copytree(repository / "rulenet", tmp_path / "rulenet", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "chain"),
    [
        ("workbench/mine/terms.py", "import torch", ["rulenet.workbench.mine.terms -> torch"]),
        (
            "model/phi.py",
            "from rulenet.model import layers",
            ["rulenet.model.phi -> rulenet.model.layers", "rulenet.model.layers -> torch"],
        ),
        (
            "rules/file/parse.py",
            "if TYPE_CHECKING:\n    from rulenet.rules.ruleset import RuleSet",
            ["rulenet.rules.file.parse -> rulenet.rules.ruleset"],
        ),
        ("text/fold.py", "from rulenet.data import check", ["rulenet.text.fold -> rulenet.data.check"]),
    ],
)
def test_a_planted_violation_is_reported_with_its_chain(copy: Path, module: str, line: str, chain: list[str]) -> None:
    path = copy / "rulenet" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    status, output = lint_imports(copy)
    assert status == 1
    for step in chain:
        assert step in output


def test_modules_are_short_and_say_what_they_are(repository: Path) -> None:
    for path in (repository / "rulenet").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MAX_LINES, path
        assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def test_classes_and_functions_are_short(repository: Path) -> None:
    for path in (repository / "rulenet").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                most = MAX_OF_A_CLASS if isinstance(node, ast.ClassDef) else MAX_OF_A_FUNCTION
                assert (node.end_lineno or 0) - node.lineno < most, f"{path}: {node.name}"
