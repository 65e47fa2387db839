"""rulenet.model.onnx.engine: a graph that adds the number of word pieces to φ shows what goes in and comes out."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rulenet.errors import ModelFileError
from rulenet.model.onnx import engine as onnx_engine
from rulenet.model.onnx.engine import OnnxPsi

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ENCODER = SimpleNamespace(pad_id=9)


def graph(n_classes: int = 2, *, ids: str = "ids", external: bool = False) -> bytes:
    """psi = phi + Σ mask · ids: word pieces of 1 count the text's length, whatever is padded."""
    h, f, i = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    last = onnx.numpy_helper.from_array(np.array([1], dtype=np.int64), "last")
    if external:
        last.ClearField("raw_data")
        last.data_location = onnx.TensorProto.EXTERNAL
        entry = last.external_data.add()
        entry.key, entry.value = "location", "/etc/passwd"
    nodes = [
        h.make_node("Mul", [ids, "mask"], ["kept"]),
        h.make_node("ReduceSum", ["kept", "last"], ["total"], keepdims=1),
        h.make_node("Cast", ["total"], ["count"], to=f),
        h.make_node("Add", ["phi", "count"], ["psi"]),
    ]
    inputs = [
        h.make_tensor_value_info(ids, i, ["n", "length"]),
        h.make_tensor_value_info("mask", i, ["n", "length"]),
        h.make_tensor_value_info("phi", f, ["n", n_classes]),
    ]
    outputs = [h.make_tensor_value_info("psi", f, ["n", n_classes])]
    opset = [h.make_opsetid("", 20)]
    model = h.make_model(h.make_graph(nodes, "g", inputs, outputs, [last]), opset_imports=opset, ir_version=9)
    return bytes(model.SerializeToString())


def repeating(operator: str) -> bytes:
    """A graph that may never end."""
    node = onnx.helper.make_node(operator, ["phi"], ["psi"])
    return bytes(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [])).SerializeToString())


def original_of(name: str) -> Any:
    """Takes the place of ψ in PyTorch."""
    return SimpleNamespace(name=name, predict=lambda rows, phi, *, device: np.full(phi.shape, 7.0))


def engine(**changes: Any) -> OnnxPsi:
    encoder: Any = ENCODER
    options: dict[str, Any] = {"n_classes": 2, "bound": 1.5, "original": partial(original_of, "torch"), "n_jobs": 1}
    return OnnxPsi(graph(), encoder, **{**options, **changes})


def test_each_text_gets_its_own_answer_whatever_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[1], [1, 1, 1], [1, 1], []]
    phi = np.array([[0.0, 10.0], [1.0, 11.0], [2.0, 12.0], [3.0, 13.0]])
    expected = [[1.0, 11.0], [4.0, 14.0], [4.0, 14.0], [3.0, 13.0]]
    for budget in (1, 4, 1024):
        monkeypatch.setattr(onnx_engine, "CPU_PIECES", budget)
        psi = engine().predict(rows, phi)
        assert psi.tolist() == expected
        assert psi.dtype == np.float64
    assert engine().predict([], np.zeros((0, 2))).shape == (0, 2)


def test_on_a_gpu_pytorch_does_it() -> None:
    fast = engine()
    assert fast.predict([[1]], np.zeros((1, 2)), device="cuda").tolist() == [[7.0, 7.0]]
    assert fast.original.name == "torch"


def test_pickling_makes_a_new_session() -> None:
    fast = engine()
    again = pickle.loads(pickle.dumps(fast))
    assert again.predict([[1, 1]], np.zeros((1, 2))).tolist() == [[2.0, 2.0]]
    assert again.session is not fast.session


def test_a_forked_process_makes_a_new_session(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = engine()
    before = fast.session
    assert fast.session is before
    monkeypatch.setattr(onnx_engine.os, "getpid", lambda: -1)
    assert fast.session is not before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no graph", "cannot be read"),
        (b"", "cannot be read"),
        (graph(external=True), "refers to other files"),
        (repeating("Loop"), "it has a loop"),
        (repeating("Scan"), "it has a loop"),
        (graph(3), "not one of ψ for 2 labels"),
        (graph(ids="tokens"), "not one of ψ for 2 labels: it reads .*tokens"),
    ],
    ids=["damaged", "empty", "external", "loop", "scan", "labels", "inputs"],
)
def test_what_is_no_graph_of_psi_is_refused(content: bytes, message: str) -> None:
    encoder: Any = ENCODER
    with pytest.raises(ModelFileError, match=message):
        OnnxPsi(content, encoder, n_classes=2, bound=None, original=partial(original_of, ""), n_jobs=1)


@pytest.mark.slow
def test_torch_is_not_imported() -> None:
    probe = "import sys, rulenet.model.onnx.engine; print('torch' in sys.modules)"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "False"
