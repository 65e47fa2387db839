"""README, CONTRIBUTING and docs/: every code block is run or checked, every link leads somewhere, nothing public is missing.

What a reader would wait for is made small: `"minilm"` becomes an encoder of one layer, a default encoder likewise. Commands that never
end, need a network or take minutes are checked against the options that they name (`ONLY_PARSED`).
"""

from __future__ import annotations

import contextlib
import csv
import doctest
import importlib.util
import inspect
import io
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

import rulenet
from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.base.extras import EXTRAS
from rulenet.cli import console
from rulenet.cli.main import app
from rulenet.decide.scales import choose_scales
from rulenet.rules.lint.lint import lint
from rulenet.rules.testing.cases import run_cases
from rulenet.rules.testing.examples import run_examples
from tests.markdown import Block, anchors, blocks, links, prose, rows

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *DOCS]


# ---------------------------------------------------------------------- running blocks

ONLY_PARSED = {
    "--watch": "never ends",
    "hub:": "needs a network",
    "demo": "takes minutes; tests/cli/test_demo.py runs it",
}
ELSEWHERE = ("Add a condition", "Add an objective")  # sections whose blocks a test of their own applies to a copy
FORMULA = "f(x) = φ(x) + ψ(x)"
CHECKER = doctest.OutputChecker()


