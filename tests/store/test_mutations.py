"""A model folder changed in one place: it is refused in a line, or answers with finite numbers; nothing else."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from tests.store import mutations
from tests.store.mutations import TEXTS

RULES = """
rulenet: 1
rules:
  - {id: praise, label: pos, word: good}
  - {id: blame, label: neg, word: bad, weight: 2}
"""
ROWS = ["good film", "a good story", "what a bad film", "bad acting", "good and bad", "film"] * 4
LABELS = ["pos", "pos", "neg", "neg", "pos", "neg"] * 4
PHI = ("config.json", "vocabulary.json", "phi.safetensors", "held_out.safetensors")
PSI = ("config.json", "encoder.json", "tokenizer.json", "head.safetensors", "encoder.safetensors")


@pytest.fixture(scope="module")
def phi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phi") / "model"
    RuleNetClassifier(RuleSet.from_yaml(RULES), None).fit(ROWS, LABELS).calibrate(ROWS, LABELS).save(folder)
    return folder


@pytest.fixture(scope="module")
def psi(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: str) -> Path:
    folder = tmp_path_factory.mktemp("psi") / "model"
    recipe = Recipe.of(epochs=1, max_length=16)
    RuleNetClassifier(RuleSet.from_yaml(RULES), tiny_encoder, recipe=recipe).fit(ROWS, LABELS).save(folder)
    return folder


def bad_outcomes(model: Path, names: tuple[str, ...], work: Path, *, every: int) -> tuple[list[str], set[str]]:
    """What goes wrong in every `every`-th change of these files, and all outcomes."""
    found = []
    for name in names:
        changes = mutations.json_changes(model, name) if name.endswith("json") else mutations.array_changes(model, name)
        for what, change in islice(changes, every // 2, None, every):
            found.append((what, mutations.outcome(model, change, work)))
    return [f"{what}: {result}" for what, result in found if result not in ("answers", "refused")], {
        r for _, r in found
    }


def test_some_changes_of_a_model(phi: Path, tmp_path: Path) -> None:
    assert len(RuleNetClassifier.load(phi).predict(TEXTS)) == len(TEXTS)
    assert bad_outcomes(phi, PHI, tmp_path, every=199) == ([], {"answers", "refused"})


@pytest.mark.slow
def test_some_changes_of_a_model_with_an_encoder(psi: Path, tmp_path: Path) -> None:
    assert bad_outcomes(psi, PSI, tmp_path, every=47) == ([], {"answers", "refused"})


@pytest.mark.slow
def test_some_changes_of_a_model_for_onnx(psi: Path, tmp_path: Path) -> None:
    for module in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(module)
    clf = RuleNetClassifier.load(psi, device="cpu")
    clf.export(precision="fp32")
    clf.save(tmp_path / "model")
    changed = ("encoder.json", "tokenizer.json", "config.json")
    assert bad_outcomes(tmp_path / "model", changed, tmp_path, every=101) == ([], {"answers", "refused"})
