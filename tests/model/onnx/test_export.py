"""rulenet.model.onnx.export: the same ψ in ONNX Runtime, refused where it is not; and how a saved model takes it along."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import ExportError, MissingExtraError, ModelFileError, ParameterError
from rulenet.model.onnx import export
from rulenet.model.onnx.engine import OnnxPsi, in_torch
from rulenet.model.onnx.export import ExportReport, to_onnx, with_onnx
from rulenet.store.manifest import ONNX
from tests.model.encoders import packed
from tests.store.folders import part

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow  # tracing takes seconds, however small the encoder

TEXTS = ["good film", "a good story", "what a bad film", "bad acting", "good and bad", "film"]
LABELS = ["pos", "pos", "neg", "neg", "pos", "neg"]
RULES = RuleSet.from_yaml("{rulenet: 1, rules: [{id: praise, label: pos, word: good}]}")
NEW = ["the film", "", "a match lost, a bad price", "good", "oil " * 60, "z"]


@pytest.fixture(scope="module")
def clf(tiny_encoder: str) -> RuleNetClassifier:
    """A model whose ψ leans on the text and on φ."""
    fitted = RuleNetClassifier(RULES, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS)
    psi = fitted.predictor_.hybrid.psi
    with torch.no_grad():
        psi.from_text.weight.normal_(generator=torch.Generator().manual_seed(1))
        psi.from_phi.weight.copy_(torch.tensor([[0.5, -0.3], [0.1, 0.4]]))
    fitted.predictor_ = fitted.predictor_.with_hybrid(replace(fitted.predictor_.hybrid, psi_scale=1.0))
    return fitted


@pytest.fixture(scope="module")
def exact(clf: RuleNetClassifier) -> Any:
    """ψ as an `onnx.ModelProto`, traced where it predicts in bfloat16, which must not get into the graph."""
    psi = clf.predictor_.hybrid.psi
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rulenet.model.device.has_bfloat16", lambda device: True)
        patch.setattr(psi, "precision", "bfloat16")
        graph = to_onnx(psi)
        assert psi.precision == "bfloat16"
    return graph


@pytest.fixture
def traced_once(exact: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing is not what the test is about."""
    monkeypatch.setattr(export, "to_onnx", lambda psi: exact)


