"""No message that a command may print names a call of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rulenet
from rulenet.cli.words import in_words_of_the_command_line

CALLS = re.compile(
    r"\b(fit|save|load|calibrate|predict\w*|explain\w*|with_\w+|set_params|export|Recipe|RuleNetClassifier|RuleSet)\.?\w*\(|"
    r"\brecipe\.\w+|\bclf\b|\.with_\w+"
)
# Of a class that commands never use before `fit`, and what Python prints of an object.
ONLY_IN_PYTHON = (
    "RuleNetClassifier(…, classes=[…])",
    "is not fitted yet; call fit(X, y)",
    "RuleSet(",
    "Recipe.of(",
    "Recipe()",
)


def messages(file: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module that is not a docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.slow
def test_no_message_names_a_call_of_python() -> None:
    package = Path(rulenet.__file__).parent
    found = [
        f"{file.relative_to(package)}:{line}: {text}"
        for file in package.rglob("*.py")
        for line, text in messages(file)
        if CALLS.search(text) and not any(part in text for part in ONLY_IN_PYTHON)
    ]
    assert found == []


def test_arguments_become_options() -> None:
    for message, shown in {
        "device='tpu' is not 'auto', 'cpu' or 'cuda'": "--device tpu is not 'auto', 'cpu' or 'cuda'",
        "max_loss=0.5 is no share": "--max-loss 0.5 is no share",
        "give rules=… or labels": "give --rules … or labels",
        "recipe: precision='int4' should be 'float32'": "recipe: precision='int4' should be 'float32'",
        "my_device=1 and recipe.limit=3 stay": "my_device=1 and recipe.limit=3 stay",
    }.items():
        assert in_words_of_the_command_line(message) == shown
