"""CONTRIBUTING, "Add an objective": its blocks, applied to a copy of the package, are all that a new objective needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