class Reader:
    """Does what a page says, block after block, in one folder and one namespace.

    Parameters
    ----------
    folder
        With the files that the pages name.
    encoder
        Folder of the encoder that takes the place of MiniLM.
    """

    def __init__(self, folder: Path, encoder: str) -> None:
        self.folder, self.encoder = folder, encoder
        self.output = ""
        train, test = (read_rows(folder / name) for name in ("messages.csv", "new.csv"))
        self.namespace: dict[str, Any] = {"__name__": "docs"}
        self.namespace["texts"], self.namespace["labels"] = map(list, zip(*train, strict=True))
        self.namespace["new_texts"], self.namespace["new_labels"] = map(list, zip(*test, strict=True))

    def read(self, page: Path) -> int:
        """Number of blocks that were run or checked; AssertionError at the first that does not do what it says."""
        kinds: dict[str, Callable[[Block], None]] = {
            "python": self.python, "yaml": self.yaml, "bash": self.bash, "csv": self.csv, "text": self.text,
        }  # fmt: skip
        found = blocks(page)
        for block in found:
            if block.section in ELSEWHERE:
                continue
            assert block.language in kinds, f"{block.place}: nobody checks a block of {block.language or 'no language'}"
            kinds[block.language](block)
        return len(found)

    def python(self, block: Block) -> None:
        code = block.text.replace('"minilm"', repr(self.encoder))
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            exec(compile("\n" * (block.line - 1) + code, str(block.file), "exec"), self.namespace)
        self.output = shown.getvalue()

    def yaml(self, block: Block) -> None:
        name, _, fails = block.note.partition(" ")
        path = self.folder / (name or "block.yaml")
        path.write_text(whole_rule_file(block.text), encoding="utf-8")
        assert not fails or fails == "fails", block.place
        with pytest.raises(AssertionError, match=block.place) if fails else contextlib.nullcontext():
            check_rules(path, block.place)

    def csv(self, block: Block) -> None:
        (self.folder / block.note).write_text(block.text, encoding="utf-8")

    def text(self, block: Block) -> None:
        if block.note == "formula":
            assert FORMULA in block.text, block.place
            return
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert CHECKER.check_output(block.text, self.output, flags), f"{block.place}: instead it says\n{self.output}"

    def bash(self, block: Block) -> None:
        self.output = ""
        for line in block.text.replace("\\\n", " ").splitlines():
            code, _, comment = line.partition(" # ")
            if words := shlex.split(code, comments=True):
                expected = re.match(r" *exit status (\d)", comment)
                self.command(words, int(expected[1]) if expected else 0, f"{block.place}: {line.strip()}")

    def command(self, words: list[str], status: int, place: str) -> None:
        program, *arguments = words
        if program == "rulenet":
            self.rulenet(arguments, status, place)
        elif program == "torchrun":
            parsed(arguments[arguments.index("rulenet") + 1 :])
        elif program == "make":
            targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
            assert set(arguments) <= set(targets), place
        elif program == "pip":
            named = re.findall(r"\[([\w,]+)\]", " ".join(arguments))
            assert {extra for names in named for extra in names.split(",")} <= {*EXTRAS, "all", "dev"}, place
        elif program == "python":
            files = [word for word in arguments if word.endswith((".py", ".yaml"))]
            assert [name for name in files if not (ROOT / name).exists()] == [], place
        else:
            raise AssertionError(f"{place}: nobody checks a command {program!r}")

    def rulenet(self, arguments: list[str], status: int, place: str) -> None:
        arguments, source, target = redirected(arguments)
        if any(word.startswith(tuple(ONLY_PARSED)) for word in arguments):
            parsed(arguments)
            return
        if arguments[0] == "train" and "--encoder" not in arguments:
            arguments += ["--encoder", self.encoder, "--epochs", "1"]
        if arguments[0] in ("train", "distill"):
            arguments.append("--force")  # each page is read in the same folder
        stdin = None if source is None else Path(source).read_text(encoding="utf-8")
        result = CliRunner().invoke(app, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, f"{place}: exit status {result.exit_code}\n{result.output}"
        if target is not None:
            Path(target).write_text(result.stdout, encoding="utf-8")
        else:
            self.output += result.output


def redirected(arguments: list[str]) -> tuple[list[str], str | None, str | None]:
    """Arguments without ``< file`` and ``> file``, and the two files."""
    left, files = list(arguments), {"<": None, ">": None}
    for sign in files:
        if sign in left:
            at = left.index(sign)
            files[sign] = left[at + 1]
            del left[at : at + 2]
    return left, files["<"], files[">"]


def commands(group: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its name, such as ``rules lint``."""
    for word, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name}{word} ")
        else:
            yield name + word, command


def parsed(arguments: list[str]) -> None:
    """Read arguments as the command does, without running it."""
    line = " ".join(arguments) + " "
    name, command = max(
        ((name, c) for name, c in commands() if line.startswith(name + " ")), key=lambda item: len(item[0])
    )
    command.make_context(name, arguments[len(name.split()) :])


def whole_rule_file(text: str) -> str:
    """A rule file from one, from fields of one, or from a list of rules."""
    data = yaml.safe_load(text)
    if isinstance(data, list):
        return "rulenet: 1\nrules:\n" + text
    return text if "rulenet" in data else "rulenet: 1\n" + text


def check_rules(path: Path, place: str) -> None:
    """Load, lint and test a rule file."""
    ruleset = RuleSet.load(path)
    faults = [fault.text for fault in lint(path) if fault.severity == "error"]
    failures = [r for r in (*run_examples(ruleset), *run_cases(ruleset)) if not r.passed]
    assert faults == [], place
    assert failures == [], place


def read_rows(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return [(row["text"], row["label"]) for row in csv.DictReader(handle)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the pages name: messages.csv, new.csv, unlabeled.csv, support.yaml, edited.yaml, rules/, and a model of φ alone."""
    demo = ROOT / "rulenet" / "demo"
    with (demo / "support_en.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    with (tmp_path / "unlabeled.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text"], *([row["text"]] for row in table[160:220])])
    for name, split, n in (("messages.csv", "train", 160), ("new.csv", "test", 80)):
        some = [(row["text"], row["label"]) for row in table if row["split"] == split][:n]
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([("text", "label"), *some])
    pack = (demo / "support_en.yaml").read_text(encoding="utf-8")
    (tmp_path / "support.yaml").write_text(pack, encoding="utf-8")
    edited = "\n  - {id: technical.new_outage, label: technical, phrase: blue triangle, weight: 4}\n"
    (tmp_path / "questions.txt").write_text("Where is my parcel?\nThe app crashes\n", encoding="utf-8")
    (tmp_path / "edited.yaml").write_text(pack + edited, encoding="utf-8")
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console.out, "width", 100)
    return tmp_path


@pytest.fixture
def reader(folder: Path, tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    # So small an encoder learns nothing, and would be weighed with 0: then there is nothing to export or to skip.
    for module in [module for name, module in sys.modules.items() if name.startswith("rulenet.")]:
        if getattr(module, "choose_scales", None) is choose_scales:
            monkeypatch.setattr(module, "choose_scales", lambda *_, **__: (1.0, 1.0, False))
    reader = Reader(folder, tiny_encoder)
    RuleNetClassifier("support.yaml", encoder=None).fit(reader.namespace["texts"], reader.namespace["labels"]).save(
        "model"
    )
    torch = importlib.import_module("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small an encoder is slower with more
    yield reader
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_does_what_it_says(page: Path, reader: Reader) -> None:
    fences = re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.M)
    assert 2 * reader.read(page) == len(fences)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```\na\n```\n", r"page.md:2: nobody checks a block of no language"),
        ("```rust\na\n```\n", r"page.md:2: nobody checks a block of rust"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", r"page.md:6: instead it says\s+1"),
        ("```yaml\n- {id: a, label: x, word: b, examples: {match: [c]}}\n```\n", r"page.md:2"),
        ("```bash\nrm -r model\n```\n", r"nobody checks a command 'rm'"),
        ("```bash\nmake tea\n```\n", r"page.md:2: make tea"),
        ("```bash\nrulenet rules lint absent.yaml\n```\n", r"exit status 1\s+absent.yaml"),
        ("```bash\npip install 'rulenet[tea]'\n```\n", r"page.md:2: pip install"),
    ],
)
def test_a_block_that_does_not_do_what_it_says_is_noticed(folder: Path, text: str, complaint: str) -> None:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match=complaint):
        Reader(folder, "absent").read(page)


def test_sections_left_to_other_tests_are_read_by_one() -> None:
    titles = {block.section for page in PAGES for block in blocks(page)} & set(ELSEWHERE)
    others = [
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)
    ]
    assert [title for title in titles if not any(title in text for text in others)] == []


