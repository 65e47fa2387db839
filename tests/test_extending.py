"""CONTRIBUTING, "Add a condition" and "Add an objective": the blocks, applied to a copy of the package, are all that it takes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RULES = """\
rulenet: 1
labels: [Order, Chat]
rules:
  - id: order
    label: Order
    digits: 3
    negation: skip
    where: start
    unless: [{count: {digits: 9, at_least: 1}}]
    examples: {match: [Parcel 4711]}
  - id: chat
    label: Chat
    any: [{none: [{digits: 1}]}, {near: {terms: [call, {digits: 5}]}}]
"""
FAULT = RULES.replace("digits: 3", "digits: -1")
FAILING = RULES.replace("[Parcel 4711]", "[Parcel 47]")
UNTIDY = 'rulenet: 1\nrules:\n- Digits: 3\n  label:   Order\n  id: "order"\n'
TIDY = "rulenet: 1\n\nrules:\n  - id: order\n    label: Order\n    digits: 3\n"
# Runs in the copy: each line of its output is compared below.
SCRIPT = """
import json
from typer.testing import CliRunner
from rulenet import RuleNetClassifier, RuleSet
from rulenet.cli.main import app
from rulenet.rules.file.schema import json_schema

def run(*arguments):
    result = CliRunner().invoke(app, ["rules", *arguments])
    return [result.exit_code, result.output]

texts = ["Parcel 4711", "no parcel 12", "hello", "call 55555 99"]
rules = RuleSet.load("rules.yaml")
clf = RuleNetClassifier(rules=rules, encoder=None).fit(texts * 5, ["Order", "Chat", "Chat", "Order"] * 5)
print(json.dumps({
    "match": rules.match(texts).toarray().tolist(),
    "spans": rules.spans("Parcel 4711 and 815, 12"),
    "lint": run("lint", "rules.yaml"),
    "fault": run("lint", "fault.yaml"),
    "test": run("test", "rules.yaml"),
    "failing": run("test", "failing.yaml"),
    "fix": run("lint", "--fix", "untidy.yaml"),
    "format": run("format", "untidy.yaml"),
    "schema": json_schema()["$defs"]["Rule"]["properties"]["digits"]["description"],
    "explain": [term.name for term in clf.explain(["Parcel 4711"])[0].terms if term.kind == "rule" and term.value],
}))
"""
# Runs in the copy; `use.py` is the last block.
TRAINING = """
import json, sys
from pathlib import Path
from rulenet import RuleSet

rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: goal, label: sport, word: goal}]}")
encoder, texts = sys.argv[1], ["the goal", "win the match", "oil price", "the bank"] * 12
labels = ["sport", "sport", "money", "money"] * 12
exec(Path("use.py").read_text())
plain = RuleNetClassifier(rules, encoder, recipe=Recipe.of(epochs=1), random_state=0).fit(texts, labels)
clf.save("model")
print(json.dumps({
    "losses": [clf.report_["train_loss"][0], plain.report_["train_loss"][0]],
    "loaded": repr(RuleNetClassifier.load("model").recipe_.objectives),
}))
"""


@pytest.mark.slow
def test_a_condition_is_one_file_and_three_lines(tmp_path: Path, repository: Path) -> None:
    """Load, match, spans, lint, test, format, fix, schema and explain all know the new kind."""
    shutil.copytree(repository / "rulenet", tmp_path / "rulenet", ignore=shutil.ignore_patterns("__pycache__"))
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(apply_blocks(text.split("## Add a condition", 1)[1].split("\n## ", 1)[0], tmp_path)) <= 3
    for name, content in (("rules", RULES), ("fault", FAULT), ("failing", FAILING), ("untidy", UNTIDY)):
        (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["match"] == [[1, 0], [0, 0], [0, 1], [1, 1]]
    assert found["spans"] == {"order": [[7, 11], [16, 19]]}
    assert found["lint"][0] == 0
    assert found["fault"][0] == 1
    assert (
        "fault.yaml:6: error: rule 'order': digits: -1 hits everywhere; give 1 or more [RN224 bad-value]"
        in found["fault"][1]
    )
    assert found["test"][0] == 0
    assert found["failing"][0] == 1
    assert "✗ digits: 3" in found["failing"][1]
    assert found["fix"][0] == 0
    assert found["format"][0] == 0
    assert (tmp_path / "untidy.yaml").read_text(encoding="utf-8") == TIDY
    assert found["schema"] == "A run of at least this many digits."
    assert found["explain"] == ["order"]


@pytest.mark.slow
def test_an_objective_is_one_file_and_two_lines(tmp_path: Path, repository: Path, tiny_encoder: str) -> None:
    """A model is trained with the new loss and tells so when it is loaded."""
    shutil.copytree(repository / "rulenet", tmp_path / "rulenet", ignore=shutil.ignore_patterns("__pycache__"))
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    touched = apply_blocks(text.split("## Add an objective", 1)[1].split("\n## ", 1)[0], tmp_path)
    assert len(touched - {"use.py"}) + 2 <= 4  # with the row and the test
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, tiny_encoder], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    smoothed, plain = found["losses"]
    assert smoothed - plain > 0.5 * 0.69 - 0.05  # the loss of equal probabilities is ln 2 at least
    assert found["loaded"] == "(Supervised(), Smoothing(weight=0.5))"


def apply_blocks(section: str, root: Path) -> set[str]:
    """Do what the blocks of a section say, as someone would who reads it; the files that were made or changed."""
    touched = set()
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.M | re.S):
        first, _, rest = block.partition("\n")
        name = first.split()[-1]
        if language == "python":
            (root / name).write_text(rest, encoding="utf-8")
        elif language == "diff":
            before = after = (root / name).read_text(encoding="utf-8")
            for line, added in re.findall(r"^ (.*)\n\+(.*)\n", rest, re.M):
                assert before.count(f"{line}\n") == 1, line
                after = after.replace(f"{line}\n", f"{line}\n{added}\n")
            (root / name).write_text(after, encoding="utf-8")
        else:
            continue  # a row for the documentation
        touched.add(name)
    return touched
