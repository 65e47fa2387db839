"""The path reads as the pipeline: a module imports from the rows above it, never from below, never in a circle.

Imports inside functions count; those under ``if TYPE_CHECKING:`` do not, as they never run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rulenet"
LAYERS = [
    "rulenet",  # __init__.py: names only
    "rulenet.errors",
    "rulenet.extras",
    "rulenet.files",
    "rulenet.memory",
    "rulenet.text",
    "rulenet.data",
    "rulenet.rules",
    "rulenet.features",
    "rulenet.model",
    "rulenet.calibration",
    "rulenet.cascade",
    "rulenet.training",
    "rulenet.manifest",
    "rulenet.persist",
    "rulenet.render",
    "rulenet.figures",
    "rulenet.explain",
    "rulenet.overview",
    "rulenet.whatif",
    "rulenet.inputs",
    "rulenet.export",
    "rulenet.answers",
    "rulenet.estimator",
    "rulenet.workbench",
    "rulenet.cli",
    "rulenet.__main__",
]
NO_TORCH = (
    *(
        "rulenet",
        "rulenet.errors",
        "rulenet.extras",
        "rulenet.data",
        "rulenet.text",
        "rulenet.rules",
        "rulenet.features",
    ),
    *(
        "rulenet.model.phi",
        "rulenet.model.batches",
        "rulenet.model.onnx_engine",
        "rulenet.model.onnx_int8",
        "rulenet.manifest",
        "rulenet.render",
        "rulenet.inputs",
    ),
)
TORCH = {
    "torch",
    "transformers",
    "tokenizers",
    "accelerate",
    "sentence_transformers",
    "rulenet.model.encoder",
    "rulenet.model.psi",
    "rulenet.model.attribution",
}
MAX_LINES = 400


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for part in node.orelse:
                yield part
                yield from running_nodes(part)
            continue
        yield node
        yield from running_nodes(node)


def imports_in(source: str, modules: set[str]) -> set[str]:
    """Every module that a piece of source imports when it runs: `from a import b` is a.b where that is a module."""
    found = set()
    for node in running_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else str(node.module) for name in names}
    return found


IMPORTS = {name: imports_in(path.read_text(encoding="utf-8"), set(SOURCES)) for name, path in SOURCES.items()}


def layer(module: str) -> int:
    """Row of the module; of a package, the row of the package."""
    rows = [i for i, row in enumerate(LAYERS) if module == row or (i > 0 and module.startswith(row + "."))]
    assert rows, f"{module} stands in no layer: add it to LAYERS"
    return rows[-1]


def test_the_reader_of_imports_sees_what_runs() -> None:
    source = """
import os.path
from rulenet import errors, __version__
from rulenet.rules.match import Matcher
if TYPE_CHECKING:
    import hidden
    from rulenet.estimator import RuleNetClassifier
else:
    import other
def f():
    import torch
    class C:
        from rulenet.cli import main
"""
    modules = {"rulenet", "rulenet.errors", "rulenet.rules.match", "rulenet.estimator", "rulenet.cli.main"}
    expected = {"os.path", "rulenet.errors", "rulenet", "rulenet.rules.match", "other", "torch", "rulenet.cli.main"}
    assert imports_in(source, modules) == expected


@pytest.mark.parametrize("module", SOURCES)
def test_no_module_imports_from_below(module: str) -> None:
    upward = [name for name in IMPORTS[module] if name.split(".")[0] == "rulenet" and layer(name) > layer(module)]
    assert upward == []


def test_relative_imports_are_not_used() -> None:
    # They would slip past the test above.
    relative = [
        name
        for name, path in SOURCES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Some circle of imports, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done or name not in graph:
            return []
        for other in sorted(graph[name]):
            if found := visit(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((cycle for name in graph if (cycle := visit(name, []))), [])


def test_no_circle_of_imports() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c", "os"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert find_cycle(IMPORTS) == []


@pytest.mark.parametrize(
    "module", [name for name in SOURCES if name in NO_TORCH or name.rsplit(".", 1)[0] in NO_TORCH[1:7]]
)
def test_the_lower_layers_know_nothing_of_torch(module: str) -> None:
    heavy = {name for name in IMPORTS[module] if name in TORCH or name.split(".")[0] in TORCH}
    assert heavy == set()


def test_the_list_of_torch_free_modules_is_current() -> None:
    assert set(NO_TORCH) <= set(SOURCES)
    assert {"rulenet.rules.match", "rulenet.text.clean"} <= set(SOURCES)


@pytest.mark.parametrize("module", SOURCES)
def test_house_rules(module: str) -> None:
    text = SOURCES[module].read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    assert len(text.splitlines()) <= MAX_LINES
    assert [n.lineno for n in nodes if isinstance(n, ast.Assert)] == []
    prints = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "print"]
    assert [n.lineno for n in prints] == []
    assert module.rsplit(".", 1)[-1] not in ("utils", "helpers", "misc", "common")


@pytest.mark.parametrize("module", SOURCES)
def test_every_module_says_what_it_is(module: str) -> None:
    text = SOURCES[module].read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))
