"""rulenet.model.onnx.int8: whole numbers for constant matrices, a step for each row of what they multiply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rulenet.model.onnx.int8 import quantise_columns, to_int8

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")


def model_of(W: Any) -> Any:
    """y = x W, and z = x W as a Gemm, which stays in floats as the head does."""
    h, f = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [h.make_node("MatMul", ["x", "W"], ["y"]), h.make_node("Gemm", ["x", "W"], ["z"])]
    outputs = [h.make_tensor_value_info(name, f, ["n", W.shape[1]]) for name in ("y", "z")]
    tensors = [onnx.numpy_helper.from_array(W.astype(np.float32), "W")]
    inside = h.make_graph(nodes, "g", [h.make_tensor_value_info("x", f, ["n", W.shape[0]])], outputs, tensors)
    return h.make_model(inside, opset_imports=[h.make_opsetid("", 20)], ir_version=9)


def run(model: Any, x: Any) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.asarray(x, dtype=np.float32)})


def test_columns_have_their_own_step() -> None:
    W = np.array([[1.27, 0.0, -254.0], [-0.64, 0.0, 2.0]])
    Q, v = quantise_columns(W)
    assert Q.tolist() == [[127, 0, -127], [-64, 0, 1]]
    assert np.allclose(v, [0.01, 1, 2])
    assert np.abs(Q * v - W).max() < 1e-6


def test_what_fits_into_whole_numbers_is_exact() -> None:
    model = model_of(np.array([[127.0, 1.0], [-3.0, 127.0]]))
    to_int8(model)
    y, z = run(model, [[127.0, -2.0], [0.0, 0.0]])
    assert np.allclose(y, [[127 * 127 + 6, 127 - 254], [0, 0]], atol=1e-2)
    assert np.allclose(z, y, atol=1e-2)


def test_products_are_close_and_gemm_stays() -> None:
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(64, 32)), rng.normal(size=(10, 64))
    model = model_of(W)
    to_int8(model)
    assert [node.op_type for node in model.graph.node if node.op_type in ("MatMul", "Gemm")] == ["Gemm"]
    y, z = run(model, x)
    assert np.abs(z - x @ W).max() < 1e-3
    assert 0 < np.abs(y - x @ W).max() < 0.02 * np.abs(x @ W).max()


def test_an_outlier_in_one_row_leaves_the_others_alone() -> None:
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(64, 32)), rng.normal(size=(10, 64))
    model = model_of(W)
    to_int8(model)
    alone = run(model, x[1:])[0]
    x[0] *= 1e4
    assert np.array_equal(run(model, x)[0][1:], alone)


def test_floats_that_nothing_reads_are_dropped() -> None:
    model = model_of(np.eye(64))
    del model.graph.node[1], model.graph.output[1]
    before = len(model.SerializeToString())
    to_int8(model)
    assert "W" not in {tensor.name for tensor in model.graph.initializer}
    assert len(model.SerializeToString()) < before / 2