@pytest.fixture(scope="module")
def exported(clf: RuleNetClassifier, exact: Any) -> dict[str, tuple[Any, ExportReport]]:
    """The model at both precisions; whatever they cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "to_onnx", lambda psi: exact)
        names = ("fp32", "int8")
        return {name: with_onnx(clf.predictor_.hybrid, NEW, precision=name, max_loss=0.99, n_jobs=1) for name in names}


@pytest.fixture
def folder(clf: RuleNetClassifier, exported: dict[str, tuple[Any, ExportReport]], tmp_path: Path) -> Path:
    fast = RuleNetClassifier()
    fast.__dict__.update(clf.__dict__)
    fast.predictor_ = fast.predictor_.with_hybrid(exported["fp32"][0])
    fast.save(tmp_path / "model")
    return tmp_path / "model"


def psi_of(hybrid: Any, texts: list[str]) -> Any:
    return hybrid.parts(texts, device="cpu").psi


# ------------------------------------------------------------------ the same ψ


def test_floats_are_the_same(clf: RuleNetClassifier, exported: dict[str, tuple[Any, ExportReport]]) -> None:
    hybrid, report = exported["fp32"]
    expected = psi_of(clf.predictor_.hybrid, NEW)
    assert np.ptp(expected) > 0.1
    assert np.abs(psi_of(hybrid, NEW) - expected).max() < 1e-5
    assert (report.precision, report.n_texts, report.changed, report.accuracy) == ("fp32", 6, 0.0, None)
    assert report.largest_difference < 1e-5


def test_eight_bits_are_close(clf: RuleNetClassifier, exported: dict[str, tuple[Any, ExportReport]]) -> None:
    hybrid, report = exported["int8"]
    gap = np.abs(psi_of(hybrid, NEW) - psi_of(clf.predictor_.hybrid, NEW)).max()
    assert 0 < gap < 0.1
    assert report.largest_difference == pytest.approx(gap, abs=1e-5)
    assert report.bytes == len(hybrid.psi.graph)


def test_the_answer_to_a_text_does_not_depend_on_its_batch(exported: dict[str, tuple[Any, ExportReport]]) -> None:
    for hybrid, _ in exported.values():
        together = psi_of(hybrid, NEW)
        alone = np.vstack([psi_of(hybrid, [text]) for text in NEW])
        assert np.abs(together - alone).max() < 1e-5
        assert np.abs(psi_of(hybrid, NEW[::-1])[::-1] - together).max() < 1e-5


def test_attention_is_one_operator(exported: dict[str, tuple[Any, ExportReport]]) -> None:
    import onnx

    for name, products in (("fp32", "MatMul"), ("int8", "MatMulIntegerToFloat")):
        model = onnx.load_from_string(exported[name][0].psi.graph)
        kinds = [node.op_type for node in model.graph.node]
        assert kinds.count("MultiHeadAttention") == 2  # layers
        assert kinds.count(products) == 2 * 6


def test_the_graph_says_nothing_of_this_machine(exported: dict[str, tuple[Any, ExportReport]]) -> None:
    graph = exported["fp32"][0].psi.graph
    assert b".py" not in graph
    assert str(Path.home()).encode() not in graph


def test_exporting_leaves_the_original_as_it_was(clf: RuleNetClassifier, exported: Any) -> None:
    psi = in_torch(exported["fp32"][0].psi)
    assert psi is clf.predictor_.hybrid.psi
    assert psi.body.config._attn_implementation == "sdpa"


def test_other_rules_reach_psi_through_phi(clf: RuleNetClassifier, exported: Any) -> None:
    edited = RuleSet.from_yaml("{rulenet: 1, rules: [{id: blame, label: neg, word: film, weight: 3}]}")
    fast = RuleNetClassifier()
    fast.__dict__.update(clf.__dict__)
    fast.predictor_ = fast.predictor_.with_hybrid(exported["fp32"][0])
    slow, fast = clf.with_rules(edited), fast.with_rules(edited)
    assert isinstance(fast.predictor_.hybrid.psi, OnnxPsi)
    assert np.abs(fast.decision_function(NEW) - slow.decision_function(NEW)).max() < 1e-5
    other, own = (psi_of(of.predictor_.hybrid, ["the film"]) for of in (slow, clf))
    assert np.abs(other - own).max() > 1e-3


@pytest.mark.parametrize("kind", ["roberta", "e5"])
def test_other_encoders(tmp_path: Path, kind: str) -> None:
    """RoBERTa counts positions from its padding; e5 has kinds of pieces, a prefix and h(x) of one length."""
    from tokenizers import Tokenizer, models
    from transformers import RobertaConfig, RobertaModel

    from rulenet.model.encoders import e5
    from rulenet.model.encoders.encoder import Body, Encoder
    from rulenet.model.psi import Psi

    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = RobertaConfig(vocab_size=50, max_position_embeddings=20, pad_token_id=1, **size)
    torch.manual_seed(0)
    roberta = RobertaModel(config, add_pooling_layer=False).eval()
    packed.pack(tmp_path / e5.FILE)
    body = Body(roberta, Tokenizer(models.WordLevel({"a": 0}, "a")), pad_id=1)
    encoder = Encoder(body if kind == "roberta" else e5.load(tmp_path / e5.FILE, "e5"), name="x", max_length=16)
    psi = Psi(encoder, 3, bound=None, dropout=0.0)
    torch.nn.init.normal_(psi.from_text.weight)
    exact, rows, phi = to_onnx(psi), encoder.encode(["oil a", "", "oil " * 30]), np.zeros((3, 3))
    whole, rounded = (export._engine(psi, exact, name, 1).predict(rows, phi) for name in ("fp32", "int8"))
    expected = psi.eval().predict(rows, phi, device="cpu", exact=True)
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    assert 0 < np.abs(rounded - expected).max() < 0.1


# ------------------------------------------------------------------ refused


@pytest.mark.usefixtures("traced_once")
def test_what_costs_too_much_is_refused(clf: RuleNetClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(model: Any) -> None:
        for tensor in model.graph.initializer:
            if "from_text.bias" in tensor.name:
                values = np.array([50.0, -50.0], dtype=np.float32)
                tensor.raw_data = values.tobytes()

    monkeypatch.setattr(export, "to_int8", spoil)
    answers = clf.predict(TEXTS).tolist()
    assert "pos" in answers  # the spoilt ψ says "neg" to everything, as loud as its bound lets it
    with pytest.raises(ExportError, match=r"max_loss=0\.20% of 6 texts: int8: \d+\.\d\d% of the answers changed"):
        with_onnx(clf.predictor_.hybrid, TEXTS, precision="int8", n_jobs=1)
    y = np.array([clf.classes_.tolist().index(answer) for answer in answers])
    with pytest.raises(ExportError, match=r"int8: \d+\.\d\d% of accuracy lost"):
        with_onnx(clf.predictor_.hybrid, TEXTS, y, precision="int8", n_jobs=1)
    hybrid, report = with_onnx(clf.predictor_.hybrid, TEXTS, y, precision="auto", n_jobs=1)
    assert (report.precision, report.accuracy, report.accuracy_before) == ("fp32", 1.0, 1.0)
    assert isinstance(hybrid.psi, OnnxPsi)


def test_loss_is_accuracy_lost_or_answers_changed() -> None:
    report = ExportReport("int8", 1, 100, changed=0.03, accuracy=0.91, accuracy_before=0.92, largest_difference=0.1)
    assert report.loss == pytest.approx(0.01)
    assert replace(report, accuracy=None, accuracy_before=None).loss == 0.03
    assert replace(report, accuracy=0.93).loss == pytest.approx(-0.01)


def test_parameters(clf: RuleNetClassifier) -> None:
    for options, message in [
        ({"precision": "int4"}, "precision='int4' is not 'auto', 'fp32' or 'int8'"),
        ({"max_loss": 2}, "max_loss=2 is not a share"),
        ({"texts": None, "precision": "int8"}, "precision='int8' needs texts to compare it with PyTorch"),
    ]:
        with pytest.raises(ParameterError, match=message):
            with_onnx(clf.predictor_.hybrid, **{"texts": TEXTS, **options})  # type: ignore[dict-item]


@pytest.mark.usefixtures("traced_once")
def test_without_texts_it_is_floats(clf: RuleNetClassifier) -> None:
    _, report = with_onnx(clf.predictor_.hybrid, n_jobs=1)
    assert (report.precision, report.n_texts, report.loss) == ("fp32", 0, 0.0)


def test_a_model_without_a_neural_part_has_nothing_to_export() -> None:
    rules_only = RuleNetClassifier(RULES, None).fit(TEXTS, LABELS)
    with pytest.raises(ExportError, match="this model does not use ψ"):
        with_onnx(rules_only.predictor_.hybrid, TEXTS)


def test_a_graph_that_differs_is_refused(clf: RuleNetClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match=r"ONNX Runtime is .* logits off on 1 text of 2 word pieces"):
        with_onnx(clf.predictor_.hybrid, TEXTS)


def test_a_missing_extra_is_named(clf: RuleNetClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"exporting a model needs .*rulenet\[onnx\]"):
        with_onnx(clf.predictor_.hybrid, TEXTS)


# ------------------------------------------------------------------ kept with the model


def test_a_saved_model_uses_it_on_a_cpu(clf: RuleNetClassifier, folder: Path) -> None:
    loaded = RuleNetClassifier.load(folder, device="cpu")
    assert isinstance(loaded.predictor_.hybrid.psi, OnnxPsi)
    assert loaded.predict(NEW).tolist() == clf.predict(NEW).tolist()
    assert np.abs(loaded.predict_proba(NEW) - clf.predict_proba(NEW)).max() < 1e-5


def test_without_onnxruntime_pytorch_does_it(
    clf: RuleNetClassifier, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "onnxruntime" else find(name, *a))
    loaded = RuleNetClassifier.load(folder, device="cpu")
    assert not isinstance(loaded.predictor_.hybrid.psi, OnnxPsi)
    assert np.abs(loaded.predict_proba(NEW) - clf.predict_proba(NEW)).max() < 1e-5


def test_it_goes_along_when_saved_again_and_pickled(folder: Path) -> None:
    loaded = RuleNetClassifier.load(folder, device="cpu")
    before = loaded.predict_proba(NEW)
    again = pickle.loads(pickle.dumps(loaded))
    assert np.array_equal(again.predict_proba(NEW), before)
    loaded.save(folder.parent / "copy")
    for name in ("encoder.safetensors", "head.safetensors", ONNX):
        assert part(folder.parent / "copy", name).read_bytes() == part(folder, name).read_bytes()
    loaded.save(folder)  # over itself
    assert np.array_equal(RuleNetClassifier.load(folder, device="cpu").predict_proba(NEW), before)


def test_weights_are_read_late_but_only_from_the_same_model(clf: RuleNetClassifier, folder: Path) -> None:
    loaded = RuleNetClassifier.load(folder, device="cpu")
    other = RuleNetClassifier.load(folder, device="cpu")
    clf.save(folder)  # without the ONNX file; ψ is the same, and so are its parts
    original = in_torch(other.predictor_.hybrid.psi)
    assert torch.equal(original.from_text.weight, clf.predictor_.hybrid.psi.from_text.weight)
    part(folder, "head.safetensors").unlink()
    with pytest.raises(ModelFileError, match="has changed since the model was loaded"):
        in_torch(loaded.predictor_.hybrid.psi)
    assert len(loaded.predict(NEW)) == 6


def test_a_changed_graph_is_refused(folder: Path) -> None:
    graph = bytearray(part(folder, ONNX).read_bytes())
    graph[len(graph) // 2] ^= 1
    part(folder, ONNX).write_bytes(graph)
    with pytest.raises(ModelFileError, match=r"psi-\w+\.onnx is not the file that was saved"):
        RuleNetClassifier.load(folder, device="cpu")


def test_a_missing_or_smuggled_graph_is_refused(clf: RuleNetClassifier, folder: Path) -> None:
    file = part(folder, ONNX)
    graph = file.read_bytes()
    file.unlink()
    with pytest.raises(ModelFileError, match=r"psi-\w+\.onnx is missing"):
        RuleNetClassifier.load(folder, device="cpu")
    clf.save(folder)
    file.write_bytes(graph)
    loaded = RuleNetClassifier.load(folder, device="cpu")
    assert not isinstance(loaded.predictor_.hybrid.psi, OnnxPsi)  # config.json does not name it
    (folder / "psi.onnx").write_bytes(graph)
    with pytest.raises(ModelFileError, match=r"psi\.onnx does not belong to the model"):
        RuleNetClassifier.load(folder, device="cpu")


def test_predicting_loads_no_torch(folder: Path) -> None:
    probe = (
        "import sys; from rulenet import RuleNetClassifier; "
        f"print(len(RuleNetClassifier.load({str(folder)!r}, device='cpu').predict(['good', 'bad'])), 'torch' in sys.modules)"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["2", "False"]
