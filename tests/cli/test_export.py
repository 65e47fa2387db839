"""`rulenet export`: what it adds to a model, what it says, and how it complains."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier
from tests.cli.conftest import run
from tests.store.folders import config_of, part

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow  # tracing takes seconds, however small the encoder

TEXTS = ["good film", "a good story", "what a bad film", "bad acting", "good and bad", "film"]
LABELS = ["pos", "pos", "neg", "neg", "pos", "neg"]


@pytest.fixture(scope="module")
def saved(tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "model"
    RuleNetClassifier(None, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS).save(folder)
    # So few texts may find that ψ had better be silent; it is to speak.
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "psi_scale": 1.0}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "held_out.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("text", "label"), *zip(TEXTS, LABELS, strict=True)])
    return path


def test_the_model_becomes_faster_and_stays_the_same(saved: Path, table: Path) -> None:
    before = RuleNetClassifier.load(saved, device="cpu").predict_proba(TEXTS)
    found = json.loads(run("export", saved, "--data", table, "--precision", "fp32", "--json").stdout)
    assert (found["precision"], found["n_texts"], found["changed"]) == ("fp32", 6, 0.0)
    assert found["accuracy"] == found["accuracy_before"] > 0
    assert part(saved, "psi.onnx").stat().st_size == found["bytes"]
    assert abs(RuleNetClassifier.load(saved, device="cpu").predict_proba(TEXTS) - before).max() < 1e-5

    said = run("export", saved).stdout  # once more, from its own weights
    assert said.startswith("fp32, 0 MB: compared on random inputs; int8 would be faster, but needs --data → ")
    text = run("export", saved, "--data", table, "--max-loss", "0.9", "--limit", "4").stdout
    assert text.startswith("int8, 0 MB: ")
    assert "of 4 predictions changed, accuracy " in text
    assert len(config_of(saved)["undo"]) == 2  # the second export came to the same graph as the first


def test_complaints(saved: Path, table: Path, tmp_path: Path) -> None:
    assert "--precision int8 needs texts" in run("export", saved, "--precision", "int8", status=2).stderr
    assert "is not 'auto', 'fp32' or 'int8'" in run("export", saved, "--precision", "half", status=2).stderr
    assert "no such folder" in run("export", tmp_path / "none", "--data", table, status=2).stderr
    (tmp_path / "odd.csv").write_text("text,label\ngood,maybe\n", encoding="utf-8")
    complaint = run("export", saved, "--data", tmp_path / "odd.csv", status=2).stderr
    assert "labels that the model does not know: 'maybe'; the model knows 'neg', 'pos'" in complaint