# ---------------------------------------------------------------------- links


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "benchmarks").glob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("page", [*PAGES, ROOT / "benchmarks" / "NOTES.md"], ids=lambda page: page.name)
def test_files_and_names_in_the_text_exist(page: Path) -> None:
    """Files by their path from the root, such as `rules/imdb.yaml`; things by their dotted name, such as `rulenet.errors.RuleNetError`."""
    if page.name == "CHANGELOG.md":
        return  # it also tells of what is gone
    parts = re.split(r"^## ", prose(page), flags=re.M)
    text = "".join(part for part in parts if not part.startswith(ELSEWHERE))
    for name in re.findall(r"`([\w./-]+)`", text):
        if re.match(r"(rulenet|rules|tests|docs|benchmarks)/", name):
            assert (ROOT / name).exists(), name
        elif name.startswith("rulenet."):
            assert is_importable(name), name


def is_importable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        found = importlib.import_module(module)
        return hasattr(found, attribute) or importlib.import_module(name) is not None
    except ImportError:
        return False


def test_no_page_has_code_outside_fences() -> None:
    for page in PAGES:
        assert re.findall(r"(?:^|\n)\n {4,}\S.*", prose(page)) == [], page.name


# ---------------------------------------------------------------------- completeness


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    parts = {part.split("\n", 1)[0].strip("` "): part for part in re.split(r"^### ", text, flags=re.M)}
    part = parts[f"rulenet {name}"]
    assert f"rulenet {name}" in part.split("```bash", 1)[1]
    common = text.split("\n### ", 1)[0]
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert f"`{option}" in part or f"`{option}" in common, option


def test_every_field_of_a_rule_file_is_documented() -> None:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`([^`\n]+)`", text)) + " ".join(b.text for b in blocks(ROOT / "docs" / "rules.md"))
    schema = json.loads((ROOT / "rulenet" / "rulenet.schema.json").read_text(encoding="utf-8"))
    shapes = [schema, *schema["$defs"].values()]
    missing = {name for shape in shapes for name in shape.get("properties", {}) if not re.search(rf"\b{name}\b", code)}
    assert missing == set()


def test_every_field_of_a_recipe_is_documented() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert [name for name in recipe_fields() if f"`{name}`" not in text] == []


def recipe_fields() -> list[str]:
    """Names of the leaves."""
    return list(Recipe().leaves())


def test_everything_public_is_documented() -> None:
    text = " ".join(page.read_text(encoding="utf-8") for page in PAGES)
    methods = [
        name for name, value in inspect.getmembers(RuleNetClassifier) if callable(value) and not name.startswith("_")
    ]
    routing = re.compile(r"get_metadata_routing|set_\w+_request")  # scikit-learn's own
    names = {*rulenet.__all__, *EXTRAS, *methods, *inspect.signature(RuleNetClassifier).parameters}
    missing = {name for name in names if not routing.fullmatch(name) and not re.search(rf"\b{name}\b", text)}
    assert missing == set()


def test_the_map_leads_to_the_right_files() -> None:
    found = list(rows(ROOT / "CONTRIBUTING.md", "Map of the house"))
    searches = [(cells[1].strip("`"), cells[2].strip("`")) for cells in found if len(cells) == 3]
    assert len(searches) >= 10
    for path, name in searches:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:class|def|    def)? ?{re.escape(name)}\b", text, re.M), (path, name)


def test_folders_of_the_map_are_those_of_the_package() -> None:
    named = {cells[0].strip("`/") for cells in rows(ROOT / "CONTRIBUTING.md", "Map of the house") if len(cells) == 2}
    folders = {path.name for path in (ROOT / "rulenet").iterdir() if (path / "__init__.py").exists()}
    assert folders <= named


def test_tables_of_results_are_those_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    report = module_of(ROOT / "benchmarks" / "report.py")
    results = report.read_results()
    for path, table in report.tables(results).items():
        assert report.between_markers(path.read_text(encoding="utf-8")) == table, (
            f"{path.name}: run benchmarks/report.py"
        )


def test_the_picture_of_an_explanation_is_drawn_as_today() -> None:
    picture = module_of(ROOT / "docs" / "images" / "explain.py")
    drawn, kept = picture.draw(picture.KEPT.read_text(encoding="utf-8")), picture.TARGET.read_text(encoding="utf-8")
    found, there = (re.findall(r"<text[^>]*>([^<]*)<", svg) for svg in (drawn, kept))
    assert len(found) > 20
    assert found == there, "run docs/images/explain.py"


def module_of(path: Path) -> ModuleType:
    """A script outside the package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
